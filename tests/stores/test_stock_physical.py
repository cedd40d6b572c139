"""The shelf itself: receipts, adjustments, levels."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import text

from models.db import Database
from models.errors import InvalidError, NotFoundError, StaleError
from models.stock import Levels, Receipt, Refused, Reserved
from models.words import MovementReason
from tests.stores.stockroom import Stockroom


@pytest.fixture
def room(database: Database) -> Iterator[Stockroom]:
    room = Stockroom(database)
    room.skus("A", "B")
    room.skus("SET", bundle=True)
    room.location("loc_1")
    yield room
    assert room.drift() == []


def adjust(room: Stockroom, delta: int, *, operation: str = "op", sku: str = "A", **more: object) -> Levels | Refused:
    return room.run(
        lambda session: room.stock.adjust(
            session, sku, "loc_1", delta, reason=MovementReason.ADJUSTMENT, operation=operation, actor="ops:test",
            now=room.now, **more,
        )
    )  # fmt: skip


def lots(room: Stockroom, sku: str = "A") -> dict[str, int]:
    rows = room.run(
        lambda session: session.execute(text("SELECT code, on_hand FROM lots WHERE sku = :sku"), {"sku": sku}).all()
    )
    return {row.code: row.on_hand for row in rows}


def test_stock_and_lot_appear_when_the_first_units_come(room: Stockroom) -> None:
    assert room.receive("A", "loc_1", 3) == Levels("A", "loc_1", 3, 0, 0, 0, revision=2)
    room.receive("A", "loc_1", 2, lot="L7", expires_on=date(2027, 5, 1))
    room.receive("A", "loc_1", 2, expires_on=date(2027, 6, 1))
    assert lots(room) == {"": 3, "L7": 2, "2027-06-01": 2}


def test_a_receipt_counts_once_when_it_is_repeated(room: Stockroom) -> None:
    receipt = Receipt("A", "loc_1", 3, "delivery:7")
    for news in (1, 0):
        made = room.run(lambda session: room.stock.receive_many(session, [receipt], actor="ops:x", now=room.now))
        assert made == news
    assert room.levels("A", "loc_1") == (3, 0)


def test_thousands_of_rows_arrive_in_a_handful_of_statements(room: Stockroom) -> None:
    skus = [f"S{number}" for number in range(800)]
    room.skus(*skus)
    receipts = [Receipt(sku, "loc_1", 2, "load", lot_code=lot) for sku in skus for lot in ("x", "y")]
    assert room.run(lambda session: room.stock.receive_many(session, receipts, actor="ops:x", now=room.now)) == 1600
    assert room.levels("S799", "loc_1") == (4, 0)


def test_a_lot_has_one_date_when_another_is_named(room: Stockroom) -> None:
    room.receive("A", "loc_1", 1, lot="L7", expires_on=date(2027, 5, 1))
    with pytest.raises(InvalidError) as refused:
        room.receive("A", "loc_1", 1, lot="L7", expires_on=date(2027, 5, 2))
    assert refused.value.code == "lot_date"


@pytest.mark.parametrize(
    ("sku", "place", "quantity", "error"),
    [
        ("NONE", "loc_1", 1, NotFoundError),
        ("A", "loc_none", 1, NotFoundError),
        ("SET", "loc_1", 1, InvalidError),
        ("A", "loc_1", 0, InvalidError),
        ("A", "loc_1", -1, InvalidError),
    ],
)
def test_a_receipt_is_refused_when_it_cannot_be_meant(
    room: Stockroom, sku: str, place: str, quantity: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        room.receive(sku, place, quantity)


def test_an_adjustment_moves_on_hand_and_is_written_down(room: Stockroom) -> None:
    room.receive("A", "loc_1", 3)
    assert adjust(room, -2, operation="op:1") == Levels("A", "loc_1", 1, 0, 0, 0, revision=3)
    assert adjust(room, +5, operation="op:2") == Levels("A", "loc_1", 6, 0, 0, 0, revision=4)
    ledger = room.run(lambda session: session.execute(
        text("SELECT quantity, reason, actor FROM movements ORDER BY id")
    ).all())  # fmt: skip
    assert [tuple(row) for row in ledger] == [
        (3, "receipt", "ops:test"),
        (-2, "adjustment", "ops:test"),
        (5, "adjustment", "ops:test"),
    ]


def test_an_adjustment_counts_once_when_it_is_repeated(room: Stockroom) -> None:
    room.receive("A", "loc_1", 3)
    first = adjust(room, -2, expected_revision=2)
    assert adjust(room, -2, expected_revision=2) == first


def test_an_adjustment_is_refused_when_it_would_go_below_what_is_reserved(room: Stockroom) -> None:
    room.receive("A", "loc_1", 3)
    room.reserve("ord_1", ("A", "loc_1"), minutes=15)
    refused = adjust(room, -3)
    assert isinstance(refused, Refused)
    assert refused.code == "below_reserved"
    assert room.levels("A", "loc_1") == (3, 1)
    room.later(minutes=15)  # an expired hold holds nothing
    assert isinstance(adjust(room, -3), Levels)
    assert room.levels("A", "loc_1") == (0, 0)
    assert not room.confirm("ord_1")


def test_undated_units_go_first_and_then_the_last_to_expire_when_no_lot_is_named(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2, lot="near", expires_on=date(2027, 1, 1))
    room.receive("A", "loc_1", 2, lot="far", expires_on=date(2028, 1, 1))
    room.receive("A", "loc_1", 2)
    adjust(room, -3)
    assert lots(room) == {"near": 2, "far": 1, "": 0}


def test_only_the_named_lot_changes_when_one_is_named(room: Stockroom) -> None:
    room.receive("A", "loc_1", 2, lot="near", expires_on=date(2027, 1, 1))
    room.receive("A", "loc_1", 2)
    assert isinstance(adjust(room, -3, lot_code="near"), Refused)
    adjust(room, -2, lot_code="near", operation="op:1")
    adjust(room, +1, lot_code="near", operation="op:2")
    assert lots(room) == {"near": 1, "": 2}


def test_an_edit_is_stale_when_on_hand_changed_in_between_but_not_for_a_reservation(room: Stockroom) -> None:
    revision = room.receive("A", "loc_1", 3).revision
    assert isinstance(room.reserve("ord_1", ("A", "loc_1")), Reserved)
    assert isinstance(adjust(room, -1, operation="op:1", expected_revision=revision), Levels)
    with pytest.raises(StaleError):
        adjust(room, -1, operation="op:2", expected_revision=revision)
    with pytest.raises(StaleError):
        room.run(lambda session: room.stock.set_levels(
            session, "A", "loc_1", safety_stock=1, expected_revision=revision, now=room.now
        ))  # fmt: skip


def test_levels_are_set_one_by_one_when_only_one_is_given(room: Stockroom) -> None:
    def set_levels(**levels: int) -> Levels:
        return room.run(lambda session: room.stock.set_levels(session, "B", "loc_1", now=room.now, **levels))

    assert set_levels(safety_stock=2) == Levels("B", "loc_1", 0, 0, 2, 0, revision=2)
    assert set_levels(reorder_point=5) == Levels("B", "loc_1", 0, 0, 2, 5, revision=3)
    assert set_levels(reorder_point=5).revision == 3


def test_nothing_can_be_adjusted_away_when_there_is_nothing(room: Stockroom) -> None:
    assert isinstance(adjust(room, -1, sku="B"), Refused)
