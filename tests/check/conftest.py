"""A few orders that have really lived, once a session; each test gets a copy of what they left, to spoil it."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text
from temporalio.client import Client

from cli.check import examine
from cli.http import ApiClient
from cli.postgres import Postgres
from cli.sandboxes import EASYPOST, STRIPE, Sandbox
from cli.temporal import Temporal
from models.clock import SystemClock
from models.conservation import Finding, Report
from models.db import Database
from models.messages.timings import OrderTimings
from models.quotes import Wanted
from models.stores.commands import CommandStore, NewCommand, Recorded
from models.stores.intake import Accepted, Buyer, Checkout, Destination, IntakeStore
from models.stores.requests import RequestKey, RequestStore
from models.words import CommandKind, Role
from tests.conftest import _TEMPLATE
from tests.journey import eventually
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack
from workers.engine import Ledgers
from workflows import client as runs
from workflows.search import REGISTERED

_SOURCE = "lived"
_numbers = count(1)
WAIT = 20.0  # seconds for a verdict or an outcome


@dataclass
class World:
    """`orders` by what became of them: sold (two parcels on their way), waiting (to be packed), cancelled, declined."""

    stack: Stack
    postgres: Postgres
    orders: dict[str, str] = field(default_factory=dict)


@dataclass
class Copy:
    """What the world left, for one test to spoil. Temporal is the world's; the sandboxes are, until `sandbox` is asked."""

    stack: Stack
    orders: dict[str, str]
    folder: Path
    closing: ExitStack

    def plant(self, *statements: str) -> None:
        """As the owner, who may do what the application may not. The orders are `:sold`, `:waiting`, ..."""
        engine = create_engine(self.stack.urls.owner, poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), self.orders)

    def one(self, query: str) -> Any:
        engine = create_engine(self.stack.urls.owner, poolclass=NullPool)
        with engine.begin() as connection:
            return connection.execute(text(query), self.orders).scalar_one()

    def own_sandbox(self, vendor: str) -> ApiClient:
        """A sandbox of the test's own, with all that the world's did; its API."""
        worlds: Sandbox = getattr(self.stack, vendor)
        folder = self.folder / vendor
        folder.mkdir()
        with (
            closing(sqlite3.connect(worlds.ledger)) as theirs,
            closing(sqlite3.connect(folder / f"{vendor}.db")) as mine,
        ):
            theirs.backup(mine)
        copy = self.closing.enter_context(Sandbox(vendor, folder))
        self.stack = replace(self.stack, **{vendor: copy})
        return ApiClient(copy.url, key="sk_test_sandbox")

    async def report(self, **options: Any) -> Report:
        return await examine(
            self.stack.urls.app, self.stack.stripe.url, self.stack.easypost.url, await self.stack.client(), **options
        )

    async def findings(self, **options: Any) -> list[Finding]:
        return (await self.report(**options)).findings


@pytest.fixture(scope="session")
async def world(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    urls = postgres.create_database(_SOURCE, template=_TEMPLATE)
    with (
        Temporal(folder / "temporal", REGISTERED, durable=False) as temporal,
        Sandbox(STRIPE, folder / "stripe") as stripe,
        Sandbox(EASYPOST, folder / "easypost") as easypost,
    ):
        world = World(Stack(urls, temporal, stripe, easypost, SystemClock()), postgres)
        db = Database(urls.app, pool_size=4)
        try:
            async with world.stack.worker() as books:
                await Living(world, db, books, await world.stack.client()).live()
                await assert_conserved(world.stack)
        finally:
            db.dispose()
        yield world


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Iterator[Copy]:
    name = f"copy_{next(_numbers)}"
    urls = world.postgres.create_database(name, template=_SOURCE)
    with ExitStack() as ending:
        yield Copy(replace(world.stack, urls=urls), world.orders, tmp_path, ending)
    world.postgres.drop_database(name)
    shutil.rmtree(tmp_path)


@dataclass
class Living:
    """Plays everybody who acts on the world's orders."""

    world: World
    db: Database
    books: Ledgers
    client: Client
    shop: Shop = field(init=False)

    async def live(self) -> None:
        self.shop = Shop(self.db).open()
        lip, serum = self.shop.stock("lip", warehouse=9), self.shop.stock("serum", far_warehouse=9)
        orders = self.world.orders
        orders["sold"] = await self.place(lip, lip, serum)
        await self.each_shipment(orders["sold"], self.send)
        orders["waiting"] = await self.place(lip, serum)
        orders["cancelled"] = await self.place(lip)
        await self.command(CommandKind.CANCEL, order_id=orders["cancelled"])
        orders["refunded"] = await self.place(lip)
        await self.each_shipment(orders["refunded"], self.pay_for)
        await self.command(CommandKind.CANCEL, order_id=orders["refunded"])
        orders["declined"] = await self.place(lip, payment="pm_card_visa_chargeDeclined")

    async def place(self, *skus: str, payment: str = "pm_card_visa") -> str:
        """An order that has its verdict."""
        clock = self.world.stack.clock
        requests = RequestStore(self.db, clock)
        cart = self.shop.cart(*skus, payment=payment)
        checkout = Checkout(
            brand_id=cart["brand"],
            channel="web",
            buyer=Buyer(**cart["customer"]),
            ship_to=Destination(**cart["ship_to"]),
            lines=tuple(Wanted(line["sku"], line["quantity"]) for line in cart["lines"]),
            expected_total=cart["expected_total"],
            speed="standard",
            payment_method=payment,
        )
        key = RequestKey("test", f"order-{len(self.world.orders)}", "f")
        taken = IntakeStore(self.db, clock, requests, OrderTimings()).place(checkout, key, "test")
        assert isinstance(taken, Accepted)
        assert await runs.check_out(self.client, self.books.orders.run_input(taken.order_id), WAIT)
        self.books.orders.started(taken.order_id)
        return taken.order_id

    async def each_shipment(self, order_id: str, act: Callable[[str], Awaitable[None]]) -> None:
        query = text("SELECT id FROM shipments WHERE order_id = :id ORDER BY position")
        for shipment_id in self.db.transaction(lambda session: session.scalars(query, {"id": order_id}).all()):
            await act(shipment_id)

    async def pay_for(self, shipment_id: str) -> None:
        self.books.orders.pick(shipment_id, "test")
        await self.command(CommandKind.PACK, shipment_id=shipment_id)
        await eventually(lambda: self.is_paid(shipment_id))

    async def send(self, shipment_id: str) -> None:
        """Picked, packed, and given to the carrier once it is paid for."""
        await self.pay_for(shipment_id)
        await self.command(CommandKind.HAND_OVER, shipment_id=shipment_id)

    async def is_paid(self, shipment_id: str) -> bool:
        query = text("SELECT captured_at IS NOT NULL FROM shipments WHERE id = :id")
        return self.db.transaction(lambda session: bool(session.execute(query, {"id": shipment_id}).scalar_one()))

    async def command(self, kind: CommandKind, **about: str) -> None:
        commands = CommandStore(self.db, self.world.stack.clock, RequestStore(self.db, self.world.stack.clock))
        recorded = commands.record(NewCommand(kind, Role.OPS, "test", "test", **about), None)
        assert isinstance(recorded, Recorded)
        outcome = await runs.command(self.client, recorded.order_id, recorded.asked, WAIT)
        assert outcome is not None
        assert outcome.done, outcome
