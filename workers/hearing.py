"""What vendors did and nobody told us: their own lists, read window by window, put into the inbox as if it were told.

How far a list was read stands in Postgres, so an older Postgres that is restored reads again all that happened since.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from models.clock import Clock
from models.heard import Heard, Listed, Window
from models.stores.inbox import InboxStore
from models.stores.sweeps import SweepStore

log = structlog.get_logger()

FIRST: Final = timedelta(days=1)  # that the very first look goes back
OVERLAP: Final = timedelta(minutes=10)  # that a window reaches into the one before: lists lag a little
MOST_PAGES: Final = 10  # a look
LAG: Final = timedelta(minutes=1)  # that a message has to reach us by itself
LATELY: Final = timedelta(minutes=15)  # a list read up to then is up to date


@dataclass(frozen=True, slots=True)
class Place:
    """Read up to `since`, and of the window that ends at `until` the pages before `after`."""

    since: datetime
    until: datetime | None = None
    after: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Place":
        since, _, rest = text.partition(" ")
        until, _, after = rest.partition(" ")
        return cls(datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None, after or None)

    def __str__(self) -> str:
        parts = (self.since.isoformat(), self.until.isoformat() if self.until else "", self.after or "")
        return " ".join(parts).rstrip()


class Hearing:
    """One list of one vendor's. `read` answers a page of a window."""

    def __init__(
        self,
        name: str,
        read: Callable[[Window, str | None], Listed],
        inbox: InboxStore,
        sweeps: SweepStore,
        clock: Clock,
    ) -> None:
        self._name = name
        self._read = read
        self._inbox = inbox
        self._sweeps = sweeps
        self._clock = clock

    def hear(self) -> int:
        """Read on from where the last look stopped, so many pages at most; how many messages were new."""
        heard = 0
        for _ in range(MOST_PAGES):
            place = self._place()
            window = Window(place.since, place.until or self._clock.now() - LAG)
            if window.until <= window.since:
                break
            page = self._read(window, place.after)
            heard += self._keep(page)
            ended = page.after is None
            self._move(Place(window.until - OVERLAP) if ended else Place(window.since, window.until, page.after))
            if ended:
                break
        return heard

    def is_up_to_date(self) -> bool:
        """Whether all that happened until lately was heard."""
        place = self._place()
        return place.since + OVERLAP > self._clock.now() - LATELY

    def _place(self) -> Place:
        text = self._sweeps.place(self._name)
        return Place.parse(text) if text else Place(self._clock.now() - FIRST)

    def _move(self, place: Place) -> None:
        self._sweeps.move(self._name, str(place))

    def _keep(self, page: Listed) -> int:
        unheard = self._inbox.unheard([each.id for each in page.heard])
        return sum(self._take(each) for each in page.heard if each.id in unheard)

    def _take(self, heard: Heard) -> bool:
        taken = self._inbox.take(heard)
        if taken:
            log.info("reconcile.heard", source=heard.source, kind=heard.kind, at=heard.occurred_at.isoformat())
        return taken
