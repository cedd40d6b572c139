"""Postgres and Temporal restored to different instants: reconciliation brings both level, and no effect is repeated.

Of three orders one goes on from instant A to be handed over, one to be labelled and captured, and one is placed after.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from cli.cluster import SUPERUSER
from cli.postgres import Postgres
from cli.reconcile import reconcile_running
from models.clock import SystemClock
from models.db import Database
from models.stores.sweeps import SweepStore
from tests.conftest import MovableClock, fresh_database
from tests.journey import Journey
from tests.oracle import assert_conserved
from tests.reconcile.backup import Backup
from tests.reconcile.reconciling import Reconciling
from tests.replay.histories import until_at_rest
from tests.shop import Shop
from tests.stack import Stack, stack_in
from workers.mending_vendors import EASYPOST, STRIPE
from workers.reconciliation import EVERY
from workflows.options import TASK_QUEUE_ORDERS, TASK_QUEUE_SHIPPING

NODE = "warehouse"


@pytest.fixture(scope="module")
def vault(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this module's own, since all of it is put back in time."""
    with (
        fresh_database(postgres) as urls,
        stack_in(tmp_path_factory.mktemp("vault"), urls, SystemClock(), durable=True) as stack,
    ):
        yield stack


def as_superuser(postgres: Postgres, vault: Stack) -> str:
    return postgres.url(SUPERUSER, vault.urls.owner.rpartition("/")[2])


@dataclass
class Orders:
    """What instant A and instant B have of the same orders."""

    stack: Stack
    api: httpx.AsyncClient
    shop: Shop
    handed: Journey
    labelled: Journey
    after: Journey

    @property
    def node(self) -> str:
        return self.shop.node(NODE)

    @classmethod
    async def at_a(cls, stack: Stack, api: httpx.AsyncClient, shop: Shop) -> "Orders":
        async with stack.worker():
            first, second = [await accepted(stack, api, shop) for _ in range(2)]
        return cls(stack, api, shop, first, second, first)

    async def pack(self) -> None:
        """Before A: no label is bought yet, since nobody is there to do it."""
        async with self.stack.worker(queues=(TASK_QUEUE_ORDERS,)):
            for order in (self.handed, self.labelled):
                await order.done(await order.shipment_at(self.node, "accepted"), "pack")

    async def at_b(self) -> None:
        async with self.stack.worker(queues=(TASK_QUEUE_ORDERS, TASK_QUEUE_SHIPPING)):
            for order in (self.handed, self.labelled):
                shipment = await order.shipment_at(self.node, "accepted", "packed", "labelled")
                if shipment["stage"] == "accepted":
                    await order.done(shipment, "pack")
                await order.shipment_at(self.node, "labelled")
        async with self.stack.worker():
            parcel = await self.handed.shipment_at(self.node, "captured")
            await self.handed.done(parcel, "hand-over")
            await self.handed.carry(parcel["tracking"]["code"], "in_transit")
            self.after = await accepted(self.stack, self.api, self.shop)

    async def assert_level(self, *orders: Journey) -> None:
        """Each goes on to its end, charged once and labelled once."""
        for order in orders:
            stage = (await order.order())["shipments"][0]["stage"]
            if stage == "accepted":
                await order.ship_from(self.node)
            elif stage != "handed_over":
                await order.done(await order.shipment_at(self.node, "captured"), "hand-over")
            await order.deliver_from(self.node)
            await order.until_status("delivered")
            captured = [capture["amount"] for intent in await order.intents() for capture in intent["captures"]]
            assert (captured, len(await order.labels())) == ([self.shop.total(1)], 1)
        await assert_conserved(self.stack, [order.order_id for order in orders])


async def accepted(stack: Stack, api: httpx.AsyncClient, shop: Shop) -> Journey:
    order = await Journey.place(stack, api, shop.cart(shop.sku("one")))
    await order.shipment_at(shop.node(NODE), "accepted")
    await until_at_rest(await stack.client(), order.order_id)
    return order


@pytest.fixture
async def orders(vault: Stack) -> AsyncIterator[Orders]:
    db = Database(vault.urls.app, pool_size=2)
    shop = Shop(db).open()
    shop.stock("one", **{NODE: 5})
    for read in (STRIPE, EASYPOST):  # the test before has read ahead of the clock
        SweepStore(db, vault.clock).move(read, None)
    async with vault.api() as api:
        yield await Orders.at_a(vault, api, shop)
    db.dispose()


@pytest.fixture
def reconciling(vault: Stack, later: MovableClock) -> Iterator[Reconciling]:
    with Reconciling.on(vault, later) as made:
        yield made


@pytest.mark.parametrize(("stage", "tell_first"), [("accepted", True), ("packed", True), ("packed", False)])
async def test_both_are_level_when_postgres_was_restored_to_before(
    vault: Stack, orders: Orders, postgres: Postgres, reconciling: Reconciling, *, stage: str, tell_first: bool
):
    reconciling.tell_first = tell_first
    if stage == "packed":
        await orders.pack()
    kept = Backup.of(vault.urls.owner)
    await orders.at_b()
    kept.put_back(as_superuser(postgres, vault))
    assert [s["stage"] for s in (await orders.handed.order())["shipments"]] == [stage]
    async with vault.worker():
        await reconciling.until_level(orders.handed, orders.labelled)
        await reconciling.round()
        await orders.handed.shipment_at(orders.node, "handed_over")  # as the carrier says
        assert [c["amount"] for i in await orders.handed.intents() for c in i["captures"]] == [orders.shop.total(1)]
        await orders.assert_level(orders.handed, orders.labelled)
        (forgotten,) = await orders.after.intents()
        assert (forgotten["status"], await owners(orders.api, orders.after)) == ("canceled", ["cs"])
        await assert_conserved(vault)


async def test_what_was_cancelled_does_not_leave_and_nothing_is_given_back_twice_when_postgres_forgot_it(
    vault: Stack, orders: Orders, postgres: Postgres, reconciling: Reconciling
):
    voided, refunded, node = orders.handed, orders.labelled, orders.node
    async with vault.worker():
        await refunded.done(await refunded.shipment_at(node, "accepted"), "pack")
        await refunded.shipment_at(node, "captured")
        kept = Backup.of(vault.urls.owner)
        for order in (voided, refunded):
            await order.cancel()
    kept.put_back(as_superuser(postgres, vault))
    async with vault.worker():
        for _ in range(3):
            await reconciling.round()
        for order in (voided, refunded):
            assert (await order.until_status("on_hold"))["shipments"][0]["stage"] != "handed_over"
            assert await cases(orders.api, order) == [("payment_contradicts", "cs")]
            await order.cancel()  # as CS finds that it was
        await assert_conserved(vault, [voided.order_id, refunded.order_id])
    (intent,) = await refunded.intents()
    assert [refund["amount"] for refund in intent["refunds"]] == [orders.shop.total(1)]


async def test_every_part_has_looked_and_says_what_it_mended_when_somebody_asks_for_it_now(
    vault: Stack, orders: Orders, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SHELFWAY_DATABASE_URL", vault.urls.app)
    monkeypatch.setenv("SHELFWAY_STRIPE_API_BASE", vault.stripe.url)
    monkeypatch.setenv("SHELFWAY_EASYPOST_API_BASE", vault.easypost.url)
    async with vault.worker():
        assert await asyncio.to_thread(reconcile_running) == 0
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines() if len(line.split()) == 2)
    assert set(printed) >= set(EVERY)
    assert printed["hear_stripe"].isdecimal()
    monkeypatch.setenv("SHELFWAY_STRIPE_API_BASE", "http://127.0.0.1:9")
    async with vault.worker():
        assert await asyncio.to_thread(reconcile_running) == 1
    assert "hear_stripe            VendorUnavailableError" in capsys.readouterr().out


async def cases(api: httpx.AsyncClient, order: Journey) -> list[tuple[str, str]]:
    found = (await api.get("/v1/cases", params={"order": order.order_id})).json()["data"]
    return [(case["type"], case["owner"]) for case in found]


async def owners(api: httpx.AsyncClient, order: Journey) -> list[str]:
    """Whose case an order is that Postgres does not know."""
    cases = (await api.get("/v1/cases", params={"type": "unknown_fact", "limit": 100})).json()["data"]
    return [case["owner"] for case in cases if case["subject"] == order.order_id]


@asynccontextmanager
async def temporal_of_a(stack: Stack) -> AsyncIterator[None]:
    """What Temporal holds at the beginning of the block is what it holds after it."""
    folder = stack.temporal.folder
    stack.temporal.stop()
    shutil.copytree(folder, folder.with_name("of_a"))
    stack.temporal.start()
    yield
    stack.temporal.stop()
    shutil.rmtree(folder)
    folder.with_name("of_a").rename(folder)
    stack.temporal.start()


async def test_both_are_level_when_temporal_was_restored_to_before(
    vault: Stack, orders: Orders, reconciling: Reconciling
):
    async with temporal_of_a(vault):
        await orders.at_b()
    async with vault.worker():
        await reconciling.until_level(orders.handed, orders.labelled, orders.after)
        await orders.assert_level(orders.handed, orders.labelled, orders.after)
