# ruff: noqa: E501 (a table reads best with a row a line)
"""Where the demo's brand has its shelves: real cities and coordinates, invented shops, telephone numbers kept for fiction."""

from dataclasses import dataclass
from datetime import time
from typing import Final

from models.words import LocationKind

_WAREHOUSE, _STORE = LocationKind.WAREHOUSE, LocationKind.STORE


@dataclass(frozen=True, slots=True)
class Place:
    """A location; `share` is its part of the stock, log-normal over the stores as measured on real ones."""

    kind: LocationKind
    key: str
    quarter: str
    street: str
    city: str
    state: str | None
    postcode: str
    country: str
    phone: str
    at: tuple[float, float]
    timezone: str
    share: float

    @property
    def store(self) -> bool:
        return self.kind is _STORE

    @property
    def id(self) -> str:
        return f"loc_{'store' if self.store else 'wh'}_{self.key}"

    @property
    def hours(self) -> tuple[tuple[int, time, time], ...]:
        """Weekday (0 is Monday), opening and closing, local."""
        if not self.store:
            week = [*([(6, 22)] * 5), (8, 16)]
        else:
            week = [(10, 20)] * 6 + ([(11, 18)] if self.country == "US" else [])
        return tuple((day, time(opens), time(closes)) for day, (opens, closes) in enumerate(week))


_NEW_YORK, _CHICAGO, _DENVER, _PACIFIC, _BERLIN = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Europe/Berlin",
)  # fmt: skip

# fmt: off
PLACES: Final = (
    Place(_WAREHOUSE, "columbus", "Fulfilment Columbus", "4100 Alum Creek Drive", "Columbus", "OH", "43207", "US", "+16145550110", (39.885, -82.931), _NEW_YORK, 1.0),
    Place(_WAREHOUSE, "reno", "Fulfilment Reno", "9455 Double R Boulevard", "Reno", "NV", "89521", "US", "+17755550127", (39.446, -119.761), _PACIFIC, 0.8),
    Place(_WAREHOUSE, "dallas", "Fulfilment Dallas", "3800 Pinnacle Point Drive", "Dallas", "TX", "75211", "US", "+12145550138", (32.737, -96.907), _CHICAGO, 0.6),
    Place(_STORE, "soho", "SoHo", "112 Mercer Street", "New York", "NY", "10012", "US", "+12125550141", (40.724, -73.999), _NEW_YORK, 2.4),
    Place(_STORE, "williamsburg", "Williamsburg", "84 North 6th Street", "Brooklyn", "NY", "11249", "US", "+17185550116", (40.719, -73.961), _NEW_YORK, 1.3),
    Place(_STORE, "newbury", "Newbury Street", "201 Newbury Street", "Boston", "MA", "02116", "US", "+16175550173", (42.350, -71.081), _NEW_YORK, 1.1),
    Place(_STORE, "rittenhouse", "Rittenhouse", "1714 Walnut Street", "Philadelphia", "PA", "19103", "US", "+12155550154", (39.950, -75.170), _NEW_YORK, 0.8),
    Place(_STORE, "georgetown", "Georgetown", "3066 M Street NW", "Washington", "DC", "20007", "US", "+12025550189", (38.905, -77.061), _NEW_YORK, 0.9),
    Place(_STORE, "atlanta", "Old Fourth Ward", "650 North Avenue NE", "Atlanta", "GA", "30308", "US", "+14045550162", (33.771, -84.366), _NEW_YORK, 0.7),
    Place(_STORE, "miami", "Lincoln Road", "719 Lincoln Road", "Miami Beach", "FL", "33139", "US", "+13055550135", (25.790, -80.136), _NEW_YORK, 1.2),
    Place(_STORE, "chicago", "Wicker Park", "1553 North Milwaukee Avenue", "Chicago", "IL", "60622", "US", "+13125550198", (41.910, -87.676), _CHICAGO, 1.0),
    Place(_STORE, "austin", "South Congress", "1400 South Congress Avenue", "Austin", "TX", "78704", "US", "+15125550147", (30.249, -97.750), _CHICAGO, 0.6),
    Place(_STORE, "denver", "Cherry Creek", "2701 East 2nd Avenue", "Denver", "CO", "80206", "US", "+13035550181", (39.719, -104.957), _DENVER, 0.5),
    Place(_STORE, "hayes", "Hayes Valley", "432 Hayes Street", "San Francisco", "CA", "94102", "US", "+14155550129", (37.777, -122.424), _PACIFIC, 1.0),
    Place(_STORE, "venice", "Abbot Kinney", "1340 Abbot Kinney Boulevard", "Venice", "CA", "90291", "US", "+13105550166", (33.991, -118.468), _PACIFIC, 1.7),
    Place(_WAREHOUSE, "leipzig", "Fulfilment Leipzig", "Torgauer Straße 231", "Leipzig", None, "04347", "DE", "+4915228817386", (51.360, 12.433), _BERLIN, 0.7),
    Place(_STORE, "berlin", "Berlin Mitte", "Weinmeisterstraße 9", "Berlin", None, "10178", "DE", "+493023125101", (52.525, 13.405), _BERLIN, 1.2),
    Place(_STORE, "hamburg", "Hamburg Neuer Wall", "Neuer Wall 41", "Hamburg", None, "20354", "DE", "+494066969102", (53.552, 9.990), _BERLIN, 0.8),
    Place(_STORE, "munich", "München Glockenbach", "Hans-Sachs-Straße 12", "München", None, "80469", "DE", "+498999998103", (48.130, 11.571), _BERLIN, 0.9),
)
# fmt: on
