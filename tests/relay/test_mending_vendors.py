"""Silence of vendors: authorizations, parcels and refunds of labels that nothing was heard of are asked for."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from models.db import Database
from models.errors import VendorUnavailableError
from models.heard import Heard
from models.stores.inbox import InboxStore
from models.stores.silence import QUIET, REFUNDED_WITHIN, Silence
from models.stores.sweeps import SweepStore
from models.tables.messages import Case, InboxFact
from models.tables.orders import Order
from models.tables.shipments import Label
from models.vendors import IntentView
from models.words import CaseType, IntentState, Role
from tests.conftest import MovableClock
from tests.relay.rows import Rows
from workers.mending_vendors import MendingVendors


@dataclass
class Vendors:
    """Stripe and EasyPost, as far as they are asked; they say what a test has them say."""

    intents: dict[str, IntentView] = field(default_factory=dict)
    parcels: dict[str, Heard] = field(default_factory=dict)
    refunds: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def events(self, *_: object) -> None: ...

    def look(self, intent_id: str) -> IntentView:
        self.asked.append(intent_id)
        if intent_id not in self.intents:
            raise VendorUnavailableError("stripe: down")
        return self.intents[intent_id]

    def track(self, tracker_id: str) -> Heard:
        return self.parcels[tracker_id]

    def refund_status(self, carrier_shipment_id: str) -> str:
        self.asked.append("status")
        return self.refunds[carrier_shipment_id]

    def refund(self, carrier_shipment_id: str) -> str:
        self.asked.append("refund")
        if not self.answers:
            return "rejected"
        self.refunds[carrier_shipment_id] = self.answers.pop(0)
        return self.refunds[carrier_shipment_id]


@pytest.fixture
def vendors() -> Vendors:
    return Vendors()


@pytest.fixture
def mending(database: Database, clock: MovableClock, inbox: InboxStore, vendors: Vendors) -> MendingVendors:
    both = cast("Any", (vendors, vendors))
    return MendingVendors(Silence(database, clock), inbox, SweepStore(database, clock), both, clock)


def view(state: IntentState, *, capturable: int = 0, received: int = 0) -> IntentView:
    return IntentView("pi_1", state, 1000, capturable, received, multicapture=False)


# Authorizations


@pytest.fixture
def order_id(rows: Rows) -> str:
    order_id = rows.order()
    rows.intent(order_id, "pi_1")
    return order_id


@pytest.mark.parametrize(
    ("now_there", "kind"),
    [
        (view(IntentState.CAPTURED, received=1000), "payment.captured"),
        (view(IntentState.VOIDED), "payment.canceled"),
        (view(IntentState.OPEN, capturable=400, received=600), "payment.authorized"),
    ],
)
def test_the_order_is_told_once_when_its_intent_changed_and_no_webhook_came(
    mending: MendingVendors, vendors: Vendors, order_id: str, clock: MovableClock, inbox: InboxStore,
    *, now_there: IntentView, kind: str,
) -> None:  # fmt: skip
    vendors.intents["pi_1"] = now_there
    assert mending.read_intents() == 0  # of today
    clock.advance(QUIET + timedelta(minutes=1))
    assert (mending.read_intents(), mending.read_intents()) == (1, 0)
    (due,) = inbox.due()
    assert (due.kind, due.order_id) == (kind, order_id)


def test_nobody_is_told_when_the_intent_is_as_we_have_it(
    mending: MendingVendors, vendors: Vendors, order_id: str, rows: Rows, clock: MovableClock
) -> None:
    vendors.intents["pi_1"] = view(IntentState.OPEN, capturable=1000)
    clock.advance(QUIET + timedelta(minutes=1))
    assert [mending.read_intents(), mending.read_intents()] == [0, 0]
    assert (rows.all(InboxFact), vendors.asked) == ([], ["pi_1"])


def test_a_customers_answer_is_asked_for_after_minutes_when_none_was_heard(
    mending: MendingVendors, vendors: Vendors, rows: Rows, clock: MovableClock
) -> None:
    rows.intent(rows.order(), "pi_1", IntentState.REQUIRES_ACTION)
    vendors.intents["pi_1"] = view(IntentState.OPEN, capturable=1000)
    clock.advance(timedelta(minutes=11))
    assert mending.read_intents() == 1


def test_the_others_are_read_when_one_cannot_be(
    mending: MendingVendors, vendors: Vendors, order_id: str, rows: Rows, clock: MovableClock
) -> None:
    rows.intent(rows.order(), "pi_away")
    vendors.intents["pi_1"] = view(IntentState.VOIDED)
    clock.advance(QUIET + timedelta(minutes=1))
    assert mending.read_intents() == 1
    assert sorted(vendors.asked) == ["pi_1", "pi_away"]


# Parcels


def delivered(clock: MovableClock) -> Heard:
    payload = {"status": "delivered", "scanned": True}
    return Heard("read:trk_1:delivered", "easypost", "tracking.delivered", "9400", clock.now(), payload)


@pytest.fixture
def parcel(rows: Rows, vendors: Vendors, clock: MovableClock) -> str:
    order_id = rows.order()
    rows.parcel(order_id, "9400")
    rows.change(Label, Label.tracking_code == "9400", tracker_id="trk_1")
    vendors.parcels["trk_1"] = delivered(clock)
    return order_id


def test_the_order_is_told_once_when_its_parcel_arrived_and_no_webhook_came(
    mending: MendingVendors, parcel: str, clock: MovableClock, inbox: InboxStore
) -> None:
    assert mending.read_parcels() == 0
    clock.advance(QUIET + timedelta(minutes=1))
    assert (mending.read_parcels(), mending.read_parcels()) == (1, 0)
    assert [(due.kind, due.order_id) for due in inbox.due()] == [("tracking.delivered", parcel)]


def test_its_parcel_is_read_at_once_when_an_order_was_resumed(
    mending: MendingVendors, parcel: str, rows: Rows, clock: MovableClock
) -> None:
    clock.advance(timedelta(minutes=1))
    rows.change(Order, Order.id == parcel, resumed_at=clock.now())
    clock.advance(timedelta(minutes=1))
    assert (mending.read_parcels(), mending.read_parcels()) == (1, 0)


# Refunds of labels


@pytest.fixture
def asked_back(rows: Rows, clock: MovableClock, vendors: Vendors) -> str:
    """The key of a label whose refund was asked for just now."""
    order_id = rows.order()
    rows.parcel(order_id, "9400")
    values = {"refund_requested_at": clock.now(), "refund_status": "submitted", "carrier_shipment_id": "cs_1"}
    rows.change(Label, Label.tracking_code == "9400", **values)
    vendors.refunds["cs_1"] = "submitted"
    (label,) = rows.all(Label)
    return label.key


def owned(rows: Rows) -> list[tuple[CaseType, str, Role]]:
    return [(case.type, case.subject, case.owner) for case in rows.all(Case)]


def after_a_day(mending: MendingVendors, clock: MovableClock) -> int:
    clock.advance(QUIET + timedelta(minutes=1))
    return mending.follow_label_refunds()


@pytest.mark.parametrize("status", ["refunded", "not_applicable"])
def test_a_label_is_followed_to_its_end_when_its_refund_was_asked_for(
    mending: MendingVendors, vendors: Vendors, asked_back: str, rows: Rows, clock: MovableClock, *, status: str
) -> None:
    assert (mending.follow_label_refunds(), vendors.asked) == (0, [])  # asked for today
    assert after_a_day(mending, clock) == 0  # it takes its time
    vendors.refunds["cs_1"] = status
    assert after_a_day(mending, clock) == 1
    (label,) = rows.all(Label)
    assert (label.refund_status, rows.told(asked_back.partition(":")[0])) == (status, ["label.refund_known"])
    vendors.asked.clear()
    after_a_day(mending, clock)
    assert (vendors.asked, owned(rows)) == ([], [])


def test_a_refund_is_asked_for_again_once_when_it_was_rejected_and_then_it_is_our_cost(
    mending: MendingVendors, vendors: Vendors, asked_back: str, rows: Rows, clock: MovableClock
) -> None:
    vendors.refunds["cs_1"], vendors.answers = "rejected", ["submitted"]
    assert after_a_day(mending, clock) == 1  # heard of; asked for again a day later
    assert "refund" not in vendors.asked
    assert after_a_day(mending, clock) == 1
    assert (vendors.asked.count("refund"), owned(rows)) == (1, [])
    vendors.refunds["cs_1"] = "rejected"
    for _ in range(3):
        after_a_day(mending, clock)
    assert (vendors.asked.count("refund"), owned(rows)) == (1, [(CaseType.LABEL_NOT_REFUNDED, asked_back, Role.OPS)])


def test_it_is_our_cost_when_asking_again_is_refused(
    mending: MendingVendors, vendors: Vendors, asked_back: str, rows: Rows, clock: MovableClock
) -> None:
    vendors.refunds["cs_1"] = "rejected"
    for _ in range(4):
        after_a_day(mending, clock)
    assert (vendors.asked.count("refund"), len(owned(rows))) == (1, 1)


def test_it_is_one_case_when_a_refund_takes_too_long(
    mending: MendingVendors, asked_back: str, rows: Rows, clock: MovableClock
) -> None:
    clock.advance(REFUNDED_WITHIN)
    for _ in range(2):
        after_a_day(mending, clock)
    assert owned(rows) == [(CaseType.LABEL_NOT_REFUNDED, asked_back, Role.OPS)]
    (case,) = rows.all(Case)
    rows.change(Case, Case.id == case.id, closed_at=clock.now(), closed_by="ops", resolution="written off")
    after_a_day(mending, clock)
    assert len(owned(rows)) == 1


def test_a_returns_label_is_followed_too_when_its_refund_was_asked_for(
    mending: MendingVendors, vendors: Vendors, rows: Rows, clock: MovableClock
) -> None:
    rows.returned(rows.order(), "9401")
    values = {"refund_requested_at": clock.now(), "refund_status": "submitted", "carrier_shipment_id": "cs_2"}
    rows.change(Label, Label.tracking_code == "9401", **values)
    vendors.refunds["cs_2"] = "refunded"
    assert after_a_day(mending, clock) == 1
    assert [label.refund_status for label in rows.all(Label)] == ["refunded"]
