"""Stock as values: what is wanted, what came of it, and which lots give it. Pure: it reads no row and no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models.words import Mark

Key = tuple[str, str]  # (SKU, location): the name of a stock row


@dataclass(frozen=True, slots=True)
class UnitWant:
    """One piece of an order, wanted at one location. Bundles are exploded before: the SKU is a component's."""

    unit_id: str
    sku: str
    location_id: str


@dataclass(frozen=True, slots=True)
class CartItem:
    sku: str
    location_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be held as one: a unit, or a cart's quantity (then there is no unit)."""

    sku: str
    location_id: str
    quantity: int
    unit_id: str | None = None

    @property
    def key(self) -> Key:
        return self.sku, self.location_id


@dataclass(frozen=True, slots=True)
class Shortage:
    sku: str
    location_id: str
    wanted: int
    available: int


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing was held. Every shortage is named, not only the first."""

    shortages: tuple[Shortage, ...]


@dataclass(frozen=True, slots=True)
class Reserved:
    """Everything is held; `lots` says for each unit out of which lot."""

    lots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HeldUnit:
    unit_id: str
    sku: str
    location_id: str
    lot_id: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Refused:
    """A stable code, words for a person, and the units it is about."""

    code: str
    message: str
    unit_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consumed:
    """`units` left on hand just now; `missing` are neither held nor were consumed before: nothing moved for them."""

    units: tuple[str, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Units that arrived. Without a code, dated units get their date as the code; undated ones are the lot ''."""

    sku: str
    location_id: str
    quantity: int
    operation: str
    lot_code: str = ""
    expires_on: date | None = None

    @property
    def code(self) -> str:
        return self.lot_code or (self.expires_on.isoformat() if self.expires_on else "")

    @property
    def key(self) -> Key:
        return self.sku, self.location_id


@dataclass(frozen=True, slots=True)
class Levels:
    """A stock row. `revision` counts changes of on hand and of the levels, not of what is reserved."""

    sku: str
    location_id: str
    on_hand: int
    reserved: int
    safety_stock: int
    reorder_point: int
    revision: int
    counted_at: datetime | None = None

    @property
    def key(self) -> Key:
        return self.sku, self.location_id


@dataclass(frozen=True, slots=True)
class ShelfLot:
    """A lot under its stock row's lock. `free` is what nobody holds, where expired holds are nobody's.

    So are the asker's `own` earlier holds, and these alone are not limited by safety stock.
    """

    id: str
    sku: str
    location_id: str
    code: str
    expires_on: date | None
    sellable: bool
    free: int
    own: int

    @property
    def key(self) -> Key:
        return self.sku, self.location_id


@dataclass(frozen=True, slots=True)
class Taken:
    """A part of an ask and the lot that gives it."""

    ask: Ask
    lot_id: str
    quantity: int


def first_expired_first(lots: Iterable[ShelfLot]) -> list[ShelfLot]:
    """Earliest expiry first, undated last; ties by id, which is the order of arrival."""
    return sorted(lots, key=lambda lot: (lot.expires_on or date.max, lot.id))


def allocate(asks: Sequence[Ask], lots: Iterable[ShelfLot], safety: Mapping[Key, int]) -> list[Taken] | Short:
    """Give every ask its lots, first expired first, or name every shortage. `safety` stays behind at its row."""
    shelves: dict[Key, list[ShelfLot]] = {}
    for lot in lots:
        if lot.sellable and lot.free > 0:
            shelves.setdefault(lot.key, []).append(lot)
    wanted: dict[Key, int] = {}
    for ask in asks:
        wanted[ask.key] = wanted.get(ask.key, 0) + ask.quantity
    shortages: list[Shortage] = []
    for key, quantity in sorted(wanted.items()):
        there = available(shelves.get(key, []), safety.get(key, 0))
        if there < quantity:
            shortages.append(Shortage(*key, wanted=quantity, available=there))
    return Short(tuple(shortages)) if shortages else _deal(asks, shelves)


def available(shelf: Sequence[ShelfLot], safety: int) -> int:
    """What the lots of one stock row can give to a new reservation; expired lots give nothing."""
    sold = [lot for lot in shelf if lot.sellable]
    own = sum(lot.own for lot in sold)
    return own + max(0, sum(lot.free for lot in sold) - own - safety)


def _deal(asks: Sequence[Ask], shelves: Mapping[Key, list[ShelfLot]]) -> list[Taken]:
    queues = {key: first_expired_first(shelf) for key, shelf in shelves.items()}
    free = {lot.id: lot.free for shelf in shelves.values() for lot in shelf}
    taken: list[Taken] = []
    for ask in asks:
        missing, queue = ask.quantity, queues[ask.key]
        while missing:
            lot_id = queue[0].id
            quantity = min(missing, free[lot_id])
            taken.append(Taken(ask, lot_id, quantity))
            missing -= quantity
            free[lot_id] -= quantity
            if not free[lot_id]:
                del queue[0]
    return taken


def take_off(lots: Iterable[ShelfLot], quantity: int) -> dict[str, int] | None:
    """Which lots lose `quantity` units to an adjustment: undated first, then the last to expire; never held ones."""
    losses: dict[str, int] = {}
    for lot in reversed(first_expired_first(lots)):
        if loss := min(quantity, lot.free):
            losses[lot.id] = loss
            quantity -= loss
    return None if quantity else losses
