"""`./shelfway down`: ends what an `up` of this checkout runs or left behind, and nothing else.

A recorded pid is signalled only if the process still has the start that was recorded with it.
"""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable

from cli.env import STATE, RunningFile
from cli.processes import identity

_PATIENCE = 20.0  # seconds for `up` to stop in good order


def down(say: Callable[[str], None]) -> None:
    """Asks a running `up` to end and waits; kills it when it does not; then ends what it may have left."""
    _, processes = RunningFile.read()
    if is_up():
        ups = [entry for entry in processes if entry["name"] == "up" and _is_that(entry)]
        for entry in ups:
            _stop_up(int(str(entry["pid"])), say)
        if not ups:
            say("an `up` is starting in this checkout and has not said its process yet; try again in a moment")
            return
    left = stop_recorded(say)
    if not processes and not left:
        say("nothing of this checkout is running")


def _stop_up(pid: int, say: Callable[[str], None]) -> None:
    say(f"stopping `up` (process {pid})")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    while is_up():
        if time.monotonic() > deadline:
            say("it does not end; killing it")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            deadline += _PATIENCE
        time.sleep(0.05)


def is_up() -> bool:
    """Whether an `up` of this checkout is alive: it holds a lock that goes with it."""
    try:
        with (STATE / "up.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def leftovers() -> list[dict[str, object]]:
    """Recorded processes that still run."""
    return [entry for entry in RunningFile.read()[1] if _is_that(entry)]


def stop_recorded(say: Callable[[str], None]) -> int:
    """Ends what a dead `up` left: asked first, killed after five seconds. How many there were."""
    left = [entry for entry in leftovers() if entry["name"] != "up"]
    for entry in left:
        say(f"ending {entry['name']} (process {entry['pid']}), left by an earlier `up`")
        _signal(entry, signal.SIGINT if entry["name"] == "postgres" else signal.SIGTERM)
    deadline = time.monotonic() + 5
    while any(_is_that(entry) for entry in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    for entry in left:
        if _is_that(entry):
            _signal(entry, signal.SIGKILL)
    RunningFile.remove()
    return len(left)


def _is_that(entry: dict[str, object]) -> bool:
    started = identity(int(str(entry["pid"])))
    return started is not None and started == entry["started"]


def _signal(entry: dict[str, object], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(int(str(entry["pid"])), number)
