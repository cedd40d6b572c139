"""What `GET` shows of stock: rows by filter, a product by location, what is low, the ledger. Writes and locks nothing.

Available is what may be promised online now: in lots that may be sold, not held (a lapsed hold holds nothing), less
safety stock, never below zero.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.errors import InvalidError, NotFoundError
from models.ids import tidy_sku
from models.stores.pages import Page, page_of
from models.stores.stock_rows import active
from models.tables.catalogue import BundleComponent, Product, Variant
from models.tables.stock import Location, Lot, Movement, Reservation, Stock

Sort = Literal["sku", "available", "-available", "on_hand", "-on_hand", "updated_at", "-updated_at"]


@dataclass(frozen=True, slots=True)
class StockRow:
    """One SKU at one location."""

    stock: Stock
    available: int
    title: str
    product_id: str
    category: str
    location_name: str

    @property
    def low(self) -> bool:
        """Available has come down to the reorder point; a row without one is never low."""
        return 0 < self.stock.reorder_point >= self.available


@dataclass(frozen=True, slots=True)
class StockFilter:
    location_id: str | None = None
    category: str | None = None
    low: bool = False
    sort: Sort = "sku"


@dataclass(frozen=True, slots=True)
class VariantStock:
    """A variant's rows; a bundle has none of its own: `bundles` says how many of it each location could make up."""

    variant: Variant
    rows: tuple[StockRow, ...]
    bundles: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ProductStock:
    product: Product
    variants: tuple[VariantStock, ...]


class InventoryReader:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def page(self, wanted: StockFilter, *, cursor: str | None, limit: int, offset: int = 0) -> Page[StockRow]:
        """Rows in the filter's order from after `cursor`, or from `offset` on."""
        query = _rows(self._clock.now(), wanted)
        keys, descending = _sorting(query, wanted.sort)
        order = [keys[0].desc() if descending else keys[0].asc(), *keys[1:]]
        listed = select(*query.c).order_by(*order).limit(limit + 1).offset(offset)
        if cursor is not None:
            listed = listed.where(_after(keys, _decoded(cursor, wanted.sort), descending=descending))

        def work(session: Session) -> Page[StockRow]:
            found = session.execute(listed).all()
            rows = _with_stock(session, found)
            return page_of(rows, limit, [_encoded(row, wanted.sort) for row in rows])

        return self._db.transaction(work)

    def row(self, sku: str, location_id: str) -> StockRow:
        """NotFoundError when that SKU never lay there."""
        rows = self._db.transaction(lambda session: self._of_skus(session, [sku], location_id))
        if not rows:
            raise NotFoundError("No stock of this SKU at this location.")
        return rows[0]

    def product(self, key: str) -> ProductStock:
        """All of a product (by its id) or one variant (by SKU), by location. NotFoundError when it is neither."""
        return self._db.transaction(lambda session: self._product(session, key))

    def sku_of(self, key: str) -> str:
        """The one SKU that a product's id or a SKU means; InvalidError `variant_required` when it means several."""

        def work(session: Session) -> str:
            variants = _variants(session, key)
            if len(variants) > 1:
                raise InvalidError(
                    "This product has several variants: name one by its SKU.",
                    code="variant_required",
                    field="product_id",
                )
            return variants[0].sku

        return self._db.transaction(work)

    def movements(self, *, sku: str | None, location_id: str | None, cursor: str | None, limit: int) -> Page[Movement]:
        """The ledger, newest first."""
        wanted = select(Movement).order_by(Movement.id.desc()).limit(limit + 1)
        if sku:
            wanted = wanted.where(Movement.sku == sku)
        if location_id:
            wanted = wanted.where(Movement.location_id == location_id)
        if cursor is not None:
            if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
                raise _no_cursor()
            wanted = wanted.where(Movement.id < int(cursor))

        def work(session: Session) -> Page[Movement]:
            rows = session.scalars(wanted).all()
            return page_of(rows, limit, [str(row.id) for row in rows])

        return self._db.transaction(work)

    def _product(self, session: Session, key: str) -> ProductStock:
        variants = _variants(session, key)
        product = session.get_one(Product, variants[0].product_id)
        rows = self._of_skus(session, [variant.sku for variant in variants])
        shown = tuple(
            VariantStock(
                variant,
                tuple(row for row in rows if row.stock.sku == variant.sku),
                self._bundles(session, variant.sku) if variant.bundle else (),
            )
            for variant in variants
        )
        return ProductStock(product, shown)

    def _bundles(self, session: Session, sku: str) -> tuple[tuple[str, int], ...]:
        """By location how many whole bundles its components there make."""
        parts = session.execute(
            select(BundleComponent.component_sku, BundleComponent.quantity).where(BundleComponent.bundle_sku == sku)
        ).all()
        rows = self._of_skus(session, [part for part, _ in parts])
        there = {(row.stock.location_id, row.stock.sku): row.available for row in rows}
        places = sorted({location_id for location_id, _ in there})
        whole = [(place, min(there.get((place, part), 0) // quantity for part, quantity in parts)) for place in places]
        return tuple((place, count) for place, count in whole if count)

    def _of_skus(self, session: Session, skus: Sequence[str], location_id: str | None = None) -> list[StockRow]:
        query = _rows(self._clock.now(), StockFilter(location_id=location_id), skus=skus)
        return _with_stock(session, session.execute(select(*query.c).order_by(query.c.sku, query.c.location_id)).all())


def available_at(now: datetime) -> ColumnElement[int]:
    """The available pieces of the `Stock` row of the statement around; that statement joins its `Variant`."""
    sellable = or_(Lot.expires_on.is_(None), Lot.expires_on >= now.date() + Variant.min_shelf_life_days)
    free = (
        select(func.coalesce(func.sum(Lot.on_hand - Lot.reserved), 0))
        .where(Lot.sku == Stock.sku, Lot.location_id == Stock.location_id, sellable)
        .correlate(Stock, Variant)
        .scalar_subquery()
    )
    lapsed = (
        select(func.coalesce(func.sum(Reservation.quantity), 0))
        .join(Lot, Lot.id == Reservation.lot_id)
        .where(
            active,
            Reservation.sku == Stock.sku,
            Reservation.location_id == Stock.location_id,
            Reservation.expires_at <= now,
            sellable,
        )
        .correlate(Stock, Variant)
        .scalar_subquery()
    )
    return func.greatest(free + lapsed - Stock.safety_stock, 0)


def _rows(now: datetime, wanted: StockFilter, skus: Sequence[str] | None = None) -> Any:
    """The filtered rows as a subquery, so that what is computed can be filtered and sorted by."""
    inner = (
        select(
            Stock.sku,
            Stock.location_id,
            Stock.on_hand,
            Stock.reorder_point,
            Stock.updated_at,
            available_at(now).label("available"),
            Variant.title,
            Product.id.label("product_id"),
            Product.category,
            Location.name,
        )
        .join(Variant, Variant.sku == Stock.sku)
        .join(Product, Product.id == Variant.product_id)
        .join(Location, Location.id == Stock.location_id)
    )
    if skus is not None:
        inner = inner.where(Stock.sku.in_(skus))
    if wanted.location_id:
        inner = inner.where(Stock.location_id == wanted.location_id)
    if wanted.category:
        inner = inner.where(Product.category == wanted.category)
    rows = inner.subquery("rows")
    if not wanted.low:
        return rows
    low = and_(rows.c.reorder_point > 0, rows.c.available <= rows.c.reorder_point)
    return select(*rows.c).where(low).subquery("low")


def _with_stock(session: Session, found: Sequence[Any]) -> list[StockRow]:
    keys = [(row.sku, row.location_id) for row in found]
    there = select(Stock).where(tuple_(Stock.sku, Stock.location_id).in_(keys) if keys else false())
    stock = {(row.sku, row.location_id): row for row in session.scalars(there)}
    return [
        StockRow(stock[row.sku, row.location_id], row.available, row.title, row.product_id, row.category, row.name)
        for row in found
    ]


def _variants(session: Session, key: str) -> Sequence[Variant]:
    for where in (Variant.product_id == key, Variant.sku == tidy_sku(key)):
        variants = session.scalars(select(Variant).where(where).order_by(Variant.sku)).all()
        if variants:
            return variants
    raise NotFoundError("No such product or SKU.")


def _sorting(query: Any, sort: Sort) -> tuple[list[ColumnElement[Any]], bool]:
    column = sort.removeprefix("-")
    ties = [query.c.sku, query.c.location_id]
    return ties if column == "sku" else [query.c[column], *ties], sort.startswith("-")


def _after(keys: list[ColumnElement[Any]], values: list[Any], *, descending: bool) -> ColumnElement[bool]:
    """Rows behind these values, where the first key alone may run backwards."""
    first = keys[0] < values[0] if descending else keys[0] > values[0]
    rest = tuple_(*keys[1:]) > tuple_(*values[1:]) if len(keys) > 1 else true()
    return or_(first, and_(keys[0] == values[0], rest))


def _encoded(row: StockRow, sort: Sort) -> str:
    column = sort.removeprefix("-")
    value = row.available if column == "available" else getattr(row.stock, column)
    lead = [] if column == "sku" else [value.isoformat() if isinstance(value, datetime) else value]
    text = json.dumps([sort, *lead, row.stock.sku, row.stock.location_id])
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str, sort: Sort) -> list[Any]:
    try:
        said, *values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        column = sort.removeprefix("-")
        kinds: list[type] = ([] if column == "sku" else [str if column == "updated_at" else int]) + [str, str]
        if said != sort or [type(value) for value in values] != kinds:
            raise _no_cursor()
        return [datetime.fromisoformat(values[0]), *values[1:]] if column == "updated_at" else values
    except (ValueError, TypeError):
        raise _no_cursor() from None


def _no_cursor() -> InvalidError:
    return InvalidError("This cursor is none of this list's.", code="invalid_cursor", field="cursor")
