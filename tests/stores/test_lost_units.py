"""A count takes an order's pieces while its authorization is on its way: confirming it finds others, or ends it."""

from datetime import date

import pytest

from models.db import Database
from models.mint import mint
from models.stores.inbox import InboxStore
from models.stores.shelf import follow
from models.stores.stock import StockStore
from models.tables.messages import Event
from models.tables.orders import Order, OrderUnit
from models.tables.shipments import Shipment
from models.tables.stock import Reservation
from models.vendors import AddressVerdict
from models.words import ReservationState, Stage, UnitState, Verdict
from tests.stores.desk import Desk

TWO = (UnitState.AWAITING, UnitState.AWAITING)


@pytest.fixture
def reserved(desk: Desk) -> Desk:
    """Two pieces for nothing, held at one node: to be confirmed next."""
    desk.order(*TWO, total=0, subtotal=0)
    desk.books.orders.place(desk.order_id, AddressVerdict(deliverable=True))
    return desk


def count(desk: Desk, database: Database, pieces: int, *places: str) -> None:
    for place in places:
        database.transaction(lambda session, place=place: _count(session, desk, pieces, place))


def _count(session, desk: Desk, pieces: int, place: str) -> None:
    now, operation = desk.clock.now(), mint("cnt")
    lost = StockStore().count(session, place, {desk.sku: pieces}, operation=operation, actor="test", now=now)
    follow(session, lost, operation, now)


def parcels(desk: Desk) -> list[Shipment]:
    return sorted(desk.rows.all(Shipment), key=lambda shipment: shipment.position)


def order(desk: Desk) -> Order:
    (row,) = desk.rows.all(Order)
    return row


def held(desk: Desk) -> set[tuple[str | None, str, str]]:
    """Unit, place, lot."""
    found = desk.rows.all(Reservation, Reservation.state == ReservationState.ACTIVE)
    return {(row.unit_id, row.location_id, row.lot_id) for row in found}


def booked(desk: Desk) -> set[tuple[str | None, str, str | None]]:
    places = {shipment.id: shipment.location_id for shipment in parcels(desk)}
    return {(u.id, places[u.shipment_id or ""], u.lot_id) for u in desk.rows.all(OrderUnit)}


def test_it_is_confirmed_elsewhere_when_a_count_took_its_piece_meanwhile(reserved: Desk, database: Database) -> None:
    (first,) = parcels(reserved)
    count(reserved, database, 1, first.location_id)
    reserved.books.payments.plan_authorization(reserved.order_id)
    before, after = parcels(reserved)
    assert (before.stage, order(reserved).verdict) == (Stage.RE_SOURCED, Verdict.CONFIRMED)
    assert after.location_id != first.location_id
    assert held(reserved) == booked(reserved)
    assert len(held(reserved)) == 2


def test_it_is_out_of_stock_when_counts_left_too_few_everywhere(reserved: Desk, database: Database) -> None:
    near, far = (reserved.shop.node(place) for place in ("near_store", "warehouse"))
    count(reserved, database, 1, near)
    count(reserved, database, 0, far)
    reserved.books.payments.plan_authorization(reserved.order_id)
    ended = order(reserved)
    assert (ended.verdict, ended.status) == (Verdict.OUT_OF_STOCK, "failed")
    assert [(line["wanted"], line["available"]) for line in (ended.verdict_detail or {})["lines"]] == [(2, 1)]
    assert held(reserved) == set()
    assert {shipment.stage for shipment in parcels(reserved)} == {Stage.CANCELLED}


def test_the_unit_names_its_new_lot_when_another_piece_came_to_the_same_shelf(
    reserved: Desk, database: Database
) -> None:
    (parcel,) = parcels(reserved)
    count(reserved, database, 1, parcel.location_id)
    now = reserved.clock.now()
    database.transaction(
        lambda session: StockStore().receive(
            session, reserved.sku, parcel.location_id, 1, expires_on=date(2028, 1, 1), operation="r", actor="test",
            now=now,
        )
    )  # fmt: skip
    reserved.books.payments.plan_authorization(reserved.order_id)
    assert ([s.id for s in parcels(reserved)], order(reserved).verdict) == ([parcel.id], Verdict.CONFIRMED)
    assert held(reserved) == booked(reserved)
    assert len({lot for _, _, lot in held(reserved)}) == 2


def test_nothing_more_is_done_when_the_fact_comes_after_the_order_was_planned_anew(
    reserved: Desk, database: Database
) -> None:
    (first,) = parcels(reserved)
    count(reserved, database, 1, first.location_id)
    reserved.books.payments.plan_authorization(reserved.order_id)
    told = reserved.rows.all(Event)
    (fact,) = InboxStore(database, reserved.clock).due()
    reserved.books.orders.apply_facts(reserved.order_id, [fact.id])
    assert reserved.rows.fact(fact.id).result == "known_already"
    assert len(reserved.rows.all(Event)) == len(told)
