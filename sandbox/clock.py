"""The sandbox's own clock: real time plus an offset that tests move. It must not move by itself."""

import time
from collections.abc import Callable

from sandbox.ledger import Ledger


class Clock:
    """Epoch seconds. With a ledger the offset outlives the process. `listeners` are called after every move."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger
        stored = ledger.setting("clock_offset") if ledger else None
        self.offset = float(stored) if isinstance(stored, int | float) else 0.0
        self.listeners: list[Callable[[], None]] = []

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self._move(self.offset + seconds)

    def set(self, epoch: float) -> None:
        self._move(epoch - time.time())

    def _move(self, offset: float) -> None:
        self.offset = offset
        if self._ledger:
            self._ledger.set_setting("clock_offset", offset)
        for listener in self.listeners:
            listener()
