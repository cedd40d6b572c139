"""The EasyPost sandbox as one ASGI app: puts the pieces together and keeps the clock's work going."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from sandbox.admin import Admin
from sandbox.asgi import App
from sandbox.clock import Clock
from sandbox.delivery import DELIVERY_TABLES, Deliveries, Endpoint
from sandbox.easypost import oracle, pages
from sandbox.easypost.api import Api
from sandbox.easypost.errors import error_body
from sandbox.easypost.events import Events, sign
from sandbox.easypost.http import Call, Reply, api, refuse_unhandled
from sandbox.easypost.refunds import DAY, Refunds
from sandbox.easypost.shipments import Shipments
from sandbox.easypost.store import TABLES, Store
from sandbox.easypost.trackers import Trackers
from sandbox.easypost.webhooks import Webhooks
from sandbox.faults import FaultMiddleware, Faults
from sandbox.journal import JOURNAL_TABLE, Journal
from sandbox.ledger import Ledger
from sandbox.settings import Settings, Value

SETTINGS: Mapping[str, Value] = {
    "tracker_step": 0.0,  # seconds of the sandbox's clock for one step of a parcel; 0: only by an admin
    "auto_scan_after": 0.0,  # seconds from purchase to the carrier's first scan; 0: never by itself
    "tracker_created_events": True,
    "refund_answer": "submitted",  # to a request: submitted, refunded, rejected or not_applicable
    "refund_result": "refunded",  # what a submitted one becomes: refunded or rejected
    "refund_seconds": 15 * DAY,  # after so much of the sandbox's clock
}
TICK = 0.25  # seconds of real time between looks at what is due


def create_app(
    ledger_path: str | Path,
    *,
    webhook_url: str | None = None,
    webhook_secret: str = "",
    tracker_step: float | None = None,
) -> App:
    """The app with its own ledger; given options override what the ledger remembers."""
    ledger = Ledger(ledger_path, DELIVERY_TABLES + JOURNAL_TABLE + TABLES)
    clock, settings, faults = Clock(ledger), Settings(ledger, SETTINGS), Faults()
    deliveries = Deliveries(ledger, settings, sign)
    if webhook_url:
        deliveries.put_endpoint(Endpoint("hook_start", webhook_url, webhook_secret, created=clock.now()))
    if tracker_step is not None:
        settings.update({"tracker_step": tracker_step})
    store = Store(ledger)
    events = Events(store, clock, deliveries)
    trackers = Trackers(store, clock, settings, events)
    refunds = Refunds(store, clock, settings, events)
    shipments = Shipments(store, clock, trackers)

    def tick() -> None:
        trackers.tick()
        refunds.tick()

    clock.listeners.append(tick)
    admin = Admin("easypost", ledger, clock, faults, settings, deliveries, lambda query: oracle.view(ledger, query))
    routes: list[BaseRoute] = [
        *pages.routes(shipments, trackers),
        *_carrier_routes(trackers, refunds),
        *admin.routes(),
        *Api(store, clock, shipments, trackers, refunds, Webhooks(deliveries, clock)).routes(),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        tasks = [asyncio.create_task(deliveries.run()), asyncio.create_task(_tick_forever(tick))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        ledger.close()

    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: refuse_unhandled})
    return FaultMiddleware(Journal(app, ledger, settings, clock), faults, error_body)


def _carrier_routes(trackers: Trackers, refunds: Refunds) -> list[Route]:
    """The admin plays the carrier: parcels move, refunds are decided."""

    def advance(call: Call) -> Reply:
        return 200, trackers.advance(call.path["tracking_code"], call.body)

    def settle(call: Call) -> Reply:
        return 200, refunds.settle(call.path["tracking_code"], str(call.body.get("status")))

    table = (("parcels/{tracking_code}/advance", advance), ("refunds/{tracking_code}", settle))
    return [Route(f"/_admin/{path}", api(handler, needs_key=False), methods=["POST"]) for path, handler in table]


async def _tick_forever(tick: Callable[[], None]) -> None:
    while True:
        tick()
        await asyncio.sleep(TICK)
