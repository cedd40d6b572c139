"""Opening hours: what a store's two hours are, through nights, weekends and both changes of the clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.hours import Spell, add_open_time, is_open

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
WEEK = [Spell(day, time(9), time(18)) for day in range(6)]  # closed on Sundays
ALL_DAY = [Spell(day, time(0), time(0)) for day in range(7)]


def local(zone: str, *at: int) -> datetime:
    return datetime(*at, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_time_runs_on_when_the_place_stays_open() -> None:
    assert add_open_time(local(BERLIN, 2026, 6, 3, 10), timedelta(hours=2), WEEK, BERLIN) == local(
        BERLIN, 2026, 6, 3, 12
    )


def test_waiting_continues_next_morning_when_the_place_closes() -> None:
    end = add_open_time(local(BERLIN, 2026, 6, 3, 17), timedelta(hours=2), WEEK, BERLIN)
    assert end == local(BERLIN, 2026, 6, 4, 10)


def test_waiting_begins_at_the_opening_when_asked_at_night_before_a_sunday() -> None:
    end = add_open_time(local(BERLIN, 2026, 6, 6, 20), timedelta(hours=2), WEEK, BERLIN)
    assert end == local(BERLIN, 2026, 6, 8, 11)


def test_it_ends_at_closing_when_the_span_is_just_used_up() -> None:
    end = add_open_time(local(BERLIN, 2026, 6, 3, 17), timedelta(hours=1), WEEK, BERLIN)
    assert end == local(BERLIN, 2026, 6, 3, 18)


def test_a_lunch_break_does_not_count_when_a_day_has_two_spells() -> None:
    hours = [Spell(2, time(14), time(18)), Spell(2, time(9), time(12))]
    end = add_open_time(local(BERLIN, 2026, 6, 3, 11), timedelta(hours=2), hours, BERLIN)
    assert end == local(BERLIN, 2026, 6, 3, 15)


def test_overlapping_spells_count_once_when_a_day_has_two() -> None:
    hours = [Spell(2, time(9), time(12)), Spell(2, time(11), time(13)), Spell(3, time(9), time(12))]
    end = add_open_time(local(BERLIN, 2026, 6, 3, 9), timedelta(hours=5), hours, BERLIN)
    assert end == local(BERLIN, 2026, 6, 4, 10)


def test_closing_at_midnight_is_the_days_end() -> None:
    hours = [Spell(2, time(20), time(0)), Spell(3, time(9), time(10))]
    end = add_open_time(local(BERLIN, 2026, 6, 3, 21), timedelta(hours=4), hours, BERLIN)
    assert end == local(BERLIN, 2026, 6, 4, 10)


def test_last_nights_spell_counts_when_it_reaches_past_midnight() -> None:
    hours = [Spell(4, time(22), time(2))]
    assert is_open(local(BERLIN, 2026, 6, 6, 1), hours, BERLIN)
    assert not is_open(local(BERLIN, 2026, 6, 6, 2), hours, BERLIN)
    end = add_open_time(local(BERLIN, 2026, 6, 6, 1), timedelta(minutes=30), hours, BERLIN)
    assert end == local(BERLIN, 2026, 6, 6, 1, 30)


@pytest.mark.parametrize(
    ("zone", "start", "passed"),
    [
        (BERLIN, (2026, 3, 29, 0, 0), timedelta(hours=7)),  # 02:00 to 03:00 does not exist
        (BERLIN, (2026, 10, 25, 0, 0), timedelta(hours=9)),  # 02:00 to 03:00 comes twice
        (NEW_YORK, (2026, 3, 8, 0, 0), timedelta(hours=7)),
        (NEW_YORK, (2026, 11, 1, 0, 0), timedelta(hours=9)),
    ],
)
def test_real_hours_are_counted_when_the_clock_changes(zone: str, start: tuple[int, ...], passed: timedelta) -> None:
    until_eight = [Spell(6, time(0), time(8))]
    begin = local(zone, *start)
    end = add_open_time(begin, passed, until_eight, zone)
    assert end == local(zone, *start[:3], 8)
    assert end - begin == passed


def test_the_opening_is_at_the_same_local_time_when_the_clock_changed_over_the_weekend() -> None:
    for saturday, monday in (((2026, 3, 28, 17), (2026, 3, 30, 10)), ((2026, 10, 24, 17), (2026, 10, 26, 10))):
        end = add_open_time(local(BERLIN, *saturday), timedelta(hours=2), WEEK, BERLIN)
        assert end == local(BERLIN, *monday)


def test_a_closing_inside_the_repeated_hour_is_its_second_coming() -> None:
    hours = [Spell(6, time(1), time(2, 30))]
    begin = local(BERLIN, 2026, 10, 25, 1)
    assert add_open_time(begin, timedelta(hours=2, minutes=30), hours, BERLIN) - begin == timedelta(hours=2, minutes=30)


def test_a_closing_inside_the_skipped_hour_is_when_it_would_have_come() -> None:
    hours = [Spell(6, time(1), time(2, 30))]
    begin = local(BERLIN, 2026, 3, 29, 1)
    assert add_open_time(begin, timedelta(minutes=90), hours, BERLIN) == local(BERLIN, 2026, 3, 29, 3, 30)


def test_plain_time_counts_when_the_place_is_never_open() -> None:
    start = datetime(2026, 6, 3, 10, tzinfo=UTC)
    assert add_open_time(start, timedelta(hours=2), [], BERLIN) == start + timedelta(hours=2)
    assert not is_open(start, [], BERLIN)


@given(
    start=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 12, 31)),  # noqa: DTZ001
    minutes=st.integers(0, 10_000),
)
def test_all_time_counts_when_the_place_never_closes(start: datetime, minutes: int) -> None:
    begin = start.replace(tzinfo=UTC)
    assert add_open_time(begin, timedelta(minutes=minutes), ALL_DAY, NEW_YORK) == begin + timedelta(minutes=minutes)


@given(
    start=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 12, 31)),  # noqa: DTZ001
    first=st.integers(1, 3000),
    second=st.integers(1, 3000),
)
def test_two_spans_end_where_their_sum_ends(start: datetime, first: int, second: int) -> None:
    begin = start.replace(tzinfo=UTC)
    middle = add_open_time(begin, timedelta(minutes=first), WEEK, BERLIN)
    both = add_open_time(begin, timedelta(minutes=first + second), WEEK, BERLIN)
    assert add_open_time(middle, timedelta(minutes=second), WEEK, BERLIN) == both
