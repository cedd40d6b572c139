"""Everything that one checkout runs, in the order it starts: servers, migrations and demo data, our own processes.

How each is started is in its module. It must not know how an order works.
"""

import fcntl
import os
import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli import apps, env, sandboxes, temporal
from cli.apps import App
from cli.down import stop_recorded
from cli.env import LOGS, STATE, Places, RunningFile
from cli.ports import Ports
from cli.postgres import Postgres, check_external, sqlalchemy_url
from cli.prepare import prepare
from cli.processes import ROOT, identity
from cli.sandboxes import Sandbox
from cli.say import Say
from cli.supervisor import Service, Supervisor
from cli.temporal import Temporal

CODE = ("api", "workers", "workflows", "activities", "models")


class StackError(RuntimeError):
    """It cannot be brought up; the text is for the person who typed it."""


class Stopped(BaseException):
    """Somebody asked us to end."""


@dataclass(frozen=True)
class Servers:
    """What runs beside our own code. None: the environment names another, or the vendor itself."""

    postgres: Postgres | None
    temporal: Temporal | None
    stripe: Sandbox | None
    easypost: Sandbox | None

    def here(self) -> list[Service]:
        return [server for server in (self.postgres, self.temporal, self.stripe, self.easypost) if server is not None]


@contextmanager
def running(say: Say, *, fresh: bool, reload: bool) -> Generator[tuple[Places, Supervisor]]:
    """Everything up, migrated and seeded; stopped on leaving. Raises StackError and what the servers raise."""
    STATE.mkdir(exist_ok=True)
    with only_one(), stoppable():
        stop_recorded(say)
        servers, api_port = plan()
        if fresh:
            empty(servers)
        record = Record()
        with Supervisor(say, record.write) as supervisor:
            with say.step("servers: " + ", ".join(server.name for server in servers.here())):
                supervisor.start(*servers.here())
            places = locate(servers, api_port)
            record.variables = env.environment(places) | {"SHELFWAY_OWNER_DATABASE_URL": places.owner_database_url}
            with say.step("database: migrations and demo data"):
                prepare(places.owner_database_url, servers.postgres.home if servers.postgres else None, say)
            ours = our_apps(places, api_port)
            with say.step("shelfway: " + ", ".join(app.name for app in ours)):
                supervisor.start(*ours)
            if reload:
                reload_on_change(supervisor, ours, say)
            yield places, supervisor
            say("stopping")


@contextmanager
def only_one() -> Generator[None]:
    """One `up` a checkout; the lock goes with the process, however it ends."""
    with (STATE / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError("this checkout is already up; `./shelfway down` stops it") from None
        yield


@contextmanager
def stoppable() -> Generator[None]:
    """SIGINT, SIGTERM and SIGHUP end the body in good order; a second one does not wait for anything."""

    def stop(_number: int, _frame: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, at_once)
        raise Stopped

    def at_once(number: int, _frame: object) -> None:
        os._exit(128 + number)  # the guardian ends what is left

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def plan() -> tuple[Servers, int]:
    """Which servers are ours to run, each with its port, and the api's port."""
    from workflows.search import REGISTERED

    ports = Ports(STATE / "ports.json")
    api_port = ports.get("API")
    api_url = f"http://127.0.0.1:{api_port}"
    data = STATE / "data"
    external_temporal = os.environ.get("TEMPORAL_ADDRESS")
    servers = Servers(
        postgres=None
        if os.environ.get("DATABASE_URL")
        else Postgres(STATE, port=ports.get("POSTGRES"), log=LOGS / "postgres.log"),
        temporal=None
        if external_temporal
        else Temporal(
            data, REGISTERED, ports.get("TEMPORAL"), ports.get("TEMPORAL_UI"), ports.get("TEMPORAL_METRICS"),
            log=LOGS / "temporal.log",
        ),
        stripe=None if os.environ.get("STRIPE_API_KEY") else sandbox(sandboxes.STRIPE, data, ports, api_url),
        easypost=None if os.environ.get("EASYPOST_API_KEY") else sandbox(sandboxes.EASYPOST, data, ports, api_url),
    )  # fmt: skip
    if external_temporal:
        temporal.check_external(REGISTERED)
    return servers, api_port


def sandbox(vendor: str, data: Path, ports: Ports, api_url: str) -> Sandbox:
    secret = os.environ.get(f"SHELFWAY_{vendor.upper()}_WEBHOOK_SECRET")
    hook = f"{api_url}/webhooks/{vendor}"
    return Sandbox(vendor, data, ports.get(vendor.upper()), hook, secret, LOGS / f"{vendor}.log")


def empty(servers: Servers) -> None:
    """What `--fresh` removes: our own servers' data, never a database that somebody else runs."""
    if servers.postgres is None:
        raise StackError("--fresh empties only our own servers: unset DATABASE_URL, or empty that database yourself")
    servers.postgres.erase()
    temporal.erase(STATE / "data")
    sandboxes.erase(STATE / "data")


def locate(servers: Servers, api_port: int) -> Places:
    """Where everything is, once it runs. Raises PostgresError for a database of one's own that will not do."""
    if servers.postgres is not None:
        urls = servers.postgres.ensure_database(env.DATABASE)
        owner, app = urls.owner, urls.app
    else:
        app = sqlalchemy_url(os.environ["DATABASE_URL"])
        owner = sqlalchemy_url(os.environ.get("SHELFWAY_OWNER_DATABASE_URL") or app)
        check_external(owner)
    namespace = temporal.NAMESPACE if servers.temporal else os.environ.get("TEMPORAL_NAMESPACE", temporal.NAMESPACE)
    return Places(
        api_url=f"http://127.0.0.1:{api_port}",
        owner_database_url=owner,
        database_url=app,
        temporal_address=servers.temporal.address if servers.temporal else None,
        temporal_namespace=namespace,
        temporal_ui_url=ui_of_namespace(
            servers.temporal.ui_url if servers.temporal else os.environ.get("SHELFWAY_TEMPORAL_UI_URL"), namespace
        ),
        stripe_url=servers.stripe.url if servers.stripe else None,
        easypost_url=f"{servers.easypost.url}/v2" if servers.easypost else None,
    )


def ui_of_namespace(url: str | None, namespace: str) -> str | None:
    """Where that namespace's runs are; a URL that names one already is left as it is."""
    if not url or "/namespaces/" in url:
        return url
    return f"{url.rstrip('/')}/namespaces/{namespace}"


def our_apps(places: Places, api_port: int) -> list[App]:
    variables = env.environment(places)
    processes = [
        App(name, command, variables, LOGS / f"{name}.log", apps.said_ready) for name, command in apps.COMMANDS.items()
    ]
    command = apps.api_command("127.0.0.1", api_port)
    ready = apps.answers_at(f"{places.api_url}/readyz")
    return [*processes, App("api", command, variables, LOGS / "api.log", ready)]


class Record:
    """Keeps the file that `down` and others read."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}

    def write(self, services: Sequence[Service]) -> None:
        if not services:
            RunningFile.remove()
            return
        pids = {"up": os.getpid()} | {service.name: service.process.pid for service in services}
        RunningFile.write(
            self.variables, [{"name": name, "pid": pid, "started": identity(pid)} for name, pid in pids.items()]
        )


def reload_on_change(supervisor: Supervisor, ours: Sequence[Service], say: Say) -> None:
    """From now on, in a thread of its own."""
    import watchfiles

    folders = [ROOT / folder for folder in CODE]

    def watch() -> None:
        for changes in watchfiles.watch(*folders, watch_filter=watchfiles.PythonFilter()):
            names = sorted({str(Path(path).relative_to(ROOT)) for _, path in changes})
            say(f"{', '.join(names[:3])} changed; restarting {', '.join(service.name for service in ours)}")
            if supervisor.restart(*ours):
                say("ready again")

    threading.Thread(target=watch, name="reload", daemon=True).start()
