"""What happened on the shelf whatever was promised of it: counts, and pieces that are gone. A part of `StockStore`.

No such fact is refused: it has happened. Where it leaves less than is reserved, the youngest reservations that nobody
has picked lose their units; what is picked, packed or awaits collection never does. A hold that may still be confirmed
keeps its expiry, so that confirming it looks for its units once more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.shelf import Held, ShelfChange, toll
from models.stock import Key, Levels, Receipt, ShelfLot
from models.stores import stock_places, stock_rows
from models.stores.stock_rows import Changes, active
from models.tables.stock import Reservation, Stock
from models.words import Mark, MovementReason, ReservationState


@dataclass
class _Shelf:
    """A locked stock row's lots, or one of them, and what is held there, oldest first; holds that expired are not."""

    lots: list[ShelfLot] = field(default_factory=list[ShelfLot])
    held: list[Held] = field(default_factory=list[Held])

    @property
    def picked(self) -> int:
        return sum(each.quantity for each in self.held if each.picked)

    @property
    def left(self) -> int:
        """What nobody has picked: so much can be gone."""
        return sum(lot.free for lot in self.lots) + sum(each.quantity for each in self.held if not each.picked)


class ShelfFacts:
    def count(
        self,
        session: Session,
        location_id: str,
        counts: Mapping[str, int],
        *,
        operation: str,
        actor: str,
        now: datetime,
    ) -> list[ShelfChange]:
        """So many pieces of each SKU lie on the shelf: on hand less what is picked, packed or awaiting collection.

        What is too many is undated; what is missing was undated first, then the last to expire. Whatever happened
        before was seen by it, and moves nothing when it is told later.
        """
        rows = _open(session, location_id, counts, now)
        changes, shelves = _read(session, rows, now)
        deltas = {key: counts[key[0]] + shelves[key].picked - row.on_hand for key, row in rows.items()}
        _bring(session, changes, {key: delta for key, delta in deltas.items() if delta > 0}, operation)
        losers = {key: _take(session, changes, shelves[key], key, max(0, -delta)) for key, delta in deltas.items()}
        changes.write(session, now)
        changes.record(session, MovementReason.COUNT, operation=operation, actor=actor, now=now)
        counted = update(Stock).where(
            Stock.location_id == location_id, Stock.sku == stock_rows.one_of(sku for sku, _ in rows)
        )
        session.execute(counted.values(counted_at=now).execution_options(synchronize_session=False))
        return [ShelfChange(key, delta, losers=losers[key]) for key, delta in deltas.items()]

    def lose(
        self,
        session: Session,
        location_id: str,
        losses: Mapping[str, int],
        *,
        reason: MovementReason,
        operation: str,
        actor: str,
        at: datetime,
        now: datetime,
        lot_code: str | None = None,
    ) -> list[ShelfChange]:
        """So many pieces of each SKU are gone since `at`: sold, or damaged. What a later count saw moves nothing.

        What by our books nobody but a picker can have had is booked as found, and then as gone.
        """
        rows = _open(session, location_id, losses, now)
        fresh = {key: losses[key[0]] for key, row in rows.items() if row.counted_at is None or at > row.counted_at}
        changes, shelves = _read(session, fresh, now, lot_code)
        found = {key: lost - shelves[key].left for key, lost in fresh.items() if lost > shelves[key].left}
        extra = Changes()
        lots = _bring(session, extra, found, operation, lot_code or "")
        extra.write(session, now)
        extra.record(session, MovementReason.FOUND, operation=f"{operation}:found", actor=actor, now=now, at=at)
        for key, pieces in found.items():
            changes.add(lots[key], key, on_hand=-pieces)
        losers = {
            key: _take(session, changes, shelves[key], key, lost - found.get(key, 0)) for key, lost in fresh.items()
        }
        changes.write(session, now)
        changes.record(session, reason, operation=operation, actor=actor, now=now, at=at)
        return [
            ShelfChange(
                key,
                found.get(key, 0) - fresh.get(key, 0),
                found=found.get(key, 0),
                losers=losers.get(key, ()),
                seen=key not in fresh,
            )
            for key in rows
        ]


def _open(session: Session, location_id: str, skus: Iterable[str], now: datetime) -> dict[Key, Levels]:
    """Lock the rows of a fact, made where there are none."""
    keys = [(sku, location_id) for sku in sorted(skus)]
    stock_places.check(session, keys)
    return stock_places.make_rows(session, keys, now)


def _read(
    session: Session, keys: Iterable[Key], now: datetime, lot_code: str | None = None
) -> tuple[Changes, dict[Key, _Shelf]]:
    """The locked rows as they are once expired holds are let go, which is the first of the changes."""
    shelves = {key: _Shelf() for key in keys}
    found = stock_rows.shelves(session, shelves, now)
    changes = stock_rows.give_way(session, found.giving_way)
    kept = {lot.id for lot in found.lots if lot_code in {None, lot.code}}
    for lot in found.lots:
        if lot.id in kept:
            shelves[lot.key].lots.append(lot)
    for each in _held(session, shelves):
        if each.lot_id in kept:
            shelves[each.key].held.append(each)
    return changes, shelves


def _held(session: Session, keys: Iterable[Key]) -> list[Held]:
    """What active reservations hold of these rows, oldest first."""
    places = list(keys)
    query = (
        select(
            Reservation.id,
            Reservation.sku,
            Reservation.location_id,
            Reservation.lot_id,
            Reservation.holder,
            Reservation.unit_id,
            Reservation.quantity,
            (Reservation.mark != Mark.NONE).label("picked"),
        )
        .where(
            active,
            Reservation.sku == stock_rows.one_of(sku for sku, _ in places),
            Reservation.location_id == stock_rows.one_of(place for _, place in places),
        )
        .order_by(Reservation.created_at, Reservation.id)
    )
    return [Held(*row) for row in session.execute(query)]


def _bring(
    session: Session, changes: Changes, more: Mapping[Key, int], operation: str, lot_code: str = ""
) -> dict[Key, str]:
    """Pieces that nobody knew of; answers the lots that they are in."""
    if not more:
        return {}
    receipts = [Receipt(*key, quantity, operation, lot_code) for key, quantity in more.items()]
    lots = stock_places.make_lots(session, receipts, any_date=True)
    for key, quantity in more.items():
        changes.add(lots[*key, lot_code], key, on_hand=quantity)
    return {key: lots[*key, lot_code] for key in more}


def _take(session: Session, changes: Changes, shelf: _Shelf, key: Key, quantity: int) -> tuple[Held, ...]:
    """These pieces are gone: free ones first. Answers who lost the rest."""
    cost = toll(quantity, shelf.lots, shelf.held)
    for lot_id, pieces in cost.lots.items():
        changes.add(lot_id, key, on_hand=-pieces)
    for loser in cost.losers:
        changes.add(loser.lot_id, key, on_hand=-loser.quantity, reserved=-loser.quantity)
    _let_lose(session, shelf.held, cost.losers)
    return cost.losers


def _let_lose(session: Session, held: Sequence[Held], losers: Sequence[Held]) -> None:
    """End the reservations that lost all; a cart's that lost a part keeps the rest."""
    had = {each.id: each.quantity for each in held}
    ended = [loser.id for loser in losers if loser.quantity == had[loser.id]]
    quiet = {"synchronize_session": False}
    if ended:
        gone = update(Reservation).where(Reservation.id == stock_rows.one_of(ended))
        session.execute(gone.values(state=ReservationState.RELEASED).execution_options(**quiet))
    for loser in losers:
        if loser.id not in ended:
            less = update(Reservation).where(Reservation.id == loser.id)
            session.execute(less.values(quantity=Reservation.quantity - loser.quantity).execution_options(**quiet))
