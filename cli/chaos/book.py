"""What the world was told while things went wrong: every answer with its time, and every promise that one of them made.

`Patient` is a client that asks until it knows, by the same key, as a good caller does. Threads share one book.
"""

import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cli.http import ApiClient, ApiError, ApiUnreachableError, Reply

PATIENCE: Final = 180.0  # seconds until it is known, whatever is away meanwhile
_PAUSE: Final = 0.3
_GIVE_UP: Final = 0.5  # the share of those who leave when the first thing they hear of their order is a 503
_ASK_AGAIN: Final = ("idempotency_key_in_flight", "outcome_unknown")
_ORDERS: Final = "/v1/orders"


class GaveUpError(RuntimeError):
    """A caller left after a 503: nothing may have been recorded."""


class NeverKnownError(RuntimeError):
    """It was asked for so long and the outcome was never known."""


@dataclass(frozen=True, slots=True)
class Answer:
    at: float  # seconds since the epoch, when it came
    took: float  # seconds
    what: str
    status: int
    code: str


@dataclass
class Book:
    """`orders` are those that were acknowledged, by id: what story each is of, and how it may end."""

    orders: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict[str, tuple[str, frozenset[str]]])
    commands: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])  # by id: path, status
    returns: dict[str, str] = field(default_factory=dict[str, str])  # by id: its order
    unrecorded: list[str] = field(default_factory=list[str])  # keys that were answered by 503 alone
    answers: list[Answer] = field(default_factory=list[Answer])
    unanswered: int = 0
    wrong: list[str] = field(default_factory=list[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, answer: Answer) -> None:
        with self._lock:
            self.answers.append(answer)

    def heard_nothing(self) -> None:
        with self._lock:
            self.unanswered += 1

    def promised(self, path: str, reply: Reply) -> None:
        """What an answer below 400 to a POST holds us to."""
        body: Mapping[str, Any] = reply.body or {}
        with self._lock:
            match body.get("object"):
                case "order":
                    self.orders.setdefault(body["id"], ("", frozenset()))
                case "command":
                    self.commands[body["id"]] = (path, reply.status)
                case "return":
                    self.returns[body["id"]] = body.get("order", "")
                case _:
                    pass

    def ends(self, order_id: str, story: str, *statuses: str) -> None:
        """How this order may end, as far as its story has come."""
        with self._lock:
            self.orders[order_id] = (story, frozenset(statuses))

    def left(self, key: str) -> None:
        with self._lock:
            self.unrecorded.append(key)

    def is_wrong(self, what: str) -> None:
        with self._lock:
            self.wrong.append(what)

    def server_errors(self) -> Mapping[str, int]:
        """5xx by status and code."""
        return Counter(f"{answer.status} {answer.code}" for answer in self.answers if answer.status >= 500)


@dataclass(frozen=True)
class Patient(ApiClient):
    """`get` and `post` answer when it is known, however often that takes; what is refused for good is raised."""

    book: Book = field(default_factory=Book)
    chance: random.Random = field(default_factory=random.Random)

    def request(self, method: str, path: str, body: object = None, idempotency_key: str | None = None) -> Reply:
        """Raises ApiError for a refusal, GaveUpError, NeverKnownError."""
        key = idempotency_key or (secrets.token_hex(12) if method == "POST" else None)
        deadline = time.monotonic() + PATIENCE
        first = True
        while time.monotonic() < deadline:
            try:
                reply = self._once(method, path, body, key)
            except ApiUnreachableError:
                pass
            except ApiError as error:
                if error.status != 503 and error.code not in _ASK_AGAIN:
                    raise
                if first and path == _ORDERS and key and error.status == 503 and self.chance.random() < _GIVE_UP:
                    self.book.left(key)
                    raise GaveUpError(path) from None
            else:
                if reply.status != 202:
                    return reply
            first = False
            time.sleep(_PAUSE)
        raise NeverKnownError(f"{method} {path} has no outcome after {PATIENCE:.0f} s")

    def _once(self, method: str, path: str, body: object, key: str | None) -> Reply:
        began = time.monotonic()

        def heard(status: int, code: str = "") -> None:
            self.book.heard(Answer(time.time(), time.monotonic() - began, f"{method} {path}", status, code))

        try:
            reply = super().request(method, path, body, key)
        except ApiError as error:
            heard(error.status, error.code)
            if error.status >= 500 and error.status != 503 and error.code not in _ASK_AGAIN:
                self.book.is_wrong(f"{method} {path} answered {error.status} {error.code}")
            raise
        except ApiUnreachableError:
            self.book.heard_nothing()
            raise
        heard(reply.status)
        if method == "POST":
            self.book.promised(path, reply)
        return reply
