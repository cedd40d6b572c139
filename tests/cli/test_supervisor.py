"""What died is started again, what keeps dying is left alone, and everything is stopped, the last stage first."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from cli import supervisor as module
from cli.apps import App, said_ready
from cli.processes import ProcessError, identity
from cli.supervisor import Supervisor

READY = """print('{"event": "ready"}', flush=True)"""
STAYS = f"import time; {READY}; time.sleep(600)"
SAYS_WHEN_STOPPED = f"""
import pathlib, signal, sys, time
def stop(*_):
    with open("stopped", "a") as file:
        file.write(sys.argv[1] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
{READY}
time.sleep(600)
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(name: str, text: str = STAYS) -> App:
        argv = [sys.executable, "-c", f"import os; os.chdir({str(tmp_path)!r})\n{text}", name]
        return App(name, argv, os.environ, tmp_path / f"{name}.log", said_ready)

    return make


def test_a_process_is_started_again_when_it_was_killed(app, until) -> None:
    said: list[str] = []
    with Supervisor(said.append) as supervisor:
        worker, relay = app("worker"), app("relay")
        supervisor.start(worker, relay)
        killed, other = worker.process.pid, relay.process.pid
        os.kill(killed, signal.SIGKILL)
        until(lambda: worker.process.pid != killed and worker.process.alive() and said_ready(worker))
        assert relay.process.pid == other
    assert said == ["worker ended with -9; starting it again"]


def test_another_is_started_again_when_one_waits_for_it_to_be_ready(app, until) -> None:
    with Supervisor(print) as supervisor:
        postgres, api = app("postgres"), app("api")
        supervisor.start(postgres, api)
        api.argv = [sys.executable, "-c", "import time; time.sleep(600)"]  # never ready
        waits, dies = api.process.pid, postgres.process.pid
        os.kill(waits, signal.SIGKILL)
        until(lambda: api.process.pid != waits)
        os.kill(dies, signal.SIGKILL)
        until(lambda: postgres.process.pid != dies and said_ready(postgres))


def test_a_process_is_left_alone_when_it_keeps_dying(app, until, monkeypatch) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.01)
    said: list[str] = []
    with Supervisor(said.append) as supervisor:
        crashing = app("worker", f"{READY}; raise SystemExit(3)")
        supervisor.start(crashing)
        until(lambda: supervisor.given_up, 30)
        starts = len([text for text in said if "starting it again" in text])
        assert starts == 4
        assert "worker ended 5 times within a minute, last with 3" in supervisor.given_up["worker"]
        relay = app("relay")
        supervisor.start(relay)
        os.kill(relay.process.pid, signal.SIGKILL)
        until(lambda: "relay ended with -9; starting it again" in said)  # so it has looked again since
        assert len([text for text in said if "stays down" in text]) == 1
        crashing.argv = [sys.executable, "-c", "raise SystemExit(4)"]
        assert not supervisor.restart(crashing)
        assert supervisor.given_up == {"worker": "it did not start after a change"}
        crashing.argv = [sys.executable, "-c", STAYS]
        assert supervisor.restart(crashing)
        assert not supervisor.given_up
        assert crashing.process.alive()


def test_the_last_stage_is_stopped_first_when_all_are_stopped(app, tmp_path: Path) -> None:
    with Supervisor(print) as supervisor:
        supervisor.start(app("database", SAYS_WHEN_STOPPED))
        supervisor.start(app("worker", SAYS_WHEN_STOPPED))
        pids = [service.process.pid for service in supervisor.services]
    assert (tmp_path / "stopped").read_text().split() == ["worker", "database"]
    assert not any(identity(pid) for pid in pids)


def test_everything_is_stopped_when_one_of_a_stage_does_not_start(app) -> None:
    with Supervisor(print) as supervisor:
        good, also_good = app("good"), app("also-good")
        supervisor.start(good)
        with pytest.raises(ProcessError, match="broken ended with 1"):
            supervisor.start(also_good, app("broken", "raise SystemExit(1)"))
        pids = [good.process.pid, also_good.process.pid]
        assert all(identity(pid) for pid in pids)
    assert not any(identity(pid) for pid in pids)


def test_stopping_does_not_wait_for_readiness_when_a_restart_hangs(app, until) -> None:
    supervisor = Supervisor(lambda _: None)
    hanging = app("worker")
    with supervisor:
        supervisor.start(hanging)
        hanging.argv = [sys.executable, "-c", "import time; time.sleep(600)"]
        before = hanging.process.pid
        os.kill(before, signal.SIGKILL)
        until(lambda: hanging.process.pid != before)
        stopping = threading.Thread(target=supervisor.stop)
        stopping.start()
        stopping.join(10)
        assert not stopping.is_alive()


def test_what_runs_is_told_when_it_changes(app, until) -> None:
    told: list[list[int]] = []
    with Supervisor(print, lambda services: told.append([s.process.pid for s in services])) as supervisor:
        worker = app("worker")
        supervisor.start(worker)
        first = worker.process.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: len(told) == 2)
        second = told[1][0]
    assert told == [[first], [second], []]
