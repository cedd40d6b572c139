"""Money in the cases where one authorization, one capture or one void is not the whole story: to the cent, each once."""

from typing import Any

import httpx
import pytest

from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import PRICE, SHIPPING, Shop
from tests.stack import Stack, calling


async def arm(stack: Stack, **fault: Any) -> None:
    async with calling(stack.stripe.url) as stripe:
        armed = await stripe.post("/_admin/faults", json=fault)
        assert armed.status_code < 300, armed.text


async def captured(order: Journey) -> list[int]:
    return sorted(capture["amount"] for intent in await order.intents() for capture in intent["captures"])


async def held(order: Journey) -> int:
    return sum(intent["amount_capturable"] for intent in await order.intents())


async def events(order: Journey) -> list[str]:
    told = (await order.api.get(f"/v1/orders/{order.order_id}/events", params={"limit": 100})).json()["data"]
    return [event["type"] for event in told]


async def case_types(order: Journey) -> list[str]:
    found = await order.api.get("/v1/cases", params={"order": order.order_id})
    return [case["type"] for case in found.json()["data"]]


async def test_the_other_parcel_is_paid_for_when_a_gift_takes_the_shipping_charge_first(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    gift, bought = shop.stock("gift", warehouse=5), shop.stock("bought", far_warehouse=5)
    shop.make_a_gift(gift)
    order = await Journey.place(stack, api, shop.cart(gift, bought) | {"expected_total": PRICE + SHIPPING})
    await order.ship_from(shop.node("warehouse"))
    await order.ship_from(shop.node("far_warehouse"))
    assert await captured(order) == sorted([SHIPPING, PRICE])
    moved = [event for event in await events(order) if event in ("payment.authorized", "payment.captured")]
    assert moved == ["payment.authorized", "payment.authorized", "payment.captured", "payment.captured"]
    for place in ("warehouse", "far_warehouse"):
        await order.deliver_from(shop.node(place))
    await order.until_status("delivered")
    await assert_conserved(stack, [order.order_id])


async def test_the_rest_is_free_when_the_other_parcel_finds_no_shelf_after_a_first_capture(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, _ = await one_gone_one_left(stack, api, shop)
    await order.until(lambda seen: seen["payment"]["held"]["amount"] == 0)
    assert (await captured(order), await held(order)) == ([PRICE + SHIPPING], 0)
    assert [intent["status"] for intent in await order.intents()] == ["succeeded"]
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    await assert_conserved(stack, [order.order_id])


async def one_gone_one_left(stack: Stack, api: httpx.AsyncClient, shop: Shop) -> tuple[Journey, str]:
    """With multicapture: a warehouse's parcel is captured and gone; then the store's has no shelf left."""
    async with calling(stack.stripe.url) as stripe:
        await stripe.post("/_admin/settings", json={"multicapture": True})
        cart = shop.cart(shop.stock("here", near_store=5), shop.stock("there", warehouse=5))
        order = await Journey.place(stack, api, cart | {"waits": {"customer_answer": "PT0.5S"}})
        await stripe.post("/_admin/settings", json={"multicapture": False})
    await order.ship_from(shop.node("warehouse"))
    refused = await order.shipment_at(shop.node("near_store"), "offered")
    await order.done(refused, "reject", reason="not_in_stock")
    await order.shipment_at(shop.node("near_store"), "cancelled")
    return order, refused["id"]


async def test_it_is_given_back_at_the_second_try_when_stripe_refuses_a_void(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    await order.until_status("confirmed")
    intent = (await order.intents())[0]["id"]
    error = {"type": "invalid_request_error", "code": "payment_intent_unexpected_state", "message": "Not now."}
    await arm(stack, kind="error", status=400, response={"error": error}, path=f"{intent}/cancel$", times=1)
    await order.api.post(f"/v1/orders/{order.order_id}/cancel", json={"reason": "fraud"}, headers=key("cancel"))
    await eventually(lambda: is_among("stuck_effect", order))
    assert await held(order) == PRICE + SHIPPING
    retried = await order.command(f"/v1/orders/{order.order_id}/retry", reason="stripe_answers_again")
    assert retried.status_code == 200, retried.text
    await order.until_closed()
    assert (await held(order), await captured(order)) == (0, [])
    await assert_conserved(stack, [order.order_id])


@pytest.mark.parametrize("fault", [{"kind": "fail_before", "stored": True}, {"kind": "fail_after"}], ids=str)
async def test_it_moves_once_when_stripe_has_stored_a_failure_under_each_key(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, fault: dict[str, Any]
):
    await arm(stack, path="/payment_intents$", method="POST", **fault)
    order = await Journey.place(stack, api, shop.cart(sku := shop.stock("one", warehouse=5)))
    shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
    await arm(stack, path=f"{(await order.intents())[0]['id']}/capture$", **fault)
    await order.done(shipment, "pack")
    await order.shipment_at(shop.node("warehouse"), "captured")
    await arm(stack, path="/refunds$", method="POST", **fault)
    await order.cancel()
    other = await Journey.place(stack, api, shop.cart(sku))
    await other.until_status("confirmed")
    await arm(stack, path=f"{(await other.intents())[0]['id']}/cancel$", **fault)
    await other.cancel()
    for each in (order, other):
        await each.until_closed()
        assert (len(await each.intents()), await held(each)) == (1, 0)
    await assert_conserved(stack, [order.order_id, other.order_id])


async def is_among(case: str, order: Journey) -> bool:
    return case in await case_types(order)


def key(word: str) -> dict[str, str]:
    return {"Idempotency-Key": word}


async def test_it_is_charged_no_second_time_when_somebody_captured_it_by_hand(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    await order.until_status("confirmed")
    intent = (await order.intents())[0]["id"]
    async with calling(stack.stripe.url, auth=("sk_test_sandbox", "")) as dashboard:
        taken = await dashboard.post(f"/v1/payment_intents/{intent}/capture")
        assert taken.status_code == 200, taken.text
    await order.until_status("on_hold")
    assert await case_types(order) == ["payment_contradicts"]
    shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
    assert (await order.do(shipment, "pack")).json()["code"] == "on_hold"
    assert (len(await order.intents()), await captured(order)) == (1, [PRICE + SHIPPING])


async def test_the_authorization_is_read_anew_when_the_last_hold_is_released(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    for why in ("fraud", "address"):
        await order.command(f"/v1/orders/{order.order_id}/holds", reason=why)
    for hold in (await order.order())["holds"]:
        assert not await is_told("payment.looked_at", order)
        released = await api.delete(f"/v1/orders/{order.order_id}/holds/{hold['id']}", headers=key(hold["id"]))
        assert released.status_code in (200, 202), released.text
    await eventually(lambda: is_told("payment.looked_at", order))
    await order.ship_from(shop.node("warehouse"))
    assert await captured(order) == [PRICE + SHIPPING]
    await assert_conserved(stack, [order.order_id])


async def is_told(event: str, order: Journey) -> bool:
    return event in await events(order)
