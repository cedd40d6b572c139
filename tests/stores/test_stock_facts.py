"""What happened on the shelf whatever was promised: counts, pieces sold or broken, and who loses by them."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from models.db import Database
from models.shelf import ShelfChange
from models.stock import CartItem, Reserved
from models.words import Mark, MovementReason
from tests.stores.stockroom import Stockroom

PLACE = "loc_1"


@pytest.fixture
def room(database: Database) -> Iterator[Stockroom]:
    room = Stockroom(database)
    room.skus("A", "B")
    room.location(PLACE)
    yield room
    assert room.drift() == []


def count(room: Stockroom, **pieces: int) -> list[ShelfChange]:
    room.later(seconds=1)
    return room.run(
        lambda session: room.stock.count(
            session, PLACE, pieces, operation=f"count:{room.number()}", actor="store:x", now=room.now
        )
    )


def lose(
    room: Stockroom,
    pieces: int,
    *,
    at: datetime | None = None,
    reason: MovementReason = MovementReason.POS_SALE,
    lot: str | None = None,
) -> ShelfChange:
    (change,) = room.run(
        lambda session: room.stock.lose(
            session, PLACE, {"A": pieces}, reason=reason, operation=f"gone:{room.number()}", actor="store:x",
            at=at or room.now, now=room.now, lot_code=lot,
        )
    )  # fmt: skip
    return change


def mark(room: Stockroom, *units: str, mark: Mark = Mark.PICKED) -> object:
    return room.run(lambda session: room.stock.mark(session, units, mark, room.now))


def hold(room: Stockroom, *orders: str, sku: str = "A") -> None:
    """One unit each, confirmed, the first one the oldest."""
    for order in orders:
        assert isinstance(room.reserve(order, (sku, PLACE), minutes=None), Reserved)
        room.later(seconds=1)


def losers(changes: Sequence[ShelfChange]) -> list[str | None]:
    return [loser.unit_id for change in changes for loser in change.losers]


def ledger(room: Stockroom) -> list[tuple[int, str]]:
    rows = room.run(lambda session: session.execute(text("SELECT quantity, reason FROM movements ORDER BY id")).all())
    return [(row.quantity, row.reason) for row in rows][1:]  # without the receipt


def test_on_hand_is_what_was_counted_and_the_ledger_says_why(room: Stockroom) -> None:
    room.receive("A", PLACE, 5)
    changes = count(room, A=3, B=2)
    assert [(change.key[0], change.moved) for change in changes] == [("A", -2), ("B", 2)]
    assert (room.levels("A", PLACE), room.levels("B", PLACE)) == ((3, 0), (2, 0))
    assert ledger(room) == [(2, "count"), (-2, "count")]
    assert count(room, A=3)[0].moved == 0
    assert ledger(room) == [(2, "count"), (-2, "count")]


@pytest.mark.parametrize("done", [Mark.PICKED, Mark.PACKED, Mark.AWAITING_COLLECTION])
def test_a_count_is_of_the_shelf_when_pieces_are_picked_packed_or_waiting(room: Stockroom, done: Mark) -> None:
    room.receive("A", PLACE, 5)
    hold(room, "ord_1", "ord_2")
    mark(room, "ord_1/0", mark=done)
    assert count(room, A=4) == [ShelfChange(("A", PLACE))]
    assert room.levels("A", PLACE) == (5, 2)
    assert losers(count(room, A=0)) == ["ord_2/0"]
    assert room.levels("A", PLACE) == (1, 1)


def test_the_youngest_unpicked_loses_when_less_is_there_than_is_reserved(room: Stockroom) -> None:
    room.receive("A", PLACE, 4)
    hold(room, "ord_1", "ord_2", "ord_3", "ord_4")
    mark(room, "ord_4/0")
    assert losers(count(room, A=1)) == ["ord_3/0", "ord_2/0"]
    assert room.levels("A", PLACE) == (2, 2)
    assert mark(room, "ord_3/0") is not None  # it cannot be picked any more
    assert not room.confirm("ord_3")


def test_free_pieces_go_before_anybody_loses(room: Stockroom) -> None:
    room.receive("A", PLACE, 2, lot="near", expires_on=date(2027, 1, 1))
    hold(room, "ord_1", "ord_2")
    room.receive("A", PLACE, 2, lot="far", expires_on=date(2028, 1, 1))
    assert losers(count(room, A=2)) == []
    assert losers(count(room, A=1)) == ["ord_2/0"]


def test_a_cart_loses_a_part_of_what_it_holds_when_it_is_the_youngest(room: Stockroom) -> None:
    room.receive("A", PLACE, 4)
    hold(room, "ord_1")
    until = room.now + timedelta(minutes=10)
    item = CartItem("A", PLACE, 3)
    room.run(lambda s: room.stock.hold_cart(s, "rsv_1", "c", [item], expires_at=until, now=room.now))
    (change,) = count(room, A=2)
    assert [(loser.holder, loser.quantity) for loser in change.losers] == [("rsv_1", 2)]
    assert room.levels("A", PLACE) == (2, 2)


def test_an_expired_hold_loses_nothing_since_it_holds_nothing(room: Stockroom) -> None:
    room.receive("A", PLACE, 2)
    room.reserve("ord_1", ("A", PLACE), minutes=15)
    room.later(minutes=15)
    assert losers(count(room, A=0)) == []
    assert room.levels("A", PLACE) == (0, 0)


def test_an_unconfirmed_hold_that_lost_is_confirmed_when_its_piece_is_back_in_time(room: Stockroom) -> None:
    room.receive("A", PLACE, 1)
    room.reserve("ord_1", ("A", PLACE), minutes=15)
    assert losers(count(room, A=0)) == ["ord_1/0"]
    room.receive("A", PLACE, 1)
    assert room.confirm("ord_1")
    assert room.levels("A", PLACE) == (1, 1)


def test_a_sale_goes_below_what_is_reserved_and_the_youngest_loses(room: Stockroom) -> None:
    room.receive("A", PLACE, 2)
    hold(room, "ord_1", "ord_2")
    change = lose(room, 1)
    assert (change.moved, change.found, losers([change])) == (-1, 0, ["ord_2/0"])
    assert ledger(room) == [(-1, "pos_sale")]


@pytest.mark.parametrize("reason", [MovementReason.POS_SALE, MovementReason.DAMAGE])
def test_what_was_picked_stays_and_the_rest_is_found_when_more_is_gone_than_was_there(
    room: Stockroom, reason: MovementReason
) -> None:
    room.receive("A", PLACE, 2)
    hold(room, "ord_1", "ord_2")
    mark(room, "ord_1/0", mark=Mark.PACKED)
    change = lose(room, 3, reason=reason)
    assert (change.moved, change.found, losers([change])) == (-1, 2, ["ord_2/0"])
    assert room.levels("A", PLACE) == (1, 1)
    assert sum(quantity for quantity, _ in ledger(room)) == -1
    assert (2, "found") in ledger(room)


@pytest.mark.parametrize("reason", [MovementReason.POS_SALE, MovementReason.DAMAGE])
def test_nothing_moves_when_a_later_count_has_seen_it(room: Stockroom, reason: MovementReason) -> None:
    room.receive("A", PLACE, 3)
    before = room.now
    room.later(minutes=5)
    count(room, A=2)
    room.later(minutes=5)
    assert lose(room, 1, at=before, reason=reason) == ShelfChange(("A", PLACE), seen=True)
    assert room.levels("A", PLACE) == (2, 0)
    assert lose(room, 1, reason=reason).moved == -1
    assert room.levels("A", PLACE) == (1, 0)


def test_only_the_named_lot_loses_when_one_is_named(room: Stockroom) -> None:
    room.receive("A", PLACE, 1, lot="near", expires_on=date(2027, 1, 1))
    hold(room, "ord_1")
    room.receive("A", PLACE, 1)
    assert losers([lose(room, 1, lot="near")]) == ["ord_1/0"]
    assert room.levels("A", PLACE) == (1, 0)
