"""Brings a database to what the code expects: migrations, then the demo's data.

Both do nothing when nothing is to do, but finding that out takes a second of imports. So a database of our own has
beside it the digest of what prepared it, and goes when it goes.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from cli.processes import ROOT

_PARTS = ("migrations/*.py", "migrations/versions/*.py", "cli/seed.py", "cli/demo/*.py")


def prepare(owner_url: str, beside: Path | None, say: Callable[[str], None]) -> None:
    """Migrate and seed as the owner. `beside` is the folder of our own cluster, None for somebody else's database."""
    mark = beside / "prepared-by" if beside else None
    digest = _digest()
    if mark is not None and mark.exists() and mark.read_text() == digest:
        return
    from cli.migrate import migrate
    from cli.seed import seed

    migrate(owner_url)
    seed(owner_url, say)
    if mark is not None:
        mark.write_text(digest)


def _digest() -> str:
    """Of the code that prepares, names and text."""
    digest = hashlib.sha256()
    for file in sorted(file for part in _PARTS for file in ROOT.glob(part)):
        digest.update(f"{file.relative_to(ROOT)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
