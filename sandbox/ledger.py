"""The durable ledger of a sandbox: one SQLite file that survives `kill -9`.

It owns the connection, transactions and the table of settings; each sandbox brings its own tables.
It must not know any vendor's objects. One process writes one ledger, from one thread at a time.
"""

import json
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

SETTINGS_TABLE = "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"


class Ledger:
    """A SQLite file in WAL mode; `path` may be ':memory:' in tests."""

    def __init__(self, path: str | Path, schema: str) -> None:
        self._db = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False, cached_statements=256)
        self._db.row_factory = sqlite3.Row
        # NORMAL does not sync at each commit: a killed process loses nothing, a power cut may lose the last moments
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "temp_store=MEMORY"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SETTINGS_TABLE + schema)

    def execute(self, sql: str, params: Sequence[object] = ()) -> sqlite3.Cursor:
        return self._db.execute(sql, params)

    def all(self, sql: str, params: Sequence[object] = ()) -> list[sqlite3.Row]:
        return self._db.execute(sql, params).fetchall()

    def one(self, sql: str, params: Sequence[object] = ()) -> sqlite3.Row | None:
        return self._db.execute(sql, params).fetchone()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing; one inside another joins it. Never await inside: other requests share the connection."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def setting(self, name: str) -> object:
        """The stored value, or None."""
        row = self.one("SELECT value FROM settings WHERE name = ?", (name,))
        return None if row is None else json.loads(row["value"])

    def set_setting(self, name: str, value: object) -> None:
        self.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def close(self) -> None:
        self._db.close()
