"""Our own processes as services: the api, the worker and the relay, each the command that a container runs too."""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.processes import Process

_START_SECONDS = 60.0
_STOP_SECONDS = 8.0

COMMANDS: Mapping[str, Sequence[str]] = {
    "worker": (sys.executable, "-m", "workers.main"),
    "relay": (sys.executable, "-m", "workers.relay"),
}


def api_command(host: str, port: int) -> list[str]:
    """The api on uvicorn; its access log is the api's own."""
    command = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", "--host", host, "--port", str(port)]
    return [*command, "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "5"]


@dataclass
class App:
    """One of our processes, configured by its environment alone. `ready` is asked until it is true."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    ready: Callable[["App"], bool]
    _process: Process | None = field(default=None, init=False)

    @property
    def process(self) -> Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process

    def launch(self) -> None:
        self._process = Process(self.name, self.argv, log=self.log, env=self.env).start()

    def await_ready(self) -> None:
        self.process.wait_for(lambda: self.ready(self), _START_SECONDS, pause=0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(_STOP_SECONDS)


def said_ready(app: App) -> bool:
    """Whether it wrote a line like `{"event": "ready"}` since its last start."""
    return any(_event(line) == "ready" for line in app.process.output().splitlines())


def _event(line: str) -> object:
    if not line.startswith("{"):
        return None
    try:
        return json.loads(line).get("event")
    except ValueError:
        return None


def answers_at(url: str) -> Callable[[App], bool]:
    """Whether GET `url` answers 200."""

    def ready(_: App) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (our own http url)
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
            return False

    return ready
