"""The one module that changes stock, lots, reservations and movements.

Every method works inside its caller's transaction and never commits. Reservations and lots change only under their
stock rows' locks, which a method takes in one statement in the one order (SKU, location): call one of them late in a
transaction, and only one, where you can. A refusal is a value. Bundles are exploded before: no unit is one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.stock import (
    Ask,
    Consumed,
    HeldUnit,
    Key,
    Refused,
    Reserved,
    ShelfLot,
    Short,
    UnitWant,
    available,
)
from models.stores import stock_holds, stock_rows
from models.stores.stock_carts import CartHolds
from models.stores.stock_facts import ShelfFacts
from models.stores.stock_physical import PhysicalStock
from models.stores.stock_rows import Changes, active, lapsed
from models.tables.stock import Reservation, Stock
from models.words import Mark, MovementReason, ReservationState


class StockStore(CartHolds, PhysicalStock, ShelfFacts):
    def reserve(
        self,
        session: Session,
        holder: str,
        wants: Sequence[UnitWant],
        *,
        expires_at: datetime | None,
        now: datetime,
        safety: bool = True,
        cart: str | None = None,
    ) -> Reserved | Short:
        """Hold every unit, or none. Available is what lies in lots that may be sold, less reserved and safety stock.

        A unit that is held already moves: its old reservation goes as the new one comes. `cart`: if `lend_cart` lent
        that hold to this holder, its units are free for these, and go over to the holder when everything is held.
        """
        lenders = self.lender(session, cart, holder)
        asks = [Ask(want.sku, want.location_id, 1, want.unit_id) for want in wants]
        return stock_holds.take(session, holder, asks, expires_at=expires_at, now=now, safety=safety, lenders=lenders)

    def confirm(self, session: Session, holder: str, now: datetime) -> Reserved | None:
        """Make the hold last. What is not held any more is taken again where it was; answers the lots of these units.

        None: they are gone from there (or were released on purpose), and nothing of the holder stays held.
        """
        stock_rows.lock(session, holders=[holder])
        rows = session.execute(
            update(Reservation)
            .where(Reservation.holder == holder, active | lapsed)
            .values(expires_at=None)
            .returning(
                Reservation.state,
                Reservation.unit_id,
                Reservation.sku,
                Reservation.location_id,
                Reservation.quantity,
            )
        ).all()
        held = {row.unit_id for row in rows if row.state is ReservationState.ACTIVE}
        lost = {row.unit_id: row for row in rows if row.unit_id not in held}
        if not lost:
            return Reserved({}) if rows else None
        asks = [Ask(row.sku, row.location_id, row.quantity, row.unit_id) for row in lost.values()]
        taken = stock_holds.take(session, holder, asks, expires_at=None, now=now)
        if isinstance(taken, Short):
            self.release(session, holder, now)
            return None
        return taken

    def release(
        self, session: Session, holder: str, now: datetime, unit_ids: Sequence[str] | None = None
    ) -> tuple[str, ...]:
        """Let go of all that the holder still holds, or of these units; answers the units let go. Twice is once."""
        return stock_holds.let_go(session, holder, now, unit_ids)

    def mark(self, session: Session, unit_ids: Sequence[str], mark: Mark, now: datetime) -> Refused | None:
        """Say what was done with held units, all or none: a unit that is not held any more is refused."""
        stock_rows.lock(session, units=unit_ids)
        theirs = Reservation.unit_id == stock_rows.one_of(unit_ids)
        in_time = Reservation.expires_at.is_(None) | (Reservation.expires_at > now)
        held = set(session.scalars(select(Reservation.unit_id).where(active, theirs, in_time)))
        if gone := tuple(unit_id for unit_id in unit_ids if unit_id not in held):
            return Refused("not_reserved", "the reservation of these units was released or taken", gone)
        session.execute(
            update(Reservation).where(active, theirs).values(mark=mark).execution_options(synchronize_session=False)
        )
        return None

    def consume(
        self, session: Session, unit_ids: Sequence[str], *, operation: str, order_id: str, actor: str, now: datetime
    ) -> Consumed:
        """The units have left: on hand and reserved fall together. A unit that left before does not leave again."""
        stock_rows.lock(session, units=unit_ids)
        left = session.execute(
            update(Reservation)
            .where(active, Reservation.unit_id == stock_rows.one_of(unit_ids))
            .values(state=ReservationState.CONSUMED)
            .returning(Reservation.unit_id, Reservation.lot_id, Reservation.sku, Reservation.location_id)
            .execution_options(synchronize_session=False)
        ).all()
        changes = Changes()
        for row in left:
            changes.add(row.lot_id, (row.sku, row.location_id), on_hand=-1, reserved=-1)
        changes.write(session, now)
        changes.record(session, MovementReason.HAND_OVER, operation=operation, actor=actor, now=now, order_id=order_id)
        gone = {row.unit_id for row in left}
        others = [unit_id for unit_id in unit_ids if unit_id not in gone]
        units = tuple(unit_id for unit_id in unit_ids if unit_id in gone)
        return Consumed(units, self._never_held(session, order_id, others))

    def _never_held(self, session: Session, order_id: str, unit_ids: Sequence[str]) -> tuple[str, ...]:
        if not unit_ids:
            return ()
        before = set(
            session.scalars(
                select(Reservation.unit_id).where(
                    Reservation.holder == order_id,
                    Reservation.state == ReservationState.CONSUMED,
                    Reservation.unit_id == stock_rows.one_of(unit_ids),
                )
            )
        )
        return tuple(unit_id for unit_id in unit_ids if unit_id not in before)

    def reserved_units(self, session: Session, holder: str) -> list[HeldUnit]:
        """What an order holds now, by unit."""
        rows = session.execute(
            select(
                Reservation.unit_id,
                Reservation.sku,
                Reservation.location_id,
                Reservation.lot_id,
                Reservation.mark,
            )
            .where(Reservation.holder == holder, active, Reservation.unit_id.is_not(None))
            .order_by(Reservation.unit_id)
        )
        return [HeldUnit(row.unit_id or "", row.sku, row.location_id, row.lot_id, row.mark) for row in rows]

    def availability(
        self, session: Session, skus: Iterable[str], now: datetime, location_ids: Iterable[str] | None = None
    ) -> dict[Key, int]:
        """What a new online reservation could take now, by (SKU, location), without a lock and never below zero.

        Expired holds count as available, swept or not; lots too close to their date do not. No key: never stocked.
        """
        asked = stock_rows.FREE
        if location_ids is not None:
            asked = asked.where(Stock.location_id == stock_rows.one_of(location_ids))
        rows = session.execute(asked, {"skus": sorted(set(skus)), "now": now, "today": now.date()})
        return {(sku, location_id): max(0, free) for sku, location_id, free in rows}

    def lock_available(
        self,
        session: Session,
        skus: Iterable[str],
        location_ids: Iterable[str],
        now: datetime,
        *,
        lenders: Sequence[str] = (),
    ) -> dict[Key, int]:
        """As `availability`, with every one of these rows locked, so that what it says stays true.

        What the lending carts hold counts as available, as `reserve` with that cart would see it.
        """
        places = list(location_ids)
        locked = stock_rows.lock(session, [(sku, place) for sku in set(skus) for place in places], holders=lenders)
        found = stock_rows.shelves(session, locked, now, holders=lenders)
        shelves: dict[Key, list[ShelfLot]] = {key: [] for key in locked}
        for lot in found.lots:
            shelves[lot.key].append(lot)
        return {key: available(shelf, locked[key].safety_stock) for key, shelf in shelves.items()}

    def sweep_expired(self, session: Session, now: datetime, limit: int = 500) -> int:
        """Release up to about `limit` holds whose expiry has passed; answers how many. For the relay, again and again.

        They counted as available before; this gives the counters back and keeps the readers quick.
        """
        expired = {
            (sku, place) for sku, place in session.execute(stock_rows.EXPIRED_ROWS, {"now": now, "limit": limit})
        }
        if not expired:
            return 0
        locked = stock_rows.lock(session, expired)
        found = stock_rows.shelves(session, locked, now)
        stock_rows.give_way(session, found.giving_way).write(session, now)
        return len(found.giving_way)
