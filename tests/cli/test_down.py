"""`down` ends what was recorded and still is what was recorded, and nothing else."""

import sys
from pathlib import Path

import pytest

from cli import down as module
from cli.env import RunningFile
from cli.processes import Process, identity


@pytest.fixture
def child(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "STATE", tmp_path)
    monkeypatch.setattr(RunningFile, "path", tmp_path / "running.json")
    text = "import time; print('up', flush=True); time.sleep(600)"
    child = Process("child", [sys.executable, "-c", text], log=tmp_path / "child.log").start()
    child.wait_for(lambda: "up" in child.output(), 10)
    yield child
    child.kill()


def test_a_recorded_process_is_ended_when_it_is_still_the_same(child: Process) -> None:
    RunningFile.write({}, [{"name": "worker", "pid": child.pid, "started": identity(child.pid)}])
    said: list[str] = []
    module.down(said.append)
    assert not child.alive()
    assert said == [f"ending worker (process {child.pid}), left by an earlier `up`"]
    assert not RunningFile.path.exists()


def test_a_stranger_is_left_alone_when_it_has_a_recorded_number(child: Process) -> None:
    RunningFile.write({}, [{"name": "worker", "pid": child.pid, "started": "another time"}])
    module.down(print)
    assert child.alive()
    assert not RunningFile.path.exists()


def test_nothing_is_done_when_nothing_was_recorded(child: Process) -> None:
    said: list[str] = []
    module.down(said.append)
    assert said == ["nothing of this checkout is running"]
