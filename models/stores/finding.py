"""What was found at a vendor and is not in an order's books: an authorization or a label that we asked for and forgot.

It happens where Postgres was restored, or where nobody was left to record an answer. Each is recorded as if its own
step had done so, by the key that it carries; what cannot be placed is a case.
"""

from typing import Any, Final

from models.cases import FORGOTTEN_CANCEL
from models.heard_easypost import sold_label
from models.heard_stripe import STATES
from models.stores.authorizing import authorized, keep, know
from models.stores.book import Book
from models.stores.fulfilment import SYSTEM, Fulfilment
from models.stores.return_labels import ComingBack
from models.stores.returns import Parcel
from models.stores.shipment_labels import Outgoing
from models.tables.messages import InboxFact
from models.tables.payments import Intent, PaymentOperation
from models.tables.returns import Return
from models.tables.shipments import Label, Shipment
from models.vendors import Authorized, IntentView
from models.words import CaseType, IntentState, OperationKind, Outcome, Role, Stage

FORGOTTEN: Final = "forgotten"  # what became of a message about an effect that we did not know of


def authorization_found(book: Book, fact: InboxFact, fulfilment: Fulfilment) -> str:
    """An intent that we do not have. One of ours is recorded and then read anew; another's is a case."""
    key, view = str(fact.payload.get("operation")), _view(fact)
    place = _place(book, key)
    if view is None or place is None:
        book.open_case(CaseType.UNKNOWN_FACT, fact.subject, Role.OPS, fact=fact.kind)
        return "unknown_intent"
    operation, result = book.operation(key), "recorded"
    if operation and (operation.outcome or book.order.closed_at is None):
        return "left_to_its_operation"
    if operation is None:
        tender, leg = place
        operation = PaymentOperation(
            key=key, order_id=book.order.id, kind=OperationKind.AUTHORIZE, tender=tender, leg=leg, amount=view.amount,
            planned_at=fact.occurred_at,
        )  # fmt: skip
        book.session.add(operation)
        book.operations.append(operation)
        result = FORGOTTEN
        book.tell("payment.found", SYSTEM, intent=view.id, amount=view.amount)
    if book.order.verdict is None:
        return "left_to_its_operation"  # checkout finds it by its key
    customer_id = fact.payload.get("customer") or book.tender.stripe_customer_id or ""
    if view.state in (IntentState.OPEN, IntentState.REQUIRES_ACTION):
        authorized(book, fulfilment, operation, Authorized(view.outcome, customer_id, view))
    else:
        keep(book, view, operation.tender)
        book.session.flush()
        operation.intent_id = operation.stripe_id = view.id
        know(operation, Outcome.SUCCEEDED if view.state is IntentState.VOIDED else view.outcome, None, book.now)
    book.intent(view.id).look_due = True
    return result


def _place(book: Book, key: str) -> tuple[int, int] | None:
    """Tender and leg of an authorization of this order; None for any other key."""
    parts = key.split(":")
    if parts[:2] != [book.order.id, "authorize"] or len(parts) != 4 or not (parts[2] + parts[3]).isdecimal():
        return None
    return int(parts[2]), int(parts[3])


def _view(fact: InboxFact) -> IntentView | None:
    payload: dict[str, Any] = fact.payload
    state = STATES.get(str(payload.get("status")))
    if state is None or not payload.get("amount"):
        return None
    return IntentView(
        id=fact.subject,
        state=state,
        amount=payload["amount"],
        capturable=payload.get("capturable", 0),
        received=payload.get("received", 0),
        multicapture=False,
    )


def effect_found(book: Book, fact: InboxFact, intent: Intent, fulfilment: Fulfilment) -> bool:
    """Whether a capture or a void of ours caused it that we do not know of. It is recorded, as far as it fits.

    What does not fit shows when the intent is read anew: money that nobody can place holds the order.
    """
    parts = str(fact.payload.get("key")).split(":")
    if book.operation(":".join(parts)) or parts[0] != book.order.id:
        return False
    match parts[1:]:
        case [shipment_id, "capture", _, intent_id, leg] if intent_id == intent.id and leg.isdecimal():
            shipment = next((s for s in book.shipments if s.id == shipment_id), None)
            if shipment:
                _captured(book, fact, intent, shipment, fulfilment)
        case ["void", intent_id, leg] if intent_id == intent.id and leg.isdecimal():
            _voided(book, fact, intent)
        case _:
            return False
    return True


def _captured(book: Book, fact: InboxFact, intent: Intent, shipment: Shipment, fulfilment: Fulfilment) -> None:
    captures = [o for o in book.operations if o.kind is OperationKind.CAPTURE and o.intent_id == intent.id]
    known = intent.outside + sum(o.amount for o in captures if o.outcome is Outcome.SUCCEEDED)
    amount = fact.payload.get("received", 0) - known
    if not amount or amount != book.due(shipment) or any(o.outcome is None for o in captures):
        return
    units, shipping = book.unpaid_of(shipment), book.shipping_due
    intent.received, intent.capturable = fact.payload["received"], fact.payload.get("capturable", 0)
    intent.state = STATES.get(str(fact.payload.get("status")), intent.state)
    operation = _found(book, fact, intent, OperationKind.CAPTURE, amount)
    operation.shipment_id, operation.shipping = shipment.id, shipping
    operation.units = [u.id for u in units]
    book.session.flush()
    for unit in units:
        unit.captured_by = operation.key
    shipment.captured_at = fact.occurred_at
    book.tell("payment.captured", SYSTEM, shipment=shipment.id, amount=amount, intent=intent.id)
    if shipment.stage is Stage.LABELLED:
        fulfilment.paid(book, shipment)


def _voided(book: Book, fact: InboxFact, intent: Intent) -> None:
    """Where nothing else pays for the order it was cancelled, and we forgot that: nothing of it may leave."""
    _found(book, fact, intent, OperationKind.VOID, max(intent.capturable, 1))
    book.tell("payment.voided", SYSTEM, intent=intent.id, reason=None)
    paid_otherwise = any(i is not intent for i in book.open_intents)
    if book.to_pay and not paid_otherwise and not book.is_held_for(FORGOTTEN_CANCEL):
        book.open_case(CaseType.PAYMENT_CONTRADICTS, intent.id, Role.CS, voided=intent.capturable)
        book.hold(None, FORGOTTEN_CANCEL, SYSTEM)


def _found(book: Book, fact: InboxFact, intent: Intent, kind: OperationKind, amount: int) -> PaymentOperation:
    """An operation that we forgot, under the key that its effect names; it has succeeded."""
    key = str(fact.payload["key"])
    leg = int(key.rpartition(":")[2])
    operation = PaymentOperation(
        key=key, order_id=book.order.id, kind=kind, tender=intent.tender, leg=leg, intent_id=intent.id,
        amount=amount, outcome=Outcome.SUCCEEDED, planned_at=fact.occurred_at, known_at=book.now,
    )  # fmt: skip
    book.session.add(operation)
    book.operations.append(operation)
    return operation


def label_found(book: Book, fact: InboxFact, fulfilment: Fulfilment) -> str:
    """A label that the carrier sold and we did not record. What goes out was packed, whatever we remember of that."""
    key = fact.subject
    parcel = _parcel(book, key.split(":")[1])
    ours = parcel.labels if parcel else []
    label = next((each for each in ours if each.key == key), None)
    sold = sold_label(fact.payload)
    bought = label and label.bought_at
    if label and bought and label.carrier_shipment_id == sold.carrier_shipment_id:
        return "known_already"
    if bought or parcel is None or any(each is not label and each.refund_requested_at is None for each in ours):
        what = {name: fact.payload[name] for name in ("tracking_code", "carrier_shipment_id")}
        book.open_case(CaseType.UNKNOWN_FACT, key, Role.OPS, fact=fact.kind, **what)
        return "unknown_parcel"
    parcel.tell("found")
    if isinstance(parcel, Outgoing):
        _pack(book, parcel.shipment, fulfilment)
    result = "recorded"
    if label is None:
        result = FORGOTTEN
        label = Label(key=key, planned_at=fact.occurred_at, **parcel.whose)
        book.session.add(label)
    parcel.know(label, sold, fact.occurred_at)
    if status := fact.payload.get("refund_status"):
        label.refund_requested_at, label.refund_status = book.now, status
    return result


def _parcel(book: Book, parcel_id: str) -> Outgoing | ComingBack | None:
    """What it is the label of, where that is this order's."""
    shipment = next((s for s in book.shipments if s.id == parcel_id), None)
    if shipment:
        return Outgoing(book, shipment)
    row = book.session.get(Return, parcel_id)
    return ComingBack(Parcel.of(book, row.id)) if row and row.order_id == book.order.id else None


def _pack(book: Book, shipment: Shipment, fulfilment: Fulfilment) -> None:
    """As its node did, and we forgot. Units that are not held any more are somebody's to find."""
    if shipment.leaving or shipment.stage not in (Stage.OFFERED, Stage.ACCEPTED):
        return
    if shipment.stage is Stage.OFFERED:
        fulfilment.accept(book, shipment, SYSTEM)
    if gone := fulfilment.pack(book, shipment, None, None, SYSTEM):
        book.open_case(CaseType.STOCK_MISSING, shipment.id, Role.OPS, units=list(gone.unit_ids))
