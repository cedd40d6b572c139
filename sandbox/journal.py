"""A log of requests, behind the setting `log_requests`: what a client really sent, for contract tests and people."""

from typing import Any

from sandbox.asgi import App, Message, Receive, Scope, Send, read_body, replay_body
from sandbox.clock import Clock
from sandbox.ledger import Ledger
from sandbox.settings import Settings

JOURNAL_TABLE = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL,
    idempotency_key TEXT, body TEXT NOT NULL, status INTEGER
);
"""


class Journal:
    """Middleware and reader in one; credentials are never written."""

    def __init__(self, app: App, ledger: Ledger, settings: Settings, clock: Clock) -> None:
        self._app = app
        self._ledger = ledger
        self._settings = settings
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._settings["log_requests"] or scope["path"].startswith("/_admin"):
            await self._app(scope, receive, send)
            return
        body = await read_body(receive)
        if body is None:
            return
        status: list[int] = []

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        try:
            await self._app(scope, replay_body(body, receive), watch)
        finally:
            self._write(scope, body, status[0] if status else None)

    def _write(self, scope: Scope, body: bytes, status: int | None) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key = headers.get(b"idempotency-key")
        self._ledger.execute(
            "INSERT INTO requests (at, method, path, query, idempotency_key, body, status)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                self._clock.now(),
                scope["method"],
                scope["path"],
                scope["query_string"].decode("latin-1"),
                key.decode("latin-1") if key else None,
                body.decode("utf-8", "replace"),
                status,
            ),
        )


def logged_requests(ledger: Ledger, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
    """Oldest first, those with an id greater than `after`."""
    rows = ledger.all("SELECT * FROM requests WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
    return [dict(row) for row in rows]
