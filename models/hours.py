"""Time that counts only while a place is open, in its own zone. Pure; instants go in and come out as UTC."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Spell:
    """Open on this weekday (0 is Monday) between two local times; a closing at or before the opening is next day's."""

    weekday: int
    opens: time
    closes: time


def add_open_time(start: datetime, span: timedelta, hours: Sequence[Spell], timezone: str) -> datetime:
    """The instant at which `span` of opening time has passed since `start`.

    A place that is never open has no opening time to wait for: then it is `start + span`.
    """
    if not hours or span <= timedelta(0):
        return start + span
    at, left = start, span
    for opens, closes in _openings(start, hours, ZoneInfo(timezone)):
        at = max(at, opens)
        if closes - at >= left:
            return at + left
        if closes > at:
            left -= closes - at
            at = closes
    raise AssertionError("unreachable: openings never end")


def is_open(instant: datetime, hours: Sequence[Spell], timezone: str) -> bool:
    """Open from the opening instant on, and closed from the closing one."""
    if not hours:
        return False
    for opens, closes in _openings(instant, hours, ZoneInfo(timezone)):
        if opens > instant:
            return False
        if instant < closes:
            return True
    raise AssertionError("unreachable: openings never end")


def _openings(start: datetime, hours: Sequence[Spell], zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """All openings that end after `start`, in order of their opening, as instants. They may overlap."""
    day = start.astimezone(zone).date() - _DAY  # yesterday's may reach past midnight
    while True:
        spells = sorted((s for s in hours if s.weekday == day.weekday()), key=lambda spell: spell.opens)
        for spell in spells:
            ends = day if spell.closes > spell.opens else day + _DAY
            opens, closes = _instant(day, spell.opens, zone, fold=0), _instant(ends, spell.closes, zone, fold=1)
            if closes > start:
                yield opens, closes
        day += _DAY


def _instant(day: date, local: time, zone: ZoneInfo, *, fold: int) -> datetime:
    """Of a local time that comes twice the one asked for; one that the clock skips is when it would have come."""
    naive = datetime.combine(day, local)
    first, second = (naive.replace(tzinfo=zone, fold=n).astimezone(UTC) for n in (0, 1))
    return second if fold and second > first else first
