"""A child is started in order, read, stopped, and never outlives us."""

import os
import signal
import sys
from pathlib import Path

import pytest

from cli.processes import Process, ProcessError, command_line, identity

STUBBORN = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


def python(tmp_path: Path, text: str) -> Process:
    return Process("child", [sys.executable, "-c", text], log=tmp_path / "child.log")


def test_output_of_this_start_alone_is_read_when_the_log_has_older_lines(tmp_path: Path) -> None:
    for word in ("first", "second"):
        child = python(tmp_path, f"print('{word}')").start()
        with pytest.raises(ProcessError, match="ended with 0"):
            child.wait_for(lambda: False, 10)
        assert child.output() == f"{word}\n"
    assert (tmp_path / "child.log").read_text() == "first\nsecond\n"


def test_the_end_of_the_log_is_in_the_error_when_a_child_dies_before_it_is_ready(tmp_path: Path) -> None:
    child = python(tmp_path, "raise SystemExit('no such table')").start()
    with pytest.raises(ProcessError, match="child ended with 1 before it was ready:\nno such table"):
        child.wait_for(lambda: False, 10)


def test_an_error_comes_in_time_when_a_child_is_never_ready(tmp_path: Path) -> None:
    child = python(tmp_path, "import time; time.sleep(600)").start()
    with pytest.raises(ProcessError, match="was not ready after 0 s"):
        child.wait_for(lambda: False, 0.1)
    child.kill()


def test_the_whole_group_is_killed_when_it_ignores_being_asked(tmp_path: Path, until) -> None:
    text = f"import subprocess,sys; print(subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]).pid); {STUBBORN}"
    child = python(tmp_path, text).start()
    child.wait_for(lambda: child.output().count("up") == 2, 10)
    grandchild = int(child.output().split()[0])
    child.stop(0.2)
    assert child.exit_code is None
    until(lambda: identity(grandchild) is None)


def test_a_child_cannot_be_started_when_its_account_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Process("child", ["true"], log=tmp_path / "child.log", user="nobody-of-this-name").start()


def test_nothing_is_left_when_we_are_killed(tmp_path: Path, script, until) -> None:
    parent = script(f"""
import sys, time
from pathlib import Path
from cli.processes import Process
for name, text in (("polite", "import time; print('up', flush=True); time.sleep(600)"), ("stubborn", {STUBBORN!r})):
    child = Process(name, [sys.executable, "-c", text], log=Path(name)).start()
    child.wait_for(lambda: "up" in child.output(), 10)
    print(child.pid, flush=True)
time.sleep(600)
""")
    pids = [int(parent.stdout.readline()) for _ in range(2)]
    assert all(identity(pid) for pid in pids)
    parent.kill()
    until(lambda: not any(identity(pid) for pid in pids), 10)


def test_a_child_never_becomes_its_command_when_we_are_killed_while_starting_it(tmp_path: Path, script, until) -> None:
    parent = script("""
import sys, time
from pathlib import Path
from cli import processes
processes._guardian.watch = lambda pid, number: (print(pid, flush=True), time.sleep(600))
processes.Process("child", [sys.executable, "-c", "open('ran', 'w')"], log=Path("log"), cwd=Path()).start()
""")
    pid = int(parent.stdout.readline())
    parent.kill()
    until(lambda: identity(pid) is None)
    assert not (tmp_path / "ran").exists()


def test_children_are_still_ended_when_the_guardian_was_killed_before(tmp_path: Path, script, until) -> None:
    parent = script("""
import os, signal, sys, time
from pathlib import Path
from cli import processes
def start(name):
    child = processes.Process(name, [sys.executable, "-c", "import time; time.sleep(600)"], log=Path(name)).start()
    print(child.pid, flush=True)
start("one")
guardian = processes._guardian._process
guardian.kill()
guardian.wait()
start("two")
time.sleep(600)
""")
    pids = [int(parent.stdout.readline()) for _ in range(2)]
    parent.kill()
    until(lambda: not any(identity(pid) for pid in pids), 10)


def test_children_are_ended_when_we_leave_without_stopping_them(tmp_path: Path, script) -> None:
    parent = script("""
import sys
from pathlib import Path
from cli.processes import Process
print(Process("child", [sys.executable, "-c", "import time; time.sleep(600)"], log=Path("log")).start().pid)
""")
    pid = int(parent.stdout.readline())
    assert parent.wait(10) == 0
    assert identity(pid) is None


def test_a_process_is_known_by_its_start_and_words_while_it_lives(tmp_path: Path) -> None:
    child = python(tmp_path, "import time; time.sleep(600)").start()
    first = identity(child.pid)
    assert first is not None
    assert identity(child.pid) == first != identity(os.getpid())
    child.wait_for(lambda: "time.sleep(600)" in command_line(child.pid), 10)
    os.kill(child.pid, signal.SIGKILL)
    child.kill()
    assert identity(child.pid) is None
    assert command_line(child.pid) == ""
