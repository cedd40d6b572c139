"""The sandbox's rows: objects, shipments, trackers, refunds, events. SQL lives here alone; it must not decide.

A shipment's document holds what does not change by tracking; what the oracle asks for has columns of its own.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.easypost.errors import not_found
from sandbox.easypost.shapes import Json
from sandbox.ledger import Ledger

TABLES = """
CREATE TABLE IF NOT EXISTS objects (id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shipments (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, reference TEXT, created REAL NOT NULL, bought REAL,
    carrier TEXT, service TEXT, currency TEXT, postage INTEGER, insurance INTEGER NOT NULL DEFAULT 0,
    label_id TEXT UNIQUE, tracking_code TEXT, refund_status TEXT, document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS shipments_reference ON shipments (reference);
CREATE TABLE IF NOT EXISTS trackers (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tracking_code TEXT NOT NULL, carrier TEXT NOT NULL,
    shipment_id TEXT, status TEXT NOT NULL, scanned INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL,
    changed REAL NOT NULL, document TEXT NOT NULL, UNIQUE (tracking_code, carrier)
);
CREATE INDEX IF NOT EXISTS trackers_shipment ON trackers (shipment_id);
CREATE INDEX IF NOT EXISTS trackers_walk ON trackers (status, changed)
    WHERE status IN ('unknown', 'pre_transit', 'in_transit', 'out_for_delivery');
CREATE TABLE IF NOT EXISTS refunds (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, shipment_id TEXT NOT NULL, status TEXT NOT NULL,
    created REAL NOT NULL, document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_shipment ON refunds (shipment_id);
CREATE INDEX IF NOT EXISTS refunds_open ON refunds (created) WHERE status = 'submitted';
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, created REAL NOT NULL, document TEXT NOT NULL
);
"""
LISTED = frozenset({"shipments", "trackers", "refunds", "events"})


@dataclass(frozen=True)
class Page:
    """One page of a list, newest first; `equal` are columns that must match."""

    size: int = 20
    before_id: str | None = None
    after_id: str | None = None
    since: float | None = None
    until: float | None = None
    purchased: bool | None = None
    equal: Mapping[str, str] | None = None


class Store:
    """Methods that write expect the caller's transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def put_object(self, document: Mapping[str, Any]) -> None:
        self.ledger.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?)",
            (document["id"], json.dumps(document, separators=(",", ":"))),
        )

    def stored(self, object_id: str) -> Json:
        """Raises ApiError 404."""
        row = self.ledger.one("SELECT document FROM objects WHERE id = ?", (object_id,))
        if row is None:
            raise not_found()
        return json.loads(row["document"])

    def insert(self, table: str, values: Mapping[str, object]) -> None:
        columns = ", ".join(values)
        marks = ", ".join("?" * len(values))
        self.ledger.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values()))  # noqa: S608

    def update(self, table: str, row_id: str, values: Mapping[str, object]) -> None:
        pairs = ", ".join(f"{column} = ?" for column in values)
        self.ledger.execute(f"UPDATE {table} SET {pairs} WHERE id = ?", [*values.values(), row_id])  # noqa: S608

    def row(self, table: str, row_id: str, column: str = "id") -> Json:
        """The row as a dict, `document` decoded; raises ApiError 404."""
        row = self.ledger.one(f"SELECT * FROM {table} WHERE {column} = ?", (row_id,))  # noqa: S608
        if row is None:
            raise not_found()
        return _decoded(row)

    def tracker_of(self, shipment_id: str) -> Json | None:
        row = self.ledger.one("SELECT * FROM trackers WHERE shipment_id = ?", (shipment_id,))
        return None if row is None else _decoded(row)

    def trackers_with(self, tracking_code: str) -> list[Json]:
        return [
            _decoded(row) for row in self.ledger.all("SELECT * FROM trackers WHERE tracking_code = ?", (tracking_code,))
        ]

    def due_trackers(self, statuses: Sequence[str], column: str, before: float) -> list[Json]:
        """Bought parcels in one of `statuses` whose `column` (changed, created) is not after `before`."""
        marks = ", ".join("?" * len(statuses))
        sql = (
            f"SELECT * FROM trackers WHERE status IN ({marks}) AND {column} <= ?"  # noqa: S608
            " AND shipment_id IS NOT NULL ORDER BY seq LIMIT 500"
        )
        return [_decoded(row) for row in self.ledger.all(sql, [*statuses, before])]

    def due_refunds(self, before: float) -> list[Json]:
        sql = "SELECT * FROM refunds WHERE status = 'submitted' AND created <= ? ORDER BY seq LIMIT 500"
        return [_decoded(row) for row in self.ledger.all(sql, (before,))]

    def page(self, table: str, page: Page) -> tuple[list[Json], bool]:
        """Rows newest first and whether there are more."""
        if table not in LISTED:
            raise ValueError(table)
        where, params = _conditions(table, page)
        order = "ASC" if page.after_id else "DESC"
        sql = f"SELECT * FROM {table} WHERE {where} ORDER BY seq {order} LIMIT ?"  # noqa: S608
        rows = [_decoded(row) for row in self.ledger.all(sql, [*params, page.size + 1])]
        found = rows[: page.size]
        if page.after_id:
            found.reverse()
        return found, len(rows) > page.size


def dump(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _decoded(row: sqlite3.Row) -> Json:
    return {**dict(row), "document": json.loads(row["document"])}


def _conditions(table: str, page: Page) -> tuple[str, list[object]]:
    found: list[tuple[str, list[object]]] = [("1", [])]
    if page.before_id:
        found.append((f"seq < (SELECT seq FROM {table} WHERE id = ?)", [page.before_id]))  # noqa: S608
    if page.after_id:
        found.append((f"seq > (SELECT seq FROM {table} WHERE id = ?)", [page.after_id]))  # noqa: S608
    if page.since is not None:
        found.append(("created >= ?", [page.since]))
    if page.until is not None:
        found.append(("created < ?", [page.until]))
    if page.purchased is not None and table == "shipments":
        found.append((f"bought IS {'NOT ' if page.purchased else ''}NULL", []))
    found.extend((f"{column} = ?", [value]) for column, value in (page.equal or {}).items())
    return " AND ".join(sql for sql, _ in found), [value for _, values in found for value in values]
