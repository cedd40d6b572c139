"""Keeps a set of servers and processes up: starts them in stages, starts again what died, stops all in reverse.

It says what it does through `say` and never decides what runs. One thread of its own looks for the dead.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, Self

from cli.processes import Process

_LOOK = 0.25  # seconds between two looks
_DEATHS, _WITHIN = 5, 60.0  # so many deaths in so many seconds, and it is left alone


class Service(Protocol):
    """What can be supervised: `launch` returns at once, `await_ready` when it can be used or with an exception."""

    @property
    def name(self) -> str: ...

    @property
    def process(self) -> Process: ...

    def launch(self) -> None: ...

    def await_ready(self) -> None: ...

    def stop(self) -> None: ...


class Supervisor:
    """A context manager: leaving it stops everything. `changed` is called after each start, with what runs."""

    def __init__(self, say: Callable[[str], None], changed: Callable[[Sequence[Service]], None] | None = None) -> None:
        self._say = say
        self._changed = changed or _nothing
        self._stages: list[Sequence[Service]] = []
        self._deaths: dict[str, deque[float]] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._awaited: Service | None = None
        self._thread = threading.Thread(target=self._keep_up, name="supervisor", daemon=True)
        self.given_up: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *services: Service) -> None:
        """One stage: all are launched, then each is awaited. Raises what a service raises."""
        with self._lock:
            self._stages.append(services)
            for service in services:
                service.launch()
            self._changed(self.services)
            for service in services:
                service.await_ready()

    @property
    def services(self) -> list[Service]:
        return [service for stage in self._stages for service in stage]

    def restart(self, *services: Service) -> bool:
        """On purpose, as after a change of the code. Whether all are up; one that is not waits for the next change."""
        with self._lock:
            for service in services:
                service.process.ask_to_stop()
            for service in services:
                self.given_up.pop(service.name, None)
                self._deaths.pop(service.name, None)
                service.stop()
                service.launch()
            self._changed(self.services)
            down = [service for service in services if not self._is_ready(service)]
            self.given_up |= {service.name: "it did not start after a change" for service in down}
            return not down

    def stop(self) -> None:
        """The last stage first; within a stage all are asked at once."""
        self._stopping.set()
        while not self._lock.acquire(timeout=0.1):
            if self._awaited is not None:
                _ask_to_stop(self._awaited)  # whoever holds the lock waits for it to be ready, and now need not
        try:
            for stage in reversed(self._stages):
                for service in stage:
                    _ask_to_stop(service)
                for service in stage:
                    service.stop()
            self._stages.clear()
            self._changed([])
        finally:
            self._lock.release()
        if self._thread.is_alive():
            self._thread.join()

    def _keep_up(self) -> None:
        while not self._stopping.wait(_LOOK):
            if self._lock.acquire(blocking=False):
                try:
                    for service in self.services:
                        if service.name not in self.given_up and not service.process.alive():
                            self._start_again(service)
                finally:
                    self._lock.release()

    def _start_again(self, service: Service) -> None:
        deaths = self._deaths.setdefault(service.name, deque(maxlen=_DEATHS))
        deaths.append(time.monotonic())
        code = service.process.exit_code
        if len(deaths) == _DEATHS and deaths[-1] - deaths[0] < _WITHIN:
            self._give_up(service, f"{service.name} ended {_DEATHS} times within a minute, last with {code}")
            return
        self._say(f"{service.name} ended with {code}; starting it again")
        service.launch()  # nobody waits until it is ready: it may itself need another that is dead, too
        self._changed(self.services)

    def _is_ready(self, service: Service) -> bool:
        """Waits for it; says why if it does not come up."""
        self._awaited = service
        try:
            service.await_ready()
        except Exception as error:
            if not self._stopping.is_set():
                self._say(f"{service.name} is not up: {str(error).strip()}")
            return False
        else:
            return True
        finally:
            self._awaited = None

    def _give_up(self, service: Service, why: str) -> None:
        self.given_up[service.name] = why
        self._say(f"{why}; it stays down until the next change or `up`. Its log: {service.process.log}")


def _nothing(_: Sequence[Service]) -> None:
    pass


def _ask_to_stop(service: Service) -> None:
    try:
        service.process.ask_to_stop()
    except RuntimeError:
        return  # it never started
