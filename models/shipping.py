"""Which of a carrier's offers is bought. Pure; the offers come from the carrier's port."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

_ROAD: Final = frozenset({"paket", "dhlpaket", "dpdclassic", "parcelselect", "standard"})


class Offer(Protocol):
    """A service's price in the smallest unit, and its days in transit where the carrier says so."""

    @property
    def id(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def days(self) -> int | None: ...


Chosen = TypeVar("Chosen", bound=Offer)


def choose_rate(rates: Sequence[Chosen], *, transit_days: int, hazmat: bool) -> Chosen | None:
    """The cheapest that arrives within `transit_days`, else the fastest; dangerous goods go by road alone.

    None when no service may carry the parcel.
    """
    allowed = [rate for rate in rates if not hazmat or by_road(rate.service)]
    in_time = [rate for rate in allowed if rate.days is not None and rate.days <= transit_days]
    if in_time:
        return min(in_time, key=lambda rate: (rate.amount, rate.days, rate.id))
    return min(allowed, key=lambda rate: (rate.days is None, rate.days, rate.amount, rate.id), default=None)


def by_road(service: str) -> bool:
    """Whether a service never flies, by its name: an unknown one counts as flying."""
    name = service.replace("_", "").lower()
    return "ground" in name or name in _ROAD
