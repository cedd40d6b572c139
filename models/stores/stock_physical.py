"""What happens to the shelf itself: units arrive, are found or are gone; and the levels set for a row.

A part of `StockStore`. Counts, sales at the till and transfers are not here yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.errors import InvalidError, NotFoundError, StaleError
from models.mint import mint
from models.stock import Key, Levels, Receipt, Refused, take_off
from models.stores import stock_rows
from models.stores.stock_rows import Changes
from models.tables.catalogue import Variant
from models.tables.stock import Location, Lot, Movement, Stock
from models.words import MovementReason

_Place = tuple[str, str, str]  # SKU, location, lot code


class PhysicalStock:
    def receive(
        self,
        session: Session,
        sku: str,
        location_id: str,
        quantity: int,
        *,
        lot_code: str = "",
        expires_on: date | None = None,
        operation: str,
        actor: str,
        now: datetime,
    ) -> Levels:
        """Units came in. Makes the stock row and the lot where there is none. The same operation counts once."""
        receipt = Receipt(sku, location_id, quantity, operation, lot_code, expires_on)
        self.receive_many(session, [receipt], actor=actor, now=now)
        return stock_rows.lock(session, [receipt.key])[receipt.key]

    def receive_many(
        self,
        session: Session,
        receipts: Sequence[Receipt],
        *,
        actor: str,
        now: datetime,
        reason: MovementReason = MovementReason.RECEIPT,
    ) -> int:
        """As `receive`, for any number of them in the same few statements; answers how many were new.

        `NotFoundError`: no such SKU or location. `InvalidError`: a quantity below 1, a bundle, or a lot whose date
        is another.
        """
        _check(session, receipts)
        _make_rows(session, {receipt.key for receipt in receipts}, now)
        lots = _make_lots(session, receipts)
        arrived: dict[tuple[str, str], tuple[Key, int]] = {}
        for receipt in receipts:
            name = receipt.operation, lots[(*receipt.key, receipt.code)]
            arrived[name] = receipt.key, arrived.get(name, (receipt.key, 0))[1] + receipt.quantity
        new = session.execute(
            insert(Movement)
            .on_conflict_do_nothing(index_elements=["operation", "lot_id"])
            .returning(Movement.lot_id, Movement.sku, Movement.location_id, Movement.quantity),
            [
                {
                    "sku": sku,
                    "location_id": location_id,
                    "lot_id": lot_id,
                    "quantity": quantity,
                    "reason": reason,
                    "operation": operation,
                    "actor": actor,
                    "occurred_at": now,
                    "recorded_at": now,
                }
                for (operation, lot_id), ((sku, location_id), quantity) in arrived.items()
            ],
        ).all()
        changes = Changes()
        for row in new:
            changes.add(row.lot_id, (row.sku, row.location_id), on_hand=row.quantity)
        changes.write(session, now)
        return len(new)

    def adjust(
        self,
        session: Session,
        sku: str,
        location_id: str,
        delta: int,
        *,
        reason: MovementReason,
        operation: str,
        actor: str,
        now: datetime,
        expected_revision: int | None = None,
        lot_code: str | None = None,
    ) -> Levels | Refused:
        """Correct on hand by `delta`. Never below what is reserved: that is refused. The same operation counts once.

        Without a lot the undated units come and go first, then those that expire last. `StaleError`: the row's
        revision is not the expected one.
        """
        key = sku, location_id
        _check(session, [Receipt(sku, location_id, abs(delta), operation)])
        _make_rows(session, {key}, now)
        row = stock_rows.lock(session, [key])[key]
        if session.scalar(select(Movement.id).where(Movement.operation == operation).limit(1)):
            return row
        if expected_revision not in {None, row.revision}:
            raise StaleError("the stock changed in between: read it again")
        if delta > 0:
            lots = _make_lots(session, [Receipt(sku, location_id, delta, operation, lot_code or "")], any_date=True)
            changes = Changes()
            changes.add(lots[(sku, location_id, lot_code or "")], key, on_hand=delta)
        else:
            found = stock_rows.shelves(session, [key], now)
            shelf = [lot for lot in found.lots if lot_code in {None, lot.code}]
            losses = take_off(shelf, -delta)
            if losses is None:
                free = sum(lot.free for lot in shelf)
                return Refused("below_reserved", f"only {free} of these units are not reserved")
            changes = stock_rows.give_way(session, found.giving_way)
            for lot_id, loss in losses.items():
                changes.add(lot_id, key, on_hand=-loss)
        changes.write(session, now)
        changes.record(session, reason, operation=operation, actor=actor, now=now)
        return stock_rows.lock(session, [key])[key]

    def set_levels(
        self,
        session: Session,
        sku: str,
        location_id: str,
        *,
        now: datetime,
        safety_stock: int | None = None,
        reorder_point: int | None = None,
        expected_revision: int | None = None,
    ) -> Levels:
        """Set what is kept back from online sale, and when to reorder; None leaves a level as it is."""
        key = sku, location_id
        _check(session, [Receipt(sku, location_id, 1, "levels")])
        _make_rows(session, {key}, now)
        row = stock_rows.lock(session, [key])[key]
        if expected_revision not in {None, row.revision}:
            raise StaleError("the stock changed in between: read it again")
        levels = {"safety_stock": safety_stock, "reorder_point": reorder_point}
        changed = {name: level for name, level in levels.items() if level not in {None, getattr(row, name)}}
        if not changed:
            return row
        session.execute(
            update(Stock)
            .where(Stock.sku == sku, Stock.location_id == location_id)
            .values(**changed, updated_at=now, revision=Stock.revision + 1)
            .execution_options(synchronize_session=False)
        )
        return stock_rows.lock(session, [key])[key]


def _check(session: Session, receipts: Sequence[Receipt]) -> None:
    if any(receipt.quantity < 1 for receipt in receipts):
        raise InvalidError("a quantity is at least 1", field="quantity")
    skus = {receipt.sku for receipt in receipts}
    bundles = session.execute(select(Variant.sku, Variant.bundle).where(Variant.sku == stock_rows.one_of(skus)))
    known = {row.sku: row.bundle for row in bundles}
    if unknown := sorted(skus - known.keys()):
        raise NotFoundError(f"no such SKU: {unknown[0]}")
    if bundled := sorted(sku for sku, bundle in known.items() if bundle):
        raise InvalidError(f"{bundled[0]} is a bundle: its components have the stock", code="bundle", field="sku")
    locations = {receipt.location_id for receipt in receipts}
    found = set(session.scalars(select(Location.id).where(Location.id == stock_rows.one_of(locations))))
    if missing := sorted(locations - found):
        raise NotFoundError(f"no such location: {missing[0]}")


def _make_rows(session: Session, keys: Iterable[Key], now: datetime) -> None:
    """Make stock rows that are not there yet, and lock them all."""
    wanted = sorted(keys)
    session.execute(
        insert(Stock).on_conflict_do_nothing(),
        [{"sku": sku, "location_id": location_id, "updated_at": now} for sku, location_id in wanted],
    )
    stock_rows.lock(session, wanted)


def _make_lots(session: Session, receipts: Sequence[Receipt], *, any_date: bool = False) -> Mapping[_Place, str]:
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
