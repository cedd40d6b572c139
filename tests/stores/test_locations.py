"""Locations and their weeks: changed as a whole, by revision."""

from datetime import time

import pytest

from models.db import Database
from models.errors import ConflictError, NotFoundError, StaleError
from models.stores.locations import LocationsStore, NewLocation, Spell
from models.words import LocationKind

MONDAY = Spell(0, time(10), time(20))


@pytest.fixture
def locations(database: Database, clock) -> LocationsStore:
    return LocationsStore(database, clock)


def place(location_id: str, kind: LocationKind = LocationKind.STORE) -> NewLocation:
    return NewLocation(
        location_id, "Shop", kind, "1 Main St", "New York", "NY", "10001", "US", None, 40.7, -74.0, "America/New_York"
    )


def test_location_comes_back_with_its_week(locations: LocationsStore):
    made = locations.add(place("loc_a"), [Spell(0, time(14), time(0)), MONDAY])
    assert made.location.revision == 1
    assert locations.get("loc_a").opening_hours == (MONDAY, Spell(0, time(14), time(0)))


def test_second_location_of_an_id_is_refused(locations: LocationsStore):
    locations.add(place("loc_a"), [])
    with pytest.raises(ConflictError):
        locations.add(place("loc_a"), [])


def test_change_replaces_the_week_and_raises_the_revision(locations: LocationsStore):
    locations.add(place("loc_a"), [MONDAY])
    changed = locations.change("loc_a", 1, {"paused": True}, [Spell(6, time(11), time(18))])
    assert changed.location.paused
    assert changed.location.revision == 2
    assert [spell.weekday for spell in changed.opening_hours] == [6]
    assert locations.change("loc_a", 2, {"paused": False}, None).opening_hours == changed.opening_hours


def test_change_is_refused_when_the_revision_is_old(locations: LocationsStore):
    locations.add(place("loc_a"), [])
    locations.change("loc_a", 1, {"priority": 1}, None)
    with pytest.raises(StaleError):
        locations.change("loc_a", 1, {"priority": 2}, None)
    with pytest.raises(NotFoundError):
        locations.change("loc_none", 1, {}, None)


def test_pages_filter_by_kind_and_follow_each_other(locations: LocationsStore):
    for name in "abc":
        locations.add(place(f"loc_{name}"), [MONDAY])
    locations.add(place("loc_w", LocationKind.WAREHOUSE), [])
    first = locations.page(country="US", kind=LocationKind.STORE, cursor=None, limit=2)
    assert [view.location.id for view in first.data] == ["loc_a", "loc_b"]
    second = locations.page(country="US", kind=LocationKind.STORE, cursor=first.next_cursor, limit=2)
    assert [(view.location.id, view.opening_hours) for view in second.data] == [("loc_c", (MONDAY,))]
    assert second.next_cursor is None
