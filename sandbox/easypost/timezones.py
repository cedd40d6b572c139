"""Time zones of US places by state and, where a state has two, by coordinates. It must not know addresses."""

from collections.abc import Mapping

EASTERN, CENTRAL = "America/New_York", "America/Chicago"
MOUNTAIN, PACIFIC = "America/Denver", "America/Los_Angeles"

_BY_ZONE: Mapping[str, str] = {
    EASTERN: "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV FL",
    CENTRAL: "AL AR IA IL LA MN MO MS OK WI ND NE KS SD TX TN",
    MOUNTAIN: "CO MT NM UT WY",
    PACIFIC: "CA NV WA OR",
    "America/Phoenix": "AZ",
    "America/Boise": "ID",
    "America/Detroit": "MI",
    "America/Indiana/Indianapolis": "IN",
    "America/Kentucky/Louisville": "KY",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
    "America/Puerto_Rico": "PR",
    "America/St_Thomas": "VI",
    "Pacific/Guam": "GU",
}
_BY_STATE: Mapping[str, str] = {state: zone for zone, states in _BY_ZONE.items() for state in states.split()}

# state: what lies west of the longitude keeps another zone
_WEST_OF: Mapping[str, tuple[float, str]] = {
    "FL": (-85.1, CENTRAL),
    "IN": (-86.9, CENTRAL),
    "KY": (-86.3, CENTRAL),
    "MI": (-87.6, "America/Menominee"),
    "ND": (-101.5, MOUNTAIN),
    "SD": (-100.6, MOUNTAIN),
    "NE": (-101.0, MOUNTAIN),
    "KS": (-101.4, MOUNTAIN),
    "TX": (-104.9, MOUNTAIN),
}


def us_time_zone(state: str | None, latitude: float, longitude: float) -> str:
    """The IANA zone of a place in the US; without a known state the coordinates alone decide."""
    state = (state or "").upper()
    zone = _BY_STATE.get(state)
    if zone is None:
        return _by_longitude(longitude)
    border = _WEST_OF.get(state)
    if border is not None and longitude < border[0]:
        return border[1]
    if state == "TN":  # the border is slanted: the east is the smaller part
        return EASTERN if longitude > -85.4 else CENTRAL
    if state == "ID" and latitude > 45.5:
        return PACIFIC
    if state == "OR" and longitude > -118.2 and latitude < 44.5:
        return "America/Boise"
    return zone


def _by_longitude(longitude: float) -> str:
    for east_of, zone in ((-85.5, EASTERN), (-101.5, CENTRAL), (-114.5, MOUNTAIN), (-125.0, PACIFIC)):
        if longitude > east_of:
            return zone
    return "America/Anchorage" if longitude > -154.0 else "Pacific/Honolulu"
