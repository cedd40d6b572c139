"""Facts from outside taken in by their order: what each changes, or the case that it is. Never an error."""

from typing import Final

from sqlalchemy import select

from models.cases import FORGOTTEN_REFUND
from models.news import OURS, is_scan
from models.stores.book import Book
from models.stores.finding import FORGOTTEN, authorization_found, effect_found, label_found
from models.stores.fulfilment import SYSTEM, Fulfilment
from models.stores.refunds import know_refund
from models.tables.messages import InboxFact
from models.tables.shipments import Label, Shipment, TrackingEvent
from models.words import CaseType, Outcome, Role, Stage

_TROUBLE: Final = frozenset({"return_to_sender", "failure"})


class TakingIn:
    def __init__(self, fulfilment: Fulfilment) -> None:
        self._fulfilment = fulfilment

    def take_in(self, book: Book, fact: InboxFact) -> str:
        """What it did to the order, in a word."""
        source, _, word = fact.kind.partition(".")
        if source == "tracking":
            return self._tracked(book, fact, word)
        if source == "stock":
            return "applied" if self._fulfilment.lose(book, fact.payload["units"]) else "known_already"
        if source in OURS:
            return "noted"  # what it did is in the rows: the run only has to learn it
        if source == "refund":
            return _refund_reported(book, fact, word)
        if source == "label":
            return label_found(book, fact, self._fulfilment)
        intent = next((i for i in book.intents if i.id == fact.subject), None)
        if intent is None:
            return authorization_found(book, fact, self._fulfilment)
        was_forgotten = effect_found(book, fact, intent, self._fulfilment)
        intent.look_due = True
        book.tell("payment.reported", "stripe", intent=intent.id, kind=fact.kind)
        return FORGOTTEN if was_forgotten else "to_be_read"

    def _tracked(self, book: Book, fact: InboxFact, status: str) -> str:
        query = select(Label.shipment_id).where(Label.tracking_code == fact.subject)
        shipment_id = book.session.scalars(query).one_or_none()
        if shipment_id is None:
            book.open_case(CaseType.UNKNOWN_FACT, fact.subject, Role.OPS, fact=fact.kind)
            return "unknown_parcel"
        shipment = book.shipment(shipment_id)
        history = TrackingEvent(
            shipment_id=shipment_id,
            inbox_id=fact.id,
            status=status,
            occurred_at=fact.occurred_at,
            detail=fact.payload.get("detail") or "",
        )
        book.session.add(history)
        scanned = is_scan(status, scanned=bool(fact.payload.get("scanned")))
        left = scanned and shipment.handed_over_at is None  # a carrier's scan is the hand-over that nobody recorded
        if shipment.leaving or shipment.stage in (Stage.CANCELLED, Stage.RE_SOURCED):
            if left:
                self._fulfilment.left_all_the_same(book, shipment, fact.occurred_at)
            book.open_case(CaseType.TRACKING_CONTRADICTS, shipment.id, Role.OPS, status=status, stage=shipment.stage)
            return "contradicts"
        if left:
            self._fulfilment.hand_over(book, shipment, "carrier", fact.occurred_at)
        elif scanned and status != "delivered" and book.cases.is_open(CaseType.TRACKING_SILENT, shipment.id):
            book.tell("shipment.on_its_way", "carrier", shipment=shipment.id)
        self._moved(book, shipment, status)
        return "applied"

    def _moved(self, book: Book, shipment: Shipment, status: str) -> None:
        if status == "delivered" and shipment.delivered_at is None:
            self._fulfilment.deliver(book, shipment)
        elif status in _TROUBLE:
            book.open_case(CaseType.DELIVERY_TROUBLE, shipment.id, Role.CS, status=status)


def _refund_reported(book: Book, fact: InboxFact, word: str) -> str:
    """A refund moves from pending to succeeded, and to failed even after that. One that is not ours is a case."""
    named = fact.payload.get("operation"), fact.payload.get("refund")
    operation = next(
        (o for o in book.operations if o.key == named[0] or (o.stripe_id and o.stripe_id == named[1])), None
    )
    if operation is None:
        book.open_case(CaseType.PAYMENT_CONTRADICTS, fact.subject, Role.CS, refunded=fact.payload.get("amount"))
        if not str(named[0]).startswith(f"{book.order.id}:refund:"):
            return "not_ours"
        if not book.is_held_for(FORGOTTEN_REFUND):
            book.hold(None, FORGOTTEN_REFUND, SYSTEM)  # why it was made is forgotten, too: nothing of it may leave
        return FORGOTTEN_REFUND
    outcome = {"succeeded": Outcome.SUCCEEDED, "failed": Outcome.REFUSED}.get(word)
    if outcome is None or operation.outcome in (None, Outcome.REFUSED, outcome):
        return "known_already"
    know_refund(book, operation, outcome, fact.payload.get("reason"))
    return "applied"
