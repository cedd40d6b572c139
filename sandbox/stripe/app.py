"""Puts the Stripe sandbox together as one ASGI app: API, authentication page, administration, faults, background."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from starlette.applications import Starlette

from sandbox.admin import Admin
from sandbox.asgi import App, Receive, Scope, Send, json_answer
from sandbox.clock import Clock
from sandbox.delivery import DELIVERY_TABLES, Deliveries
from sandbox.faults import FaultMiddleware, Faults
from sandbox.journal import JOURNAL_TABLE, Journal
from sandbox.ledger import Ledger
from sandbox.settings import Settings
from sandbox.stripe.api import Api
from sandbox.stripe.context import STRIPE_SETTINGS, Sandbox
from sandbox.stripe.errors import api_error_body
from sandbox.stripe.idempotency import IDEMPOTENCY_TABLE, in_use_error
from sandbox.stripe.lapses import forget_old_keys, lapse_due
from sandbox.stripe.store import OBJECT_TABLES, Store
from sandbox.stripe.three_d_secure import ThreeDSecure
from sandbox.stripe.view import view
from sandbox.stripe.webhook_endpoints import sign

TICK = 0.5  # seconds between looks at what is due
TICKS_PER_PRUNE = 600


def open_sandbox(ledger_path: str | Path) -> Sandbox:
    ledger = Ledger(ledger_path, OBJECT_TABLES + IDEMPOTENCY_TABLE + DELIVERY_TABLES + JOURNAL_TABLE)
    settings = Settings(ledger, STRIPE_SETTINGS)
    return Sandbox(ledger, Store(ledger), Clock(ledger), settings, Deliveries(ledger, settings, sign))


def create_app(sandbox: Sandbox) -> App:
    """The whole sandbox; its background work runs inside the ASGI lifespan, and the ledger is closed with it."""
    faults = Faults()
    sandbox.clock.listeners.append(lambda: lapse_due(sandbox))
    admin = Admin(
        "stripe", sandbox.ledger, sandbox.clock, faults, sandbox.settings, sandbox.deliveries,
        lambda query: view(sandbox.ledger, query),
    )  # fmt: skip
    pages = Starlette(
        routes=[*admin.routes(), ThreeDSecure(sandbox).route()],
        lifespan=lambda _: _background(sandbox),
    )
    outer = _InFlight(FaultMiddleware(_Split(pages, Api(sandbox)), faults, api_error_body))
    return Journal(outer, sandbox.ledger, sandbox.settings, sandbox.clock)


@contextlib.asynccontextmanager
async def _background(sandbox: Sandbox) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(sandbox.deliveries.run()), asyncio.create_task(_tick(sandbox))]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    sandbox.ledger.close()


async def _tick(sandbox: Sandbox) -> None:
    while True:
        forget_old_keys(sandbox)
        for _ in range(TICKS_PER_PRUNE):
            lapse_due(sandbox)
            await asyncio.sleep(TICK)


class _Split:
    """The API takes every path that is not the sandbox's own."""

    def __init__(self, pages: App, api: App) -> None:
        self._pages = pages
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] != "http" or scope["path"].startswith(("/_admin", "/_3ds"))
        await (self._pages if own else self._api)(scope, receive, send)


class _InFlight:
    """Refuses a second request under an idempotency key while the first is on its way, also when a fault holds it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._keys: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _idempotency_key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        if key in self._keys:
            error = in_use_error(key)
            await json_answer(error.status, error.body(), {"Idempotency-Key": key}).send(send)
            return
        self._keys.add(key)
        try:
            await self._app(scope, receive, send)
        finally:
            self._keys.discard(key)


def _idempotency_key(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST" or scope["path"].startswith("/_"):
        return None
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            return value.decode("latin-1")
    return None
