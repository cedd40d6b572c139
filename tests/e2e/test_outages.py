"""What is away comes back: no worker, no Temporal. An accepted order keeps its word, and a 503 leaves nothing behind."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from cli.postgres import Postgres
from models.clock import SystemClock
from models.db import Database
from models.tables.messages import Command, IdempotencyKey
from tests.conftest import fresh_database
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack, stack_in

KEY = "Idempotency-Key"


@pytest.fixture(scope="module")
def fragile(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this module's own, whose Temporal keeps its runs while it is away."""
    with (
        fresh_database(postgres) as urls,
        stack_in(tmp_path_factory.mktemp("fragile"), urls, SystemClock(), durable=True) as stack,
    ):
        yield stack


@pytest.fixture
def goods(fragile: Stack) -> Iterator[Shop]:
    db = Database(fragile.urls.app, pool_size=2)
    yield Shop(db).open()
    db.dispose()


@asynccontextmanager
async def temporal_away(stack: Stack) -> AsyncIterator[None]:
    stack.temporal.stop()
    try:
        yield
    finally:
        stack.temporal.start()


def count(db: Database, table: type[Any]) -> int:
    return db.transaction(lambda session: session.scalar(select(func.count()).select_from(table)) or 0)


async def test_the_order_is_accepted_and_confirmed_later_when_no_worker_is_up(
    stack: Stack, http: httpx.AsyncClient, shop: Shop
):
    cart, key = shop.cart(shop.stock("one", warehouse=5)), {KEY: uuid4().hex}
    accepted = await http.post("/v1/orders", json=cart, headers=key)
    assert (accepted.status_code, accepted.json()["status"]) == (202, "pending")
    order = Journey(stack, http, accepted, accepted.json()["id"])
    assert accepted.headers["location"] == f"/v1/orders/{order.order_id}"
    again = await http.post("/v1/orders", json=cart, headers=key)
    assert (again.status_code, again.json()["id"]) == (202, order.order_id)
    assert (await http.get(f"/v1/orders/{order.order_id}/run")).json()["state"] == "away"
    async with stack.worker():
        await order.until_status("confirmed")
        verdict = await http.post("/v1/orders", json=cart, headers=key)
        assert (verdict.status_code, verdict.json()["id"]) == (201, order.order_id)
        assert verdict.json()["verdict"] == "confirmed"
        await assert_conserved(stack, [order.order_id])
    assert len(await order.intents()) == 1


async def test_the_order_is_accepted_read_and_started_by_the_sweeper_when_temporal_was_away(
    fragile: Stack, goods: Shop
):
    cart = goods.cart(goods.stock("one", warehouse=5))
    async with fragile.worker(), fragile.api() as api:
        async with temporal_away(fragile):
            accepted = await api.post("/v1/orders", json=cart, headers={KEY: uuid4().hex})
            assert accepted.status_code == 202, accepted.text
            order = Journey(fragile, api, accepted, accepted.headers["location"].rpartition("/")[2])
            assert (await order.order())["status"] == "pending"
            events = (await api.get(f"/v1/orders/{order.order_id}/events")).json()["data"]
            assert [event["type"] for event in events] == ["order.placed"]
            assert (await api.get(f"/v1/orders/{order.order_id}/run")).json()["state"] == "away"
        await order.until_status("confirmed")
        await assert_conserved(fragile, [order.order_id])
    assert len(await order.intents()) == 1


async def test_503_and_nothing_written_when_a_command_comes_while_temporal_is_away(fragile: Stack, goods: Shop):
    async with fragile.worker(), fragile.api() as api:
        order = await Journey.place(fragile, api, goods.cart(goods.stock("one", warehouse=5)))
        shipment = await order.shipment_at(goods.node("warehouse"), "accepted")
        key = {KEY: uuid4().hex}
        before = (count(goods.db, Command), count(goods.db, IdempotencyKey), await order.order())
        async with temporal_away(fragile):
            await eventually(lambda: is_away(api, order))
            for path in (f"/v1/shipments/{shipment['id']}/pack", f"/v1/orders/{order.order_id}/cancel"):
                refused = await api.post(path, json={}, headers=key)
                assert (refused.status_code, refused.json()["code"]) == (503, "temporal_away"), refused.text
                assert int(refused.headers["retry-after"]) > 0
            assert (count(goods.db, Command), count(goods.db, IdempotencyKey), await order.order()) == before
            picked = await api.post(f"/v1/shipments/{shipment['id']}/pick", headers={KEY: uuid4().hex})
            assert picked.status_code == 200, picked.text  # wakes nobody, so nobody is needed
        await order.ship_from(goods.node("warehouse"))
        await assert_conserved(fragile, [order.order_id])


async def is_away(api: httpx.AsyncClient, order: Journey) -> bool:
    return (await api.get(f"/v1/orders/{order.order_id}/run")).json()["state"] == "away"
