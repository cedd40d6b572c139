"""Fills an empty database with the demo's brand. It writes rows that a shop would have set up, and no orders."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from cli.demo.goods import Good, goods
from cli.demo.market import BOXES, BRAND, PRICE_LISTS, SHIPPING_RATES, tax_rates
from cli.demo.places import PLACES, Place
from cli.demo.shelves import Shelf, shelves
from models.db import Database
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
from models.tables.stock import Location, Lot, Movement, OpeningHours, Stock
from models.words import MovementReason

Rows = list[dict[str, Any]]


def seed(url: str, say: Callable[[str], None], today: date | None = None) -> None:
    """Once: a database that knows the brand is left as it is. Everything is one transaction.

    Lots expire relative to the month of `today` (the machine's by default), so that none has expired.
    """
    month = (today or datetime.now(UTC).date()).replace(day=1)
    database = Database(url, pool_size=1, lock_timeout=30_000, statement_timeout=60_000)
    try:
        say(database.transaction(lambda session: _fill(session, month)))
    finally:
        database.dispose()


def _fill(session: Session, month: date) -> str:
    # A second seed at the same time waits here for the first one's commit, and then finds the brand.
    added = session.execute(upsert(Brand).values(**BRAND).on_conflict_do_nothing().returning(Brand.id)).all()
    if not added:
        return f"{BRAND['name']} is there already: nothing to seed."
    at = datetime.combine(month, time(), UTC)
    sold = goods()
    shelved = list(shelves(sold, PLACES, month))
    products = {good.product_id: good for good in sold}
    session.execute(insert(Location), [_location(place, at) for place in PLACES])
    session.execute(insert(OpeningHours), _hours())
    session.execute(insert(Product), [_product(good, at) for good in products.values()])
    session.execute(insert(Variant), [_variant(good, at) for good in sold])
    session.execute(insert(BundleComponent), _components(sold))
    session.execute(insert(PriceList), PRICE_LISTS)
    session.execute(insert(Price), _prices(sold))
    session.execute(insert(ShippingRate), SHIPPING_RATES)
    session.execute(upsert(TaxRate).values(tax_rates()).on_conflict_do_nothing())
    session.execute(insert(Box), BOXES)
    _stock(session, shelved, at)
    pieces = sum(shelf.on_hand for shelf in shelved)
    return (
        f"{BRAND['name']}: {len(sold)} SKUs of {len(products)} products, {pieces:,} pieces at {len(PLACES)} locations."
    )


def _location(place: Place, at: datetime) -> dict[str, Any]:
    latitude, longitude = place.at
    return {
        "id": place.id,
        "name": f"{BRAND['name']} {place.quarter}",
        "kind": place.kind,
        "street": place.street,
        "city": place.city,
        "state": place.state,
        "postcode": place.postcode,
        "country": place.country,
        "phone": place.phone,
        "latitude": latitude,
        "longitude": longitude,
        "timezone": place.timezone,
        "priority": 100 if place.store else 10,
        "capacity_per_day": 40 if place.store else None,
        "created_at": at,
    }


def _hours() -> Rows:
    return [
        {"location_id": place.id, "weekday": weekday, "opens": opens, "closes": closes}
        for place in PLACES
        for weekday, opens, closes in place.hours
    ]


def _product(good: Good, at: datetime) -> dict[str, Any]:
    return {
        "id": good.product_id,
        "brand_id": BRAND["id"],
        "title": good.product_title,
        "description": good.description,
        "category": good.category,
        "created_at": at,
    }


def _variant(good: Good, at: datetime) -> dict[str, Any]:
    length, width, height = good.box
    return {
        "sku": good.sku,
        "product_id": good.product_id,
        "title": good.title,
        "shade": good.shade,
        "size": good.size,
        "barcode": good.barcode,
        "grams": good.grams,
        "length_mm": length,
        "width_mm": width,
        "height_mm": height,
        "hazmat": good.hazmat,
        "bundle": bool(good.pieces),
        "min_shelf_life_days": good.min_shelf_life_days,
        "created_at": at,
    }


def _components(sold: tuple[Good, ...]) -> Rows:
    return [
        {"bundle_sku": good.sku, "component_sku": sku, "quantity": quantity}
        for good in sold
        for sku, quantity in good.pieces
    ]


def _prices(sold: tuple[Good, ...]) -> Rows:
    dollars, euros = (row["id"] for row in PRICE_LISTS)
    return [
        {"price_list_id": price_list, "sku": good.sku, "amount": amount}
        for good in sold
        for price_list, amount in ((dollars, good.usd), (euros, good.eur))
    ]


def _stock(session: Session, shelved: list[Shelf], at: datetime) -> None:
    """Stock, its lots, and the receipts that brought them: on hand is the ledger's sum from the first row on."""
    stock: Rows = []
    lots: Rows = []
    movements: Rows = []
    for shelf in shelved:
        key = {"sku": shelf.sku, "location_id": shelf.location_id}
        levels = {"safety_stock": shelf.safety_stock, "reorder_point": shelf.reorder_point, "updated_at": at}
        stock.append({**key, **levels, "on_hand": shelf.on_hand})
        for lot in shelf.lots:
            lot_id = "_".join(("lot", shelf.location_id.removeprefix("loc_"), shelf.sku, lot.code)).rstrip("_").lower()
            lots.append({**key, "id": lot_id, "code": lot.code, "expires_on": lot.expires_on, "on_hand": lot.quantity})
            movements.append({**key, "lot_id": lot_id, "quantity": lot.quantity, "operation": f"seed:{lot_id}"})
    receipt = {"reason": MovementReason.RECEIPT, "actor": "system:seed", "occurred_at": at, "recorded_at": at}
    session.execute(insert(Stock), stock)
    session.execute(insert(Lot), lots)
    session.execute(insert(Movement), [{**movement, **receipt} for movement in movements])
