"""What the documents name exists: every path, and every `./shelfway` command by the app itself."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from cli.main import app
from cli.processes import ROOT

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "NOTICE")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
COMMANDS = typer.main.get_group(app).commands
FOLDERS = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))

_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
_PATH = re.compile(rf"(?<![\w./{{-])(?:{FOLDERS})/[\w./*-]*\w")
_COMMAND = re.compile(r"\./shelfway (\w[\w-]*)((?: --[a-z-]+)*)")


def missing(document: Path, text: str) -> Iterator[str]:
    for link in _LINK.findall(text):
        if not (document.parent / link).exists():
            yield link
    for path in _PATH.findall(text):
        if not any(ROOT.glob(path)) and not any(ROOT.glob(f"{path}.py")):
            yield path
    for command, options in _COMMAND.findall(text):
        if command not in COMMANDS:
            yield f"./shelfway {command}"
        else:
            known = {
                name for parameter in COMMANDS[command].params for name in (*parameter.opts, *parameter.secondary_opts)
            }
            yield from (f"./shelfway {command} {option}" for option in options.split() if option not in known)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_missing_when_a_document_names_it(document: Path) -> None:
    assert list(missing(document, document.read_text())) == []


def test_it_is_told_when_a_document_names_what_is_not_there() -> None:
    text = "[a](b.md) `docs/none.md` `./shelfway fly` `./shelfway up --never` `./shelfway up --fresh` models/money"
    assert list(missing(ROOT / "README.md", text)) == [
        "b.md",
        "docs/none.md",
        "./shelfway fly",
        "./shelfway up --never",
    ]
