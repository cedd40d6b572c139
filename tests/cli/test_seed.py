"""The demo's shop: the same for the same month, once however often it is sown, and fit to sell from."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from cli.demo.goods import goods
from cli.demo.places import PLACES
from cli.demo.shelves import ONLY_AT, shelves
from cli.seed import seed
from models.barcodes import is_gtin
from models.db import Database
from models.tables.catalogue import Variant
from models.tables.stock import Lot, Movement, Stock

_TABLES = "brands products variants bundle_components prices locations opening_hours stock lots movements boxes"


def _url(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def _counts(database: Database) -> dict[str, int]:
    def work(session: Session) -> dict[str, int]:
        return {table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in _TABLES.split()}

    return database.transaction(work)


def test_second_seed_changes_nothing(database: Database):
    said: list[str] = []
    seed(_url(database), said.append)
    before = _counts(database)
    seed(_url(database), said.append)
    assert _counts(database) == before
    assert "already" in said[1]


def test_seed_is_a_whole_shop(database: Database):
    seed(_url(database), lambda _: None)
    counts = _counts(database)
    assert counts["variants"] >= 200
    assert counts["products"] >= 40
    kinds = [(place.country, place.store) for place in PLACES]
    assert [kinds.count(kind) for kind in (("US", False), ("US", True), ("DE", False), ("DE", True))] == [3, 12, 1, 3]


def test_stock_is_the_sum_of_its_ledger_and_its_lots(database: Database):
    seed(_url(database), lambda _: None)

    def work(session: Session) -> list[tuple[int | None, ...]]:
        lots = select(func.sum(Lot.on_hand)).where(Lot.sku == Stock.sku, Lot.location_id == Stock.location_id)
        moved = select(func.sum(Movement.quantity)).where(
            Movement.sku == Stock.sku, Movement.location_id == Stock.location_id
        )
        wanted = select(Stock.on_hand, lots.scalar_subquery(), moved.scalar_subquery())
        return [tuple(row) for row in session.execute(wanted)]

    rows = database.transaction(work)
    assert rows
    assert all(on_hand == lots == moved and on_hand for on_hand, lots, moved in rows)


def test_no_lot_has_expired_when_sown_in_any_month():
    for month in (date(2026, 1, 1), date(2026, 12, 1), date(2028, 2, 1)):
        soonest = min(
            lot.expires_on for shelf in shelves(goods(), PLACES, month) for lot in shelf.lots if lot.expires_on
        )
        assert soonest > month + timedelta(days=31 + 60)


def test_shelves_are_the_same_when_the_month_is():
    month = date(2026, 11, 1)
    assert list(shelves(goods(), PLACES, month)) == list(shelves(goods(), PLACES, month))


def test_day_of_the_month_does_not_matter(database: Database):
    seed(_url(database), lambda _: None, date(2026, 11, 25))
    created = database.transaction(lambda session: session.scalars(select(Variant.created_at).distinct()).all())
    assert created == [datetime(2026, 11, 1, tzinfo=UTC)]


def test_every_barcode_is_a_gtin_and_nobody_elses():
    codes = [good.barcode for good in goods()]
    assert all(is_gtin(code) for code in codes)
    assert len(set(codes)) == len(codes)
    assert not is_gtin("2004700001236")


def test_arranged_skus_lie_where_the_sample_orders_need_them():
    lying: dict[str, set[str]] = {}
    for shelf in shelves(goods(), PLACES, date(2026, 11, 1)):
        lying.setdefault(shelf.sku, set()).add(shelf.location_id)
    assert {sku: lying[sku] for sku in ONLY_AT} == {sku: set(places) for sku, places in ONLY_AT.items()}
