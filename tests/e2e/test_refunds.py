"""Cancelled when it was paid for already: label, money and stock come back, in this order, each once, to the cent."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import PRICE, SHIPPING, Shop
from tests.stack import Stack, calling

TOTAL = PRICE + SHIPPING


async def at_stripe(stack: Stack, what: str, **body: Any) -> None:
    async with calling(stack.stripe.url) as stripe:
        answer = await stripe.post(f"/_admin/{what}", json=body)
        assert answer.status_code < 300, answer.text


async def captured(stack: Stack, api: httpx.AsyncClient, shop: Shop, payment: str = "pm_card_visa") -> Journey:
    """An order of one parcel that is labelled and paid for."""
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5), payment=payment))
    shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
    await order.done(shipment, "pack")
    await order.shipment_at(shop.node("warehouse"), "captured")
    return order


async def cancel(order: Journey) -> httpx.Response:
    return await order.command(f"/v1/orders/{order.order_id}/cancel", reason="customer_changed_mind")


async def refunds(order: Journey) -> list[tuple[int, str]]:
    return sorted((r["amount"], r["status"]) for intent in await order.intents() for r in intent["refunds"])


async def has_case(order: Journey, kind: str) -> bool:
    found = await order.api.get("/v1/cases", params={"order": order.order_id})
    return kind in [case["type"] for case in found.json()["data"]]


async def test_label_money_and_stock_come_back_when_a_captured_order_is_cancelled(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await captured(stack, api, shop)
    answer = await cancel(order)
    assert (answer.status_code, answer.json()["outcome"]["code"]) == (200, "cancelled"), answer.text
    payment = (await order.until_closed())["payment"]
    assert (payment["captured"]["amount"], payment["refunded"]["amount"]) == (TOTAL, TOTAL)
    assert await refunds(order) == [(TOTAL, "succeeded")]
    events = (await api.get(f"/v1/orders/{order.order_id}/events", params={"limit": 100})).json()["data"]
    undone = ("label.refund_requested", "payment.refunded", "shipment.cancelled")
    assert [e["type"] for e in events if e["type"] in undone] == list(undone)
    await assert_conserved(stack, [order.order_id])


async def test_what_was_captured_is_refunded_and_the_rest_freed_when_one_of_two_parcels_was_paid_for(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    await at_stripe(stack, "settings", multicapture=True)
    order = await Journey.place(stack, api, shop.cart(shop.stock("a", warehouse=5), shop.stock("b", far_warehouse=5)))
    await at_stripe(stack, "settings", multicapture=False)
    await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
    await order.shipment_at(shop.node("warehouse"), "captured")
    assert (await cancel(order)).status_code == 200
    payment = (await order.until_closed())["payment"]
    assert (payment["captured"]["amount"], payment["refunded"]["amount"], payment["held"]["amount"]) == (
        TOTAL,
        TOTAL,
        0,
    )
    await assert_conserved(stack, [order.order_id])


async def test_it_is_refused_with_what_is_possible_when_one_of_two_parcels_has_left(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await Journey.place(stack, api, shop.cart(shop.stock("a", warehouse=5), shop.stock("b", far_warehouse=5)))
    await order.ship_from(shop.node("warehouse"))
    answer = await cancel(order)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_handed_over")
    assert (len(answer.json()["returnable"]), len(answer.json()["cancellable"])) == (1, 1)
    assert await refunds(order) == []


@pytest.mark.parametrize("equal", [True, False], ids=["equal keys", "different keys"])
async def test_one_refund_is_made_when_fifty_cancel_one_captured_unit_at_once(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, equal: bool
):
    order = await captured(stack, api, shop)
    path, body = f"/v1/orders/{order.order_id}/cancel", {"reason": "customer_changed_mind"}
    keys = [{"Idempotency-Key": f"{order.order_id}:{0 if equal else number}"} for number in range(50)]
    answers = await asyncio.gather(*(api.post(path, json=body, headers=key) for key in keys))
    assert {answer.status_code for answer in answers} <= {200, 202, 409}, [a.text for a in answers]
    await order.until_closed()
    assert await refunds(order) == [(TOTAL, "succeeded")]
    await assert_conserved(stack, [order.order_id])


@pytest.mark.parametrize("kind", ["fail_before", "fail_after", "drop", "drop_after", "garbage"])
async def test_one_refund_is_made_when_stripe_fails_while_it_is_asked(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, kind: str
):
    order = await captured(stack, api, shop)
    await at_stripe(stack, "faults", kind=kind, method="POST", path="/v1/refunds$", body=order.order_id, times=1)
    assert (await cancel(order)).status_code == 200
    await order.until_closed()
    assert await refunds(order) == [(TOTAL, "succeeded")]
    await assert_conserved(stack, [order.order_id])


async def refuse_refund(stack: Stack, order: Journey) -> None:
    """Stripe refuses the order's next refund, for no reason that lasts."""
    failing = {"kind": "error", "status": 402, "method": "POST", "path": "/v1/refunds$", "times": 1}
    await at_stripe(stack, "faults", **failing, body=order.order_id)


async def retry(order: Journey) -> dict[str, Any]:
    """What came of saying it."""
    answer = await order.command(f"/v1/orders/{order.order_id}/retry", reason="bank_is_back")
    assert answer.status_code == 200, answer.text
    return answer.json()["outcome"]["detail"]


async def test_it_is_a_case_when_a_refund_that_succeeded_fails_days_later(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await captured(stack, api, shop, payment="pm_card_refundFail")
    assert (await cancel(order)).status_code == 200
    assert await refunds(order) == [(TOTAL, "succeeded")]
    await order.until_closed()
    await at_stripe(stack, "clock", advance=3600)
    try:
        await eventually(lambda: has_case(order, "refund_failed"))
    finally:
        await at_stripe(stack, "clock", now=time.time())
    assert (await order.order())["payment"]["refunded"]["amount"] == 0
    assert await retry(order) == {"sourced": 0, "unsourced": 0, "refunds": 0, "refused_for_good": 1}  # a closed card
    assert await has_case(order, "refund_failed")


async def test_it_is_a_case_when_somebody_refunded_by_hand(stack: Stack, api: httpx.AsyncClient, shop: Shop):
    order = await captured(stack, api, shop)
    intent = (await order.intents())[0]["id"]
    async with calling(stack.stripe.url, auth=("sk_test_sandbox", "")) as dashboard:
        given = await dashboard.post("/v1/refunds", data={"payment_intent": intent, "amount": "100"})
        assert given.status_code == 200, given.text
    await eventually(lambda: has_case(order, "payment_contradicts"))
