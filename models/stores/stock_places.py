"""Stock rows and lots made where there are none, for what may be stocked there. Only `StockStore`'s modules use it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.errors import InvalidError, NotFoundError
from models.mint import mint
from models.stock import Key, Levels, Receipt
from models.stores import stock_rows
from models.tables.catalogue import Variant
from models.tables.stock import Location, Lot, Stock

_Place = tuple[str, str, str]  # SKU, location, lot code


def check(session: Session, keys: Collection[Key]) -> None:
    """`NotFoundError`: no such SKU or location. `InvalidError`: a bundle."""
    skus = {sku for sku, _ in keys}
    bundles = session.execute(select(Variant.sku, Variant.bundle).where(Variant.sku == stock_rows.one_of(skus)))
    known = {row.sku: row.bundle for row in bundles}
    if unknown := sorted(skus - known.keys()):
        raise NotFoundError(f"no such SKU: {unknown[0]}")
    if bundled := sorted(sku for sku, bundle in known.items() if bundle):
        raise InvalidError(f"{bundled[0]} is a bundle: its components have the stock", code="bundle", field="sku")
    locations = {location_id for _, location_id in keys}
    found = set(session.scalars(select(Location.id).where(Location.id == stock_rows.one_of(locations))))
    if missing := sorted(locations - found):
        raise NotFoundError(f"no such location: {missing[0]}")


def make_rows(session: Session, keys: Iterable[Key], now: datetime) -> dict[Key, Levels]:
    """Make stock rows that are not there yet, and lock them all."""
    wanted = sorted(keys)
    session.execute(
        insert(Stock).on_conflict_do_nothing(),
        [{"sku": sku, "location_id": location_id, "updated_at": now} for sku, location_id in wanted],
    )
    return stock_rows.lock(session, wanted)


def make_lots(session: Session, receipts: Sequence[Receipt], *, any_date: bool = False) -> Mapping[_Place, str]:
    """The ids of the receipts' lots, made where there is none; their stock rows are locked."""
    dates: dict[_Place, date | None] = {}
    for receipt in receipts:
        place = (*receipt.key, receipt.code)
        if dates.setdefault(place, receipt.expires_on) != receipt.expires_on:
            raise InvalidError(f"lot {receipt.code} has two dates", code="lot_date", field="expires_on")
    session.execute(
        insert(Lot).on_conflict_do_nothing(),
        [
            {"id": mint("lot"), "sku": sku, "location_id": location_id, "code": code, "expires_on": expires_on}
            for (sku, location_id, code), expires_on in dates.items()
        ],
    )
    rows = session.execute(
        stock_rows.LOTS_BY_CODE,
        {**stock_rows.columns((sku, place) for sku, place, _ in dates), "codes": [code for _, _, code in dates]},
    ).all()
    for row in rows:
        if not any_date and row.expires_on != dates[row.sku, row.location_id, row.code]:
            raise InvalidError(f"lot {row.code} has another date", code="lot_date", field="expires_on")
    return {(row.sku, row.location_id, row.code): row.id for row in rows}
