"""What docs/promises.md names is there: each promise has its row, and each test that holds one exists."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/promises.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))


@cache
def source(path: str) -> str:
    return (ROOT / path).read_text()


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_the_test_exists_when_a_promise_names_it(path: str, name: str) -> None:
    assert f"def {name}(" in source(path) if name else source(path)


def test_every_promise_has_one_row_when_the_table_is_read() -> None:
    assert re.findall(r"^\| \*\*(P\d+)\*\*", TEXT, re.MULTILINE) == [f"P{number}" for number in range(1, 22)]


def test_every_case_that_a_test_is_named_after_is_in_the_table_when_it_is_read() -> None:
    named = {
        case.upper()
        for path in ROOT.glob("tests/*/test_*.py")
        for case in re.findall(r"def test_(?:\w+_)?(k\d\d)_", path.read_text())
    }
    assert named <= set(re.findall(r"^\| (K\d\d) ", TEXT, re.MULTILINE))
