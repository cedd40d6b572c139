"""A carrier scans a parcel that was cancelled or sourced elsewhere: off hand, nobody pays, the replacement waits."""

from datetime import timedelta

from models.db import Database
from models.heard import Heard
from models.mint import mint
from models.stores.inbox import InboxStore
from models.tables.messages import Case
from models.tables.orders import Hold
from models.tables.shipments import Label, Shipment
from models.tables.stock import Stock
from models.vendors import AddressVerdict
from models.words import CaseType, Stage, UnitState
from tests.stores.desk import Desk

CODE = "1Z9999"


def confirmed(desk: Desk) -> Shipment:
    """A piece for nothing, offered to the store next door."""
    desk.order(UnitState.AWAITING, total=0, subtotal=0)
    here = AddressVerdict(deliverable=True, latitude=40.74, longitude=-74.0)
    desk.books.orders.place(desk.order_id, here)
    desk.books.payments.plan_authorization(desk.order_id)
    (parcel,) = parcels(desk)
    label = {"key": f"{desk.order_id}:{parcel.id}:label:1", "shipment_id": parcel.id, "tracking_code": CODE}
    desk.rows.add(Label, **label, planned_at=desk.clock.now(), bought_at=desk.clock.now())
    return parcel


def parcels(desk: Desk) -> list[Shipment]:
    return sorted(desk.rows.all(Shipment), key=lambda shipment: shipment.position)


def scan(desk: Desk, database: Database) -> None:
    """The carrier has it."""
    inbox, fact = InboxStore(database, desk.clock), mint("evt")
    inbox.take(Heard(fact, "easypost", "tracking.in_transit", CODE, desk.clock.now(), {"status": "in_transit"}))
    desk.books.orders.apply_facts(desk.order_id, [due.id for due in inbox.due()])


def stock(desk: Desk, place: str) -> tuple[int, int]:
    (row,) = desk.rows.all(Stock, Stock.location_id == desk.shop.node(place))
    return row.on_hand, row.reserved


def test_the_held_piece_is_off_hand_once_when_the_scan_comes_before_the_cancel_is_undone(
    desk: Desk, database: Database
) -> None:
    parcel = confirmed(desk)
    desk.rows.change(Shipment, Shipment.id == parcel.id, leaving=True)
    scan(desk, database)
    assert stock(desk, "near_store") == (1, 0)
    desk.books.orders.undo(desk.order_id, parcel.id)
    assert stock(desk, "near_store") == (1, 0)
    (case,) = desk.rows.all(Case)
    assert (case.type, parcels(desk)[0].stage) == (CaseType.TRACKING_CONTRADICTS, Stage.CANCELLED)


def test_the_replacement_waits_and_keeps_its_piece_when_its_original_left_all_the_same(
    desk: Desk, database: Database
) -> None:
    parcel = confirmed(desk)
    assert parcel.deadline
    desk.clock.advance(parcel.deadline - desk.clock.now() + timedelta(seconds=1))
    desk.books.orders.lapse(desk.order_id, parcel.id, parcel.deadline)
    scan(desk, database)
    assert (stock(desk, "near_store"), stock(desk, "warehouse")) == ((1, 0), (2, 1))
    original, replacement = parcels(desk)
    assert (original.stage, replacement.stage) == (Stage.RE_SOURCED, Stage.ACCEPTED)
    assert original.handed_over_at
    assert [(hold.shipment_id, hold.reason) for hold in desk.rows.all(Hold)] == [(replacement.id, "original_left")]
    assert [case.type for case in desk.rows.all(Case)] == [CaseType.TRACKING_CONTRADICTS]
    scan(desk, database)  # which tells nothing new
    assert stock(desk, "near_store") == (1, 0)
