"""`./shelfway test`: lint, format and types, then pytest; each lane with its seconds, and the seed to repeat it."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.processes import ROOT
from cli.say import Say

_BIN = Path(sys.executable).parent
_NO_TESTS = 5  # pytest's exit code
_SLOWEST = ("--durations=20", "--durations-min=4")  # named, so that the suite stays short


@dataclass(frozen=True)
class Lane:
    name: str
    command: Sequence[str]


CHECKS = (
    Lane("ruff check", (str(_BIN / "ruff"), "check", "--quiet", ".")),
    Lane("ruff format", (str(_BIN / "ruff"), "format", "--check", "--quiet", ".")),
    Lane("types", (str(_BIN / "basedpyright"), "--level", "error")),
)


def test(arguments: Sequence[str], *, deep: bool) -> int:
    """The exit code: 0, or that of the first lane that failed. With `arguments` pytest alone runs, with them."""
    say = Say()
    seed = os.environ.get("SHELFWAY_SEED") or str(secrets.randbelow(2**32))
    lanes = [] if arguments else list(CHECKS)
    name = "pytest --deep" if deep else "pytest"
    lanes.append(Lane(name, pytest_command(arguments, seed)))
    if is_whole(arguments):
        lanes.append(Lane(f"{name}, what needs the machine for itself", alone_command(arguments, seed)))
    how_deep = "slice" if _given(arguments, "--slice") else "1"  # one long test must not fill a slice's ten minutes
    environment = os.environ | {"SHELFWAY_SEED": seed} | ({"SHELFWAY_DEEP": how_deep} if deep else {})
    say(f"seed {seed} (again with it: SHELFWAY_SEED={seed} ./shelfway test ...)")
    results: list[tuple[Lane, int, float]] = []
    for lane in lanes:
        began = time.monotonic()
        code = run(lane.command, environment)
        if code == _NO_TESTS and is_whole(arguments):
            code = 0  # a slice may hold none of a kind
        results.append((lane, code, time.monotonic() - began))
        say(f"{results[-1][2]:6.1f} s  {'ok    ' if code == 0 else 'FAILED'}  {lane.name}")
    failed = [(lane, code) for lane, code, _ in results if code]
    for lane, code in failed:
        say(f"{lane.name} failed with {code}" + (": no test matches" if code == _NO_TESTS else ""))
    say(f"{sum(seconds for *_, seconds in results):6.1f} s  {'FAILED' if failed else 'all lanes passed'}; seed {seed}")
    return failed[0][1] if failed else 0


def is_whole(arguments: Sequence[str]) -> bool:
    """Everything, or a slice of everything; not a selection."""
    return not arguments or _given(arguments, "--slice")


def pytest_command(arguments: Sequence[str], seed: str) -> list[str]:
    """The whole suite on two processes; a selection on one, where starting a second would cost more than it gives."""
    command = _pytest(arguments, seed)
    if is_whole(arguments):
        command += ["-m", "not alone", *_SLOWEST]
        if not _given(arguments, "-n", "--numprocesses"):
            command += ["-n", "2", "--dist", "worksteal"]
    return [*command, *arguments]


def alone_command(arguments: Sequence[str], seed: str) -> list[str]:
    """The tests that load the machine themselves, one after the other, when nothing else runs."""
    return [*_pytest(arguments, seed), "-m", "alone", *_SLOWEST, "-n", "0", *arguments]


def _pytest(arguments: Sequence[str], seed: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-p", "cli.slices"]
    return command if _given(arguments, "--hypothesis-seed") else [*command, f"--hypothesis-seed={seed}"]


def _given(arguments: Sequence[str], *names: str) -> bool:
    return any(argument.startswith(names) for argument in arguments)


def run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Its exit code. Whatever ends us ends it too: pytest is asked, so that its fixtures stop their servers."""
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL) as process, passing_on(process):
        return process.wait()


@contextmanager
def passing_on(process: "subprocess.Popen[bytes]") -> Generator[None]:
    """SIGTERM to us is SIGINT to it. Ctrl-C reaches both by itself, and is left to it."""

    def interrupt(_number: int, _frame: object) -> None:
        process.send_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt), signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
