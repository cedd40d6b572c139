"""What carriers ask for a parcel: tariffs, zones by distance, weight in whole ounces. Pure; made-up prices.

The three USPS tariffs meet the real service's answer for 15.4 oz from San Francisco to Redondo Beach
(6.07, 7.42, 34.15). It must not know shipments.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.easypost.geo import US_AREAS, Place, distance_km

# zone n ends at this many kilometres (50, 150, 300, 600, 1000, 1400 and 1800 miles); the last has no end
ZONE_ENDS_KM = (80, 241, 483, 966, 1609, 2253, 2897)
UNKNOWN_DISTANCE_ZONE = 5


@dataclass(frozen=True)
class Tariff:
    """Cents; those per ounce are tenths of a cent. `days` by zone 1 to 8."""

    carrier: str
    service: str
    base: int
    zone: int
    ounce: int
    ounce_zone: int
    days: tuple[int, ...]
    max_ounces: int
    currency: str = "USD"
    ground: bool = False

    def price(self, ounces: int, zone: int) -> int:
        return self.base + self.zone * zone + ounces * (self.ounce + self.ounce_zone * zone) // 10


@dataclass(frozen=True)
class Quote:
    tariff: Tariff
    cents: int
    delivery_days: int


@dataclass(frozen=True)
class Refusal:
    """Why a carrier gives no rate: what goes to the shipment's messages."""

    carrier: str
    message: str


US = (
    Tariff("USPS", "GroundAdvantage", 415, 20, 50, 5, (2, 2, 3, 3, 4, 4, 5, 5), 1120, ground=True),
    Tariff("USPS", "Priority", 522, 25, 55, 5, (1, 2, 2, 2, 3, 3, 3, 3), 1120),
    Tariff("USPS", "Express", 2495, 150, 100, 25, (1, 1, 1, 1, 2, 2, 2, 2), 1120),
    Tariff("UPSDAP", "Ground", 640, 22, 40, 4, (1, 1, 2, 2, 3, 4, 4, 5), 2400, ground=True),
    Tariff("UPSDAP", "2ndDayAir", 1290, 120, 90, 20, (2,) * 8, 2400),
    Tariff("UPSDAP", "NextDayAir", 2890, 350, 150, 40, (1,) * 8, 2400),
    Tariff("FedExDefault", "FEDEX_GROUND", 655, 24, 40, 4, (1, 1, 2, 2, 3, 4, 4, 5), 2400, ground=True),
    Tariff("FedExDefault", "FEDEX_2_DAY", 1325, 125, 95, 20, (2,) * 8, 2400),
)
GERMANY = (
    Tariff("DHLPaket", "Paket", 429, 4, 24, 0, (1, 1, 1, 2, 2, 2, 2, 2), 1111, "EUR", ground=True),
    Tariff("DHLPaket", "DHLPaketExpress", 1290, 20, 40, 2, (1,) * 8, 1111, "EUR"),
)
EUROPE = (
    Tariff("DPD", "DPDCLASSIC", 529, 12, 28, 1, (1, 2, 2, 2, 3, 3, 4, 4), 1111, "EUR", ground=True),
    Tariff("DHLExpress", "DomesticExpress", 1590, 25, 45, 2, (1,) * 8, 2469, "EUR"),
)
EU = frozenset("AT BE BG HR CY CZ DK EE FI FR GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split())  # noqa: SIM905
ALL = (*US, *GERMANY, *EUROPE)


def zone_between(origin: Place | None, destination: Place | None) -> int:
    """1 to 8 by great-circle distance; 5 where a place is unknown."""
    if origin is None or destination is None:
        return UNKNOWN_DISTANCE_ZONE
    distance = distance_km(origin, destination)
    return 1 + sum(distance > end for end in ZONE_ENDS_KM)


def quote(
    countries: tuple[str, str], weight: float, zone: int, options: Mapping[str, object]
) -> tuple[Sequence[Quote], Sequence[Refusal]]:
    """Quotes of every service that takes the parcel, and the other carriers' reasons. `weight` in ounces."""
    tariffs = _tariffs(*countries)
    if not tariffs:
        reason = f"no carrier of the sandbox ships from {countries[0]} to {countries[1]}; it is domestic: US and EU"
        return (), [Refusal(carrier, reason) for carrier in _carriers(ALL)]
    if weight <= 0:
        return (), [Refusal(carrier, "weight: must be greater than zero") for carrier in _carriers(tariffs)]
    ounces = math.ceil(weight)
    fitting = [tariff for tariff in tariffs if ounces <= tariff.max_ounces]
    if options.get("hazmat"):
        fitting = [tariff for tariff in fitting if tariff.ground]
    quotes = [Quote(tariff, tariff.price(ounces, zone), tariff.days[zone - 1]) for tariff in fitting]
    limits = {tariff.carrier: tariff.max_ounces for tariff in tariffs if ounces > tariff.max_ounces}
    return quotes, [Refusal(carrier, f"weight: at most {limit} oz") for carrier, limit in limits.items()]


def _tariffs(origin: str, destination: str) -> Sequence[Tariff]:
    if origin in US_AREAS and destination in US_AREAS:
        return US
    if origin != destination:
        return ()
    if origin == "DE":
        return GERMANY
    return EUROPE if origin in EU else ()


def _carriers(tariffs: Sequence[Tariff]) -> list[str]:
    return list(dict.fromkeys(tariff.carrier for tariff in tariffs))
