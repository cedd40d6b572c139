"""Where events go when they leave: one protocol, and the sink that writes them to the log."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from models.stores.events import Happened

log = structlog.get_logger()


class EventSink(Protocol):
    def send(self, events: Sequence[Happened]) -> None:
        """Pass them on, in this order. Raises where that failed; they come again, so a repeat must be harmless."""
        ...


class LogSink:
    """One line an event, without its data: that may grow to hold more than a log should."""

    def send(self, events: Sequence[Happened]) -> None:
        for event in events:
            log.info(event.type, event_id=event.id, aggregate=event.aggregate, seq=event.seq, at=event.at.isoformat())
