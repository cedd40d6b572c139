"""Orders whose run may be lost, or knows another Postgres than this one: which to look at, and how one is resumed.

Ids are looked at in pages, so that every open order has its turn however many there are; those with something left
lying come first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, exists, func, select, union
from sqlalchemy.orm import Session

from models.cases import FORGOTTEN_REFUND
from models.clock import Clock
from models.db import Database
from models.stores.book import Book
from models.stores.finding import FORGOTTEN
from models.stores.fulfilment import SYSTEM
from models.tables.messages import Command, Event, InboxFact
from models.tables.orders import Order
from models.tables.payments import PaymentOperation
from models.tables.shipments import Label, Shipment

PATIENCE: Final = timedelta(minutes=1)  # that a run has to start, and to do what it was told
_OWN: Final = InboxFact.return_id.is_(None)  # the order's own facts: a return has a run of its own
# Since its last run was started: a run of before the restore may count the same revisions.
_FORGOT: Final = (
    InboxFact.order_id == Order.id,
    InboxFact.result.in_((FORGOTTEN, FORGOTTEN_REFUND)),
    InboxFact.applied_at > func.coalesce(Order.resumed_at, Order.created_at),
)
CLOSED_LATELY: Final = timedelta(days=7)  # a backup of Temporal older than that is nobody's


@dataclass(frozen=True, slots=True)
class Kept:
    """What Postgres has of an order, to be laid beside what its run knows. `quiet_since`: its newest event.

    `forgot`: effects were found that it had forgotten, so revisions of before may say something else to its run.
    """

    revision: int
    quiet_since: datetime
    closed: bool
    forgot: bool


class LostRuns:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def suspects(self, limit: int = 50) -> Sequence[str]:
        """Open orders that something was left lying of for longer than a run takes, oldest first."""
        before = self._clock.now() - PATIENCE
        left = union(
            select(InboxFact.order_id).where(_OWN, InboxFact.applied_at.is_(None), InboxFact.signalled_at < before),
            select(Command.order_id).where(
                Command.return_id.is_(None), Command.outcome.is_(None), Command.created_at < before
            ),
            select(PaymentOperation.order_id).where(
                PaymentOperation.outcome.is_(None), PaymentOperation.planned_at < before
            ),
            select(Shipment.order_id)
            .join(Label, Label.shipment_id == Shipment.id)
            .where(Label.bought_at.is_(None), Label.refund_requested_at.is_(None), Label.planned_at < before),
        ).subquery()
        query = select(Order.id).where(Order.closed_at.is_(None), Order.id.in_(select(left.c[0])))
        return self._db.transaction(lambda session: session.scalars(query.order_by(Order.id).limit(limit)).all())

    def open_after(self, place: str | None, limit: int = 100) -> Sequence[str]:
        """The next open orders by id; the first ones without a place. A fresh one is given time to be started."""
        settled = Order.created_at < self._clock.now() - PATIENCE
        query = select(Order.id).where(Order.closed_at.is_(None), settled, Order.id > (place or ""))
        return self._db.transaction(lambda session: session.scalars(query.order_by(Order.id).limit(limit)).all())

    def closed_after(self, place: str | None, limit: int = 100) -> Sequence[str]:
        """The next orders by id that were closed lately."""
        since = self._clock.now() - CLOSED_LATELY
        query = select(Order.id).where(Order.closed_at > since, Order.id > (place or ""))
        return self._db.transaction(lambda session: session.scalars(query.order_by(Order.id).limit(limit)).all())

    def kept(self, order_id: str) -> Kept:
        """Ask it after the run: a run learns from what is committed, so it cannot know more than this."""
        newest = select(func.max(Event.at)).where(Event.aggregate == Order.id).scalar_subquery()
        quiet_since = func.coalesce(newest, Order.created_at).label("quiet_since")
        query = select(Order.revision, quiet_since, Order.closed_at, exists().where(*_FORGOT).label("forgot"))

        def work(session: Session) -> Kept:
            row = session.execute(query.where(Order.id == order_id)).one()
            return Kept(row.revision, row.quiet_since, row.closed_at is not None, row.forgot)

        return self._db.transaction(work)

    def unheard(self, order_id: str) -> Sequence[str]:
        """Facts that its run was told of long enough ago, and that nobody took in."""
        return self._not_taken_in(order_id, InboxFact.signalled_at < self._clock.now() - PATIENCE)

    def waiting(self, order_id: str) -> Sequence[str]:
        """All facts that nobody took in, whether its run was told of them or is still to be."""
        return self._not_taken_in(order_id)

    def _not_taken_in(self, order_id: str, *further: ColumnElement[bool]) -> Sequence[str]:
        query = select(InboxFact.id).where(
            _OWN, InboxFact.order_id == order_id, InboxFact.applied_at.is_(None), *further
        )
        return self._db.transaction(
            lambda session: session.scalars(query.order_by(InboxFact.occurred_at, InboxFact.id)).all()
        )

    def resume(self, order_id: str, why: str) -> bool:
        """Note that its run was lost; from here on its effects are looked up first. False when it needs none."""

        def work(session: Session) -> bool:
            book = Book.open(session, order_id, self._clock.now())
            order = book.order
            if order.closed_at is not None:
                return False
            order.resumed_at = book.now
            order.started_at = order.started_at or book.now
            book.tell("run.resumed", SYSTEM, why=why)
            book.settle()
            return True

        return self._db.transaction(work)
