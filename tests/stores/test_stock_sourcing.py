"""Where an order's units ship from: the plan held, the explanation kept, no node asked twice."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from models.db import Database
from models.fewest_parcels import plan
from models.sourcing import LineShortage
from models.stock import CartItem, Reserved
from models.stores.sourcing import Group, Placement, Shortage, SourcingStore, UnitDemand
from tests.stores.stockroom import Stockroom

NEW_YORK, BOSTON, MIAMI = (40.71, -74.01), (42.36, -71.06), (25.76, -80.19)


@pytest.fixture
def room(database: Database) -> Iterator[Stockroom]:
    room = Stockroom(database)
    room.skus("A", "B")
    for place, (latitude, longitude) in (("boston", BOSTON), ("miami", MIAMI)):
        room.location(place, latitude=latitude, longitude=longitude)
    room.location("depot", kind="warehouse", latitude=41.0, longitude=-80.0)
    room.location("paris", country="FR")
    room.order("ord_1", ("line_1", "A"), ("line_2", "B"))
    yield room
    assert room.drift() == []


def place(room: Stockroom, *wants: tuple[str, str], store: SourcingStore | None = None, **more: Any) -> Any:
    """Units of (line, SKU), to New York."""
    sourcing = store or SourcingStore(room.stock)
    units = [UnitDemand(f"unit_{number}", line_id, sku) for number, (line_id, sku) in enumerate(wants)]
    asked = {
        "holder": "ord_1", "demand": units, "country": "US", "destination": NEW_YORK, "cause": "checkout",
        "expires_at": room.now + timedelta(minutes=15), "now": room.now, "order_id": "ord_1",
    }  # fmt: skip
    return room.run(lambda session: sourcing.place(session, **(asked | more)))


def plans(room: Stockroom) -> list[dict[str, Any]]:
    return room.run(lambda session: list(session.scalars(text("SELECT plan FROM sourcing_plans ORDER BY id"))))


def test_one_parcel_ships_and_its_reasons_are_kept_when_one_node_has_everything(room: Stockroom) -> None:
    room.receive("A", "boston", 1)
    room.receive("A", "depot", 5)
    room.receive("B", "depot", 5)
    room.receive("A", "paris", 5)
    placed = place(room, ("line_1", "A"), ("line_2", "B"), ("line_1", "A"))
    assert isinstance(placed, Placement)
    (group,) = placed.groups
    assert (group.location_id, group.store, sorted(group.unit_ids)) == ("depot", False, ["unit_0", "unit_1", "unit_2"])
    assert placed.lots.keys() == {"unit_0", "unit_1", "unit_2"}
    assert room.levels("A", "depot") == (5, 2)
    (kept,) = plans(room)
    assert {candidate["location_id"]: candidate["reason"] for candidate in kept["candidates"]} == {
        "boston": "covers 1 of 3; not needed in the smallest set of nodes",
        "depot": "ships 3 of 3",
        "miami": "has none available",
    }


def test_the_order_is_split_nearest_first_when_no_node_has_everything(room: Stockroom) -> None:
    room.receive("A", "miami", 1)
    room.receive("B", "boston", 1)
    assert place(room, ("line_1", "A"), ("line_2", "B")).groups == (
        Group("boston", True, ("unit_1",)),
        Group("miami", True, ("unit_0",)),
    )


def test_one_shipment_comes_from_the_node_that_is_not_in_minus_k22(room: Stockroom) -> None:
    """saleor/saleor#17170."""
    room.receive("A", "boston", 2)
    room.receive("A", "miami", 3)
    room.run(lambda session: room.stock.set_levels(session, "A", "boston", safety_stock=5, now=room.now))
    placed = place(room, *[("line_1", "A")] * 3)
    assert [(group.location_id, len(group.unit_ids)) for group in placed.groups] == [("miami", 3)]


def test_nothing_is_held_and_the_lines_are_named_when_there_is_too_little(room: Stockroom) -> None:
    room.receive("A", "boston", 1)
    room.receive("A", "depot", 1)
    room.receive("B", "depot", 1)
    assert place(room, ("line_1", "A"), ("line_1", "A"), ("line_1", "A"), ("line_2", "B")) == Shortage(
        (LineShortage("line_1", "A", wanted=3, available=2),)
    )
    assert room.levels("A", "boston") == (1, 0)
    assert plans(room)[0]["shortages"] == [{"line_id": "line_1", "sku": "A", "wanted": 3, "available": 2}]


def test_what_is_left_moves_and_the_rest_stays_when_a_node_rejects_a_part_k25(room: Stockroom) -> None:
    """MI#1886: the new plan was made for the whole order."""
    room.receive("A", "boston", 10)
    room.receive("A", "miami", 10)
    place(room, *[("line_1", "A")] * 10)
    rejected = [UnitDemand(f"unit_{number}", "line_1", "A") for number in range(5, 10)]
    sourcing = SourcingStore(room.stock)

    def reject(session) -> Placement | Shortage:
        for _ in range(2):
            sourcing.exclude(session, "ord_1", ["line_1", "line_1"], "boston", reason="none_found", now=room.now)
        excluded = sourcing.excluded(session, "ord_1")
        assert excluded == {("line_1", "boston")}
        return sourcing.place(
            session, holder="ord_1", demand=rejected, country="US", destination=NEW_YORK, excluded=excluded,
            expires_at=None, now=room.now, cause="rejected", order_id="ord_1",
        )  # fmt: skip

    placed = room.run(reject)
    assert isinstance(placed, Placement)
    assert placed.groups == (Group("miami", True, tuple(unit.unit_id for unit in rejected)),)
    assert sum(part["quantity"] for part in plans(room)[1]["allocations"]) == 5
    assert room.levels("A", "boston") == (10, 5)
    assert room.levels("A", "miami") == (10, 5)


def test_units_stay_where_they_are_when_no_other_node_has_them(room: Stockroom) -> None:
    room.receive("A", "boston", 1)
    place(room, ("line_1", "A"))
    assert isinstance(place(room, ("line_1", "A"), excluded=frozenset({("line_1", "boston")})), Shortage)
    assert room.levels("A", "boston") == (1, 1)


def test_a_paused_node_is_passed_over(room: Stockroom) -> None:
    room.receive("A", "boston", 1)
    room.receive("A", "miami", 1)
    room.run(lambda session: session.execute(text("UPDATE locations SET paused = true WHERE id = 'boston'")))
    assert place(room, ("line_1", "A")).groups[0].location_id == "miami"


def test_the_carts_node_ships_when_the_order_adopts_its_hold(room: Stockroom) -> None:
    room.receive("A", "boston", 1)
    room.receive("A", "miami", 1)
    until = room.now + timedelta(minutes=15)

    def hold(session) -> None:
        held = room.stock.hold_cart(session, "rsv_1", "c", [CartItem("A", "boston", 1)], expires_at=until, now=room.now)
        assert isinstance(held, Reserved)
        assert room.stock.lend_cart(session, "rsv_1", "ord_1", room.now)

    room.run(hold)
    placed = place(room, ("line_1", "A"), ("line_1", "A"), cart="rsv_1")
    assert [group.location_id for group in placed.groups] == ["boston", "miami"]
    assert room.levels("A", "boston") == (1, 1)


class Overtaken:
    """The policy, overtaken: each time it has planned, somebody else takes a unit of the plan's first node."""

    def __init__(self, room: Stockroom, times: int) -> None:
        self._room = room
        self._times = times
        self.plans = 0

    def __call__(self, demand, nodes, available, **more: Any):
        made = plan(demand, nodes, available, **more)
        self.plans += 1
        if self.plans <= self._times and made.allocations:
            first = made.allocations[0]
            self._room.reserve(f"rival_{self.plans}", (first.sku, first.node_id))
        return made


def test_the_next_node_ships_when_somebody_was_faster(room: Stockroom) -> None:
    room.receive("A", "boston", 1)
    room.receive("A", "miami", 1)
    policy = Overtaken(room, times=1)
    assert place(room, ("line_1", "A"), store=SourcingStore(room.stock, policy)).groups[0].location_id == "miami"
    assert policy.plans == 2
    assert len(plans(room)) == 1


def test_it_is_a_shortage_when_somebody_was_faster_at_every_node(room: Stockroom) -> None:
    room.receive("A", "boston", 1)
    room.receive("A", "miami", 1)
    policy = Overtaken(room, times=2)
    short = place(room, ("line_1", "A"), store=SourcingStore(room.stock, policy))
    assert short == Shortage((LineShortage("line_1", "A", 1, 0),))


def test_the_third_plan_holds_when_it_is_made_under_locks(room: Stockroom) -> None:
    for node in ("boston", "miami", "depot"):
        room.receive("A", node, 1)
    policy = Overtaken(room, times=2)
    placed = place(room, ("line_1", "A"), store=SourcingStore(room.stock, policy))
    assert isinstance(placed, Placement)
    assert policy.plans == 3


def test_a_failed_try_leaves_no_lock_behind(room: Stockroom) -> None:
    """Else the next try would take its rows out of order, and two orders could wait for each other."""
    room.receive("A", "boston", 1)
    room.receive("A", "miami", 1)

    class Looks(Overtaken):
        def __call__(self, demand, nodes, available, **more: Any):
            if self.plans == 1:
                room.run(lambda session: session.execute(
                    text("SELECT 1 FROM stock WHERE location_id = 'boston' FOR UPDATE NOWAIT")
                ).all())  # fmt: skip
            return super().__call__(demand, nodes, available, **more)

    placed = place(room, ("line_1", "A"), store=SourcingStore(room.stock, Looks(room, times=1)))
    assert placed.groups[0].location_id == "miami"


def test_placing_takes_few_statements(room: Stockroom) -> None:
    for sku in ("A", "B"):
        room.receive(sku, "depot", 5)
    said: list[str] = []
    event.listen(room.database.engine, "before_cursor_execute", lambda *call: said.append(call[2].split(maxsplit=1)[0]))
    place(room, ("line_1", "A"), ("line_2", "B"), ("line_2", "B"))
    assert said == ["SELECT", "SELECT", "SAVEPOINT", "SELECT", "SELECT", "INSERT", "WITH", "RELEASE", "INSERT"]
