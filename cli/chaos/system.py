"""The whole system for a run of chaos: everything that `up` starts, in a folder of its own, with proxies in between.

The oracle and the people talk to the servers themselves; our own processes reach them through the proxies alone.
"""

import os
import signal
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cli import ports
from cli.apps import COMMANDS, App, answers_at, api_command, said_ready
from cli.chaos.proxy import Proxies, Proxy, Trouble
from cli.chaos.schedule import KILL, Fault
from cli.env import DATABASE, Places, environment
from cli.migrate import migrate
from cli.postgres import Postgres
from cli.sandboxes import EASYPOST, STRIPE, Sandbox
from cli.say import Say
from cli.seed import seed as fill
from cli.supervisor import Service, Supervisor
from cli.temporal import NAMESPACE, Temporal
from workflows.search import REGISTERED

# What a request holds that changes something there; Temporal's do not say.
_EFFECTS: Final = {"postgres": b"COMMIT", "temporal": b"", "stripe": b"POST /v1", "easypost": b"POST /v2"}


class Starts:
    """When each process was last started, by the supervisor's word."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self.at: dict[str, float] = {}

    def __call__(self, services: Sequence[Service]) -> None:
        for service in services:
            pid = service.process.pid
            if self._pids.get(service.name) != pid:
                self._pids[service.name] = pid
                self.at[service.name] = time.time()


@dataclass(frozen=True)
class System:
    """What runs. `places` are the servers themselves; `killed` is when and whom, in seconds since the epoch."""

    folder: Path
    places: Places
    supervisor: Supervisor
    proxies: Proxies
    starts: Starts
    killed: list[tuple[float, str]]

    def begin(self, fault: Fault) -> None:
        """Let it go wrong, in this way. Whoever is dead already cannot be killed again."""
        if fault.kind == KILL:
            process = next(each for each in self.supervisor.services if each.name == fault.target).process
            if process.alive():
                self.killed.append((time.time(), fault.target))
                os.kill(process.pid, signal.SIGKILL)
            return
        self.proxies.by_name[fault.target].begin(Trouble(fault.kind), fault.later)

    def end(self, fault: Fault) -> None:
        if fault.kind != KILL:
            self.proxies.by_name[fault.target].end(Trouble(fault.kind))


@contextmanager
def system(folder: Path, seed: int, say: Say) -> Generator[System]:
    """Everything up, migrated and filled with the demo's brand; stopped on leaving. Raises what the servers raise."""
    api_port, *found = (ports.find() for _ in range(5))
    api_url = f"http://127.0.0.1:{api_port}"
    postgres = Postgres(folder / "postgres", port=found[0], log=folder / "postgres.log")
    temporal = Temporal(folder / "temporal", REGISTERED, port=found[1], log=folder / "temporal.log")
    stripe, easypost = (
        Sandbox(vendor, folder / vendor, port, f"{api_url}/webhooks/{vendor}", log=folder / f"{vendor}.log")
        for vendor, port in ((STRIPE, found[2]), (EASYPOST, found[3]))
    )
    fronts = [Proxy(name, port, effect, seed) for (name, effect), port in zip(_EFFECTS.items(), found, strict=True)]
    starts = Starts()
    with Proxies(fronts) as proxies, Supervisor(say, starts) as supervisor:
        with say.step("servers"):
            supervisor.start(postgres, temporal, stripe, easypost)
        urls = postgres.ensure_database(DATABASE)
        places = Places(
            api_url, urls.owner, urls.app, temporal.address, NAMESPACE, temporal.ui_url, stripe.url,
            f"{easypost.url}/v2",
        )  # fmt: skip
        with say.step("database"):
            migrate(urls.owner)
            fill(urls.owner, say)
        with say.step("shelfway"):
            supervisor.start(*_apps(folder, _through(places, proxies), api_port))
        yield System(folder, places, supervisor, proxies, starts, [])


def _through(places: Places, proxies: Proxies) -> Places:
    """The same, with each server's port that of its proxy."""

    def at(name: str, url: str | None) -> str:
        proxy = proxies.by_name[name]
        return (url or "").replace(f":{proxy.upstream}", f":{proxy.port}")

    return replace(
        places,
        database_url=at("postgres", places.database_url),
        temporal_address=at("temporal", places.temporal_address),
        stripe_url=at("stripe", places.stripe_url),
        easypost_url=at("easypost", places.easypost_url),
    )


def _apps(folder: Path, places: Places, api_port: int) -> list[App]:
    variables = environment(places)
    apps = [App(name, command, variables, folder / f"{name}.log", said_ready) for name, command in COMMANDS.items()]
    command = api_command("127.0.0.1", api_port)
    return [*apps, App("api", command, variables, folder / "api.log", answers_at(f"{places.api_url}/readyz"))]
