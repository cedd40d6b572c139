"""Webhooks that are not lost: a queue in the ledger, one task that delivers it, retries with growing pauses.

It owns endpoints and deliveries. It must not know what an event means nor how a vendor signs: the sandbox gives a
`sign(secret, body) -> headers`. Retries run in real time, also when the sandbox's clock is moved.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sandbox.http_post import Poster
from sandbox.ledger import Ledger
from sandbox.settings import Settings

BASE_PAUSE = 0.2  # seconds
MAX_PAUSE = 30.0
MAX_ATTEMPTS = 500  # about four hours
AT_ONCE = 8  # deliveries in flight

Sign = Callable[[str, bytes], Mapping[str, str]]

DELIVERY_TABLES = """
CREATE TABLE IF NOT EXISTS endpoints (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, events TEXT NOT NULL, enabled INTEGER NOT NULL,
    created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, event TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
    status TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL DEFAULT 0,
    http_status INTEGER, error TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (next_at, id) WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_event ON deliveries (event);
"""


@dataclass(frozen=True)
class Endpoint:
    """Where events go. `events` are names of kinds, or '*'."""

    id: str
    url: str
    secret: str
    events: tuple[str, ...] = ("*",)
    enabled: bool = True
    created: float = 0.0

    def wants(self, kind: str) -> bool:
        return self.enabled and ("*" in self.events or kind in self.events)


class Deliveries:
    """`enqueue` inside the transaction of the effect; `run` as one task of the process."""

    def __init__(self, ledger: Ledger, settings: Settings, sign: Sign) -> None:
        self._ledger = ledger
        self._settings = settings
        self._sign = sign
        self._wake = asyncio.Event()
        self._poster = Poster()
        self._endpoints = self._load()

    def endpoints(self) -> list[Endpoint]:
        return list(self._endpoints.values())

    def put_endpoint(self, endpoint: Endpoint) -> None:
        """Adds or replaces by id."""
        self._ledger.execute(
            "INSERT OR REPLACE INTO endpoints VALUES (?, ?, ?, ?, ?, ?)",
            (
                endpoint.id,
                endpoint.url,
                endpoint.secret,
                json.dumps(endpoint.events),
                endpoint.enabled,
                endpoint.created,
            ),
        )
        self._endpoints[endpoint.id] = endpoint

    def remove_endpoint(self, endpoint_id: str) -> bool:
        """Its undelivered webhooks go with it. False if there was none."""
        self._ledger.execute("DELETE FROM endpoints WHERE id = ?", (endpoint_id,))
        self._ledger.execute("DELETE FROM deliveries WHERE endpoint = ? AND status = 'pending'", (endpoint_id,))
        return self._endpoints.pop(endpoint_id, None) is not None

    def enqueue(self, event: str, kind: str, body: bytes) -> int:
        """One delivery for each endpoint that wants the kind; the number of them. Call `wake` after the commit."""
        status = "dropped" if self._settings["webhooks"] == "drop" else "pending"
        wanting = [endpoint.id for endpoint in self._endpoints.values() if endpoint.wants(kind)]
        for endpoint in wanting:
            self._ledger.execute(
                "INSERT INTO deliveries (endpoint, event, kind, body, status) VALUES (?, ?, ?, ?, ?)",
                (endpoint, event, kind, body, status),
            )
        return len(wanting)

    def wake(self) -> None:
        self._wake.set()

    def redeliver(self, *, event: str | None = None, delivery: int | None = None, status: str | None = None) -> int:
        """Sends again, also what was delivered: one event, one delivery, or all of a status. How many."""
        column, value = ("event", event) if event else ("id", delivery) if delivery else ("status", status)
        done = self._ledger.execute(
            f"UPDATE deliveries SET status = 'pending', attempts = 0, next_at = 0 WHERE {column} = ?",  # noqa: S608
            (value,),
        )
        self.wake()
        return done.rowcount

    def log(self, event: str | None = None, limit: int = 100) -> list[dict[str, object]]:
        """The newest deliveries first, without bodies."""
        columns = "id, endpoint, event, kind, status, attempts, next_at, http_status, error"
        where, params = ("WHERE event = ?", [event]) if event else ("", [])
        sql = f"SELECT {columns} FROM deliveries {where} ORDER BY id DESC LIMIT ?"  # noqa: S608
        return [dict(row) for row in self._ledger.all(sql, [*params, limit])]

    def pending(self, event: str | None = None) -> int:
        sql = "SELECT count(*) AS n FROM deliveries WHERE status = 'pending' AND (? IS NULL OR event = ?)"
        row = self._ledger.one(sql, (event, event))
        return int(row["n"]) if row else 0

    async def run(self) -> None:
        """Delivers until cancelled."""
        try:
            while True:
                self._wake.clear()
                pause = await self._deliver_due()
                if pause > 0:
                    await self._sleep(pause)
        finally:
            self._poster.close()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _deliver_due(self) -> float:
        """Delivers what is due; seconds until there may be more."""
        if self._settings["webhooks"] == "hold":
            return 1.0
        sql = "SELECT * FROM deliveries WHERE status = 'pending' ORDER BY next_at, id LIMIT ?"
        now = time.time()
        rows = self._ledger.all(sql, (AT_ONCE,))
        due = [row for row in rows if row["next_at"] <= now]
        if not due:
            return min([row["next_at"] - now for row in rows], default=MAX_PAUSE)
        outcomes = await asyncio.gather(*(self._attempt(row["endpoint"], row["body"]) for row in due))
        self._record(zip((row["id"] for row in due), (row["attempts"] + 1 for row in due), outcomes, strict=True))
        return 0.0

    async def _attempt(self, endpoint_id: str, body: bytes) -> tuple[int | None, str | None]:
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint is None:
            return None, "the endpoint is gone"
        headers = {"Content-Type": "application/json; charset=utf-8", **self._sign(endpoint.secret, body)}
        try:
            return await self._poster.post(endpoint.url, body, headers), None
        except (OSError, asyncio.LimitOverrunError, EOFError, ValueError, LookupError) as error:
            return None, f"{type(error).__name__}: {error}"

    def _record(self, outcomes: Iterable[tuple[int, int, tuple[int | None, str | None]]]) -> None:
        with self._ledger.transaction():
            for delivery, attempts, (http_status, error) in outcomes:
                ok = http_status is not None and 200 <= http_status < 300
                status = "delivered" if ok else "abandoned" if attempts >= MAX_ATTEMPTS else "pending"
                next_at = time.time() + min(MAX_PAUSE, BASE_PAUSE * 2 ** min(attempts - 1, 16))
                self._ledger.execute(
                    "UPDATE deliveries SET status = ?, attempts = ?, next_at = ?, http_status = ?, error = ?"
                    " WHERE id = ?",
                    (status, attempts, next_at, http_status, error, delivery),
                )

    def _load(self) -> dict[str, Endpoint]:
        rows = self._ledger.all("SELECT * FROM endpoints ORDER BY created, id")
        return {
            r["id"]: Endpoint(
                r["id"], r["url"], r["secret"], tuple(json.loads(r["events"])), bool(r["enabled"]), r["created"]
            )
            for r in rows
        }
