"""What closed orders and dead steps left behind: stock that nobody will ship, money that nobody acts for any more, and
effects whose outcome nobody learned. Each is found by what it is, so looking twice finds it once.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, union
from sqlalchemy.orm import Session, aliased

from models.cases import NO_OUTCOME
from models.clock import Clock
from models.db import Database
from models.stores.book import GIVEN_BACK, HOLDING, Book
from models.stores.fulfilment import SYSTEM
from models.stores.stock import StockStore
from models.tables.messages import Case
from models.tables.orders import Order, OrderUnit
from models.tables.payments import Intent, PaymentOperation
from models.tables.returns import Return
from models.tables.shipments import Label, Shipment
from models.tables.stock import CartHold, Reservation
from models.words import CaseType, OperationKind, ReservationState, Role, Stage, UnitState

PATIENCE: Final = timedelta(minutes=1)  # after the close of an order, for its last words
UNKNOWN_FOR: Final = timedelta(hours=1)  # that an effect may have no outcome before somebody has to look
_LEFT: Final = frozenset({UnitState.HANDED_OVER, UnitState.DELIVERED, UnitState.RETURNED, UnitState.LOST})


class Leftovers:
    def __init__(self, database: Database, clock: Clock, stock: StockStore) -> None:
        self._db = database
        self._clock = clock
        self._stock = stock

    # Stock

    def holders(self, limit: int = 50) -> Sequence[str]:
        """Closed orders that still hold stock, and holders that are neither an order nor a cart that may hold."""
        active = Reservation.state == ReservationState.ACTIVE
        closed = exists().where(Order.id == Reservation.holder, Order.closed_at < self._clock.now() - PATIENCE)
        nobody = ~exists().where(Order.id == Reservation.holder) & ~exists().where(
            CartHold.id == Reservation.holder, CartHold.released_at.is_(None)
        )
        query = select(Reservation.holder).where(active, or_(closed, nobody)).distinct().limit(limit)
        return self._db.transaction(lambda session: session.scalars(query.order_by(Reservation.holder)).all())

    def let_go(self, holder: str) -> int:
        """Release what it holds. Units that left all the same were never taken off the shelf's count: a case."""

        def work(session: Session) -> int:
            now = self._clock.now()
            if session.get(Order, holder) is None:
                return len(self._stock.release(session, holder, now))
            book = Book.open(session, holder, now)
            if book.order.closed_at is None:
                return 0
            book.read()  # stock is locked last
            units = self._stock.release(session, holder, now)
            if left := [u.id for u in book.units if u.id in units and u.state in _LEFT]:
                book.open_case(CaseType.STOCK_MISSING, holder, Role.OPS, units=left)
            book.tell("stock.orphan_released", SYSTEM, units=len(units))
            book.settle()
            return len(units)

        return self._db.transaction(work)

    # Money of closed orders

    def unsettled(self, limit: int = 50) -> Sequence[str]:
        """Closed orders with money to read anew, to void or to refund, unless a person has it in hand."""
        owed = (OrderUnit.captured_by.is_not(None), OrderUnit.refunded_by.is_(None), OrderUnit.state.in_(GIVEN_BACK))
        left = union(
            select(Intent.order_id).where(Intent.look_due | Intent.state.in_(HOLDING)),
            select(OrderUnit.order_id).where(*owed),
            select(PaymentOperation.order_id).where(PaymentOperation.retried_at.is_not(None), ~_asked_since()),
        ).subquery()
        query = select(Order.id).where(
            Order.closed_at < self._clock.now() - PATIENCE, Order.id.in_(select(left.c[0])), ~_has_case(Order.id)
        )
        return self._db.transaction(lambda session: session.scalars(query.order_by(Order.closed_at).limit(limit)).all())

    def labels_of_no_use(self, limit: int = 50) -> Sequence[tuple[str, str]]:
        """Order and shipment of live labels whose parcel will not leave, and that no run asks back any more."""
        query = (
            select(Shipment.order_id, Shipment.id)
            .join(Label, Label.shipment_id == Shipment.id)
            .where(Shipment.stage.in_([Stage.CANCELLED, Stage.RE_SOURCED]), Shipment.handed_over_at.is_(None))
            .where(Label.bought_at < self._clock.now() - PATIENCE, Label.refund_requested_at.is_(None))
        )
        return self._pairs(query.limit(limit))

    # Outcomes that nobody learned

    def without_outcome(self, limit: int = 50) -> Sequence[tuple[str, str]]:
        """Order and key of what was planned long ago at a vendor and has no outcome, nor a case."""
        before = self._clock.now() - UNKNOWN_FOR
        operations = select(PaymentOperation.order_id, PaymentOperation.key).where(
            PaymentOperation.outcome.is_(None),
            PaymentOperation.planned_at < before,
            ~_has_case(PaymentOperation.key),
        )
        labels = (
            select(func.coalesce(Shipment.order_id, Return.order_id), Label.key)
            .outerjoin(Shipment, Shipment.id == Label.shipment_id)
            .outerjoin(Return, Return.id == Label.return_id)
            .where(
                Label.bought_at.is_(None),
                Label.refund_requested_at.is_(None),
                Label.planned_at < before,
                ~_has_case(Label.key),
            )
        )
        return self._pairs(operations.limit(limit)) + self._pairs(labels.limit(limit))

    def learned(self, limit: int = 50) -> Sequence[tuple[str, str]]:
        """Order and key of cases whose outcome has become known since."""
        known = or_(
            exists().where(PaymentOperation.key == Case.subject, PaymentOperation.outcome.is_not(None)),
            exists().where(
                Label.key == Case.subject, or_(Label.bought_at.is_not(None), Label.refund_requested_at.is_not(None))
            ),
        )
        query = select(Case.order_id, Case.subject).where(
            Case.type == CaseType.STUCK_EFFECT, Case.closed_at.is_(None), Case.order_id.is_not(None), known
        )
        return self._pairs(query.limit(limit))

    def _pairs(self, query: Select[Any, Any]) -> list[tuple[str, str]]:
        return self._db.transaction(
            lambda session: [(order_id or "", subject) for order_id, subject in session.execute(query)]
        )

    def own(self, order_id: str, key: str) -> None:
        """Somebody has to look: the run tries again and again, or there is none that would."""
        self._about(order_id, lambda book: book.open_case(CaseType.STUCK_EFFECT, key, Role.OPS, effect=NO_OUTCOME))

    def disown(self, order_id: str, key: str) -> None:
        self._about(order_id, lambda book: book.tell("outcome.known", SYSTEM, operation=key))

    def _about(self, order_id: str, work: Callable[[Book], object]) -> None:
        def transaction(session: Session) -> None:
            book = Book.open(session, order_id, self._clock.now())
            work(book)
            book.show_cases()
            book.settle()

        self._db.transaction(transaction)


def _asked_since() -> ColumnElement[bool]:
    """Whether what is due again was asked for again: all that is due of an intent is one refund."""
    later = aliased(PaymentOperation)
    return exists().where(
        later.kind == OperationKind.REFUND,
        later.intent_id == PaymentOperation.intent_id,
        later.planned_at >= PaymentOperation.retried_at,
    )


def _has_case(subject: object) -> ColumnElement[bool]:
    return exists().where(Case.subject == subject, Case.type == CaseType.STUCK_EFFECT, Case.closed_at.is_(None))
