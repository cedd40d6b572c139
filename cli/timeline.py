"""Tells an order's story while it happens, from `GET /v1/orders/{id}/events`."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from cli.http import ApiClient, ApiError, ApiUnreachableError
from cli.say import Say

_POLL = 0.15  # seconds


class Timeline:
    """A context manager. `follow` begins to print an order's events; `finish` prints the last of them and ends it.

    `words` says an event in one line, or None where it is not worth one.
    """

    def __init__(self, api: ApiClient, say: Say, words: Callable[[dict[str, Any]], str | None] | None = None) -> None:
        self._api = api
        self._say = say
        self._words = words or described
        self._order_id: str | None = None
        self._seen: set[str] = set()
        self._began: datetime | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="timeline", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def follow(self, order_id: str) -> None:
        """From now on; seconds are those between its first event and each, as they happened."""
        self._order_id = order_id
        self._thread.start()

    def finish(self) -> None:
        """Everything that happened until now is printed when this returns."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self._print_new()

    def _watch(self) -> None:
        while not self._over.wait(_POLL):
            self._print_new()

    def _print_new(self) -> None:
        if self._order_id is None:
            return
        try:
            events = self._api.get(f"/v1/orders/{self._order_id}/events", limit=100)["data"]
        except (ApiError, ApiUnreachableError):
            return  # the next look tells it
        for event in events:
            if event["id"] not in self._seen:
                self._seen.add(event["id"])
                at = datetime.fromisoformat(event["at"])
                self._began = self._began or at
                if line := self._words(event):
                    self._say(f"{(at - self._began).total_seconds():7.2f} s  {line}")


def described(event: dict[str, Any]) -> str:
    """One line: what happened, and what of its data is short enough to read."""
    details = {name: value for name, value in (event.get("data") or {}).items() if isinstance(value, str | int)}
    words = "  ".join(f"{name}={value}" for name, value in details.items())
    return f"{event['type']:<28}{words}".rstrip()
