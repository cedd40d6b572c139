"""Payment operations: planned under the order's lock before Stripe is asked, recorded with all that follows.

An operation is found again by its key, so planning or recording twice is once. Refusals are outcomes. At most one
operation of an intent is without an outcome: a second one raises `MoneyBusyError`, which is retried, not an error.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.cases import CAPTURED_OUTSIDE
from models.clock import Clock
from models.db import Database
from models.errors import OutcomeUnknownError
from models.ids import authorize_key, capture_key, customer_key, void_key
from models.messages.activities import Learned
from models.messages.facts import Rest
from models.stores.authorizing import authorized, confirm_or_expire, keep, know
from models.stores.book import Book
from models.stores.fulfilment import SYSTEM, Fulfilment
from models.tables.orders import Claim
from models.tables.payments import Intent, PaymentOperation
from models.tables.shipments import Shipment
from models.vendors import Authorization, Authorized, CaptureAsk, IntentView, MoneyMoved, Planned, VoidAsk
from models.words import CaseType, IntentState, OperationKind, Outcome, Role, Stage, Verdict


class PaymentStore:
    def __init__(self, db: Database, clock: Clock, fulfilment: Fulfilment) -> None:
        self._db = db
        self._clock = clock
        self._fulfilment = fulfilment

    # Authorizing

    def plan_authorization(self, order_id: str) -> Planned[Authorization] | Learned:
        """The order's total, at checkout; answers instead when there is a verdict already, or no time left."""

        def work(session: Session) -> Planned[Authorization] | Learned:
            book = self._open(session, order_id)
            if self._fulfilment.is_over(book):
                return Learned(facts=book.settle())
            pending = book.in_flight(OperationKind.AUTHORIZE)
            if book.order.total == 0:
                self._fulfilment.confirm(book)
                return Learned(facts=book.settle())
            return self._authorization(book, pending, book.order.total, renews=None)

        return self._db.transaction(work)

    def authorization_in_doubt(self, order_id: str) -> Authorization | Learned:
        """What was asked for before checkout ended, with an answer that nobody heard: to be found, not asked again."""

        def work(session: Session) -> Authorization | Learned:
            book = self._open(session, order_id)
            pending = book.in_doubt
            if pending is None:
                return Learned(facts=book.facts())
            return self._authorization(book, pending, pending.amount, renews=None).ask

        return self._db.transaction(work)

    def give_up_authorization(self, order_id: str, key: str) -> Learned:
        """It was looked for and is not there. `OutcomeUnknownError` while what was last asked may still turn up."""

        def work(session: Session) -> Learned:
            book = self._open(session, order_id)
            operation = book.planned(key)
            if operation.outcome is None:
                if book.now < _last_asked(book) + book.timings.late_answer:
                    raise OutcomeUnknownError("an authorization may still turn up")
                know(operation, Outcome.REFUSED, "never_made", book.now)
                book.tell("payment.never_authorized", SYSTEM)
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    def plan_rest(self, order_id: str, beside: str | None) -> Planned[Authorization] | Learned:
        """What a capture of the shipment `beside` would release and others need; without, all that is not paid for."""

        def work(session: Session) -> Planned[Authorization] | Learned:
            book = self._open(session, order_id)
            pending = book.in_flight(OperationKind.AUTHORIZE)
            if beside is None:
                is_due, amount = book.rest() is Rest.AFTER_CAPTURE, book.to_pay
            else:
                shipment = book.shipment(beside)
                is_due, amount = book.is_rest_due(shipment), book.due_beside(shipment)
            if pending is None and not is_due:
                return Learned(facts=book.settle())
            return self._authorization(book, pending, amount, renews=None)

        return self._db.transaction(work)

    def plan_renewal(self, order_id: str, deadline: datetime) -> Planned[Authorization] | Learned:
        """A fresh authorization for one that is about to lapse. One that has lapsed is read anew instead.

        Done once: only while that deadline is the one to renew by.
        """

        def work(session: Session) -> Planned[Authorization] | Learned:
            book = self._open(session, order_id)
            pending = book.in_flight(OperationKind.AUTHORIZE)
            ageing = book.ageing
            if pending is None and (ageing is None or ageing.renew_at != deadline):
                return Learned(facts=book.settle())
            if pending is None and ageing and ageing.renew_at == ageing.capture_before:
                ageing.look_due, ageing.renew_at = True, None
                book.tell("payment.lapsing", SYSTEM, intent=ageing.id)
                return Learned(facts=book.settle())
            return self._authorization(book, pending, book.to_pay, renews=ageing.id if ageing else None)

        return self._db.transaction(work)

    def _authorization(
        self, book: Book, pending: PaymentOperation | None, amount: int, renews: str | None
    ) -> Planned[Authorization]:
        order, tender = book.order, book.tender
        fresh = pending is None
        if pending is None:
            leg = 1 + sum(1 for o in book.operations if o.kind is OperationKind.AUTHORIZE)
            pending = PaymentOperation(
                key=authorize_key(order.id, tender.position, leg),
                order_id=order.id,
                kind=OperationKind.AUTHORIZE,
                tender=tender.position,
                leg=leg,
                amount=amount,
                renews=renews,
                planned_at=book.now,
            )
            book.session.add(pending)
        ask = Authorization(
            key=pending.key,
            order_id=order.id,
            tender=tender.position,
            amount=pending.amount,
            currency=order.currency,
            payment_method=tender.payment_method or "",
            customer_key=customer_key(order.id),
            customer_id=tender.stripe_customer_id,
            off_session=pending.leg > 1,
        )
        return Planned(ask, fresh)

    def record_authorization(self, order_id: str, key: str, answer: Authorized) -> Learned:
        def work(session: Session) -> Learned:
            book = self._open(session, order_id)
            operation = book.planned(key)
            if operation.outcome is not None:
                return Learned(facts=book.facts())
            authorized(book, self._fulfilment, operation, answer)
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    # Capturing

    def plan_capture(self, order_id: str, shipment_id: str) -> Planned[CaptureAsk] | Learned:
        """Where a capture is decided: packed and labelled, no hold, nothing leaving.

        It is of the smallest intent that covers it; the first one takes the shipping charge whole. Final unless more
        is to come on this intent (multicapture).
        """

        def work(session: Session) -> Planned[CaptureAsk] | Learned:
            book = self._open(session, order_id)
            shipment = book.shipment(shipment_id)
            pending = book.in_flight(OperationKind.CAPTURE, shipment_id)
            if pending is None:
                intent = book.intent_for(shipment)
                if intent is None or not _is_ready(book, shipment) or not book.owes(shipment):
                    self._pass_if_paid(book, shipment)
                    return Learned(facts=book.settle())
                book.refuse_if_busy(intent)
                asked_never = book.order.resumed_at is None
                return Planned(_capture_ask(book, self._new_capture(book, shipment, intent)), fresh=asked_never)
            return Planned(_capture_ask(book, pending), fresh=False)

        return self._db.transaction(work)

    def _pass_if_paid(self, book: Book, shipment: Shipment) -> None:
        """Nothing is owed for it any more: another parcel's capture took the shipping charge. It may leave."""
        if _is_ready(book, shipment) and not book.owes(shipment):
            book.tell("payment.none_due", SYSTEM, shipment=shipment.id)
            self._fulfilment.paid(book, shipment)

    def _new_capture(self, book: Book, shipment: Shipment, intent: Intent) -> PaymentOperation:
        leg = 1 + sum(1 for o in book.operations if o.kind is OperationKind.CAPTURE and o.shipment_id == shipment.id)
        operation = PaymentOperation(
            key=capture_key(book.order.id, shipment.id, intent.tender, intent.id, leg),
            order_id=book.order.id,
            kind=OperationKind.CAPTURE,
            tender=intent.tender,
            leg=leg,
            intent_id=intent.id,
            shipment_id=shipment.id,
            amount=book.due(shipment),
            shipping=book.shipping_due,
            units=[u.id for u in book.unpaid_of(shipment)],
            final=not (intent.multicapture and book.due_beside(shipment)),
            planned_at=book.now,
        )
        book.session.add(operation)
        book.operations.append(operation)
        return operation

    def record_capture(self, order_id: str, key: str, answer: MoneyMoved) -> Learned:
        """Captured: the parcel may leave. Refused for good: it is held, with a case, and the customer is asked."""

        def work(session: Session) -> Learned:
            book = self._open(session, order_id)
            operation = book.planned(key)
            if operation.outcome is not None:
                return Learned(facts=book.facts())
            keep(book, answer.intent, operation.tender)
            know(operation, answer.outcome, answer.reason, book.now)
            shipment = book.shipment(operation.shipment_id or "")
            if answer.outcome is not Outcome.SUCCEEDED:
                return self._capture_refused(book, shipment, answer)
            for unit in book.units:
                if unit.id in operation.units:
                    unit.captured_by = key
            self._captured(book, shipment, operation)
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    def _captured(self, book: Book, shipment: Shipment, operation: PaymentOperation) -> None:
        shipment.captured_at = book.now
        book.tell("payment.captured", SYSTEM, shipment=shipment.id, amount=operation.amount, intent=operation.intent_id)
        self._fulfilment.paid(book, shipment)

    def _capture_refused(self, book: Book, shipment: Shipment, answer: MoneyMoved) -> Learned:
        """The parcel is held, with a case, until a person has it captured again by releasing the hold.

        The intent is of no more use: it is voided, and what it was to pay for is authorized anew, or given up.
        """
        book.intent(answer.intent.id).superseded = answer.intent.state is IntentState.OPEN
        book.tell("payment.capture_refused", SYSTEM, shipment=shipment.id, reason=answer.reason)
        if not shipment.leaving:
            book.open_case(CaseType.CAPTURE_REFUSED, shipment.id, Role.CS, reason=answer.reason)
            book.hold(shipment, "capture_refused", SYSTEM)
        return Learned(facts=book.settle())

    # Voiding, and reading anew

    def plan_void(self, order_id: str) -> Planned[VoidAsk] | Learned:
        def work(session: Session) -> Planned[VoidAsk] | Learned:
            book = self._open(session, order_id)
            pending = book.in_flight(OperationKind.VOID)
            if pending and pending.intent_id:
                return Planned(_void_ask(pending.key, book.intent(pending.intent_id)), fresh=False)
            intent = book.to_void()
            if intent is None:
                return Learned(facts=book.settle())
            leg = 1 + sum(1 for o in book.operations if o.kind is OperationKind.VOID and o.intent_id == intent.id)
            operation = PaymentOperation(
                key=void_key(book.order.id, intent.id, leg),
                order_id=order_id,
                kind=OperationKind.VOID,
                tender=intent.tender,
                leg=leg,
                intent_id=intent.id,
                amount=max(intent.capturable, 1),
                planned_at=book.now,
            )
            session.add(operation)
            return Planned(_void_ask(operation.key, intent), fresh=True)

        return self._db.transaction(work)

    def record_void(self, order_id: str, key: str, answer: MoneyMoved) -> Learned:
        """Given back, or refused: captured whole before that, or held all the same."""

        def work(session: Session) -> Learned:
            book = self._open(session, order_id)
            operation = book.planned(key)
            if operation.outcome is None:
                keep(book, answer.intent, operation.tender)
                know(operation, answer.outcome, answer.reason, book.now)
                done = "voided" if answer.outcome is Outcome.SUCCEEDED else "void_refused"
                now = answer.intent.state.value
                book.tell(f"payment.{done}", SYSTEM, intent=answer.intent.id, reason=answer.reason, state=now)
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    def intent_to_look_at(self, order_id: str) -> str | Learned:
        def work(session: Session) -> str | Learned:
            book = self._open(session, order_id)
            found = next((i.id for i in book.intents if i.look_due), None)
            return found or Learned(facts=book.facts())

        return self._db.transaction(work)

    def record_look(self, order_id: str, view: IntentView) -> Learned:
        """What Stripe holds now: a 3-D Secure answer confirms or ends the order, a lapsed intent is given up."""

        def work(session: Session) -> Learned:
            book = self._open(session, order_id)
            before = book.intent(view.id).state
            keep(book, view, book.intent(view.id).tender)
            intent = book.intent(view.id)
            intent.look_due = False
            book.tell("payment.looked_at", SYSTEM, intent=view.id, state=view.state.value)
            self._wonder_who_captured(book, intent)
            asked = [o for o in book.operations if o.intent_id == view.id and o.outcome is Outcome.REQUIRES_ACTION]
            for operation in asked:
                if view.state is not IntentState.REQUIRES_ACTION:
                    answer = Outcome.SUCCEEDED if view.state is IntentState.OPEN else Outcome.REFUSED
                    know(operation, answer, view.reason, book.now)
            waited = book.order.verdict is Verdict.REQUIRES_ACTION and before is IntentState.REQUIRES_ACTION
            if waited and view.state is IntentState.OPEN:
                confirm_or_expire(book, self._fulfilment, view.id)
            elif waited and view.state in (IntentState.REFUSED, IntentState.VOIDED):
                self._fulfilment.refuse(book, Verdict.DECLINED, {"reason": view.reason or "authentication_failed"})
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    def _wonder_who_captured(self, book: Book, intent: Intent) -> None:
        """Money taken that we did not ask for: the whole order is held before it is taken twice, and a person told."""
        captures = [o for o in book.operations if o.kind is OperationKind.CAPTURE and o.intent_id == intent.id]
        outside = intent.received - sum(o.amount for o in captures if o.outcome is Outcome.SUCCEEDED)
        if outside <= intent.outside or any(o.outcome is None for o in captures):
            return
        intent.outside = outside
        book.open_case(CaseType.PAYMENT_CONTRADICTS, intent.id, Role.CS, captured=outside)
        book.hold(None, CAPTURED_OUTSIDE, SYSTEM)

    def _open(self, session: Session, order_id: str) -> Book:
        return Book.open(session, order_id, self._clock.now())


def _last_asked(book: Book) -> datetime:
    """When checkout ended without a confirmed order; from then on nobody asks for its authorization."""
    cancelled = book.session.scalar(select(func.min(Claim.created_at)).where(Claim.order_id == book.order.id))
    return min(cancelled or book.order.expires_at, book.order.expires_at)


def _is_ready(book: Book, shipment: Shipment) -> bool:
    return shipment.stage is Stage.LABELLED and not shipment.leaving and not book.is_on_hold(shipment)


def _capture_ask(book: Book, operation: PaymentOperation) -> CaptureAsk:
    intent_id = operation.intent_id or ""
    before = book.intent(intent_id).outside + sum(
        o.amount
        for o in book.operations
        if o.kind is OperationKind.CAPTURE and o.intent_id == intent_id and o.outcome is Outcome.SUCCEEDED
    )
    return CaptureAsk(operation.key, intent_id, operation.amount, book.order.currency, operation.final, before)


def _void_ask(key: str, intent: Intent) -> VoidAsk:
    return VoidAsk(key, intent.id, partly_captured=intent.received > 0)
