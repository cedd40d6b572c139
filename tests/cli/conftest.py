"""What the tests of the command share: waiting for a condition, and children that write down their pids."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.checkout import Up

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def until() -> Callable[..., None]:
    def wait(condition: Callable[[], object], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            time.sleep(0.02)

    return wait


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Runs Python text as a process of its own that can import `cli`; killed in the end if the test did not."""
    started: list[subprocess.Popen[str]] = []

    def run(text: str) -> "subprocess.Popen[str]":
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", text]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def up(tmp_path: Path):
    ups: list[Up] = []

    def make(name: str = "state") -> Up:
        ups.append(Up(tmp_path / name))
        return ups[-1]

    yield make
    for each in ups:
        each.end()
        each.command("down")
