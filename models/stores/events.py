"""The outbox side of `events`: what has not been passed on yet, in order, and the mark that it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.tables.messages import Event


@dataclass(frozen=True, slots=True)
class Happened:
    """One event as listeners get it. `id` makes a repeat known; `seq` counts without gaps within its aggregate."""

    id: int
    aggregate: str
    seq: int
    type: str
    actor: str
    at: datetime
    data: dict[str, Any]


class EventsStore:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def unrelayed(self, limit: int = 500) -> Sequence[Happened]:
        """The oldest first. An aggregate's events commit under its lock, so none can come before one read here."""

        def work(session: Session) -> Sequence[Happened]:
            columns = select(Event.id, Event.aggregate, Event.seq, Event.type, Event.actor, Event.at, Event.data)
            rows = session.execute(columns.where(Event.relayed_at.is_(None)).order_by(Event.id).limit(limit))
            return [Happened(*row) for row in rows]

        return self._db.transaction(work)

    def relayed(self, ids: Sequence[int]) -> None:
        """A sink has them. Written after it said so, so a crash in between sends them again."""
        done = update(Event).where(Event.id.in_(ids)).values(relayed_at=self._clock.now())
        self._db.transaction(lambda session: session.execute(done))
