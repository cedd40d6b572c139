"""Everything real around a test: Postgres, Temporal, both sandboxes, the API over HTTP, the relay, and workers.

A test makes its own goods, so tests share one stack and do not meet. `Stack.api(waits)` is a client whose orders have
those waits; `Stack.worker(...)` runs a worker of one's own in this process.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from temporalio.client import Client

from api.app import create_app
from cli.postgres import Urls
from cli.sandboxes import EASYPOST, STRIPE, Sandbox
from cli.temporal import Temporal
from models.clock import Clock
from models.config import Settings
from models.db import Database
from workers.engine import Ledgers, gateways, ledgers, workers
from workers.relay import Relay, TemporalRuns
from workers.sinks import LogSink
from workflows.client import ShelfwayPlugin
from workflows.search import REGISTERED

KEYS: dict[str, dict[str, Any]] = {
    f"test-{role}": {"role": role, "id": f"test-{role}"} for role in ("storefront", "cs", "ops", "admin", "store")
}

# A task of a killed worker is given to another after 3 s: production's 10 would be most of a kill test's time.
_KILLED_SOON = ("--dynamic-config-value", 'history.defaultWorkflowTaskTimeout="3s"')


@dataclass
class Stack:
    urls: Urls
    temporal: Temporal
    stripe: Sandbox
    easypost: Sandbox
    clock: Clock
    base: str = ""

    @property
    def settings(self) -> Settings:
        return self.settings_with({})

    def settings_with(self, waits: dict[str, Any]) -> Settings:
        return Settings(
            database_url=self.urls.app,  # pyright: ignore[reportCallIssue]
            public_url=self.base,
            stripe_api_base=self.stripe.url,
            easypost_api_base=self.easypost.url,
            api_keys=KEYS,
            waits=waits,
        )

    async def client(self) -> Client:
        return await Client.connect(self.temporal.address, plugins=[ShelfwayPlugin()])

    @asynccontextmanager
    async def api(
        self, waits: dict[str, Any] | None = None, key: str = "test-admin"
    ) -> AsyncIterator[httpx.AsyncClient]:
        """An API of its own in this process; the orders that it takes have these waits."""
        app = create_app(self.settings_with(waits or {}), clock=self.clock)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://api", headers={"Authorization": f"Bearer {key}"}
            ) as client,
        ):
            yield client

    @asynccontextmanager
    async def worker(self, **options: Any) -> AsyncIterator[Ledgers]:
        """A worker on every queue in this event loop; yields its ledgers, for a look at what Postgres holds."""
        db = Database(self.urls.app, pool_size=32)
        books = ledgers(db, self.clock, link=self.base)
        running = workers(await self.client(), books, gateways(self.settings), **options)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(db.dispose)
            for worker in running:
                await stack.enter_async_context(worker)
            yield books


def calling(url: str = "", **options: Any) -> httpx.AsyncClient:
    """A client that waits for as long as a busy machine may take: httpx gives up after five seconds."""
    return httpx.AsyncClient(base_url=url, timeout=60, **options)


@asynccontextmanager
async def failing(vendor: str, path: str, **fault: Any) -> AsyncIterator[None]:
    """The vendor refuses to do this, whatever is tried, until the end of the block."""
    async with calling(vendor) as admin:
        always = {"kind": "error", "status": 400, "method": "POST", "path": path, "times": None}
        armed = (await admin.post("/_admin/faults", json=always | fault)).json()
        try:
            yield
        finally:
            await admin.delete(f"/_admin/faults/{armed['id']}")


@contextlib.contextmanager
def serving(stack: Stack, sock: socket.socket) -> Iterator[None]:
    """The API over real HTTP, where the sandboxes send their webhooks, in a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(create_app(stack.settings, clock=stack.clock), log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[sock])), daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the API did not start")
            threading.Event().wait(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def relaying(stack: Stack) -> Iterator[None]:
    """The relay as its leader, in a thread of its own."""
    db = Database(stack.urls.app, pool_size=4)
    loop = asyncio.new_event_loop()
    relay = Relay(db, stack.clock, TemporalRuns(), LogSink(), link=stack.base)
    task = loop.create_task(relay.lead())

    def run() -> None:
        asyncio.set_event_loop(loop)
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        db.dispose()


@contextlib.contextmanager
def stack_in(
    folder: Path, urls: Urls, clock: Clock, *, durable: bool = False, patient: bool = False
) -> Iterator[Stack]:
    """`durable`: Temporal can be stopped and started, and still has every run. `patient`: it waits as in production."""
    with contextlib.ExitStack() as up:
        sock = up.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{sock.getsockname()[1]}"
        temporal = up.enter_context(
            Temporal(folder / "temporal", REGISTERED, durable=durable, extra=() if patient else _KILLED_SOON)
        )
        stripe = up.enter_context(
            Sandbox(STRIPE, folder / "stripe", webhook_url=f"{base}/webhooks/stripe", webhook_secret="whsec_sandbox")
        )
        easypost = up.enter_context(
            Sandbox(EASYPOST, folder / "easypost", webhook_url=f"{base}/webhooks/easypost", webhook_secret="sandbox")
        )
        stack = Stack(urls, temporal, stripe, easypost, clock, base)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TEMPORAL_ADDRESS", temporal.address)
            up.enter_context(serving(stack, sock))
            up.enter_context(relaying(stack))
            yield stack
