"""Locations and their opening hours. What lies there is the stock store's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import time

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.errors import NotFoundError, StaleError
from models.stores.pages import Page, page_of
from models.stores.refusals import refusals
from models.tables.stock import Location, OpeningHours
from models.words import LocationKind


@dataclass(frozen=True, slots=True)
class NewLocation:
    id: str
    name: str
    kind: LocationKind
    street: str
    city: str
    state: str | None
    postcode: str
    country: str
    phone: str | None
    latitude: float | None
    longitude: float | None
    timezone: str
    priority: int = 100
    capacity_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """Open from `opens` to `closes` (00:00 is midnight), local time, on a weekday (0 is Monday)."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class LocationView:
    """A location with its week."""

    location: Location
    opening_hours: tuple[Spell, ...]


class LocationsStore:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def add(self, new: NewLocation, hours: Sequence[Spell]) -> LocationView:
        """ConflictError `exists` when the id is taken."""
        now = self._clock.now()

        def work(session: Session) -> LocationView:
            session.add(Location(**asdict(new), created_at=now))
            session.flush()
            _set_hours(session, new.id, hours)
            return _view(session, new.id)

        with refusals("The location"):
            return self._db.transaction(work)

    def get(self, location_id: str) -> LocationView:
        """NotFoundError when there is none."""
        return self._db.transaction(lambda session: _view(session, location_id))

    def page(
        self, *, country: str | None, kind: LocationKind | None, cursor: str | None, limit: int
    ) -> Page[LocationView]:
        """By id."""

        def work(session: Session) -> Page[LocationView]:
            wanted = select(Location).order_by(Location.id).limit(limit + 1)
            if country:
                wanted = wanted.where(Location.country == country)
            if kind:
                wanted = wanted.where(Location.kind == kind)
            if cursor:
                wanted = wanted.where(Location.id > cursor)
            rows = session.scalars(wanted).all()
            hours = _hours(session, [row.id for row in rows])
            views = [LocationView(row, hours.get(row.id, ())) for row in rows]
            return page_of(views, limit, [row.id for row in rows])

        return self._db.transaction(work)

    def change(
        self, location_id: str, revision: int, changes: Mapping[str, object], hours: Sequence[Spell] | None
    ) -> LocationView:
        """Set these columns, and the whole week where one is given. StaleError when `revision` is not the present."""

        def work(session: Session) -> LocationView:
            row = session.get(Location, location_id, with_for_update={"key_share": True})
            if row is None:
                raise NotFoundError("No such location.")
            if row.revision != revision:
                raise StaleError("The location was changed in between: read it again.")
            for column, value in changes.items():
                setattr(row, column, value)
            row.revision += 1
            if hours is not None:
                session.execute(delete(OpeningHours).where(OpeningHours.location_id == location_id))
                _set_hours(session, location_id, hours)
            session.flush()
            return _view(session, location_id)

        return self._db.transaction(work)


def _view(session: Session, location_id: str) -> LocationView:
    row = session.get(Location, location_id)
    if row is None:
        raise NotFoundError("No such location.")
    return LocationView(row, _hours(session, [location_id]).get(location_id, ()))


def _hours(session: Session, ids: Sequence[str]) -> dict[str, tuple[Spell, ...]]:
    found: dict[str, tuple[Spell, ...]] = {}
    for row in session.scalars(
        select(OpeningHours)
        .where(OpeningHours.location_id.in_(ids))
        .order_by(OpeningHours.location_id, OpeningHours.weekday, OpeningHours.opens)
    ):
        found[row.location_id] = (*found.get(row.location_id, ()), Spell(row.weekday, row.opens, row.closes))
    return found


def _set_hours(session: Session, location_id: str, hours: Sequence[Spell]) -> None:
    if hours:
        session.execute(insert(OpeningHours), [{"location_id": location_id, **asdict(spell)} for spell in hours])
