"""A quote: what a cart costs and when it arrives, by speed, before there is an order. Pure; `POST /v1/quotes` and
checkout share it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from models.errors import InvalidError
from models.pricing import PricedCart

AIR_SPEEDS: Final = frozenset({"express", "overnight"})  # not for hazardous goods, which go on the ground alone


@dataclass(frozen=True, slots=True)
class Wanted:
    """A SKU and how many of it, as the customer asked."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """`country` is ISO 3166 alpha-2, `state` a region's short name; `discount` is in the price list's currency."""

    brand_id: str
    country: str
    state: str | None
    lines: tuple[Wanted, ...]
    speed: str | None = None
    discount: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to send the cart: its whole price, and the day by whose end it is promised."""

    speed: str
    title: str
    transit_days: int
    promised_by: datetime
    cart: PricedCart


@dataclass(frozen=True, slots=True)
class Quote:
    """Choices, cheapest first; all are of one currency and tax sense."""

    currency: str
    includes_tax: bool
    choices: tuple[Choice, ...]

    def choice(self, speed: str | None) -> Choice:
        """The one of this speed, or the cheapest; InvalidError `speed_unavailable` when there is none."""
        for each in self.choices:
            if speed in (None, each.speed):
                return each
        raise InvalidError("This speed is not offered for this cart.", code="speed_unavailable", field="speed")


@dataclass(frozen=True, slots=True)
class CannotShipTo:
    """Nothing is sold or sent to this place."""

    country: str
    reason: str


def promise(now: datetime, transit_days: int) -> datetime:
    """The end (UTC) of the day it is due: one working day to pack, then as many working days on the road."""
    day = now.astimezone(UTC).date()
    for _ in range(1 + transit_days):
        day = _next_working_day(day)
    return datetime.combine(day, time(23, 59, 59), UTC)


def _next_working_day(day: date) -> date:
    day += timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day
