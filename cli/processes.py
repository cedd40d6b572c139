"""Child processes that write to a log and never outlive us: each in a group of its own, known to the guardian.

A child starts behind a gate: it waits for one line before it becomes the command, and the guardian is told of it
before that line is written, so there is no instant at which our death would leave it behind.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]

_GATE = 'read -r _ && exec "$@" </dev/null'
_LOG_LIMIT = 8 * 1024 * 1024  # bytes; a longer log is set aside when its process starts


class ProcessError(RuntimeError):
    """A process did not start, or ended too early; the text says which and shows the end of its log."""


class _Guardian:
    """The other end of `cli/guardian.py`; started with the first child, and again should it be killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: dict[int, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self._close)

    def watch(self, pid: int, stop_signal: int) -> None:
        with self._lock:
            self._groups[pid] = stop_signal
            self._tell(f"+ {pid} {stop_signal:d}\n")

    def forget(self, pid: int) -> None:
        with self._lock:
            self._groups.pop(pid, None)
            self._tell(f"- {pid}\n")

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-S", "-E", str(ROOT / "cli" / "guardian.py")]
            null = subprocess.DEVNULL
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=null, stderr=null, start_new_session=True, bufsize=0, cwd="/"
            )
            line = "".join(f"+ {pid} {number:d}\n" for pid, number in self._groups.items())
        if self._process.stdin is not None:
            self._process.stdin.write(line.encode())

    def _close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody reaps now, and a zombie looks alive to the guardian
            self._process.stdin.close()
            self._process.wait()


_guardian = _Guardian()


@dataclass
class Process:
    """One command, run in its own process group with stdin closed and all output appended to `log`.

    `user` is the account to run as (only root may say one); `stop_signal` asks it to end. Not safe for use by
    several threads at once.
    """

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path = ROOT
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    pid: int = field(default=0, init=False)
    _popen: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _log_start: int = field(default=0, init=False)

    def start(self) -> Self:
        """Returns at once, with the process running or about to. Raises ProcessError when it cannot be started."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._set_aside_long_log()
        with self.log.open("ab") as out:
            self._log_start = out.tell()
            self._popen = self._spawn(out.fileno())
        self.pid = self._popen.pid
        _guardian.watch(self.pid, self.stop_signal)
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.write(b"go\n")
        self._popen.stdin.close()
        return self

    def _spawn(self, out: int) -> "subprocess.Popen[bytes]":
        groups: list[str | int] | None = [] if self.user else None
        try:
            return subprocess.Popen(
                ["/bin/sh", "-c", _GATE, self.name, *self.argv],
                stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, bufsize=0, start_new_session=True,
                env=self.env, cwd=self.cwd, user=self.user, group=_group_of(self.user), extra_groups=groups,
            )  # fmt: skip
        except OSError as error:
            raise ProcessError(f"{self.name} cannot be started: {error}") from error

    def _set_aside_long_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))

    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        return None if self._popen is None else self._popen.poll()

    def stop(self, seconds: float = 10) -> None:
        """Ask it to end, wait so long, then kill its whole group. Does nothing when it has ended."""
        self.ask_to_stop()
        if self._popen is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(seconds)
            self.kill()

    def ask_to_stop(self) -> None:
        if self.alive():
            self._signal(self.stop_signal)

    def kill(self) -> None:
        """End the whole group with -9, at once; also what a process that ended left behind."""
        if self._popen is not None:
            self._signal(signal.SIGKILL)
            self._popen.wait()
            _guardian.forget(self.pid)
            self._popen = None

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def output(self) -> str:
        """What it wrote since its last start."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.output().splitlines()[-lines:])

    def wait_for(self, ready: Callable[[], object], seconds: float, pause: float = 0.02) -> None:
        """Until `ready()` is true. Raises ProcessError if the process ends or the seconds pass before."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive():
                raise ProcessError(f"{self.name} ended with {self.exit_code} before it was ready:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise ProcessError(f"{self.name} was not ready after {seconds:.0f} s; {self.log}:\n{self.tail()}")
            time.sleep(pause)


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd  # not on Windows

    return pwd.getpwnam(user).pw_gid


def command_line(pid: int) -> str:
    """Its words, joined by blanks; empty when it is gone."""
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    return _ps("args", pid)


def identity(pid: int) -> str | None:
    """What tells this process from a later one of the same number: its start, to the tick. None when it is gone."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    return _ps("lstart", pid) or None


def _ps(column: str, pid: int) -> str:
    command = ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
