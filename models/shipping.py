"""Which of a carrier's rates is bought. Pure."""

from collections.abc import Sequence
from typing import Final

from models.vendors import Rate

_ROAD: Final = frozenset({"paket", "dhlpaket", "dpdclassic", "parcelselect", "standard"})


def choose_rate(rates: Sequence[Rate], *, transit_days: int, hazmat: bool) -> Rate | None:
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
