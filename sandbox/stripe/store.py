"""Stripe objects in the ledger: one row each, its public body as JSON beside what only the sandbox knows.

It owns ids, order and pages. It must not know what an object means.
"""

import json
import os
from dataclasses import dataclass, field
from typing import Any

from sandbox.ledger import Ledger
from sandbox.stripe.errors import Obj, bad_request, not_found

OBJECT_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
    customer TEXT, payment_intent TEXT, charge TEXT, due REAL, body TEXT NOT NULL, private TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_customer ON objects (kind, customer, seq) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_intent ON objects (kind, payment_intent, seq) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_charge ON objects (kind, charge, seq) WHERE charge IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_due ON objects (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_order ON objects (json_extract(body, '$.metadata.order_id'))
    WHERE kind = 'payment_intent';
"""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MAX_PAGE = 100


def new_id(prefix: str, length: int = 24) -> str:
    number = int.from_bytes(os.urandom(24))
    letters: list[str] = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        letters.append(ALPHABET[rest])
    return f"{prefix}_{''.join(letters)}"


@dataclass
class Record:
    """`body` is what the API shows; `private` what only the sandbox knows; `due` when it next changes by itself."""

    body: Obj
    private: Obj = field(default_factory=dict)
    due: float | None = None

    @property
    def id(self) -> str:
        return self.body["id"]

    @property
    def kind(self) -> str:
        return self.body["object"]


class Store:
    """Reads and writes records; every call belongs to the caller's transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def insert(self, record: Record) -> Record:
        body = record.body
        self._ledger.execute(
            "INSERT INTO objects (id, kind, created, customer, payment_intent, charge, due, body, private)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (body["id"], body["object"], body["created"], *_columns(record)),
        )
        return record

    def save(self, record: Record) -> None:
        self._ledger.execute(
            "UPDATE objects SET customer = ?, payment_intent = ?, charge = ?, due = ?, body = ?, private = ?"
            " WHERE id = ?",
            (*_columns(record), record.id),
        )

    def delete(self, object_id: str) -> None:
        self._ledger.execute("DELETE FROM objects WHERE id = ?", (object_id,))

    def find(self, object_id: str) -> Record | None:
        row = self._ledger.one("SELECT body, private, due FROM objects WHERE id = ?", (object_id,))
        return None if row is None else Record(json.loads(row["body"]), json.loads(row["private"]), row["due"])

    def get(self, kind: str, object_id: str, param: str = "id") -> Record:
        """Raises StripeError resource_missing."""
        record = self.find(object_id)
        if record is None or record.kind != kind:
            raise not_found(kind, object_id, param)
        return record

    def due(self, now: float, limit: int = 100) -> list[Record]:
        rows = self._ledger.all(
            "SELECT body, private, due FROM objects WHERE due <= ? ORDER BY due, seq LIMIT ?", (now, limit)
        )
        return [Record(json.loads(row["body"]), json.loads(row["private"]), row["due"]) for row in rows]

    def related(self, kind: str, **reference: str) -> list[Record]:
        """All of a kind that refer to one customer, payment_intent or charge, oldest first."""
        [(column, value)] = reference.items()
        sql = f"SELECT body, private, due FROM objects WHERE kind = ? AND {column} = ? ORDER BY seq"  # noqa: S608
        rows = self._ledger.all(sql, (kind, value))
        return [Record(json.loads(row["body"]), json.loads(row["private"]), row["due"]) for row in rows]

    def balance(self, now: int) -> dict[str, dict[str, int]]:
        """Net sums of balance transactions: {"available": {currency: sum}, "pending": {...}}."""
        sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
        rows = self._ledger.all(
            "SELECT json_extract(body, '$.currency') AS currency, json_extract(body, '$.available_on') <= ? AS free,"
            " sum(json_extract(body, '$.net')) AS net FROM objects WHERE kind = 'balance_transaction' GROUP BY 1, 2",
            (now,),
        )
        for row in rows:
            sums["available" if row["free"] else "pending"][row["currency"]] = row["net"]
        return sums

    def page(self, kind: str, url: str, params: Obj, **filters: object) -> Obj:
        """Stripe's list object, newest first. `filters` are columns or JSON fields with one value or more."""
        where: list[str] = ["kind = ?"]
        values: list[Any] = [kind]
        for name, value in filters.items():
            if value is not None:
                allowed = value if isinstance(value, list) else [value]
                where.append(f"{_expression(name)} IN ({', '.join('?' * len(allowed))})")
                values.extend(allowed)
        _created(params.get("created"), where, values)
        return self._page(kind, url, params, where, values)

    def _page(self, kind: str, url: str, params: Obj, where: list[str], values: list[Any]) -> Obj:
        limit = params.get("limit", 10)
        if not 1 <= limit <= MAX_PAGE:
            raise bad_request(f"Invalid integer: limit must be between 1 and {MAX_PAGE}.", None, "limit")
        backwards = "ending_before" in params
        for name, sign in (("starting_after", "<"), ("ending_before", ">")):
            if name in params:
                where.append(f"seq {sign} ?")
                values.append(self._seq(kind, params[name], name))
        order = "ASC" if backwards else "DESC"
        condition = " AND ".join(where)
        sql = f"SELECT body FROM objects WHERE {condition} ORDER BY seq {order} LIMIT ?"  # noqa: S608
        rows = self._ledger.all(sql, [*values, limit + 1])
        data = [json.loads(row["body"]) for row in rows[:limit]]
        if backwards:
            data.reverse()
        return {"object": "list", "data": data, "has_more": len(rows) > limit, "url": url}

    def _seq(self, kind: str, object_id: str, param: str) -> int:
        row = self._ledger.one("SELECT seq FROM objects WHERE id = ? AND kind = ?", (object_id, kind))
        if row is None:
            raise not_found(kind, object_id, param)
        return row["seq"]


def _columns(record: Record) -> tuple[object, ...]:
    body = record.body
    return (
        body.get("customer"),
        body.get("payment_intent"),
        body.get("charge") or body.get("source"),
        record.due,
        json.dumps(body, separators=(",", ":")),
        json.dumps(record.private, separators=(",", ":")),
    )


def _expression(name: str) -> str:
    return name if name in ("customer", "payment_intent", "charge") else f"json_extract(body, '$.{name}')"


def _created(created: object, where: list[str], values: list[Any]) -> None:
    signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
    if isinstance(created, int):
        created = {"gte": created, "lte": created}
    if isinstance(created, dict):
        for name, value in created.items():
            where.append(f"created {signs[name]} ?")
            values.append(value)
