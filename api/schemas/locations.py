"""The public shape of locations and their opening hours."""

from datetime import datetime, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from api.schemas.base import Country, Id, In, Out, ShortText, State, Storable, example
from models.stores.locations import LocationView, NewLocation, Spell
from models.words import LocationKind


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("is no time zone of the IANA database") from None
    return name


_TimeZone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+_/-]{1,60}$"), AfterValidator(_known_zone)]
_Phone = Annotated[str, StringConstraints(min_length=3, max_length=40), Storable]
_Latitude = Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
_Longitude = Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
_Priority = Annotated[int, Field(strict=True, ge=0, le=10_000)]
_Capacity = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
_Hours = Annotated[list["SpellIn"], Field(max_length=28, description="The whole week, local time.")]

_LOCATION = {
    "id": "loc_store_soho",
    "name": "Aurelle SoHo",
    "kind": "store",
    "street": "112 Mercer Street",
    "city": "New York",
    "state": "NY",
    "postcode": "10012",
    "country": "US",
    "phone": "+12125550141",
    "latitude": 40.724,
    "longitude": -73.999,
    "timezone": "America/New_York",
    "priority": 100,
    "capacity_per_day": 40,
    "opening_hours": [{"weekday": 0, "opens": "10:00:00", "closes": "20:00:00"}],
}


class SpellIn(In):
    """Open from `opens` to `closes` on a weekday (0 is Monday); closing at 00:00 is midnight."""

    weekday: Annotated[int, Field(strict=True, ge=0, le=6)]
    opens: time
    closes: time

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("opening hours are local times without a zone")
        if self.closes != time(0) and self.closes <= self.opens:
            raise ValueError("closes after it opens")
        return self

    def spell(self) -> Spell:
        return Spell(self.weekday, self.opens, self.closes)


class LocationIn(In):
    model_config = example(_LOCATION)
    id: Id
    name: ShortText
    kind: LocationKind
    street: ShortText
    city: ShortText
    state: State | None = None
    postcode: ShortText
    country: Country
    phone: _Phone | None = None
    latitude: _Latitude | None = None
    longitude: _Longitude | None = None
    timezone: _TimeZone
    priority: _Priority = 100
    capacity_per_day: _Capacity | None = None
    opening_hours: _Hours = Field(default_factory=list["SpellIn"])

    @model_validator(mode="after")
    def _both_coordinates(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude come together")
        return self

    def new(self) -> NewLocation:
        return NewLocation(**self.model_dump(exclude={"opening_hours"}))


class LocationChange(In):
    """What is to be changed; what is left out stays. Opening hours are replaced as a whole."""

    model_config = example({"paused": True})
    name: ShortText | None = None
    phone: _Phone | None = None
    priority: _Priority | None = None
    capacity_per_day: _Capacity | None = Field(None, description="null takes the limit away.")
    paused: Annotated[bool, Field(strict=True)] | None = Field(None, description="A paused one gets no new orders.")
    opening_hours: _Hours | None = None

    @model_validator(mode="after")
    def _not_emptied(self) -> Self:
        for name in ("name", "priority", "paused", "opening_hours"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self

    def changes(self) -> dict[str, object]:
        return self.model_dump(exclude_unset=True, exclude={"opening_hours"})


class SpellOut(Out):
    weekday: int
    opens: time
    closes: time


class LocationOut(Out):
    """`revision` is its ETag."""

    model_config = example(
        {
            "object": "location",
            **_LOCATION,
            "paused": False,
            "created_at": "2026-11-01T00:00:00Z",
            "revision": 1,
        }
    )
    object: Literal["location"] = "location"
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
    priority: int
    capacity_per_day: int | None
    paused: bool
    created_at: datetime
    revision: int
    opening_hours: list[SpellOut] = Field(default_factory=list[SpellOut])

    @classmethod
    def of(cls, view: LocationView) -> Self:
        shown = cls.model_validate(view.location)
        shown.opening_hours = [SpellOut.model_validate(spell) for spell in view.opening_hours]
        return shown
