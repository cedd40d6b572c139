"""How a vendor's list is read: window after window, page after page, from where Postgres says that it was left."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from models.db import Database
from models.heard import Heard, Listed, Window
from models.stores.inbox import InboxStore
from models.stores.sweeps import SweepStore
from models.tables.messages import InboxFact
from tests.conftest import MovableClock
from tests.relay.rows import Rows
from workers import hearing
from workers.hearing import Hearing


@dataclass
class Vendor:
    """What happened at a vendor, oldest first; a page of its list holds two."""

    happened: list[Heard] = field(default_factory=list)
    asked: list[tuple[Window, str | None]] = field(default_factory=list)

    def say(self, fact_id: str, at: datetime) -> None:
        self.happened.append(Heard(fact_id, "stripe", "payment.captured", "pi_1", at, {}))

    def page(self, window: Window, after: str | None) -> Listed:
        self.asked.append((window, after))
        newest_first = [h for h in reversed(self.happened) if window.since <= h.occurred_at < window.until]
        ids = [h.id for h in newest_first]
        begin = ids.index(after) + 1 if after else 0
        page = newest_first[begin : begin + 2]
        return Listed(page[::-1], page[-1].id if newest_first[begin + 2 :] else None)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def heard(database: Database, clock: MovableClock, vendor: Vendor, inbox: InboxStore) -> Hearing:
    return Hearing("hear_test", vendor.page, inbox, SweepStore(database, clock), clock)


def kept(rows: Rows) -> set[str]:
    return {fact.id for fact in rows.all(InboxFact)}


def test_each_message_is_kept_once_when_a_list_has_several_pages(
    heard: Hearing, vendor: Vendor, rows: Rows, clock: MovableClock
) -> None:
    for number in range(5):
        vendor.say(f"evt_{number}", clock.now() - timedelta(minutes=30 - number))
    assert (heard.hear(), heard.hear()) == (5, 0)
    assert kept(rows) == {f"evt_{number}" for number in range(5)}


def test_a_message_is_left_to_its_webhook_when_it_is_of_just_now(
    heard: Hearing, vendor: Vendor, rows: Rows, clock: MovableClock
) -> None:
    vendor.say("evt_1", clock.now())
    assert heard.hear() == 0
    clock.advance(timedelta(minutes=2))
    assert heard.hear() == 1


def test_a_message_is_heard_when_the_list_shows_it_late(
    heard: Hearing, vendor: Vendor, rows: Rows, clock: MovableClock
) -> None:
    heard.hear()
    vendor.say("evt_late", clock.now() - timedelta(minutes=5))
    clock.advance(timedelta(minutes=1))
    assert heard.hear() == 1


def test_reading_goes_on_where_it_stopped_when_a_look_has_read_its_share(
    heard: Hearing, vendor: Vendor, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "MOST_PAGES", 1)
    for number in range(3):
        vendor.say(f"evt_{number}", clock.now() - timedelta(minutes=30 - number))
    assert (heard.hear(), heard.is_up_to_date()) == (2, False)
    clock.advance(timedelta(minutes=5))
    assert (heard.hear(), heard.is_up_to_date()) == (1, True)
    (first, _), (second, after) = vendor.asked
    assert (second, after) == (first, "evt_1")


def test_the_books_are_not_up_to_date_when_nobody_has_read_for_a_while(heard: Hearing, clock: MovableClock) -> None:
    assert not heard.is_up_to_date()
    heard.hear()
    assert heard.is_up_to_date()
    clock.advance(timedelta(hours=1))
    assert not heard.is_up_to_date()
