"""The API over a real database, with a stand-in for the orders' runs that writes what a run would have written."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, insert, select, update

from api.app import compose, create_app
from cli.postgres import Urls
from models.config import Settings
from models.db import Database
from models.messages.commands import Asked, CommandOutcome
from models.messages.order import CheckoutAnswer, OrderInput, RunView
from models.messages.returns import ReturnFacts, ReturnInput
from models.mint import mint
from models.tables.catalogue import Brand, Price, PriceList, Product, ShippingRate, TaxRate, Variant
from models.tables.messages import Event
from models.tables.orders import Order, OrderUnit
from models.tables.shipments import Label, Shipment
from models.tables.stock import Location
from models.words import LocationKind, OrderStatus, Stage, UnitState, Verdict

KEYS: dict[str, dict[str, Any]] = {
    "shop": {"role": "storefront", "id": "shop"},
    "shop-2": {"role": "storefront", "id": "shop-2"},
    "agent": {"role": "cs", "id": "agent"},
    "ops": {"role": "ops", "id": "ops"},
    "soho": {"role": "store", "id": "soho", "location_id": "loc_soho"},
    "lost": {"role": "store", "id": "lost"},
}

CART: dict[str, Any] = {
    "brand": "brand_aurelle",
    "customer": {"email": "mara@example.com", "name": "Mara Lindqvist"},
    "ship_to": {"street": "1 Main St", "city": "New York", "state": "NY", "postcode": "10013", "country": "US"},
    "lines": [{"sku": "LIP-1", "quantity": 2}],
    "payment": {"payment_method": "pm_card_visa"},
    "expected_total": 6595,
}


@dataclass
class FakeRuns:
    """Runs that answer as told: a verdict written to the order's row as a run's activities would, or silence."""

    database: Database
    verdict: Verdict | None = Verdict.CONFIRMED
    detail: dict[str, Any] = field(default_factory=dict)
    outcome: CommandOutcome | None = field(default_factory=lambda: CommandOutcome(done=True, code="done"))
    up: bool = True
    running: RunView | None = None
    asked: list[Any] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def check_out(self, order: OrderInput, wait: float) -> CheckoutAnswer | None:
        self.asked.append(order)
        self.waits.append(wait)
        if self.verdict is None:
            return None
        decide(self.database, order.order_id, self.verdict, self.detail)
        return CheckoutAnswer(verdict=self.verdict, status=OrderStatus.PENDING)

    async def command(self, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None:
        self.asked.append(asked.cancel or asked)
        return self.outcome

    async def begin_return(self, order: ReturnInput, wait: float) -> ReturnFacts | None:
        self.asked.append(order)
        return None

    async def view(self, order_id: str) -> RunView | None:
        return self.running

    async def answers(self) -> bool:
        return self.up


def decide(database: Database, order_id: str, verdict: Verdict, detail: dict[str, Any] | None = None) -> None:
    """A run's verdict on an order, as its recording transaction leaves it."""
    good = verdict in (Verdict.CONFIRMED, Verdict.REQUIRES_ACTION)
    status = {Verdict.CONFIRMED: OrderStatus.CONFIRMED, Verdict.REQUIRES_ACTION: OrderStatus.PENDING}.get(
        verdict, OrderStatus.FAILED
    )
    values = {"verdict": verdict, "verdict_detail": detail or {}, "status": status, "revision": Order.revision + 1}
    if verdict is Verdict.CONFIRMED:
        values["confirmed_at"] = Order.created_at
    mine = update(Order).where(Order.id == order_id, Order.verdict.is_(None)).values(**values)
    cancelled = update(OrderUnit).where(OrderUnit.order_id == order_id).values(state=UnitState.CANCELLED)
    database.transaction(lambda s: [s.execute(mine)] + ([] if good else [s.execute(cancelled)]))


@dataclass
class Api:
    """A client for each key, and what stands behind them."""

    app: FastAPI
    http: httpx.AsyncClient
    runs: FakeRuns
    database: Database
    clock: Any

    async def call(self, method: str, path: str, *, by: str = "ops", key: str | None = None, **more: Any):
        headers = {"Authorization": f"Bearer {by}", **more.pop("headers", {})}
        if "content" in more:
            headers = {"Content-Type": "application/json", **headers}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.http.request(method, path, headers=headers, **more)

    async def place(self, key: str = "key-1", by: str = "shop", **changes: Any):
        return await self.call("POST", "/v1/orders", by=by, key=key, json={**CART, **changes})

    def count(self, table: Any) -> int:
        return self.database.transaction(lambda s: s.scalar(select(func.count()).select_from(table)))

    def ship(self, order_id: str, location: str = "loc_soho", stage: Stage = Stage.OFFERED) -> str:
        """A shipment of all the order's units, as planning leaves it."""
        shipment_id = mint("shp")

        def work(session) -> None:
            session.execute(
                insert(Shipment).values(
                    id=shipment_id,
                    order_id=order_id,
                    position=1,
                    location_id=location,
                    stage=stage,
                    created_at=self.clock.now(),
                    handed_over_at=self.clock.now() if stage is Stage.HANDED_OVER else None,
                )
            )
            session.execute(
                update(OrderUnit)
                .where(OrderUnit.order_id == order_id)
                .values(shipment_id=shipment_id, state=UnitState.RESERVED)
            )

        self.database.transaction(work)
        return shipment_id

    def label(self, order_id: str, shipment_id: str, url: str) -> None:
        row = {
            "key": f"{order_id}:{shipment_id}:label:1",
            "shipment_id": shipment_id,
            "carrier": "USPS",
            "service": "Ground",
            "tracking_code": f"94{shipment_id}",
            "url": url,
            "planned_at": self.clock.now(),
            "bought_at": self.clock.now(),
        }
        self.database.transaction(lambda s: s.execute(insert(Label).values(**row)))

    def tell(self, order_id: str, seq: int, kind: str) -> None:
        row = {"aggregate": order_id, "seq": seq, "type": kind, "data": {}, "actor": "shelfway", "at": self.clock.now()}
        self.database.transaction(lambda s: s.execute(insert(Event).values(**row)))


@pytest.fixture
def shop(database: Database, clock: Any) -> Database:
    """The least that can be sold: one lipstick for 28.00 net in New York, with 8.875 % tax and 4.98 shipping."""
    now = clock.now()

    def work(session) -> None:
        session.execute(insert(Brand).values(id="brand_aurelle", name="Aurelle"))
        session.execute(
            insert(Product).values(
                id="prod_lip", brand_id="brand_aurelle", title="Lipstick", category="lips", created_at=now
            )
        )
        session.execute(
            insert(Variant).values(sku="LIP-1", product_id="prod_lip", title="Lipstick <Rosewood>", created_at=now)
        )
        session.execute(
            insert(PriceList).values(
                id="pl_us", brand_id="brand_aurelle", country="US", currency="usd", includes_tax=False
            )
        )
        session.execute(insert(Price).values(price_list_id="pl_us", sku="LIP-1", amount=2800))
        session.execute(
            insert(ShippingRate).values(
                id="rate_1",
                price_list_id="pl_us",
                zone="*",
                speed="standard",
                title="Standard",
                amount=498,
                transit_days=3,
            )
        )
        session.execute(insert(TaxRate).values(country="US", state="*", basis_points=888, shipping_taxed=False))
        for location in ("loc_soho", "loc_uptown"):
            session.execute(
                insert(Location).values(
                    id=location,
                    name=location,
                    kind=LocationKind.STORE,
                    street="1 Spring St",
                    city="New York",
                    state="NY",
                    postcode="10012",
                    country="US",
                    timezone="America/New_York",
                    created_at=now,
                )
            )

    database.transaction(work)
    return database


@pytest.fixture
def runs(shop: Database) -> FakeRuns:
    return FakeRuns(shop)


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    """The routes, built once: that takes a second."""
    return create_app(Settings(database_url="postgresql+psycopg://nobody@localhost/none"))


@pytest.fixture
def app(routes: FastAPI, urls: Urls, runs: FakeRuns, clock: Any) -> Iterator[FastAPI]:
    settings = Settings(database_url=urls.app, api_keys=KEYS, temporal_ui_url="http://ui.test/namespaces/default")
    compose(routes, settings, clock, runs)
    yield routes
    routes.state.database.dispose()


@pytest.fixture
async def api(app: FastAPI, runs: FakeRuns, shop: Database, clock: Any) -> AsyncIterator[Api]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as http:
        yield Api(app, http, runs, shop, clock)
