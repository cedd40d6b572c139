"""Many equal requests, and the process that answers them or does them dies in the middle: the same again, nothing twice."""

import asyncio
import os
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli.apps import App, answers_at, api_command
from cli.ports import find
from tests.e2e.conftest import kill, process, worker_process
from tests.journey import Journey
from tests.oracle import assert_conserved
from tests.shop import PRICE, SHIPPING, Shop
from tests.stack import Stack

pytestmark = pytest.mark.alone

KEY = "Idempotency-Key"
UNKNOWN = (202, 503, 504)
DEEP = bool(os.environ.get("SHELFWAY_DEEP"))
EQUAL = [True, False] if DEEP else [False]


async def heard(asking: Sequence[Awaitable[httpx.Response]]) -> list[httpx.Response]:
    """The answers of those that were not cut off."""
    answers = await asyncio.gather(*asking, return_exceptions=True)
    strange = [a for a in answers if isinstance(a, BaseException) and not isinstance(a, httpx.TransportError)]
    assert not strange, strange
    return [a for a in answers if isinstance(a, httpx.Response)]


async def final(http: httpx.AsyncClient, path: str, body: dict[str, Any], key: str) -> httpx.Response:
    """As the one who asked would: again with the same key, until it is known."""
    while True:
        answer = await http.post(path, json=body, headers={KEY: key})
        if answer.status_code not in UNKNOWN and answer.json().get("code") != "idempotency_key_in_flight":
            return answer
        await asyncio.sleep(0.1)


@pytest.mark.skipif(not DEEP, reason="a key whose request died is free again after a minute")
@pytest.mark.timeout(200)
async def test_one_order_is_made_when_the_api_dies_while_a_hundred_equal_requests_come(
    stack: Stack, shop: Shop, tmp_path: Path
):
    cart, key, port = shop.cart(shop.stock("one", warehouse=200)), uuid4().hex, find()
    base = f"http://127.0.0.1:{port}"
    served = process(stack, "api", api_command("127.0.0.1", port), tmp_path / "api.log", answers_at(f"{base}/healthz"))
    headers = {"Authorization": "Bearer test-admin"}
    async with stack.worker(), httpx.AsyncClient(base_url=base, headers=headers, timeout=30) as http:
        with served as api:
            asking = [asyncio.create_task(http.post("/v1/orders", json=cart, headers={KEY: key})) for _ in range(100)]
            await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.to_thread(kill, api)
            before = await heard(asking)
            again = await asyncio.gather(*(final(http, "/v1/orders", cart, key) for _ in range(100)))
            other = await http.post("/v1/orders", json=cart | {"note": "another"}, headers={KEY: key})
    order = Journey(stack, http, again[0], again[0].json()["id"])
    assert all((answer.status_code, answer.json()) == (201, again[0].json()) for answer in again)
    assert {a.json()["id"] for a in before if a.status_code in (201, 202)} <= {order.order_id}
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await order.intents()) == 1
    async with stack.worker():
        await assert_conserved(stack, [order.order_id])


async def captured(stack: Stack, http: httpx.AsyncClient, shop: Shop) -> Journey:
    order = await Journey.place(stack, http, shop.cart(shop.stock("one", warehouse=5)))
    await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
    await order.shipment_at(shop.node("warehouse"), "captured")
    return order


async def fifty_and_a_kill(
    http: httpx.AsyncClient, worker: App, path: str, body: dict[str, Any], keys: Sequence[str]
) -> list[httpx.Response]:
    """All at once; the worker dies when the first is answered, or the money is moved. Then all again: what they hear."""
    asking = [asyncio.create_task(http.post(path, json=body, headers={KEY: key})) for key in keys]
    await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.to_thread(kill, worker)
    first = await heard(asking)
    again = await asyncio.gather(*(final(http, path, body, key) for key in keys))
    known = {a.request.headers[KEY]: a for a in first if a.status_code not in UNKNOWN}
    same = [a for a in again if (b := known.get(a.request.headers[KEY])) and b.status_code == 200]
    assert all(
        a.status_code == 200 and a.json()["outcome"] == known[a.request.headers[KEY]].json()["outcome"] for a in same
    )
    return list(again)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("equal", EQUAL, ids=lambda equal: "equal keys" if equal else "different keys")
async def test_one_refund_is_made_when_the_worker_dies_while_fifty_cancel_one_captured_unit(
    stack: Stack, http: httpx.AsyncClient, shop: Shop, tmp_path: Path, equal: bool
):
    with worker_process(stack, tmp_path / "worker.log") as worker:
        order = await captured(stack, http, shop)
        keys = [f"{order.order_id}:{0 if equal else number}" for number in range(50)]
        path, body = f"/v1/orders/{order.order_id}/cancel", {"reason": "customer_changed_mind"}
        answers = await fifty_and_a_kill(http, worker, path, body, keys)
        done = [a for a in answers if a.status_code == 200]
        assert (len(done), {a.status_code for a in answers} <= {200, 409}) == (50 if equal else 1, True)
        other = await http.post(path, json=body | {"note": "another"}, headers={KEY: keys[0]})
        assert other.json()["code"] == "idempotency_key_reused"
        await order.until_closed()
        await assert_conserved(stack, [order.order_id])
    assert [r["amount"] for i in await order.intents() for r in i["refunds"]] == [PRICE + SHIPPING]


@pytest.mark.timeout(200)
@pytest.mark.parametrize("equal", EQUAL, ids=lambda equal: "equal keys" if equal else "different keys")
async def test_one_refund_is_made_when_the_worker_dies_while_fifty_receive_one_unit(
    stack: Stack, http: httpx.AsyncClient, shop: Shop, tmp_path: Path, equal: bool
):
    with worker_process(stack, tmp_path / "worker.log") as worker:
        order = await captured(stack, http, shop)
        await order.done((await order.order())["shipments"][0], "hand-over")
        await order.deliver_from(shop.node("warehouse"))
        unit = (await order.order())["shipments"][0]["units"][0]
        returned = await order.send_back(unit)
        keys = [f"{returned['id']}:{0 if equal else number}" for number in range(50)]
        path, body = f"/v1/returns/{returned['id']}/receive", {"units": [{"unit": unit}]}
        answers = await fifty_and_a_kill(http, worker, path, body, keys)
        assert {a.status_code for a in answers} <= {200, 409}, [a.text for a in answers]
        await order.until(lambda seen: seen["payment"]["refunded"]["amount"] == PRICE)
        await assert_conserved(stack, [order.order_id])
    assert [r["amount"] for i in await order.intents() for r in i["refunds"]] == [PRICE]
