"""Ends the process groups that another process started, once that one is gone, however it went (kill -9 included).

Run as a script with nothing but the standard library, in a session of its own. It reads lines from stdin:
`+ PID SIGNAL` (this group is mine to end, ask it with this signal) and `- PID` (it has ended). The end of stdin
is the end of the process that wrote them. It must never start anything and never signal what it was not told of.
"""

import contextlib
import os
import signal
import sys
import time

GRACE = 5.0  # seconds between asking and killing; an `up` killed with -9 must leave nothing after 10


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        sign, pid, *rest = line.split()
        if sign == "+":
            groups[int(pid)] = int(rest[0])
        else:
            groups.pop(int(pid), None)
    end(groups)


def end(groups: dict[int, int]) -> None:
    """Ask every group, wait, kill what is left. The newest are asked first: a server outlives those who use it."""
    for group, number in reversed(groups.items()):
        send(group, number)
    deadline = time.monotonic() + GRACE
    while any(send(group, 0) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Whether the group was there to be signalled."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
