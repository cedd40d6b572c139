"""What lies where in the demo: by popularity (rank to the power of -0.6, as measured on real shops) and by location.

Pure: the same month gives the same shelves, whatever the machine.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from cli.demo.goods import Good
from cli.demo.places import Place

# Held there alone, so that the sample orders of `scenarios` ship from where they say.
ONLY_AT: Final = {
    "AUR-LIP-VEL-012": ("loc_store_soho",),
    "AUR-SKN-SER-100": ("loc_wh_columbus",),
    "AUR-EYE-QUA-008": ("loc_store_chicago", "loc_wh_columbus"),
}
_EXCLUSIVE_QUANTITY: Final = 48
_WAREHOUSE_TOP, _STORE_TOP = 1400, 60  # of the best seller, where the location's share is 1
_ALWAYS_IN_STORES: Final = 80  # ranks that no store is without
_OLDEST_LEFT_MONTHS: Final = 5


@dataclass(frozen=True, slots=True)
class ShelfLot:
    code: str
    expires_on: date | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """One SKU at one location."""

    sku: str
    location_id: str
    safety_stock: int
    reorder_point: int
    lots: tuple[ShelfLot, ...]

    @property
    def on_hand(self) -> int:
        return sum(lot.quantity for lot in self.lots)


def shelves(goods: tuple[Good, ...], places: tuple[Place, ...], month: date) -> Iterator[Shelf]:
    """Every stock row as of the first of `month`. No lot expires within five months of it."""
    singles = sorted((good for good in goods if not good.pieces), key=lambda good: _dice("rank", good.sku))
    for rank, good in enumerate(singles, start=1):
        for place in places:
            shelf = _shelf(good, place, rank, month)
            if shelf:
                yield shelf


def _shelf(good: Good, place: Place, rank: int, month: date) -> Shelf | None:
    dice = _dice(good.sku, place.id)
    if good.sku in ONLY_AT:
        here = place.id in ONLY_AT[good.sku]
        lots = _lots(good, _EXCLUSIVE_QUANTITY, dice, month)
        return Shelf(good.sku, place.id, 1, 6, lots) if here else None
    if place.store and rank > _ALWAYS_IN_STORES and dice % 4 == 0:
        return None
    usual = round((_STORE_TOP if place.store else _WAREHOUSE_TOP) * place.share * rank**-0.6)
    if usual < 2:
        return None
    safety = (1 if usual < 12 else 2) if place.store else max(2, usual // 40)
    reorder = usual // 4
    # Some shelf is always low: that is what alerts are for.
    on_hand = safety + reorder * 2 // 3 if dice % 23 == 0 else usual
    return Shelf(good.sku, place.id, safety, reorder, _lots(good, on_hand, dice, month))


def _lots(good: Good, quantity: int, dice: int, month: date) -> tuple[ShelfLot, ...]:
    """A fresh lot, and where there is enough an older one that goes first. What does not expire carries no code."""
    shelf_months = good.shelf_months
    if shelf_months is None:
        return (ShelfLot("", None, quantity),)
    fresh = 1 + dice % 6
    stale = min(shelf_months - _OLDEST_LEFT_MONTHS, fresh + 5 + dice % 9)
    ages = [(stale, quantity // 3), (fresh, quantity - quantity // 3)] if quantity >= 6 else [(fresh, quantity)]
    return tuple(
        ShelfLot(f"L{_months_on(month, -age):%y%m}", _months_on(month, shelf_months - age), amount)
        for age, amount in ages
    )


def _months_on(month: date, months: int) -> date:
    years, place = divmod(month.year * 12 + month.month - 1 + months, 12)
    return date(years, place + 1, 1)


def _dice(*words: str) -> int:
    """A number that is the same everywhere and looks like chance."""
    return int.from_bytes(hashlib.sha256("|".join(words).encode()).digest()[:4])
