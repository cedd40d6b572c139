"""What comes a moment after a cancel, or ends the wait of what has left: on rows, the real stores, no run."""

from datetime import timedelta
from typing import Any

from models.messages.activities import Learned
from models.messages.facts import PAYMENT, Rest
from models.tables.messages import Case
from models.tables.orders import Claim
from models.tables.shipments import Shipment
from models.tables.stock import Reservation
from models.vendors import AddressVerdict, IntentView, MoneyMoved
from models.words import CaseType, ClaimKind, IntentState, OperationKind, Outcome, Stage, UnitState, Verdict
from tests.shop import PRICE
from tests.stores.desk import Desk


def test_a_unit_stays_cancelled_and_unreserved_when_the_address_is_known_after_its_cancel(desk: Desk) -> None:
    desk.order(UnitState.CANCELLED, UnitState.AWAITING)
    desk.books.orders.place(desk.order_id, AddressVerdict(deliverable=True))
    assert desk.states() == [UnitState.CANCELLED, UnitState.RESERVED]
    assert [row.unit_id for row in desk.rows.all(Reservation)] == [desk.units[1]]


def test_a_cancelled_parcel_is_not_sent_elsewhere_when_its_stores_time_is_up_at_the_same_moment(desk: Desk) -> None:
    desk.order(UnitState.CANCELLED, verdict=Verdict.CONFIRMED, confirmed_at=desk.clock.now())
    until = desk.clock.now() + timedelta(hours=1)
    shipment = desk.parcel(desk.units[0], UnitState.CANCELLED, stage=Stage.OFFERED, leaving=True, deadline=until)
    desk.books.orders.lapse(desk.order_id, shipment, until)
    (only,) = desk.rows.all(Shipment)
    assert (only.stage, only.leaving, desk.states()) == (Stage.OFFERED, True, [UnitState.CANCELLED])


def awaiting_customer(desk: Desk, until: Any, **parcel: Any) -> str:
    """The customer is asked until then: what is authorized does not cover both parcels."""
    now = desk.clock.now()
    desk.order(
        UnitState.AWAITING, UnitState.AWAITING, verdict=Verdict.CONFIRMED, confirmed_at=now, customer_until=until
    )
    desk.rows.intent(desk.order_id, "pi_1")
    refused = {"outcome": Outcome.REFUSED, "reason": "authentication_required", "leg": 2}
    desk.rows.operation(desk.order_id, "a:1", OperationKind.AUTHORIZE, intent_id="pi_1", outcome=Outcome.SUCCEEDED)
    desk.rows.operation(desk.order_id, "a:2", OperationKind.AUTHORIZE, **refused)
    first = desk.parcel(desk.units[0], UnitState.PACKED, **{"stage": Stage.LABELLED, "packed_at": now, **parcel})
    desk.parcel(desk.units[1], UnitState.PACKED, position=2, **{"stage": Stage.LABELLED, "packed_at": now, **parcel})
    return first


def test_a_late_capture_is_to_be_given_back_when_its_parcel_was_given_up_meanwhile(desk: Desk) -> None:
    until = desk.clock.now() + timedelta(days=3)
    first = awaiting_customer(desk, until)
    capture = {"intent_id": "pi_1", "shipment_id": first, "amount": PRICE, "units": [desk.units[0]]}
    desk.rows.operation(desk.order_id, "c:1", OperationKind.CAPTURE, **capture)
    desk.books.orders.lapse(desk.order_id, PAYMENT, until)
    assert {claim.kind for claim in desk.rows.all(Claim)} == {ClaimKind.CANCEL}
    intent = IntentView("pi_1", IntentState.CAPTURED, amount=PRICE, capturable=0, received=PRICE, multicapture=False)
    learned = desk.books.payments.record_capture(desk.order_id, "c:1", MoneyMoved(Outcome.SUCCEEDED, intent))
    assert learned.facts.payment.refund_due


def test_the_customer_is_asked_on_when_the_parcels_that_are_not_paid_for_have_left(desk: Desk) -> None:
    until = desk.clock.now() + timedelta(days=3)
    awaiting_customer(desk, until, handed_over_at=desk.clock.now())
    learned: Learned = desk.books.orders.lapse(desk.order_id, PAYMENT, until)
    later = learned.facts.payment.deadline
    assert (learned.facts.payment.rest, later and later > desk.clock.now()) == (Rest.REFUSED, True)
    assert [case.type for case in desk.rows.all(Case)] == [CaseType.AWAITING_CUSTOMER]
