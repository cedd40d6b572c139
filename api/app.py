"""The composition root of the HTTP API: builds the stores once, mounts the routers, and nothing else.

Run it as `uvicorn api.app:create_app --factory`.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from api import errors, openapi
from api.deps import callers, known_caller
from api.middleware import Envelope
from api.routes import cases, catalogue, health, inventory, locations, orders, quotes, returns, shipments
from api.runs import Runs, TemporalRuns
from api.webhooks import easypost, stripe
from models.clock import Clock, SystemClock
from models.config import Settings
from models.db import Database
from models.messages.timings import OrderTimings
from models.stores.cases import CaseStore
from models.stores.catalogue import CatalogueStore
from models.stores.commands import CommandStore
from models.stores.fulfilment import Fulfilment
from models.stores.intake import IntakeStore
from models.stores.locations import LocationsStore
from models.stores.orders import OrderStore
from models.stores.readers import OrderReader
from models.stores.requests import RequestStore
from models.stores.return_reader import ReturnReader
from models.stores.returns import ReturnStore
from models.stores.shipment_reader import ShipmentReader
from models.stores.sourcing import SourcingStore
from models.stores.stock import StockStore

DESCRIPTION = """Every shelf is a place to ship from: one API for storefronts, customer service, stores and operations.

Money is an integer of the currency's smallest unit. Times are UTC. Every error is `application/problem+json` with a
stable `code`. A `POST` that moves money or stock wants an `Idempotency-Key`."""


_KEYED = (quotes, orders, shipments, returns, cases, inventory, catalogue, locations)
_OPEN = (stripe, easypost, health)  # signed, or nobody's business


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, temporal: Runs | None = None
) -> FastAPI:
    """The API. Without arguments: settings of the environment, the machine's clock, and Temporal at the first need."""
    settings = settings or _of_the_environment()
    app = FastAPIOffline(
        title="Shelfway",
        version="0.1.0",
        description=DESCRIPTION,
        openapi_tags=openapi.TAGS,
        generate_unique_id_function=openapi.operation_id,
        lifespan=_lifespan,
    )
    compose(app, settings, clock or SystemClock(), temporal or TemporalRuns())
    errors.install(app)
    app.add_middleware(Envelope)
    for module in _KEYED:
        app.include_router(module.router, dependencies=[Depends(known_caller)])
    for module in _OPEN:
        app.include_router(module.router)
    app.openapi = lambda: openapi.describe(app)
    return app


def _of_the_environment() -> Settings:
    """Ends the process with one sentence where what everybody knows would let people at something real."""
    settings = Settings()  # pyright: ignore[reportCallIssue] (the environment has the required ones)
    if why := settings.unsafe():
        raise SystemExit(f"The API does not start: {why}")
    return settings


def compose(app: FastAPI, settings: Settings, clock: Clock, runs: Runs) -> None:
    """Put what the routes need on `app.state`: once a process, once a test."""
    database = Database(settings.database_url, lock_timeout=1000, statement_timeout=2000)
    requests = RequestStore(database, clock)
    stock = StockStore()
    state = app.state
    state.settings = settings
    state.clock = clock
    state.runs = runs
    state.database = database
    state.callers = callers(settings.api_keys)
    state.requests = requests
    timings = OrderTimings.model_validate(settings.waits)
    state.intake = IntakeStore(database, clock, requests, timings)
    state.commands = CommandStore(database, clock, requests)
    state.readers = OrderReader(database)
    state.stock = stock
    state.orders = OrderStore(database, clock, Fulfilment(stock, SourcingStore(stock)), link=settings.public_url)
    state.returns = ReturnStore(database, clock, stock, requests, link=settings.public_url)
    state.return_reader = ReturnReader(database)
    state.shipments = ShipmentReader(database)
    state.cases = CaseStore(database, clock)
    state.catalogue = CatalogueStore(database, clock)
    state.locations = LocationsStore(database, clock)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    yield
    app.state.database.dispose()
