"""PostgreSQL 18 of our own, from the wheel's programs: TCP on the loopback, passwords, three roles.

`postgres` the superuser makes databases, `shelfway_owner` owns them and migrates, `shelfway_app` is what the
application is. One folder is one cluster and is used by one process at a time. It must not be reachable from
elsewhere and must not know any table.
"""

import contextlib
import fcntl
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple, Self

import psycopg
from psycopg import sql

from cli import cluster, ports
from cli.cluster import APP, OWNER, SUPERUSER, Cluster, PostgresError
from cli.processes import Process, command_line, identity

MINIMUM = 16

_START_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
}
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB"}


class Urls(NamedTuple):
    """Two ways into one database, as SQLAlchemy wants them (driver psycopg)."""

    owner: str
    app: str


class Postgres:
    """A cluster that is kept for `folder`. A context manager; `start` after a crash recovers.

    `durable=False` is for tests: the data outlive a kill -9 of every process but not a crash of the machine, and
    leaving the context removes them.
    """

    name = "postgres"

    def __init__(self, folder: Path, *, port: int = 0, log: Path | None = None, durable: bool = True) -> None:
        self.folder = folder
        self.port = port
        self._log = log or folder / "postgres.log"
        self._durable = durable
        self._cluster: Cluster | None = None
        self._process: Process | None = None
        self._lock: int | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        if not self._durable:
            self.erase()

    def start(self) -> Self:
        """Returns when it answers. Ends a server that a killed process left on this data first."""
        self.launch()
        self.await_ready()
        return self

    def launch(self) -> None:
        """The first half of `start`: everything but waiting."""
        try:
            self._cluster = self._open()
            self._cluster.initialize(sync=self._durable)
            self.port = self.port or ports.find()
            self._process = Process(
                "postgres", self._command(self._cluster), log=self._log, cwd=self._cluster.home,
                user=self._cluster.user, stop_signal=signal.SIGINT,
            ).start()  # fmt: skip
        except BaseException:
            self.stop()
            raise

    def await_ready(self) -> None:
        """The second half. Raises ProcessError, and has stopped it then."""
        try:
            self.process.wait_for(self._answers, _START_SECONDS)
            self._make_roles()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """A fast shutdown: connections are cut, nothing committed is lost."""
        if self._process is not None:
            self._process.stop(20)
            self._process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def process(self) -> Process:
        """The postmaster. Raises PostgresError when it was not started."""
        if self._process is None:
            raise PostgresError("PostgreSQL is not running")
        return self._process

    def create_database(self, name: str, template: str | None = None) -> Urls:
        """A new database of the owner's; with a `template` (to which nobody is connected) a copy of that one."""
        statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self._administer(statement)
        return self.urls(name)

    def ensure_database(self, name: str) -> Urls:
        """The database, made if it is not there."""
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            self.create_database(name)
        return self.urls(name)

    def drop_database(self, name: str) -> None:
        """Gone, with every connection to it."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def urls(self, name: str) -> Urls:
        return Urls(self.url(OWNER, name), self.url(APP, name))

    def url(self, role: str, name: str) -> str:
        return f"postgresql+psycopg://{role}:{self._password(role)}@127.0.0.1:{self.port}/{name}"

    @property
    def home(self) -> Path:
        """The folder that the cluster lies in, and is erased with."""
        return self._its.home

    @property
    def _its(self) -> Cluster:
        if self._cluster is None:
            raise PostgresError("PostgreSQL was not started")
        return self._cluster

    def _password(self, role: str) -> str:
        return self._its.passwords[role]

    def _administer(self, statement: sql.SQL | sql.Composed) -> None:
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, password=self._password(SUPERUSER),
            dbname="postgres", connect_timeout=5, autocommit=True,
        )  # fmt: skip

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _command(self, its: Cluster) -> list[str]:
        settings = _SETTINGS if self._durable else {**_SETTINGS, **_NOT_DURABLE}
        command = [str(its.program("postgres")), "-D", str(its.data), "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _open(self) -> Cluster:
        """The cluster, ours alone and with nothing running on it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._lock is None:
            lock = os.open(self.folder / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                raise PostgresError(f"another process uses the database in {self.folder}") from None
            self._lock = lock
        its = Cluster.of(self.folder)
        _stop_leftover(its)
        return its

    def _make_roles(self) -> None:
        for role in (OWNER, APP):
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            with contextlib.suppress(psycopg.errors.DuplicateObject):
                self._administer(statement.format(sql.Identifier(role), sql.Literal(self._password(role))))

    def erase(self) -> None:
        """Removes the cluster and all its data, if there is one. Only while stopped."""
        if cluster.is_kept(self.folder):
            self._open().erase()
            self.stop()


def _stop_leftover(its: Cluster) -> None:
    """Ends a postmaster that outlived its supervisor, and no other process: the file may be older than the boot."""
    file = its.data / "postmaster.pid"
    if not file.exists():
        return
    pid = int(file.read_text().split()[0])
    words = command_line(pid)
    if "postgres" in words and str(its.data) in words:
        os.kill(pid, signal.SIGINT)
        patience = time.monotonic() + 15
        while identity(pid) is not None:
            if time.monotonic() > patience:
                os.kill(pid, signal.SIGQUIT)
            time.sleep(0.02)
    file.unlink(missing_ok=True)


def check_external(url: str) -> int:
    """The version number (180004 is 18.4) of somebody's own database. Raises PostgresError when it will not do."""
    try:
        with psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=5) as connection:
            number = connection.info.server_version
    except psycopg.OperationalError as error:
        raise PostgresError(f"the database does not answer: {str(error).strip()}") from error
    if number < MINIMUM * 10_000:
        raise PostgresError(f"PostgreSQL {number // 10_000} is too old: {MINIMUM} or newer is needed")
    return number


def sqlalchemy_url(url: str) -> str:
    """Any usual spelling of a PostgreSQL URL, as SQLAlchemy wants it."""
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}"
