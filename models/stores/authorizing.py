"""What follows from an authorization: the intent is kept as the provider has it, and the order is confirmed, ended, or
stays paid for. Each works inside its caller's transaction on an order.
"""

from datetime import datetime, timedelta

from models.stores.book import Book
from models.stores.fulfilment import SYSTEM, Fulfilment
from models.tables.payments import Intent, PaymentOperation
from models.vendors import Authorized, IntentView
from models.words import Outcome, Verdict


def authorized(book: Book, fulfilment: Fulfilment, operation: PaymentOperation, answer: Authorized) -> None:
    """The first one confirms the order, asks for 3-D Secure, or ends it declined; a later one keeps it paid for."""
    book.tender.stripe_customer_id = answer.customer_id
    if answer.intent:
        keep(book, answer.intent, operation.tender)
        book.session.flush()
        operation.intent_id = operation.stripe_id = answer.intent.id
    know(operation, answer.outcome, answer.reason, book.now)
    if operation.leg == 1:
        _first(book, fulfilment, operation)
    else:
        _later(book, operation)


def _first(book: Book, fulfilment: Fulfilment, operation: PaymentOperation) -> None:
    order = book.order
    if order.verdict is not None:
        # Cancelled or expired meanwhile: what was authorized all the same is given back.
        word = "authorization_refused" if operation.outcome is Outcome.REFUSED else "authorized_too_late"
        book.tell(f"payment.{word}", SYSTEM, intent=operation.intent_id)
    elif operation.outcome is Outcome.REFUSED:
        fulfilment.refuse(book, Verdict.DECLINED, {"reason": operation.reason or "generic_decline"})
    elif operation.outcome is Outcome.REQUIRES_ACTION:
        order.verdict = Verdict.REQUIRES_ACTION
        book.tell("payment.requires_action", SYSTEM, intent=operation.intent_id)
    else:
        confirm_or_expire(book, fulfilment, operation.intent_id)


def confirm_or_expire(book: Book, fulfilment: Fulfilment, intent_id: str | None) -> None:
    """The authorization stands: the order is confirmed, unless its time is over or its stock gone."""
    book.tell("payment.authorized", SYSTEM, intent=intent_id, amount=book.order.total)
    if book.now >= book.order.expires_at:
        fulfilment.refuse(book, Verdict.EXPIRED, {})
    else:
        fulfilment.confirm(book)


def _later(book: Book, operation: PaymentOperation) -> None:
    if operation.outcome is Outcome.SUCCEEDED:
        book.tell("payment.authorized", SYSTEM, intent=operation.intent_id, amount=operation.amount)
        if operation.amount >= book.to_pay:  # it covers everything: what was held before is of no more use
            for intent in book.open_intents:
                intent.superseded = intent.id != operation.intent_id
        return
    book.tell("payment.authorization_refused", SYSTEM, reason=operation.reason, amount=operation.amount)
    if operation.renews:
        ageing = book.intent(operation.renews)
        ageing.renew_at = ageing.capture_before  # usable until its end; then it is read anew


def know(operation: PaymentOperation, outcome: Outcome, reason: str | None, now: datetime) -> None:
    operation.outcome, operation.reason, operation.known_at = outcome, reason, now


def keep(book: Book, view: IntentView, tender: int) -> None:
    """Write the intent as the provider has it; its keep-alive is due a margin before it lapses."""
    intent = next((i for i in book.intents if i.id == view.id), None)
    if intent is None:
        intent = Intent(
            id=view.id, order_id=book.order.id, tender=tender, received=0, superseded=False, look_due=False,
            created_at=book.now,
        )  # fmt: skip
        book.session.add(intent)
        book.intents.append(intent)
    intent.state = view.state
    intent.amount, intent.capturable, intent.received = view.amount, view.capturable, view.received
    intent.multicapture, intent.client_secret, intent.charge_id = view.multicapture, view.client_secret, view.charge_id
    if view.capture_before != intent.capture_before:
        intent.capture_before = view.capture_before
        intent.renew_at = view.capture_before and _before(view.capture_before, book)


def _before(lapses: datetime, book: Book) -> datetime:
    """A margin early; for an authorization shorter than two margins, half its life early."""
    life = lapses - book.now
    return lapses - min(book.timings.keep_alive_margin, life / 2 if life > timedelta(0) else timedelta(0))
