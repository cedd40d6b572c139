"""What may be held and what leaves: each rule of stock on a real Postgres."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from models.db import Database
from models.errors import ConflictError
from models.stock import Consumed, Refused, Reserved, Short, Shortage
from models.stores.stock_rows import Changes
from models.words import Mark
from tests.stores.stockroom import Stockroom


@pytest.fixture
def room(database: Database) -> Iterator[Stockroom]:
    room = Stockroom(database)
    room.skus("A", "B", "C")
    room.location("loc_1")
    room.location("loc_2")
    yield room
    assert room.drift() == []


def test_every_unit_is_held_when_there_is_enough(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    room.receive("B", "loc_1", 1)
    held = room.reserve("ord_1", ("A", "loc_1"), ("B", "loc_1"), ("A", "loc_1"))
    assert isinstance(held, Reserved)
    assert held.lots.keys() == {"ord_1/0", "ord_1/1", "ord_1/2"}
    assert room.levels("A", "loc_1") == (2, 2)
    assert room.available("A", "loc_1") == 0
    held_units = room.run(lambda session: room.stock.reserved_units(session, "ord_1"))
    assert [(unit.unit_id, unit.sku) for unit in held_units] == [("ord_1/0", "A"), ("ord_1/1", "B"), ("ord_1/2", "A")]


def test_nothing_is_held_and_every_shortage_named_when_one_sku_is_short(room: Stockroom) -> None:
    room.receive("A", "loc_1", 5)
    room.receive("B", "loc_1", 1)
    held = room.reserve("ord_1", ("A", "loc_1"), ("B", "loc_1"), ("B", "loc_1"), ("C", "loc_2"))
    assert held == Short((Shortage("B", "loc_1", 2, 1), Shortage("C", "loc_2", 1, 0)))
    assert room.levels("A", "loc_1") == (5, 0)


def test_repeated_skus_are_added_up_when_one_order_names_them_twice(room: Stockroom) -> None:
    room.receive("A", "loc_1", 3)
    assert isinstance(room.reserve("ord_1", *[("A", "loc_1")] * 4), Short)
    assert isinstance(room.reserve("ord_1", *[("A", "loc_1")] * 3), Reserved)


def test_safety_stock_stays_when_sold_online_and_goes_when_asked_without(room: Stockroom) -> None:
    room.receive("A", "loc_1", 5)
    room.run(lambda session: room.stock.set_levels(session, "A", "loc_1", safety_stock=4, now=room.now))
    assert room.available("A", "loc_1") == 1
    assert isinstance(room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1")), Short)
    assert isinstance(room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"), safety=False), Reserved)
    assert room.available("A", "loc_1") == 0
    assert room.confirm("ord_1")  # what is held is not touched by safety stock


def test_each_node_counts_from_zero_when_another_is_in_minus_k22(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    room.receive("A", "loc_2", 3)
    room.run(lambda session: room.stock.set_levels(session, "A", "loc_1", safety_stock=5, now=room.now))
    assert room.run(lambda session: room.stock.availability(session, ["A"], room.now)) == {
        ("A", "loc_1"): 0,
        ("A", "loc_2"): 3,
    }


def test_expired_holds_are_available_at_their_expiry_when_nobody_swept(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    room.reserve("ord_1", ("A", "loc_1"), minutes=15)
    room.later(minutes=14, seconds=59)
    assert room.available("A", "loc_1") == 0
    assert isinstance(room.reserve("ord_2", ("A", "loc_1")), Short)
    room.later(seconds=1)
    assert room.available("A", "loc_1") == 1
    assert isinstance(room.reserve("ord_2", ("A", "loc_1")), Reserved)
    assert room.levels("A", "loc_1") == (1, 1)


def test_an_expired_hold_is_confirmed_when_its_units_are_still_there(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    room.reserve("ord_1", ("A", "loc_1"))
    room.later(minutes=20)
    assert room.confirm("ord_1")
    room.later(days=9)
    assert room.available("A", "loc_1") == 1


def test_an_expired_hold_is_confirmed_when_it_was_swept_and_the_units_are_free(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"))
    room.later(minutes=20)
    assert room.run(lambda session: room.stock.sweep_expired(session, room.now)) == 2
    assert room.levels("A", "loc_1") == (2, 0)
    assert room.confirm("ord_1")
    assert room.levels("A", "loc_1") == (2, 2)
    assert room.confirm("ord_1")
    assert room.levels("A", "loc_1") == (2, 2)


def test_an_expired_hold_is_refused_and_frees_all_when_one_unit_was_sold(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    room.receive("B", "loc_1", 1)
    room.reserve("ord_1", ("A", "loc_1"), ("B", "loc_1"))
    room.later(minutes=20)
    assert isinstance(room.reserve("ord_2", ("A", "loc_1")), Reserved)
    assert not room.confirm("ord_1")
    assert room.levels("B", "loc_1") == (1, 0)
    assert not room.confirm("ord_1")


def test_a_hold_is_not_confirmed_when_it_was_released_on_purpose(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    room.reserve("ord_1", ("A", "loc_1"))
    room.release("ord_1")
    assert not room.confirm("ord_1")
    room.reserve("ord_2", ("A", "loc_1"))
    room.later(minutes=20)
    room.run(lambda session: room.stock.sweep_expired(session, room.now))
    assert room.release("ord_2") == ()  # nothing is held; but what had lapsed may not come back now
    assert not room.confirm("ord_2")


def test_the_rest_is_confirmed_when_one_unit_was_cancelled_before(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"))
    assert room.release("ord_1", "ord_1/0") == ("ord_1/0",)
    assert room.confirm("ord_1")
    assert room.levels("A", "loc_1") == (2, 1)


def test_release_frees_once_when_repeated_and_leaves_others_alone(room: Stockroom) -> None:
    room.receive("A", "loc_1", 3)
    room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"))
    room.reserve("ord_2", ("A", "loc_1"))
    assert room.release("ord_1", "ord_1/1", "ord_2/0") == ("ord_1/1",)
    assert room.release("ord_1", "ord_1/1") == ()
    assert room.release("ord_1") == ("ord_1/0",)
    assert room.release("ord_1") == ()
    assert room.levels("A", "loc_1") == (3, 1)


def test_a_unit_moves_when_it_is_reserved_elsewhere(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    room.receive("A", "loc_2", 1)
    room.reserve("ord_1", ("A", "loc_1"), minutes=None)
    assert isinstance(room.reserve("ord_1", ("A", "loc_2"), minutes=None), Reserved)
    assert room.levels("A", "loc_1") == (1, 0)
    assert room.levels("A", "loc_2") == (1, 1)


def test_a_unit_does_not_come_back_where_it_was_when_it_moved_and_left(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    room.receive("A", "loc_2", 1)
    room.reserve("ord_1", ("A", "loc_1"))
    room.reserve("ord_1", ("A", "loc_2"), minutes=None)
    room.consume("ord_1", "ord_1/0")
    assert not room.confirm("ord_1")  # nothing is held any more
    assert room.levels("A", "loc_1") == (1, 0)


def test_a_unit_stays_where_it_is_when_the_other_place_has_none(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    room.reserve("ord_1", ("A", "loc_1"), minutes=None)
    assert isinstance(room.reserve("ord_1", ("A", "loc_2"), minutes=None), Short)
    assert room.levels("A", "loc_1") == (1, 1)


def test_on_hand_and_reserved_fall_together_when_units_leave_k14(room: Stockroom) -> None:
    """MI#1881: after a part had gone, a cancel released everything."""
    room.receive("A", "loc_1", 100)
    room.receive("B", "loc_1", 100)
    room.reserve("ord_1", *[("A", "loc_1")] * 10, *[("B", "loc_1")] * 10, minutes=None)
    units = [f"ord_1/{number}" for number in range(20)]
    gone = units[:7] + units[10:16]
    assert room.consume("ord_1", *gone) == Consumed(tuple(gone))
    assert len(room.release("ord_1")) == 7
    assert (room.available("A", "loc_1"), room.available("B", "loc_1")) == (93, 94)
    assert room.levels("A", "loc_1") == (93, 0)
    assert room.levels("B", "loc_1") == (94, 0)


def test_units_leave_once_when_the_hand_over_is_repeated(room: Stockroom) -> None:
    room.receive("A", "loc_1", 3)
    room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"), minutes=None)
    assert room.consume("ord_1", "ord_1/0") == Consumed(("ord_1/0",))
    assert room.consume("ord_1", "ord_1/0") == Consumed(())
    assert room.levels("A", "loc_1") == (2, 1)


def test_a_unit_that_is_not_held_is_reported_when_it_is_handed_over(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"), minutes=None)
    room.release("ord_1", "ord_1/1")
    assert room.consume("ord_1", "ord_1/0", "ord_1/1") == Consumed(("ord_1/0",), ("ord_1/1",))


def test_each_order_ships_on_its_own_hold_when_they_share_a_lot_k19(room: Stockroom) -> None:
    """frappe/erpnext#57159: the lot was refused to the first since the second had reserved of it."""
    room.receive("A", "loc_1", 2, lot="L1")
    room.reserve("ord_a", ("A", "loc_1"), minutes=None)
    room.reserve("ord_b", ("A", "loc_1"), minutes=None)
    assert room.consume("ord_a", "ord_a/0").units == ("ord_a/0",)
    assert room.levels("A", "loc_1") == (1, 1)
    assert room.consume("ord_b", "ord_b/0").units == ("ord_b/0",)
    assert room.levels("A", "loc_1") == (0, 0)


def test_the_first_to_expire_goes_first_whatever_came_first_k20(room: Stockroom) -> None:
    """odoo/odoo#77261: the lot that had come first went first."""
    today = room.now.date()
    room.receive("A", "loc_1", 1, lot="Lot1", expires_on=today + timedelta(days=30))
    room.receive("A", "loc_1", 1, lot="Lot2", expires_on=today + timedelta(days=29))
    room.receive("A", "loc_1", 1)
    room.receive("A", "loc_1", 1, lot="Old", expires_on=today - timedelta(days=1))
    assert room.available("A", "loc_1") == 3
    order = []
    for number in range(3):
        held = room.reserve(f"ord_{number}", ("A", "loc_1"))
        assert isinstance(held, Reserved)
        order += [room.lot_code(lot_id) for lot_id in held.lots.values()]
    assert order == ["Lot2", "Lot1", ""]
    assert isinstance(room.reserve("ord_9", ("A", "loc_1")), Short)


def test_a_lot_is_not_sold_when_too_little_of_its_shelf_life_is_left(room: Stockroom) -> None:
    room.skus("CREAM", min_shelf_life_days=30)
    today = room.now.date()
    room.receive("CREAM", "loc_1", 1, expires_on=today + timedelta(days=29))
    assert room.available("CREAM", "loc_1") == 0
    room.receive("CREAM", "loc_1", 1, expires_on=today + timedelta(days=30))
    assert room.available("CREAM", "loc_1") == 1
    held = room.reserve("ord_1", ("CREAM", "loc_1"))
    assert isinstance(held, Reserved)
    assert room.lot_code(held.lots["ord_1/0"]) == (today + timedelta(days=30)).isoformat()
    assert isinstance(room.reserve("ord_2", ("CREAM", "loc_1")), Short)


def test_units_come_out_of_several_lots_when_one_is_not_enough(room: Stockroom) -> None:
    today = room.now.date()
    room.receive("A", "loc_1", 2, lot="near", expires_on=today + timedelta(days=9))
    room.receive("A", "loc_1", 2, lot="far", expires_on=today + timedelta(days=99))
    held = room.reserve("ord_1", *[("A", "loc_1")] * 3, minutes=None)
    assert isinstance(held, Reserved)
    assert sorted(room.lot_code(lot_id) for lot_id in held.lots.values()) == ["far", "near", "near"]
    room.consume("ord_1", *held.lots)
    moved = room.run(lambda session: session.execute(
        text("SELECT l.code, m.quantity FROM movements m JOIN lots l ON l.id = m.lot_id WHERE m.reason = 'hand_over'")
    ).all())  # fmt: skip
    assert sorted(tuple(row) for row in moved) == [("far", -1), ("near", -2)]


def test_a_mark_is_refused_whole_when_one_unit_is_not_held(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"), minutes=None)
    room.release("ord_1", "ord_1/1")

    def mark(*units: str) -> Refused | None:
        return room.run(lambda session: room.stock.mark(session, units, Mark.PICKED, room.now))

    refused = mark("ord_1/0", "ord_1/1")
    assert refused is not None
    assert (refused.code, refused.unit_ids) == ("not_reserved", ("ord_1/1",))
    assert room.run(lambda session: room.stock.reserved_units(session, "ord_1"))[0].mark is Mark.NONE
    assert mark("ord_1/0") is None
    assert room.run(lambda session: room.stock.reserved_units(session, "ord_1"))[0].mark is Mark.PICKED


def test_a_mark_is_refused_when_the_hold_has_expired(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    room.reserve("ord_1", ("A", "loc_1"))
    room.later(minutes=15)
    assert room.run(lambda session: room.stock.mark(session, ["ord_1/0"], Mark.PICKED, room.now)) is not None


def test_a_sweep_takes_what_has_expired_and_nothing_else(room: Stockroom) -> None:
    room.receive("A", "loc_1", 5)
    room.receive("A", "loc_2", 5)
    room.reserve("ord_1", ("A", "loc_1"), minutes=15)
    room.reserve("ord_2", ("A", "loc_2"), minutes=15)
    room.reserve("ord_3", ("A", "loc_1"), minutes=30)
    room.reserve("ord_4", ("A", "loc_1"), minutes=None)
    assert room.run(lambda session: room.stock.sweep_expired(session, room.now)) == 0
    room.later(minutes=15)
    assert room.run(lambda session: room.stock.sweep_expired(session, room.now, limit=1)) == 1
    assert room.run(lambda session: room.stock.sweep_expired(session, room.now)) == 1
    assert room.levels("A", "loc_1") == (5, 2)
    assert room.levels("A", "loc_2") == (5, 0)


def test_the_database_itself_refuses_when_a_rule_above_it_fails(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    held = room.reserve("ord_1", ("A", "loc_1"))
    assert isinstance(held, Reserved)
    (lot_id,) = held.lots.values()

    def oversell(session) -> None:
        changes = Changes()
        changes.add(lot_id, ("A", "loc_1"), reserved=1)
        changes.write(session, room.now)

    with pytest.raises(IntegrityError, match="reserved_on_hand"):
        room.run(oversell)


def test_no_counter_moves_when_the_stock_row_cannot_follow(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    held = room.reserve("ord_1", ("A", "loc_1"))
    assert isinstance(held, Reserved)
    (lot_id,) = held.lots.values()
    changes = Changes()
    changes.add(lot_id, ("A", "loc_1"), on_hand=1, reserved=1)
    changes.add("lot_none", ("B", "loc_1"), reserved=1)
    with pytest.raises(ConflictError):
        room.run(lambda session: changes.write(session, room.now))
