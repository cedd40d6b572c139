"""Every service of ours runs by its own line of docker-compose.yml: set up, healthy, in use, and stopped by SIGTERM."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psycopg
import pytest

from cli.cluster import APP, OWNER, SUPERUSER
from cli.env import Places
from cli.http import ApiClient
from cli.postgres import Postgres
from cli.processes import Process
from cli.sample import People, order_body, see_through
from tests.deploy.composition import Here
from tests.deploy.test_composition import SERVICES

STARTS_WITHIN = 90.0  # seconds, each, on a busy machine
DURING = ("temporal", "sandbox-stripe", "sandbox-easypost", "api", "worker", "relay")


def run_once(here: Here, *services: str) -> None:
    for process in [here.process(service).start() for service in services]:
        ended(process, STARTS_WITHIN)
        assert process.exit_code == 0, process.tail()


def ended(process: Process, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while process.alive():
        assert time.monotonic() < deadline, f"{process.name} does not end:\n{process.tail()}"
        time.sleep(0.02)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    """With a Postgres that the image's script has prepared."""
    here = Here(SERVICES, tmp_path)
    with Postgres(tmp_path / "cluster", port=here.ports[5432], durable=False) as server:
        superuser = server.url(SUPERUSER, "postgres")
        with psycopg.connect(superuser.replace("+psycopg", ""), autocommit=True) as connection:
            for role in (OWNER, APP):  # this repository's own server makes them itself
                connection.execute(f"DROP ROLE {role}")
            password = connection.info.password
        here.initialize({"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": password})
        yield here


def started(here: Here, up: ExitStack, *names: str) -> dict[str, Process]:
    """The long ones, at once: healthy by the file's own checks, which they were not before."""
    processes: dict[str, Process] = {}
    for name in names:
        assert not here.healthy(name)
        processes[name] = here.process(name)
        up.callback(processes[name].kill)
        processes[name].start()
    for name, process in processes.items():
        process.wait_for(partial(here.healthy, name), STARTS_WITHIN, pause=0.2)
    return processes


def test_an_order_is_delivered_when_every_process_is_run_as_the_file_says(here: Here) -> None:
    assert here.healthy("postgres")
    with ExitStack() as up:
        processes = started(here, up, "temporal")
        run_once(here, "register", "migrate")
        processes |= started(here, up, *DURING[1:])
        for name in ("worker", "relay"):
            assert json.loads(processes[name].output().splitlines()[0])["event"] == "ready"
        deliver_one_order(here)
        for process in reversed(processes.values()):
            stop(process)


def deliver_one_order(here: Here) -> None:
    base = f"http://127.0.0.1:{here.ports[8000]}"
    easypost = f"http://127.0.0.1:{here.ports[12112]}"
    places = Places(base, "", "", None, "default", None, None, easypost)
    api = ApiClient(base, "demo-admin")
    order = api.post("/v1/orders", order_body(api))
    assert see_through(api, order["id"], People(api, places))["status"] == "delivered"


def stop(process: Process) -> None:
    """By SIGTERM alone, within the time that the file gives it before it would be killed."""
    grace = float(SERVICES[process.name].get("stop_grace_period", "10s").removesuffix("s"))
    process.ask_to_stop()
    ended(process, grace)
    assert process.exit_code in (0, -signal.SIGTERM), process.tail()
