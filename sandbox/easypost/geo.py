"""Where an address lies, from the committed place files. It must not judge addresses nor know EasyPost's shapes."""

import gzip
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.easypost.timezones import us_time_zone

DATA = Path(__file__).parent / "data"
EARTH_KM = 6371.0
US_AREAS = frozenset({"US", "PR", "VI", "GU"})  # one postal system
ALL_REGIONS_KNOWN = frozenset({"DE"})  # of the others some postcodes (overseas, special) are in no file


@dataclass(frozen=True)
class Place:
    latitude: float
    longitude: float
    time_zone: str


def locate(country: str, postcode: str, city: str, state: str = "") -> Place | None:
    """The place of an address; None where the files do not know it."""
    country = country.upper()
    if country in US_AREAS:
        point = _us_point(postcode)
        return point and Place(*point, us_time_zone(state, *point))
    region = _region(country, postcode)
    towns = _cities().get((country, _plain(city)), ())
    if not towns:
        return region
    if region is None:
        return towns[0]
    return min(towns, key=lambda town: distance_km(town, region))


def postcode_exists(country: str, postcode: str) -> bool:
    """False only where the files know all of the country's postcodes and this one is none of them."""
    country = country.upper()
    if country in US_AREAS:
        return re.fullmatch(r"\d{5}(-?\d{4})?", postcode.strip()) is not None and _us_point(postcode) is not None
    return country not in ALL_REGIONS_KNOWN or _region(country, postcode) is not None


def distance_km(a: Place, b: Place) -> float:
    """Great-circle distance."""
    lat_a, lat_b = math.radians(a.latitude), math.radians(b.latitude)
    half = math.radians(b.longitude - a.longitude) / 2
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(h))


def _us_point(postcode: str) -> tuple[float, float] | None:
    zips, prefixes = _us_zips()
    digits = postcode.strip()[:5]
    return zips.get(digits) or prefixes.get(digits[:3])


def _region(country: str, postcode: str) -> Place | None:
    width = _region_widths().get(country, 0)
    digits = re.sub(r"^[A-Z]{1,2}-", "", postcode.strip().upper())
    return _regions().get((country, digits[:width])) if width else None


def _rows(name: str) -> Iterator[list[str]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").split(",")


@cache
def _us_zips() -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """Points of ZIP codes, and of three-digit areas: those have also codes of post offices and large firms."""
    zips = {zip5: (float(lat), float(lon)) for zip5, lat, lon in _rows("us_zips.csv.gz")}
    areas: dict[str, list[tuple[float, float]]] = {}
    for zip5, point in zips.items():
        areas.setdefault(zip5[:3], []).append(point)
    return zips, {
        prefix: (round(sum(p[0] for p in points) / len(points), 3), round(sum(p[1] for p in points) / len(points), 3))
        for prefix, points in areas.items()
    }


@cache
def _cities() -> dict[tuple[str, str], list[Place]]:
    """By country and plain name; towns of one name, the largest first."""
    cities: dict[tuple[str, str], list[Place]] = {}
    for country, names, lat, lon, zone in _rows("eu_cities.csv.gz"):
        place = Place(float(lat), float(lon), zone)
        for spelling in {plain for name in names.split("|") for plain in _spellings(name)}:
            cities.setdefault((country, spelling), []).append(place)
    return cities


@cache
def _regions() -> dict[tuple[str, str], Place]:
    return {
        (country, prefix): Place(float(lat), float(lon), zone)
        for country, prefix, lat, lon, zone in _rows("eu_regions.csv.gz")
    }


@cache
def _region_widths() -> dict[str, int]:
    return {country: len(prefix) for country, prefix in _regions()}


def _spellings(name: str) -> set[str]:
    """A name as typed, with umlauts as two letters, and without its river."""
    german = name.translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}))
    short = re.sub(r"( am | an der | im | \().*$", "", name)
    return {_plain(name), _plain(german), _plain(short)}


def _plain(name: str) -> str:
    letters = unicodedata.normalize(
        "NFKD", name.replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("Ł", "L")
    )
    return re.sub(r"[^a-z]+", " ", letters.encode("ascii", "ignore").decode().lower()).strip()
