"""Returns whose own run may be lost, or knows something else than Postgres: which to look at, how one is resumed.

As for orders (`lost_runs`). A return needs a run until it is over and its label, if nobody used it, was asked back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, union
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.messages.returns import ReturnFacts, ReturnRef
from models.stores.fulfilment import SYSTEM
from models.stores.lost_runs import CLOSED_LATELY, PATIENCE
from models.stores.returns import ReturnStore, facts_of
from models.tables.messages import Command, Event, InboxFact
from models.tables.returns import Return
from models.tables.shipments import Label

_LIVE: Final = and_(Label.return_id == Return.id, Label.refund_requested_at.is_(None))
NEEDS_RUN: Final = or_(Return.closed_at.is_(None), and_(Return.scanned_at.is_(None), exists().where(_LIVE)))


@dataclass(frozen=True, slots=True)
class KeptReturn:
    """What Postgres has of it, to be laid beside what its run knows. `quiet_since`: its order's newest event."""

    ref: ReturnRef
    facts: ReturnFacts
    quiet_since: datetime


class LostReturns:
    def __init__(self, database: Database, clock: Clock, returns: ReturnStore) -> None:
        self._db = database
        self._clock = clock
        self._returns = returns

    def suspects(self, limit: int = 50) -> Sequence[str]:
        """Those that something was left lying of for longer than a run takes."""
        before = self._clock.now() - PATIENCE
        left = union(
            select(InboxFact.return_id).where(InboxFact.applied_at.is_(None), InboxFact.signalled_at < before),
            select(Command.return_id).where(Command.outcome.is_(None), Command.created_at < before),
            select(Label.return_id).where(
                Label.bought_at.is_(None), Label.refund_requested_at.is_(None), Label.planned_at < before
            ),
        ).subquery()
        return self._ids(NEEDS_RUN, Return.id.in_(select(left.c[0])), limit=limit)

    def open_after(self, place: str | None, limit: int = 100) -> Sequence[str]:
        """The next ones by id that need a run. A fresh one is given time to be started."""
        settled = Return.created_at < self._clock.now() - PATIENCE
        return self._ids(NEEDS_RUN, settled, Return.id > (place or ""), limit=limit)

    def closed_after(self, place: str | None, limit: int = 100) -> Sequence[str]:
        """The next ones by id that are over lately and need none."""
        since = self._clock.now() - CLOSED_LATELY
        return self._ids(Return.closed_at > since, ~NEEDS_RUN, Return.id > (place or ""), limit=limit)

    def _ids(self, *which: ColumnElement[bool], limit: int) -> Sequence[str]:
        query = select(Return.id).where(*which).order_by(Return.id).limit(limit)
        return self._db.transaction(lambda session: session.scalars(query).all())

    def kept(self, return_id: str) -> KeptReturn:
        """Ask it after the run: a run learns from what is committed, so it cannot know more than this."""
        newest = select(func.max(Event.at)).where(Event.aggregate == Return.order_id).scalar_subquery()
        query = select(Return, Label, func.coalesce(newest, Return.created_at)).outerjoin(Label, _LIVE)

        def work(session: Session) -> KeptReturn:
            row, label, quiet_since = session.execute(query.where(Return.id == return_id)).one()
            return KeptReturn(ReturnRef(order_id=row.order_id, return_id=row.id), facts_of(row, label), quiet_since)

        return self._db.transaction(work)

    def unheard(self, return_id: str) -> Sequence[str]:
        """Facts that its run was told of long enough ago, and that nobody took in."""
        return self._not_taken_in(return_id, InboxFact.signalled_at < self._clock.now() - PATIENCE)

    def waiting(self, return_id: str) -> Sequence[str]:
        """All facts that nobody took in."""
        return self._not_taken_in(return_id)

    def _not_taken_in(self, return_id: str, *further: ColumnElement[bool]) -> Sequence[str]:
        query = select(InboxFact.id).where(InboxFact.return_id == return_id, InboxFact.applied_at.is_(None), *further)
        return self._db.transaction(
            lambda session: session.scalars(query.order_by(InboxFact.occurred_at, InboxFact.id)).all()
        )

    def resume(self, ref: ReturnRef, why: str) -> bool:
        """Note that its run was lost. False when it needs none."""

        def work(session: Session) -> bool:
            parcel = self._returns.open(session, ref)
            if parcel.facts().over:
                return False
            parcel.row.started_at = parcel.row.started_at or parcel.book.now
            parcel.tell("run_resumed", SYSTEM, why=why)
            parcel.book.settle()
            return True

        return self._db.transaction(work)
