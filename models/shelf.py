"""What a physical fact does to a stock row: which lots give its units, and which reservations lose theirs. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from models.stock import Key, ShelfLot, take_off


@dataclass(frozen=True, slots=True)
class Held:
    """What an active reservation holds in one lot. `picked`, packed or awaiting collection, it loses to no fact."""

    id: str
    sku: str
    location_id: str
    lot_id: str
    holder: str
    unit_id: str | None
    quantity: int
    picked: bool

    @property
    def key(self) -> Key:
        return self.sku, self.location_id


@dataclass(frozen=True, slots=True)
class ShelfChange:
    """What came of a fact about one stock row.

    `moved` is the change of on hand. `found` pieces left that were not there by our books. `losers` hold their
    quantity no more. `seen`: a later count had seen it already, and nothing moved.
    """

    key: Key
    moved: int = 0
    found: int = 0
    losers: tuple[Held, ...] = ()
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Toll:
    """Who gives the units that are gone: lots that have free ones, and reservations, each the quantity it loses."""

    lots: dict[str, int]
    losers: tuple[Held, ...]


def toll(quantity: int, lots: Iterable[ShelfLot], held: Sequence[Held]) -> Toll:
    """Free units go first, then the last of `held` that nobody has picked. There are at least so many of both."""
    shelf = list(lots)
    free = min(quantity, sum(lot.free for lot in shelf))
    missing = quantity - free
    losers: list[Held] = []
    for youngest in reversed(held):
        if missing and not youngest.picked:
            lost = min(missing, youngest.quantity)
            losers.append(replace(youngest, quantity=lost))
            missing -= lost
    return Toll(take_off(shelf, free) or {}, tuple(losers))
