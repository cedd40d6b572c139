"""The statements under `StockStore`: lock stock rows, read lots, move the counters. Only its modules use them.

No rules here. Each statement is built once and takes arrays, so its text is the same for one unit and for thousands.
States stand in them as literals, or a prepared plan could not use the partial indexes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CursorResult,
    Date,
    Integer,
    Table,
    Text,
    all_,
    any_,
    bindparam,
    case,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    union,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Session

from models.errors import ConflictError
from models.mint import mint
from models.stock import Key, Levels, ShelfLot, Taken
from models.tables.catalogue import Variant
from models.tables.stock import Lot, Movement, Reservation, Stock
from models.words import MovementReason

_TEXTS, _NUMBERS, _INSTANT = ARRAY(Text), ARRAY(Integer), TIMESTAMP(timezone=True)
_SKUS, _LOCATIONS = bindparam("skus", type_=_TEXTS), bindparam("locations", type_=_TEXTS)
_UNITS, _HOLDERS = bindparam("units", type_=_TEXTS), bindparam("holders", type_=_TEXTS)
_NOW, _TODAY = bindparam("now", type_=_INSTANT), bindparam("today", type_=Date)

ACTIVE = literal_column("'active'", Text)
LENT = literal_column("'lent'", Text)
RELEASED = literal_column("'released'", Text)

active = Reservation.state == ACTIVE
# A row that its expiry released keeps that expiry; every other release clears it. Only the former may come back.
lapsed = (Reservation.state == RELEASED) & Reservation.expires_at.is_not(None)

_keys = func.unnest(_SKUS, _LOCATIONS).table_valued("sku", "location_id").render_derived(name="keys")
_of_reservation = select(Reservation.sku, Reservation.location_id)
_touched = union(
    select(_keys.c.sku, _keys.c.location_id),
    _of_reservation.where(active, Reservation.unit_id == any_(_UNITS)),
    _of_reservation.where(Reservation.holder == any_(_HOLDERS), or_(active, lapsed, Reservation.state == LENT)),
).subquery("touched")

LOCK = (
    select(
        Stock.sku, Stock.location_id, Stock.on_hand, Stock.reserved,
        Stock.safety_stock, Stock.reorder_point, Stock.revision, Stock.counted_at,
    )
    .join(_touched, (Stock.sku == _touched.c.sku) & (Stock.location_id == _touched.c.location_id))
    .order_by(Stock.sku, Stock.location_id)
    .with_for_update(of=Stock, key_share=True)
)  # fmt: skip

_given = select(Reservation.id, Reservation.lot_id, Reservation.quantity)
_giving_way = union_all(
    _given.add_columns(literal_column("0", Integer).label("own"))
    .join(_keys, (Reservation.sku == _keys.c.sku) & (Reservation.location_id == _keys.c.location_id))
    .where(
        active,
        Reservation.expires_at <= _NOW,
        Reservation.holder != all_(_HOLDERS),
        Reservation.unit_id.is_(None) | (Reservation.unit_id != all_(_UNITS)),
    ),
    _given.add_columns(Reservation.quantity.label("own")).where(active, Reservation.unit_id == any_(_UNITS)),
    _given.add_columns(Reservation.quantity.label("own")).where(active, Reservation.holder == any_(_HOLDERS)),
).subquery("giving_way")
_given_lots = (
    select(
        _giving_way.c.lot_id,
        func.sum(_giving_way.c.quantity).cast(Integer).label("quantity"),
        func.sum(_giving_way.c.own).cast(Integer).label("own"),
        func.array_agg(_giving_way.c.id, type_=_TEXTS).label("ids"),
    )
    .group_by(_giving_way.c.lot_id)
    .subquery("given")
)
sellable = Lot.expires_on.is_(None) | (Lot.expires_on >= _TODAY + Variant.min_shelf_life_days)

LOTS = (
    select(
        Lot.id, Lot.sku, Lot.location_id, Lot.code, Lot.expires_on, sellable.label("sellable"),
        (Lot.on_hand - Lot.reserved + func.coalesce(_given_lots.c.quantity, 0)).label("free"),
        func.coalesce(_given_lots.c.own, 0).label("own"),
        _given_lots.c.ids,
    )
    .join(_keys, (Lot.sku == _keys.c.sku) & (Lot.location_id == _keys.c.location_id))
    .join(Variant, Variant.sku == Lot.sku)
    .outerjoin(_given_lots, _given_lots.c.lot_id == Lot.id)
    .where(Lot.on_hand > 0)
)  # fmt: skip

_coded = (
    func.unnest(_SKUS, _LOCATIONS, bindparam("codes", type_=_TEXTS))
    .table_valued("sku", "location_id", "code")
    .render_derived(name="coded")
)
LOTS_BY_CODE = select(Lot.id, Lot.sku, Lot.location_id, Lot.code, Lot.expires_on).join(
    _coded, (Lot.sku == _coded.c.sku) & (Lot.location_id == _coded.c.location_id) & (Lot.code == _coded.c.code)
)

_expired = (
    select(Reservation.lot_id, func.sum(Reservation.quantity).cast(Integer).label("quantity"))
    .where(active, Reservation.expires_at <= _NOW, Reservation.sku == any_(_SKUS))
    .group_by(Reservation.lot_id)
    .subquery("expired")
)
FREE = (
    select(
        Stock.sku,
        Stock.location_id,
        func.coalesce(
            func.sum(Lot.on_hand - Lot.reserved + func.coalesce(_expired.c.quantity, 0)).filter(sellable).cast(Integer),
            0,
        )
        - Stock.safety_stock,
    )
    .join(Variant, Variant.sku == Stock.sku)
    .outerjoin(
        Lot,
        (Lot.sku == any_(_SKUS)) & (Lot.sku == Stock.sku) & (Lot.location_id == Stock.location_id) & (Lot.on_hand > 0),
    )
    .outerjoin(_expired, _expired.c.lot_id == Lot.id)
    .where(Stock.sku == any_(_SKUS))
    .group_by(Stock.sku, Stock.location_id)
)

EXPIRED_ROWS = (
    select(Reservation.sku, Reservation.location_id)
    .where(active, Reservation.expires_at <= _NOW)
    .order_by(Reservation.expires_at)
    .limit(bindparam("limit", type_=Integer))
)

GIVE_WAY = (
    update(Reservation)
    .where(Reservation.id == any_(bindparam("ids", type_=_TEXTS)), active)
    .values(
        state=case((Reservation.holder == any_(_HOLDERS), LENT), else_=RELEASED),
        expires_at=case((Reservation.unit_id == any_(_UNITS), None), else_=Reservation.expires_at),
    )
    .returning(Reservation.lot_id, Reservation.sku, Reservation.location_id, Reservation.quantity)
    .execution_options(synchronize_session=False)
)

_change = (
    func.unnest(
        bindparam("lots", type_=_TEXTS),
        bindparam("on_hand", type_=_NUMBERS),
        bindparam("reserved", type_=_NUMBERS),
    )
    .table_valued("lot_id", "on_hand", "reserved")
    .render_derived(name="change")
)
_changed = (
    update(Lot)
    .where(Lot.id == _change.c.lot_id)
    .values(on_hand=Lot.on_hand + _change.c.on_hand, reserved=Lot.reserved + _change.c.reserved)
    .returning(Lot.sku, Lot.location_id, _change.c.on_hand.label("on_hand"), _change.c.reserved.label("reserved"))
    .cte("changed")
)
_summed = (
    select(
        _changed.c.sku,
        _changed.c.location_id,
        func.sum(_changed.c.on_hand).label("on_hand"),
        func.sum(_changed.c.reserved).label("reserved"),
    )
    .group_by(_changed.c.sku, _changed.c.location_id)
    .subquery("summed")
)
CHANGE = (
    update(Stock)
    .where(
        Stock.sku == _summed.c.sku,
        Stock.location_id == _summed.c.location_id,
        (Stock.reserved + _summed.c.reserved).between(0, Stock.on_hand + _summed.c.on_hand),
    )
    .values(
        on_hand=Stock.on_hand + _summed.c.on_hand,
        reserved=Stock.reserved + _summed.c.reserved,
        updated_at=_NOW,
        revision=Stock.revision + case((_summed.c.on_hand != 0, 1), else_=0),
    )
    .execution_options(synchronize_session=False)
)

_held = (
    func.unnest(
        *(bindparam(name, type_=_TEXTS) for name in ("ids", "units", "skus", "locations", "lots")),
        bindparam("quantities", type_=_NUMBERS),
    )
    .table_valued("id", "unit_id", "sku", "location_id", "lot_id", "quantity")
    .render_derived(name="held")
)
HOLD = insert(cast("Table", Reservation.__table__)).from_select(
    ["id", "holder", "unit_id", "sku", "location_id", "lot_id", "quantity", "expires_at", "created_at"],
    select(
        _held.c.id, bindparam("holder", type_=Text), _held.c.unit_id, _held.c.sku, _held.c.location_id, _held.c.lot_id,
        _held.c.quantity, bindparam("expires_at", type_=_INSTANT), _NOW,
    ),
    include_defaults=False,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shelves:
    """The lots of locked rows, and the reservations whose units were counted as free there."""

    lots: tuple[ShelfLot, ...]
    giving_way: tuple[str, ...]


class Changes:
    """What is about to happen to the counters of lots, and so of their stock rows. All of them are locked."""

    def __init__(self) -> None:
        self._lots: dict[str, tuple[Key, int, int]] = {}

    def add(self, lot_id: str, key: Key, *, on_hand: int = 0, reserved: int = 0) -> None:
        _, had, held = self._lots.get(lot_id, (key, 0, 0))
        self._lots[lot_id] = key, had + on_hand, held + reserved

    def write(self, session: Session, now: datetime) -> None:
        """Move the counters. A `ConflictError` means that a rule above failed: nothing may be committed then."""
        moving = {lot_id: by for lot_id, by in self._lots.items() if by[1:] != (0, 0)}
        if not moving:
            return
        asked = {
            "lots": list(moving),
            "on_hand": [by[1] for by in moving.values()],
            "reserved": [by[2] for by in moving.values()],
        }
        moved = cast("CursorResult[Any]", session.execute(CHANGE, {**asked, "now": now}))
        if moved.rowcount != len({by[0] for by in moving.values()}):
            raise ConflictError("stock would fall below what is reserved of it", code="stock_invariant")

    def record(
        self,
        session: Session,
        reason: MovementReason,
        *,
        operation: str,
        actor: str,
        now: datetime,
        order_id: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """A ledger row for each lot whose on hand moves. The ledger refuses one operation's second row for a lot.

        `at`: when it happened, where that is not now.
        """
        rows = [
            {
                "sku": key[0],
                "location_id": key[1],
                "lot_id": lot_id,
                "quantity": on_hand,
                "reason": reason,
                "operation": operation,
                "order_id": order_id,
                "actor": actor,
                "occurred_at": at or now,
                "recorded_at": now,
            }
            for lot_id, (key, on_hand, _) in self._lots.items()
            if on_hand
        ]
        if rows:
            session.execute(insert(Movement), rows)


def columns(keys: Iterable[Key]) -> dict[str, list[str]]:
    """Stock rows as the two arrays that the statements take."""
    listed = list(keys)
    return {"skus": [sku for sku, _ in listed], "locations": [location_id for _, location_id in listed]}


def one_of(values: Iterable[str]) -> ColumnElement[Any]:
    """The right side of `column == ...` for any number of values, in one text and one plan."""
    return any_(literal(list(values), _TEXTS))


def lock(
    session: Session, keys: Iterable[Key] = (), *, units: Sequence[str] = (), holders: Sequence[str] = ()
) -> dict[Key, Levels]:
    """Lock these stock rows and those where the units' or the holders' reservations lie, in the one fixed order."""
    found = session.execute(LOCK, {**columns(keys), "units": list(units), "holders": list(holders)})
    return {(row.sku, row.location_id): Levels(*row) for row in found}


def shelves(
    session: Session,
    locked: Iterable[Key],
    now: datetime,
    *,
    units: Sequence[str] = (),
    holders: Sequence[str] = (),
) -> Shelves:
    """The lots of rows locked before, where expired holds and the units' and holders' own ones count as free."""
    lots: list[ShelfLot] = []
    giving_way: list[str] = []
    asked = {**columns(locked), "units": list(units), "holders": list(holders), "now": now, "today": now.date()}
    for row in session.execute(LOTS, asked):
        lots.append(
            ShelfLot(row.id, row.sku, row.location_id, row.code, row.expires_on, row.sellable, row.free, row.own)
        )
        giving_way += row.ids or ()
    return Shelves(tuple(lots), tuple(giving_way))


def give_way(
    session: Session, reservations: Sequence[str], *, units: Sequence[str] = (), lenders: Sequence[str] = ()
) -> Changes:
    """Let these active reservations go, those of `lenders` as lent; answers what that frees."""
    changes = Changes()
    if reservations:
        asked = {"ids": list(reservations), "units": list(units), "holders": list(lenders)}
        for lot_id, sku, location_id, quantity in session.execute(GIVE_WAY, asked):
            changes.add(lot_id, (sku, location_id), reserved=-quantity)
    return changes


def hold(session: Session, holder: str, taken: Sequence[Taken], expires_at: datetime | None, now: datetime) -> None:
    """One reservation row for each part taken. The counters are the caller's to change."""
    asked = {
        "ids": [mint("rsv") for _ in taken],
        "units": [part.ask.unit_id for part in taken],
        "skus": [part.ask.sku for part in taken],
        "locations": [part.ask.location_id for part in taken],
        "lots": [part.lot_id for part in taken],
        "quantities": [part.quantity for part in taken],
    }
    session.execute(HOLD, {**asked, "holder": holder, "expires_at": expires_at, "now": now})
