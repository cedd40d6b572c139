"""Many at once, through everything real: the last pieces go to exactly as many buyers, and one key is one order."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.conftest import AT_ONCE, worker_process
from tests.journey import Journey
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack, calling

pytestmark = pytest.mark.alone

BUYERS, PIECES = 200, 5
IN_FLIGHT = "idempotency_key_in_flight"


async def post(http: httpx.AsyncClient, cart: dict[str, Any], key: str) -> httpx.Response:
    return await http.post("/v1/orders", json=cart, headers={"Idempotency-Key": key})


async def verdict(http: httpx.AsyncClient, cart: dict[str, Any], key: str) -> httpx.Response:
    """The final answer; a 202 is followed by asking again with the same key, as a storefront would."""
    while True:
        answer = await post(http, cart, key)
        if answer.status_code not in (202, 503) and answer.json().get("code") != IN_FLIGHT:
            return answer
        await asyncio.sleep(0.2)


async def orders_of(http: httpx.AsyncClient, brand: str, **filters: str) -> list[dict[str, Any]]:
    """All orders of a brand, page by page."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"brand": brand, "limit": 100, **filters}
    while True:
        page = (await http.get("/v1/orders", params=query)).json()
        found += page["data"]
        if not page["has_more"]:
            return found
        query["cursor"] = page["next_cursor"]


def order_of(answer: httpx.Response) -> str:
    return answer.headers["location"].rpartition("/")[2]


@pytest.mark.timeout(300)
async def test_exactly_as_many_orders_as_pieces_when_200_buy_the_last_five(
    stack: Stack, http: httpx.AsyncClient, shop: Shop, tmp_path: Path
):
    sku = shop.stock("last", warehouse=PIECES)
    cart, slots = shop.cart(sku), asyncio.Semaphore(AT_ONCE)

    async def buy() -> httpx.Response:
        async with slots:
            return await verdict(http, cart, uuid4().hex)

    with worker_process(stack, tmp_path / "worker.log"):
        answers = await asyncio.gather(*(buy() for _ in range(BUYERS)))
        counted = Counter((a.status_code, a.json().get("code", a.json().get("status"))) for a in answers)
        stock = (await http.get(f"/v1/inventory/{sku}/{shop.node('warehouse')}")).json()
        failed = await orders_of(http, shop.brand, status="failed")
        await assert_conserved(stack, [order_of(answer) for answer in answers])

    assert counted == {(201, "confirmed"): PIECES, (409, "out_of_stock"): BUYERS - PIECES}
    assert (stock["on_hand"], stock["reserved"], stock["available"]) == (PIECES, PIECES, 0)
    assert {order["id"] for order in failed} == {order_of(a) for a in answers if a.status_code == 409}
    assert not any(order["payment"]["intents"] or order["shipments"] for order in failed)


async def test_one_order_one_run_and_one_intent_when_a_key_comes_a_hundred_times_at_once(
    stack: Stack, http: httpx.AsyncClient, shop: Shop
):
    sku, key = shop.stock("one", warehouse=200), uuid4().hex
    cart = shop.cart(sku)
    async with stack.worker():
        answers = await asyncio.gather(*(post(http, cart, key) for _ in range(100)))
        known = [a for a in answers if a.status_code == 409]
        assert all(a.json()["code"] == IN_FLIGHT and int(a.headers["retry-after"]) > 0 for a in known)
        orders = {order_of(a) for a in answers if a.status_code != 409}
        final = await verdict(http, cart, key)
        assert orders == {order_of(final)}
        journey = Journey(stack, http, final, order_of(final))
        await assert_conserved(stack, list(orders))
    stock = (await http.get(f"/v1/inventory/{sku}/{shop.node('warehouse')}")).json()
    listed = await orders_of(http, shop.brand)
    assert (final.status_code, final.headers["idempotent-replayed"]) == (201, "true")
    assert ([order["id"] for order in listed], stock["reserved"]) == ([journey.order_id], 1)
    assert len(await journey.intents()) == 1


async def test_k02_the_second_call_waits_its_turn_when_its_key_is_still_authorizing(
    stack: Stack, http: httpx.AsyncClient, shop: Shop
):
    cart, key = shop.cart(shop.stock("one", warehouse=5)), uuid4().hex
    async with stack.worker(), calling(stack.stripe.url) as bank:
        slow = {"kind": "latency", "seconds": 3, "method": "POST", "path": "/payment_intents$", "times": 1}
        await bank.post("/_admin/faults", json=slow)
        first = asyncio.create_task(post(http, cart, key))
        second = await second_call(http, cart, key, first)
        assert (second.status_code, second.json()["code"]) == (409, IN_FLIGHT)
        assert int(second.headers["retry-after"]) > 0
        assert (await first).status_code == 202  # no verdict within two seconds
        final = await verdict(http, cart, key)
        await assert_conserved(stack, [order_of(final)])
    assert (final.status_code, order_of(final)) == (201, order_of(await first))
    journey = Journey(stack, http, final, order_of(final))
    assert len(await journey.intents()) == 1
    assert (await post(http, cart, key)).json() == final.json()


async def second_call(
    http: httpx.AsyncClient, cart: dict[str, Any], key: str, first: "asyncio.Task[httpx.Response]"
) -> httpx.Response:
    """The same request while the first one is answered: its order is there, its answer is not."""
    while not await orders_of(http, cart["brand"]):
        assert not first.done(), (await first).text
    return await post(http, cart, key)
