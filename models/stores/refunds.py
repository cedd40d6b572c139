"""Refunds: planned under the order's lock from the units that were paid for and given back, recorded once.

What is due is decided by `models.refunds`. One that failed is a case: it is asked for again when a person says retry,
never by itself, since a closed card takes no refund however often it is offered.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import FORGOTTEN_REFUND
from models.clock import Clock
from models.db import Database
from models.ids import refund_key
from models.messages.activities import Learned
from models.refunds import RefundDue
from models.stores.book import Book
from models.stores.fulfilment import SYSTEM
from models.tables.messages import InboxFact
from models.tables.payments import PaymentOperation
from models.vendors import Planned, RefundAsk, Refunded
from models.words import CaseType, OperationKind, Outcome, Role


class RefundStore:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def plan_refund(self, order_id: str) -> Planned[RefundAsk] | Learned:
        """The refund that is due, or the one that an earlier try planned."""

        def work(session: Session) -> Planned[RefundAsk] | Learned:
            book = Book.open(session, order_id, self._clock.now())
            pending = book.in_flight(OperationKind.REFUND)
            if pending:
                return Planned(_ask(book, pending), fresh=False)
            due = book.refund_due()
            if due is None:
                return Learned(facts=book.settle())
            intent = book.intent(due.intent_id)
            book.refuse_if_busy(intent)
            leg = 1 + sum(1 for o in book.operations if o.kind is OperationKind.REFUND and o.claim_id == due.claim_id)
            forgotten = _forgotten(book, due)
            operation = PaymentOperation(
                key=forgotten or refund_key(order_id, due.claim_id, due.intent_id, leg),
                order_id=order_id,
                kind=OperationKind.REFUND,
                tender=intent.tender,
                leg=leg,
                intent_id=due.intent_id,
                claim_id=due.claim_id,
                units=list(due.units),
                amount=due.amount,
                shipping=due.shipping,
                planned_at=book.now,
            )
            session.add(operation)
            return Planned(_ask(book, operation), fresh=forgotten is None)

        return self._db.transaction(work)

    def record_refund(self, order_id: str, key: str, answer: Refunded) -> Learned:
        """On its way, or there; refused for good it is CS' case."""

        def work(session: Session) -> Learned:
            book = Book.open(session, order_id, self._clock.now())
            operation = book.planned(key)
            if operation.outcome is None:
                operation.stripe_id = answer.id
                for unit in book.units:
                    if unit.id in operation.units:
                        unit.refunded_by = key
                know_refund(book, operation, answer.outcome, answer.reason)
            return Learned(facts=book.settle())

        return self._db.transaction(work)


def know_refund(book: Book, operation: PaymentOperation, outcome: Outcome, reason: str | None) -> None:
    """What became of a refund; Stripe may say it failed days after it said that it succeeded."""
    operation.outcome, operation.reason, operation.known_at = outcome, reason, book.now
    failed = outcome is Outcome.REFUSED
    if failed:
        book.open_case(
            CaseType.REFUND_FAILED, operation.intent_id or "", Role.CS, reason=reason, amount=operation.amount
        )
    refused = sum(o.amount for o in book.refused_refunds if o.intent_id == operation.intent_id)
    book.tell(
        f"payment.{'refund_failed' if failed else 'refunded'}",
        SYSTEM,
        intent=operation.intent_id,
        amount=operation.amount,
        state=outcome.value,
        refused=refused,
    )


def _forgotten(book: Book, due: RefundDue) -> str | None:
    """The key of a refund of just this that Stripe told us of, and that we had forgotten: it is not made again."""
    known = [operation.key for operation in book.operations]
    told = select(InboxFact.payload).where(
        InboxFact.order_id == book.order.id, InboxFact.result == FORGOTTEN_REFUND, InboxFact.subject == due.intent_id
    )
    keys = (p["operation"] for p in book.session.scalars(told) if p["amount"] == due.amount)
    return next((key for key in keys if key not in known), None)


def _ask(book: Book, operation: PaymentOperation) -> RefundAsk:
    return RefundAsk(operation.key, book.order.id, operation.intent_id or "", operation.amount, book.order.currency)
