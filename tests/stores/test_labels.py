"""Labels on a real Postgres, with a carrier in memory that sells each of its shipments' labels once, as EasyPost does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import update

from activities.shipping import ShippingActivities
from models.db import Database
from models.errors import OutcomeUnknownError, RejectedError
from models.messages.activities import Learned, ShipmentRef
from models.mint import mint
from models.tables.messages import Case
from models.tables.orders import Hold
from models.tables.shipments import Label, Shipment
from models.vendors import Address, AddressVerdict, BoughtLabel, Parcel, Planned, Prepared, Rate
from models.words import CaseType, Stage, Verdict
from tests.conftest import MovableClock
from tests.relay.rows import Rows
from workers.engine import Ledgers, ledgers

RATE = Rate("rate_1", "USPS", "GroundAdvantage", 700, "usd", 3)


def nothing() -> None:
    """What happens while the carrier prepares, mostly."""


@dataclass
class Carrier:
    prepared: list[str] = field(default_factory=list)
    sold: dict[str, BoughtLabel] = field(default_factory=dict)
    refunded: list[str] = field(default_factory=list)
    refuses: tuple[str, ...] = ()
    loses: bool = False  # the answer to a purchase
    meanwhile: Callable[[], object] = nothing

    def _hear(self, what: str) -> None:
        if what in self.refuses:
            raise RejectedError("easypost: 422 SHIPMENT.INVALID")

    def verify(self, address: Address) -> AddressVerdict:
        raise NotImplementedError

    def prepare(self, parcel: Parcel) -> Prepared:
        self._hear("prepare")
        self.prepared.append(f"shp_{parcel.reference}_{len(self.prepared) + 1}")
        self.meanwhile()
        return Prepared(self.prepared[-1], (RATE,))

    def look(self, carrier_shipment_id: str) -> BoughtLabel | Prepared:
        self._hear("look")
        return self.sold.get(carrier_shipment_id) or Prepared(carrier_shipment_id, (RATE,))

    def buy(self, carrier_shipment_id: str, rate: Rate) -> BoughtLabel:
        self._hear("buy")
        assert carrier_shipment_id not in self.sold
        code = f"9400{carrier_shipment_id}"
        label = BoughtLabel(carrier_shipment_id, "USPS", rate.service, rate.amount, "usd", code, None, "http://l/1.pdf")
        self.sold[carrier_shipment_id] = label
        if self.loses:
            raise OutcomeUnknownError("easypost: the connection was lost or timed out")
        return label

    def refund(self, carrier_shipment_id: str) -> str:
        assert carrier_shipment_id in self.sold
        self.refunded.append(carrier_shipment_id)
        return "submitted"


@dataclass
class Desk:
    """One packed parcel, paid for, and everybody who has to do with its label."""

    rows: Rows
    database: Database
    books: Ledgers
    order_id: str
    shipment_id: str
    carrier: Carrier = field(default_factory=Carrier)

    @property
    def ref(self) -> ShipmentRef:
        return ShipmentRef(order_id=self.order_id, shipment_id=self.shipment_id)

    def key(self, number: int = 1) -> str:
        return f"{self.order_id}:{self.shipment_id}:label:{number}"

    def buy(self) -> Learned:
        return ShippingActivities(self.books.orders, self.books.labels, self.carrier).buy_label(self.ref)

    def void(self) -> Learned:
        return ShippingActivities(self.books.orders, self.books.labels, self.carrier).void_label(self.ref)

    def leave(self) -> None:
        self.change(Shipment, leaving=True)

    def change(self, table: type[Any], **values: Any) -> None:
        self.database.transaction(lambda session: session.execute(update(table).values(**values)))

    def labels(self) -> list[tuple[str, bool, str | None]]:
        """Each label's count, whether it was bought, and where its refund stands."""
        rows: list[Label] = self.rows.all(Label)
        return sorted((row.key.rpartition(":")[2], row.bought_at is not None, row.refund_status) for row in rows)

    def shipment(self) -> Shipment:
        return self.rows.all(Shipment)[0]


@pytest.fixture
def desk(database: Database, clock: MovableClock) -> Desk:
    rows = Rows(database, clock.now())
    rows.shop()
    order_id = rows.order(verdict=Verdict.CONFIRMED, confirmed_at=clock.now(), timings={})
    parcel = {"id": mint("shp"), "position": 1, "location_id": "loc_1", "stage": Stage.PACKED, "grams": 300}
    rows.add(Shipment, **parcel, order_id=order_id, packed_at=clock.now(), created_at=clock.now())
    return Desk(rows, database, ledgers(database, clock), order_id, str(parcel["id"]))


@pytest.mark.parametrize("refuses", ["prepare", "buy"])
def test_label_is_struck_out_and_the_parcel_held_when_the_carrier_refuses_for_good(desk: Desk, refuses: str) -> None:
    desk.carrier.refuses = (refuses,)
    learned = desk.buy()
    assert [(s.on_hold, s.label, s.stage) for s in learned.facts.shipments] == [(True, False, Stage.PACKED)]
    (case,) = desk.rows.all(Case)
    assert (case.type, case.subject) == (CaseType.LABEL_IMPOSSIBLE, desk.shipment_id)
    assert case.detail == {"reason": "carrier_refused", "what": "easypost: 422 SHIPMENT.INVALID"}
    assert desk.labels() == [("1", False, "never_bought")]

    desk.carrier.refuses = ()
    desk.change(Hold, released_at=case.opened_at)
    desk.buy()
    assert desk.labels() == [("1", False, "never_bought"), ("2", True, None)]
    assert [row.closed_at is not None for row in desk.rows.all(Case)] == [True]


def test_nobody_holds_what_leaves_when_the_carrier_refuses_meanwhile(desk: Desk) -> None:
    desk.carrier.refuses = ("buy",)
    assert isinstance(desk.books.labels.plan(desk.ref), Planned)
    desk.leave()
    learned = desk.books.labels.impossible(desk.ref, desk.key(), "carrier_refused", "")
    assert [(s.on_hold, s.label) for s in learned.facts.shipments] == [(False, False)]
    assert desk.rows.all(Case) == []


def test_what_was_bought_stays_bought_when_the_carrier_will_not_show_it(desk: Desk) -> None:
    desk.carrier.loses = True
    with pytest.raises(OutcomeUnknownError):
        desk.buy()
    desk.carrier.refuses = ("look",)
    with pytest.raises(RejectedError):
        desk.buy()
    assert desk.labels() == [("1", False, None)]
    desk.carrier.refuses = ()
    desk.buy()
    assert desk.labels() == [("1", True, None)]
    assert len(desk.carrier.sold) == 1


def test_the_first_shipment_is_bought_when_a_later_try_prepared_a_second(desk: Desk) -> None:
    desk.carrier.meanwhile = lambda: desk.books.labels.record_prepared(desk.ref, desk.key(), "shp_first")
    desk.buy()
    assert list(desk.carrier.sold) == ["shp_first"]
    assert [row.carrier_shipment_id for row in desk.rows.all(Label)] == ["shp_first"]


def test_nothing_is_bought_when_the_parcel_leaves_while_its_label_is_prepared(desk: Desk) -> None:
    desk.carrier.meanwhile = desk.leave
    desk.buy()
    desk.void()
    assert desk.carrier.sold == {}
    assert desk.labels() == [("1", False, "never_bought")]


def test_nothing_is_bought_when_the_parcel_leaves_with_a_planned_label(desk: Desk) -> None:
    desk.carrier.refuses = ("look",)  # the first try came as far as this
    desk.books.labels.plan(desk.ref)
    desk.books.labels.record_prepared(desk.ref, desk.key(), "shp_first")
    desk.leave()
    assert [s.label for s in desk.buy().facts.shipments] == [True]
    assert desk.carrier.sold == {}

    desk.carrier.refuses = ()
    assert [s.label for s in desk.void().facts.shipments] == [False]
    assert (desk.labels(), desk.carrier.refunded) == ([("1", False, "never_bought")], [])


def test_a_label_of_unknown_outcome_is_refunded_when_the_carrier_sold_it(desk: Desk) -> None:
    desk.carrier.loses = True
    with pytest.raises(OutcomeUnknownError):
        desk.buy()
    desk.leave()
    assert [s.label for s in desk.void().facts.shipments] == [False]
    assert desk.labels() == [("1", True, "submitted")]
    assert desk.carrier.refunded == list(desk.carrier.sold)
    assert (desk.shipment().stage, desk.shipment().leaving) == (Stage.PACKED, True)


def test_a_label_is_live_again_when_a_slow_try_bought_it_after_it_was_struck_out(desk: Desk) -> None:
    desk.books.labels.plan(desk.ref)
    desk.leave()
    desk.void()
    desk.change(Shipment, stage=Stage.CANCELLED, leaving=False)
    label = desk.carrier.buy("shp_slow", RATE)
    desk.books.labels.record_bought(desk.ref, desk.key(), label)
    assert desk.labels() == [("1", True, None)]
    assert desk.shipment().stage is Stage.CANCELLED
