"""What comes a moment after a cancel, or ends the wait of what has left: on rows, the real stores, no run."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from models.db import Database
from models.messages.activities import Learned
from models.messages.facts import PAYMENT, Rest
from models.mint import mint
from models.tables.messages import Case
from models.tables.orders import Claim, OrderLine, OrderUnit
from models.tables.shipments import Shipment
from models.tables.stock import Reservation
from models.vendors import AddressVerdict, IntentView, MoneyMoved
from models.words import CaseType, ClaimKind, IntentState, OperationKind, Outcome, Stage, UnitState, Verdict
from tests.conftest import MovableClock
from tests.relay.rows import Rows
from tests.shop import PRICE, Shop
from workers.engine import Ledgers, ledgers


@dataclass
class Desk:
    """One order of two pieces that lie in two shops, seen by its stores."""

    rows: Rows
    books: Ledgers
    clock: MovableClock
    shop: Shop
    sku: str
    order_id: str = ""
    units: list[str] = field(default_factory=list)

    def order(self, *states: UnitState, **values: Any) -> None:
        self.order_id = self.rows.order(
            brand_id=self.shop.brand, total=PRICE * len(states), subtotal=PRICE * len(states), **values
        )
        line = {"id": mint("line"), "order_id": self.order_id, "position": 1, "sku": self.sku, "title": "one"}
        self.rows.add(OrderLine, quantity=len(states), unit_price=PRICE, discount=0, tax=0, **line)
        for state in states:
            self.units.append(mint("unit"))
            shares = {"price": PRICE, "discount": 0, "tax": 0, "amount": PRICE}
            self.rows.add(
                OrderUnit,
                id=self.units[-1],
                order_id=self.order_id,
                line_id=line["id"],
                sku=self.sku,
                state=state,
                **shares,
            )

    def parcel(self, unit: str, state: UnitState, **values: Any) -> str:
        place = self.shop.node("near_store")
        shipment = self.rows.parcel(self.order_id, mint("code"), location_id=place, **values)
        self.rows.change(OrderUnit, OrderUnit.id == unit, shipment_id=shipment, state=state)
        return shipment

    def states(self) -> list[UnitState]:
        found = {unit.id: unit.state for unit in self.rows.all(OrderUnit, OrderUnit.order_id == self.order_id)}
        return [found[unit] for unit in self.units]


@pytest.fixture
def desk(database: Database, clock: MovableClock) -> Desk:
    shop = Shop(database).open()
    sku = shop.stock("one", near_store=2, warehouse=2)
    return Desk(Rows(database, clock.now()), ledgers(database, clock), clock, shop, sku)


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
