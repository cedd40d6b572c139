"""What happens to the shelf itself: units arrive, are found or are gone; and the levels set for a row.

A part of `StockStore`. Transfers are not here yet.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.errors import InvalidError, StaleError
from models.stock import Key, Levels, Receipt, Refused, take_off
from models.stores import stock_places, stock_rows
from models.stores.stock_rows import Changes
from models.tables.stock import Movement, Stock
from models.words import MovementReason


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
        if any(receipt.quantity < 1 for receipt in receipts):
            raise InvalidError("a quantity is at least 1", field="quantity")
        keys = {receipt.key for receipt in receipts}
        stock_places.check(session, keys)
        stock_places.make_rows(session, keys, now)
        lots = stock_places.make_lots(session, receipts)
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
        stock_places.check(session, [key])
        row = stock_places.make_rows(session, {key}, now)[key]
        if session.scalar(select(Movement.id).where(Movement.operation == operation).limit(1)):
            return row
        if expected_revision not in {None, row.revision}:
            raise StaleError("the stock changed in between: read it again")
        if delta > 0:
            lots = stock_places.make_lots(
                session, [Receipt(sku, location_id, delta, operation, lot_code or "")], any_date=True
            )
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
        stock_places.check(session, [key])
        row = stock_places.make_rows(session, {key}, now)[key]
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
