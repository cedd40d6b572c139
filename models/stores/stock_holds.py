"""How units come to be held and are let go, for orders and carts alike. Only `models.stores.stock*` use it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from models.stock import Ask, Reserved, Short, allocate
from models.stores import stock_rows
from models.stores.stock_rows import Changes, active, lapsed
from models.tables.stock import Reservation
from models.words import ReservationState

_ENDED = {"state": ReservationState.RELEASED, "expires_at": None}


def take(
    session: Session,
    holder: str,
    asks: Sequence[Ask],
    *,
    expires_at: datetime | None,
    now: datetime,
    safety: bool = True,
    lenders: Sequence[str] = (),
) -> Reserved | Short:
    """Hold every ask or none: lock, look, allocate, write. `lenders` are cart holds whose units are for these."""
    units = [ask.unit_id for ask in asks if ask.unit_id]
    rows = stock_rows.lock(session, {ask.key for ask in asks}, units=units, holders=lenders)
    found = stock_rows.shelves(session, rows, now, units=units, holders=lenders)
    kept = {key: row.safety_stock for key, row in rows.items()} if safety else {}
    taken = allocate(asks, found.lots, kept)
    if isinstance(taken, Short):
        return taken
    changes = stock_rows.give_way(session, found.giving_way, units=units, lenders=lenders)
    for part in taken:
        changes.add(part.lot_id, part.ask.key, reserved=part.quantity)
    stock_rows.hold(session, holder, taken, expires_at, now)
    changes.write(session, now)
    return Reserved({part.ask.unit_id: part.lot_id for part in taken if part.ask.unit_id})


def let_go(session: Session, holder: str, now: datetime, unit_ids: Sequence[str] | None = None) -> tuple[str, ...]:
    """Release what the holder holds, or of it these units, for good: what had lapsed cannot come back either."""
    if unit_ids is None:
        stock_rows.lock(session, holders=[holder])
    else:
        stock_rows.lock(session, units=unit_ids)
    theirs = [Reservation.holder == holder]
    if unit_ids is not None:
        theirs.append(Reservation.unit_id == stock_rows.one_of(unit_ids))
    gone = (
        update(Reservation).where(*theirs, lapsed | (Reservation.state == stock_rows.LENT)).values(_ENDED).cte("gone")
    )
    let_go = session.execute(
        update(Reservation)
        .where(*theirs, active)
        .values(_ENDED)
        .returning(
            Reservation.unit_id,
            Reservation.lot_id,
            Reservation.sku,
            Reservation.location_id,
            Reservation.quantity,
        )
        .add_cte(gone)
        .execution_options(synchronize_session=False)
    ).all()
    changes = Changes()
    for row in let_go:
        changes.add(row.lot_id, (row.sku, row.location_id), reserved=-row.quantity)
    changes.write(session, now)
    return tuple(sorted(row.unit_id for row in let_go if row.unit_id))
