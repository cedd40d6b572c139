"""Starts sandboxes as real processes, on ports they find, with ledgers in temporary folders."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit


def call(url: str, method: str, path: str, body: object = None, timeout: float = 10) -> tuple[int, object]:
    """One JSON request; the status and the decoded answer (None where there is no body)."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, body=data, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw else None
    finally:
        connection.close()


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


@dataclass
class SandboxProcess:
    """A sandbox in its own process; `kill` is kill -9, `start` again gives another port on the same ledger."""

    module: str
    ledger: Path
    args: list[str] = field(default_factory=list)
    url: str = ""
    _process: subprocess.Popen[str] | None = None

    def start(self) -> "SandboxProcess":
        command = [sys.executable, "-m", self.module, "--port", "0", "--ledger", str(self.ledger), *self.args]
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]
        return self

    def admin(self, method: str, path: str, body: object = None) -> object:
        status, answer = call(self.url, method, f"/_admin{path}", body)
        assert status < 400, answer
        return answer

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._close()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._close()

    def _close(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.wait(10)
        self._process.stdout.close()
        self._process = None


@dataclass
class Receiver:
    """A webhook endpoint: keeps what it got; `answers` are statuses to give first, then 200 for ever."""

    url: str
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
