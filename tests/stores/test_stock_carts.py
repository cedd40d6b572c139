"""A cart's hold: made, lent to the order that names it, given back after a decline."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from models.db import Database
from models.stock import CartItem, Reserved, Short
from tests.stores.stockroom import Stockroom


@pytest.fixture
def room(database: Database) -> Iterator[Stockroom]:
    room = Stockroom(database)
    room.skus("A", "B")
    room.location("loc_1")
    room.location("loc_2")
    yield room
    assert room.drift() == []


def hold(room: Stockroom, quantity: int, *, minutes: int = 15, hold_id: str = "rsv_1") -> Reserved | Short:
    return room.run(
        lambda session: room.stock.hold_cart(
            session, hold_id, "storefront:x", [CartItem("A", "loc_1", quantity)],
            expires_at=room.now + timedelta(minutes=minutes), now=room.now,
        )
    )  # fmt: skip


def lend(room: Stockroom, order_id: str = "ord_1") -> bool:
    return room.run(lambda session: room.stock.lend_cart(session, "rsv_1", order_id, room.now))


def give_back(room: Stockroom, order_id: str = "ord_1") -> bool:
    return room.run(lambda session: room.stock.return_cart(session, "rsv_1", order_id, room.now))


def end(room: Stockroom) -> None:
    room.run(lambda session: room.stock.release_cart(session, "rsv_1", room.now))


def test_a_cart_holds_all_its_items_or_none(room: Stockroom) -> None:
    room.receive("A", "loc_1", 3)
    assert isinstance(hold(room, 4), Short)
    assert isinstance(hold(room, 3), Reserved)
    assert room.available("A", "loc_1") == 0
    room.later(minutes=15)
    assert room.available("A", "loc_1") == 3


def test_a_cart_takes_of_several_lots_when_one_is_not_enough(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2, lot="x", expires_on=room.now.date() + timedelta(days=9))
    room.receive("A", "loc_1", 2)
    assert isinstance(hold(room, 3), Reserved)
    assert room.levels("A", "loc_1") == (4, 3)


def test_an_order_uses_the_carts_units_when_it_names_the_hold(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    hold(room, 2)
    assert isinstance(room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1")), Short)
    assert lend(room)
    held = room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"), cart="rsv_1")
    assert isinstance(held, Reserved)
    assert room.levels("A", "loc_1") == (2, 2)


def test_a_cart_that_was_not_lent_keeps_its_units_when_an_order_names_it(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    hold(room, 1)
    assert isinstance(room.reserve("ord_1", ("A", "loc_1"), cart="rsv_1"), Short)
    lend(room, "ord_2")
    assert isinstance(room.reserve("ord_1", ("A", "loc_1"), cart="rsv_1"), Short)
    assert isinstance(room.reserve("ord_2", ("A", "loc_1"), cart="rsv_1"), Reserved)


def test_the_cart_keeps_its_hold_when_the_order_wants_more_than_there_is(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    hold(room, 2)
    lend(room)
    assert isinstance(room.reserve("ord_1", *[("A", "loc_1")] * 3, cart="rsv_1"), Short)
    assert room.levels("A", "loc_1") == (2, 2)
    assert give_back(room)
    assert room.levels("A", "loc_1") == (2, 2)


def test_the_hold_is_the_carts_again_when_the_order_was_declined(room: Stockroom) -> None:
    room.receive("A", "loc_1", 3)
    hold(room, 2)
    lend(room)
    room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"), cart="rsv_1")
    assert isinstance(room.reserve("ord_2", ("A", "loc_1"), minutes=None), Reserved)
    assert give_back(room)
    assert room.levels("A", "loc_1") == (3, 3)
    assert room.run(lambda session: room.stock.reserved_units(session, "ord_1")) == []
    assert not give_back(room)  # it is no longer this order's
    room.later(minutes=15)  # until the hold's own expiry
    assert room.available("A", "loc_1") == 2


def test_another_try_uses_the_hold_when_it_came_back(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    hold(room, 1)
    lend(room)
    room.reserve("ord_1", ("A", "loc_1"), cart="rsv_1")
    give_back(room)
    assert lend(room, "ord_2")
    assert isinstance(room.reserve("ord_2", ("A", "loc_1"), cart="rsv_1"), Reserved)


def test_nothing_comes_back_when_the_hold_is_over(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    hold(room, 1)
    lend(room)
    room.reserve("ord_1", ("A", "loc_1"), cart="rsv_1", minutes=30)
    room.later(minutes=15)
    assert not give_back(room)
    assert room.levels("A", "loc_1") == (1, 0)


def test_nothing_comes_back_when_the_hold_was_released_meanwhile(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    hold(room, 1)
    lend(room)
    room.reserve("ord_1", ("A", "loc_1"), cart="rsv_1")
    end(room)
    assert room.levels("A", "loc_1") == (1, 1)  # the order's own
    assert not give_back(room)
    assert room.levels("A", "loc_1") == (1, 0)


def test_a_hold_is_lent_to_one_order_and_only_while_it_lasts(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    hold(room, 1)
    assert lend(room, "ord_1")
    assert lend(room, "ord_1")
    assert not lend(room, "ord_2")
    assert give_back(room, "ord_1")
    room.later(minutes=15)
    assert not lend(room, "ord_1")
    hold(room, 1, hold_id="rsv_2")
    assert not room.run(lambda session: room.stock.lend_cart(session, "rsv_none", "ord_1", room.now))


def test_a_released_hold_frees_its_units_once(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    hold(room, 2)
    end(room)
    end(room)
    assert room.levels("A", "loc_1") == (2, 0)
    assert not lend(room)


def test_the_carts_units_are_not_lost_to_safety_stock_when_it_rose_meanwhile(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2)
    hold(room, 2)
    room.run(lambda session: room.stock.set_levels(session, "A", "loc_1", safety_stock=2, now=room.now))
    lend(room)
    assert isinstance(room.reserve("ord_1", ("A", "loc_1"), ("A", "loc_1"), cart="rsv_1"), Reserved)
    assert give_back(room)
    assert room.levels("A", "loc_1") == (2, 2)


def test_the_hold_is_lost_when_its_units_were_sold_while_the_order_was_elsewhere(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1)
    room.receive("A", "loc_2", 1)
    hold(room, 1)
    lend(room)
    room.reserve("ord_1", ("A", "loc_2"), cart="rsv_1")
    assert isinstance(room.reserve("ord_2", ("A", "loc_1")), Reserved)
    assert not give_back(room)
    assert room.levels("A", "loc_2") == (1, 0)
