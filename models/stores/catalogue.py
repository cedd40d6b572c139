"""What is sold and for how much: brands, products, prices, shipping, tax, boxes; and the quote of a cart."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.errors import InvalidError, NotFoundError
from models.money import chargeable
from models.quotes import CannotShipTo, Quote, QuoteRequest
from models.stores.pages import Page, page_of
from models.stores.quotes import quote
from models.stores.refusals import refusals
from models.tables.catalogue import (
    Box,
    Brand,
    BundleComponent,
    Price,
    PriceList,
    Product,
    ShippingRate,
    TaxRate,
    Variant,
)

R = TypeVar("R", Brand, PriceList, Box)


@dataclass(frozen=True, slots=True)
class NewVariant:
    """A SKU (tidy already); `components` (SKU, quantity) make it a bundle."""

    sku: str
    title: str
    shade: str | None = None
    size: str | None = None
    barcode: str | None = None
    grams: int | None = None
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    hazmat: bool = False
    min_shelf_life_days: int = 0
    components: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class NewProduct:
    id: str
    brand_id: str
    title: str
    category: str
    variants: tuple[NewVariant, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class NewShippingRate:
    """`zone` is a state, or `*` for every other; free from `free_from` of goods after discount."""

    id: str
    price_list_id: str
    zone: str
    speed: str
    title: str
    amount: int
    free_from: int | None
    transit_days: int


@dataclass(frozen=True, slots=True)
class NewBox:
    id: str
    brand_id: str
    title: str
    length_mm: int
    width_mm: int
    height_mm: int
    grams: int


@dataclass(frozen=True, slots=True)
class VariantView:
    variant: Variant
    components: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ProductView:
    product: Product
    variants: tuple[VariantView, ...]


class CatalogueStore:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def quote(self, request: QuoteRequest) -> Quote | CannotShipTo:
        """What a cart costs now: `models.stores.quotes` as a transaction of its own."""
        return self._db.transaction(lambda session: quote(session, request, self._clock.now()))

    def add_brand(self, brand_id: str, name: str) -> Brand:
        """ConflictError `exists` when the id is taken."""
        return self._add(Brand(id=brand_id, name=name), "The brand")

    def brands(self) -> Sequence[Brand]:
        return self._db.transaction(lambda session: session.scalars(select(Brand).order_by(Brand.id)).all())

    def add_product(self, new: NewProduct) -> ProductView:
        """A product with its variants at once. ConflictError `exists`: the id, a SKU or a barcode is taken;
        InvalidError `unknown_reference`: no such brand or component.
        """
        now = self._clock.now()

        def work(session: Session) -> ProductView:
            product = asdict(new)
            variants = product.pop("variants")
            session.execute(insert(Product), [{**product, "created_at": now}])
            parts = [
                {"bundle_sku": variant["sku"], "component_sku": sku, "quantity": quantity}
                for variant in variants
                for sku, quantity in variant["components"]
            ]
            for variant in variants:
                variant |= {"product_id": new.id, "bundle": bool(variant.pop("components")), "created_at": now}
            session.execute(insert(Variant), variants)
            if parts:
                _refuse_nested(session, [part["component_sku"] for part in parts])
                session.execute(insert(BundleComponent), parts)
            return _product(session, new.id)

        with refusals("The product"):
            return self._db.transaction(work)

    def product(self, product_id: str) -> ProductView:
        """NotFoundError when there is none."""
        return self._db.transaction(lambda session: _product(session, product_id))

    def products(
        self, *, brand_id: str | None, category: str | None, cursor: str | None, limit: int
    ) -> Page[ProductView]:
        """By id, each with its variants."""

        def work(session: Session) -> Page[ProductView]:
            wanted = select(Product).order_by(Product.id).limit(limit + 1)
            if brand_id:
                wanted = wanted.where(Product.brand_id == brand_id)
            if category:
                wanted = wanted.where(Product.category == category)
            if cursor:
                wanted = wanted.where(Product.id > cursor)
            found = _with_variants(session, session.scalars(wanted).all())
            return page_of(found, limit, [view.product.id for view in found])

        return self._db.transaction(work)

    def add_price_list(self, list_id: str, brand_id: str, country: str, code: str, *, includes_tax: bool) -> PriceList:
        """ConflictError `exists` when the brand has one for that country."""
        row = PriceList(id=list_id, brand_id=brand_id, country=country, currency=code, includes_tax=includes_tax)
        return self._add(row, "The price list")

    def price_lists(self, brand_id: str | None) -> Sequence[PriceList]:
        wanted = select(PriceList).order_by(PriceList.id)
        if brand_id:
            wanted = wanted.where(PriceList.brand_id == brand_id)
        return self._db.transaction(lambda session: session.scalars(wanted).all())

    def set_prices(self, list_id: str, prices: Sequence[tuple[str, int]]) -> None:
        """Add or replace prices by SKU (the last of a repeated one counts). InvalidError `not_chargeable` names the
        one that the currency's cards cannot be charged; an order placed before keeps its prices.
        """

        def work(session: Session) -> None:
            price_list = _price_list(session, list_id)
            for place, (_, amount) in enumerate(prices):
                _refuse_unchargeable(price_list, amount, f"prices.{place}.amount")
            rows = [{"price_list_id": list_id, "sku": sku, "amount": amount} for sku, amount in dict(prices).items()]
            written = upsert(Price).values(rows)
            session.execute(
                written.on_conflict_do_update(
                    index_elements=["price_list_id", "sku"], set_={"amount": written.excluded.amount}
                )
            )

        with refusals("A price"):
            self._db.transaction(work)

    def prices(self, list_id: str, *, cursor: str | None, limit: int) -> Page[Price]:
        """By SKU. NotFoundError when there is no such list."""

        def work(session: Session) -> Page[Price]:
            _price_list(session, list_id)
            wanted = select(Price).where(Price.price_list_id == list_id).order_by(Price.sku).limit(limit + 1)
            rows = session.scalars(wanted.where(Price.sku > cursor) if cursor else wanted).all()
            return page_of(rows, limit, [row.sku for row in rows])

        return self._db.transaction(work)

    def add_shipping_rate(self, new: NewShippingRate) -> ShippingRate:
        """ConflictError `exists` when the list has a rate of that zone and speed."""

        def work(session: Session) -> ShippingRate:
            _refuse_unchargeable(_price_list(session, new.price_list_id), new.amount, "amount")
            row = ShippingRate(**asdict(new))
            session.add(row)
            session.flush()
            return row

        with refusals("The shipping rate"):
            return self._db.transaction(work)

    def shipping_rates(self, list_id: str) -> Sequence[ShippingRate]:
        wanted = select(ShippingRate).where(ShippingRate.price_list_id == list_id)
        order = (ShippingRate.zone, ShippingRate.amount, ShippingRate.id)
        return self._db.transaction(lambda session: session.scalars(wanted.order_by(*order)).all())

    def set_tax_rate(self, country: str, state: str, basis_points: int, *, shipping_taxed: bool) -> None:
        """Add or replace the rate of a state, or of every other state (`*`)."""
        rule = {"basis_points": basis_points, "shipping_taxed": shipping_taxed}
        written = upsert(TaxRate).values(country=country, state=state, **rule)
        self._db.transaction(
            lambda session: session.execute(
                written.on_conflict_do_update(index_elements=["country", "state"], set_=rule)
            )
        )

    def tax_rates(self, country: str | None) -> Sequence[TaxRate]:
        wanted = select(TaxRate).order_by(TaxRate.country, TaxRate.state)
        if country:
            wanted = wanted.where(TaxRate.country == country)
        return self._db.transaction(lambda session: session.scalars(wanted).all())

    def add_box(self, new: NewBox) -> Box:
        return self._add(Box(**asdict(new)), "The box")

    def boxes(self, brand_id: str | None) -> Sequence[Box]:
        wanted = select(Box).order_by(Box.length_mm * Box.width_mm * Box.height_mm, Box.id)
        if brand_id:
            wanted = wanted.where(Box.brand_id == brand_id)
        return self._db.transaction(lambda session: session.scalars(wanted).all())

    def _add(self, row: R, what: str) -> R:
        def work(session: Session) -> R:
            session.add(row)
            session.flush()
            return row

        with refusals(what):
            return self._db.transaction(work)


def _price_list(session: Session, list_id: str) -> PriceList:
    row = session.get(PriceList, list_id)
    if row is None:
        raise NotFoundError("No such price list.")
    return row


def _refuse_unchargeable(price_list: PriceList, amount: int, field: str) -> None:
    if not chargeable(amount, price_list.currency):
        raise InvalidError(
            f"Cards cannot be charged this in {price_list.currency}.", code="not_chargeable", field=field
        )


def _refuse_nested(session: Session, components: Sequence[str]) -> None:
    """A bundle's pieces are real ones: a unit of an order names a SKU that lies on a shelf."""
    if session.scalar(select(Variant.sku).where(Variant.sku.in_(components), Variant.bundle).limit(1)):
        raise InvalidError("A bundle holds no bundle.", code="nested_bundle", field="variants")


def _product(session: Session, product_id: str) -> ProductView:
    row = session.get(Product, product_id)
    if row is None:
        raise NotFoundError("No such product.")
    return _with_variants(session, [row])[0]


def _with_variants(session: Session, products: Sequence[Product]) -> list[ProductView]:
    ids = [product.id for product in products]
    variants = session.scalars(select(Variant).where(Variant.product_id.in_(ids)).order_by(Variant.sku)).all()
    parts: dict[str, tuple[tuple[str, int], ...]] = {}
    bundles = [variant.sku for variant in variants if variant.bundle]
    if bundles:
        wanted = select(BundleComponent).where(BundleComponent.bundle_sku.in_(bundles))
        for part in session.scalars(wanted.order_by(BundleComponent.component_sku)):
            parts[part.bundle_sku] = (*parts.get(part.bundle_sku, ()), (part.component_sku, part.quantity))
    views: dict[str, list[VariantView]] = {each: [] for each in ids}
    for variant in variants:
        views[variant.product_id].append(VariantView(variant, parts.get(variant.sku, ())))
    return [ProductView(product, tuple(views[product.id])) for product in products]
