"""How long each process was missed: from its kill to the first thing that its successor gets done.

A worker, Temporal and Postgres are back with the next step of an order, a relay with the next event passed on, the api
with the next answer below 300. What was done before the successor had started does not count.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Self

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cli.chaos.book import Book
from cli.chaos.system import System
from models.db import Database
from models.stores.failures import DATABASE_ERRORS
from models.tables.messages import Event

_LOOK: Final = 0.1
# What a worker alone writes.
_STEPS: Final = (
    "order.reserved", "order.confirmed", "order.failed", "label.bought", "payment.captured", "shipment.handed_over",
)  # fmt: skip


class Recovery:
    """A context manager: watches the system in a thread of its own. `times` is by process, in seconds."""

    def __init__(self, system: System, book: Book) -> None:
        self._system = system
        self._book = book
        self._db = Database(system.places.database_url, pool_size=1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="recovery", daemon=True)
        self._noted = 0  # kills
        self._waiting: list[tuple[float, str]] = []  # those of them that are not over
        self.times: Mapping[str, list[float]] = defaultdict(list[float])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._db.dispose()

    @property
    def missing(self) -> list[str]:
        """Who was killed and has done nothing since."""
        return [name for _, name in (*self._waiting, *self._system.killed[self._noted :])]

    def _watch(self) -> None:
        while not self._over.wait(_LOOK):
            new = self._system.killed[self._noted :]
            self._noted += len(new)
            self._waiting += new
            for killed, name in list(self._waiting):
                started = self._system.starts.at.get(name, 0.0)
                back = self._next(name, started) if started > killed else None
                if back is not None:
                    self.times[name].append(back - killed)
                    self._waiting.remove((killed, name))

    def _next(self, name: str, since: float) -> float | None:
        if name == "api":
            return next((a.at for a in list(self._book.answers) if a.at > since and a.status < 300), None)
        happened = Event.relayed_at if name == "relay" else Event.at
        query = select(func.min(happened)).where(happened > datetime.fromtimestamp(since, UTC))
        if name != "relay":
            query = query.where(Event.type.in_(_STEPS))
        work: Callable[[Session], datetime | None] = lambda session: session.scalar(query)  # noqa: E731
        try:
            at = self._db.transaction(work)
        except DATABASE_ERRORS:
            return None
        return at.timestamp() if at else None
