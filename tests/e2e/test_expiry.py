"""An order that is not confirmed in time is expired, whoever is away: never captured, and nothing of it stays held."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from models.ids import TASK_QUEUE_ORDERS, TASK_QUEUE_PAYMENTS, TASK_QUEUE_SHIPPING
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack, failing

SOON = {"confirm_within": "PT2S", "late_answer": "PT1S"}
INTENTS = "^/v1/payment_intents$"  # by POST one is made, by GET they are listed


async def expired(stack: Stack, api: httpx.AsyncClient, shop: Shop, **waits: str) -> Journey:
    """An order that found no verdict in time; its stock is free again at once."""
    sku = shop.stock("one", warehouse=5)
    order = await Journey.place(stack, api, shop.cart(sku) | {"waits": SOON | waits})
    assert (order.answer.status_code, order.answer.json()["code"]) == (409, "expired"), order.answer.text
    stock = (await api.get(f"/v1/inventory/{sku}/{shop.node('warehouse')}")).json()
    assert (stock["on_hand"], stock["reserved"], stock["available"]) == (5, 0, 5)
    return order


async def events(order: Journey) -> list[str]:
    told = (await order.api.get(f"/v1/orders/{order.order_id}/events", params={"limit": 100})).json()["data"]
    return [event["type"] for event in told]


async def ended(order: Journey, *intents: str) -> None:
    """It is over and was expired once; Stripe has these intents of it, and the oracle finds nothing wrong."""
    closed = await order.until_closed()
    assert closed["status"] == "expired"
    assert {shipment["stage"] for shipment in closed["shipments"]} <= {"cancelled"}
    assert (await events(order)).count("order.expired") == 1
    assert [intent["status"] for intent in await order.intents()] == list(intents)
    await assert_conserved(order.stack, [order.order_id])


@pytest.mark.parametrize("fault", [{"kind": "hang", "seconds": 5}, {"status": 500}], ids=["hangs", "fails"])
async def test_the_order_expires_and_ends_when_the_carrier(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, fault: dict[str, Any]
):
    async with failing(stack.easypost.url, "/addresses", **fault):
        order = await expired(stack, api, shop)
        await ended(order)


async def test_the_order_expires_and_is_never_authorized_when_stripe_hangs(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    async with failing(stack.stripe.url, "^/v1/", method="*", kind="hang", seconds=5):
        order = await expired(stack, api, shop)
        assert (await order.order())["closed_at"] is None  # nobody knows yet whether Stripe holds any money
    await ended(order)


async def test_the_authorization_is_found_and_voided_when_its_answer_was_lost(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    async with failing(stack.stripe.url, INTENTS, method="GET", status=500):
        async with failing(stack.stripe.url, INTENTS, kind="drop_after"):
            order = await expired(stack, api, shop)
        assert [intent["status"] for intent in await order.intents()] == ["requires_capture"]
    await ended(order, "canceled")
    assert "payment.authorized_too_late" in await events(order)


async def test_the_authorization_is_voided_when_its_answer_comes_too_late(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    async with failing(stack.stripe.url, INTENTS, kind="hang", after=True, seconds=3):
        order = await expired(stack, api, shop)
    await ended(order, "canceled")


async def test_the_authorization_is_voided_when_stripe_makes_it_after_we_gave_up_waiting(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    async with failing(stack.stripe.url, INTENTS, kind="latency", seconds=6):
        order = await expired(stack, api, shop, late_answer="PT10S")
    await ended(order, "canceled")


@pytest.mark.parametrize("away", [TASK_QUEUE_SHIPPING, TASK_QUEUE_PAYMENTS])
async def test_the_order_expires_by_its_timer_when_nobody_serves_the_queue_of(stack: Stack, shop: Shop, away: str):
    here = {TASK_QUEUE_ORDERS, TASK_QUEUE_SHIPPING, TASK_QUEUE_PAYMENTS} - {away}
    async with stack.api() as api, stack.worker(queues=sorted(here)):
        order = await expired(stack, api, shop)
        async with stack.worker(queues=[away]):
            await ended(order)


async def test_the_order_expires_and_is_never_authorized_when_no_worker_was_up(stack: Stack, shop: Shop):
    async with stack.api() as api:
        cart = shop.cart(shop.stock("one", warehouse=5)) | {"waits": SOON}
        answer = await api.post("/v1/orders", json=cart, headers={"Idempotency-Key": shop.name})
        assert answer.status_code == 202, answer.text
        order = Journey(stack, api, answer, answer.json()["id"])
        expires_at = datetime.fromisoformat((await order.order())["expires_at"])
        await eventually(lambda: is_past(expires_at))
        async with stack.worker():
            await ended(order)


async def is_past(instant: datetime) -> bool:
    return datetime.now(UTC) > instant


async def test_nothing_is_authorized_any_more_when_the_order_is_cancelled_while_nobody_knows(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    cart = shop.cart(shop.stock("one", warehouse=5)) | {"waits": {"late_answer": "PT1S"}}
    async with failing(stack.stripe.url, INTENTS, kind="drop"):
        answer = await api.post("/v1/orders", json=cart, headers={"Idempotency-Key": shop.name})
        assert answer.status_code == 202, answer.text
        order = Journey(stack, api, answer, answer.json()["id"])
        cancelling = await api.post(
            f"/v1/orders/{order.order_id}/cancel", json={"reason": "too_slow"}, headers={"Idempotency-Key": "c"}
        )
        assert cancelling.status_code in (200, 202), cancelling.text
        await order.until(lambda seen: seen["verdict"] == "cancelled")
    closed = await order.until_closed()
    assert (closed["status"], await order.intents()) == ("cancelled", [])
    await assert_conserved(stack, [order.order_id])
