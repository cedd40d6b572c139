"""The relay as real processes: one leads, another takes over, and nothing but a signal ends it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from cli.postgres import Urls
from models.db import Database
from models.tables.messages import Event
from tests.relay.rows import Rows

STOPS_WITHIN = 4  # seconds; it promises two, on a machine that is not busy

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(urls: Urls, root: Path, unused_tcp_port: int) -> Iterator[Start]:
    """Starts a relay on the test's database while Temporal is away."""
    running: list[subprocess.Popen[str]] = []

    def run(database_url: str = urls.app) -> "subprocess.Popen[str]":
        environment = {
            **os.environ,
            "SHELFWAY_DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": f"127.0.0.1:{unused_tcp_port}",
        }
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        process = subprocess.Popen([sys.executable, "-m", "workers.relay"], cwd=root, env=environment, **pipes)
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def role(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["event"] == "ready"
    return said["role"]


def wait_until_relayed(rows: Rows) -> None:
    deadline = time.monotonic() + 20
    while any(event.relayed_at is None for event in rows.all(Event)):
        assert time.monotonic() < deadline, "nobody relayed the events"
        time.sleep(0.02)


def test_the_standby_takes_over_when_the_leader_is_killed(start: Start, rows: Rows) -> None:
    leader = start()
    assert role(leader) == "leader"
    assert role(start()) == "standby"
    rows.event("ord_1", 1)
    wait_until_relayed(rows)
    leader.kill()
    rows.event("ord_1", 2)
    wait_until_relayed(rows)


def test_it_stops_at_once_when_it_is_told_to(start: Start) -> None:
    relay = start()
    role(relay)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(STOPS_WITHIN) == 0


def test_it_stands_by_when_postgres_is_away(start: Start, unused_tcp_port: int) -> None:
    relay = start(f"postgresql://shelfway_app@127.0.0.1:{unused_tcp_port}/shelfway")
    assert role(relay) == "standby"
    with pytest.raises(subprocess.TimeoutExpired):
        relay.wait(1)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(STOPS_WITHIN) == 0


def test_it_leads_again_when_postgres_cut_its_connections(start: Start, rows: Rows, database: Database) -> None:
    role(start())
    with database.engine.connect() as connection:
        others = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
        assert connection.execute(others).all()
    rows.event("ord_1", 1)
    wait_until_relayed(rows)
