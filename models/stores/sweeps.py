"""What was left lying: commands without an answer, old keys; and when periodic work is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.tables.messages import Command, Due, IdempotencyKey
from models.tables.orders import Order
from models.tables.returns import Return

RESEND_AFTER: Final = timedelta(seconds=5)
KEEP_KEYS: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A command that its run has not answered; `closed` says that its order's run is over, so Postgres must answer."""

    command_id: str
    closed: bool


class SweepStore:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def unanswered_commands(self, limit: int = 64) -> Sequence[Unanswered]:
        """Commands that a run should have answered by now, oldest first; also those whose outcome Postgres has.

        A worker that died may have committed the outcome and taken the Update with it: the run knows nothing then.
        """
        query = (
            select(
                Command.id,
                case((Command.return_id.is_(None), Order.closed_at), else_=Return.closed_at).label("closed_at"),
            )
            .join(Order, Order.id == Command.order_id)
            .outerjoin(Return, Return.id == Command.return_id)
            .where(Command.heard_at.is_(None), Command.created_at <= self._clock.now() - RESEND_AFTER)
            .order_by(Command.created_at)
            .limit(limit)
        )

        def work(session: Session) -> Sequence[Unanswered]:
            return [Unanswered(row.id, row.closed_at is not None) for row in session.execute(query)]

        return self._db.transaction(work)

    def prune_keys(self) -> int:
        """Forget idempotency keys that are older than we promise to remember; how many."""
        old = delete(IdempotencyKey).where(IdempotencyKey.created_at < self._clock.now() - KEEP_KEYS)
        return self._db.transaction(lambda session: cast("CursorResult[Any]", session.execute(old)).rowcount)

    def due(self, names: Sequence[str]) -> Sequence[str]:
        """Those of the periodic works that are due now; one never seen before is."""

        def work(session: Session) -> Sequence[str]:
            now = self._clock.now()
            known = session.scalars(select(Due.name).where(Due.name.in_(names))).all()
            if new := [{"name": name, "next_at": now} for name in names if name not in known]:
                session.execute(insert(Due).values(new).on_conflict_do_nothing())
            query = select(Due.name).where(Due.name.in_(names), Due.next_at <= now).order_by(Due.next_at, Due.name)
            return session.scalars(query).all()

        return self._db.transaction(work)

    def done(self, name: str, periods: Mapping[str, timedelta], *, ok: bool) -> None:
        """It ran; it is due again a period from now, whether it went well or not."""
        now = self._clock.now()
        values = {"next_at": now + periods[name], **({"last_ok_at": now} if ok else {})}
        again = update(Due).where(Due.name == name).values(**values)
        self._db.transaction(lambda session: session.execute(again))

    def place(self, name: str) -> str | None:
        """How far a work that goes in pages has come; None at the beginning."""
        return self._db.transaction(lambda session: session.scalar(select(Due.place).where(Due.name == name)))

    def move(self, name: str, place: str | None) -> None:
        """It has come so far. Kept with what it works on: an older Postgres that is restored brings its older place."""
        row = insert(Due).values(name=name, next_at=self._clock.now(), place=place)
        there = row.on_conflict_do_update(index_elements=["name"], set_={"place": place})
        self._db.transaction(lambda session: session.execute(there))
