"""Labels that the carrier will not sell, and orders that are cancelled around their label, through everything real."""

from typing import Any

import httpx

from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack, failing

REFUSED = {"error": {"code": "SHIPMENT.RATE.GONE", "message": "Ada Guest has moved away", "errors": []}}


async def cases(order: Journey) -> list[dict[str, Any]]:
    return (await order.api.get("/v1/cases", params={"order": order.order_id})).json()["data"]


async def cancel(order: Journey) -> httpx.Response:
    return await order.command(f"/v1/orders/{order.order_id}/cancel", reason="customer_changed_mind")


async def refused_label(stack: Stack, api: httpx.AsyncClient, shop: Shop) -> Journey:
    """An order whose parcel is packed, and whose label the carrier refused to sell."""
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    async with failing(stack.easypost.url, "/buy$", status=422, response=REFUSED):
        await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
        await order.until_status("on_hold")
    return order


async def test_a_release_tries_again_when_the_carrier_refused_for_good(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await refused_label(stack, api, shop)
    (case,) = await cases(order)
    assert (case["type"], case["detail"]["reason"]) == ("label_impossible", "carrier_refused")
    assert case["detail"]["what"] == "easypost: 422 SHIPMENT.RATE.GONE"
    await assert_conserved(stack, [order.order_id])

    hold = (await order.order())["holds"][0]["id"]
    released = await api.delete(f"/v1/orders/{order.order_id}/holds/{hold}", headers={"Idempotency-Key": hold})
    assert released.status_code in (200, 202), released.text
    await order.done(await order.shipment_at(shop.node("warehouse"), "captured"), "hand-over")
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    assert await cases(order) == []
    assert len(await order.labels()) == 1
    await assert_conserved(stack, [order.order_id])


async def test_all_is_undone_when_an_order_is_cancelled_whose_label_was_refused(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await refused_label(stack, api, shop)
    answer = await cancel(order)
    assert (answer.status_code, answer.json()["outcome"]["code"]) == (200, "cancelled"), answer.text
    assert (await order.until_closed())["status"] == "cancelled"
    assert [intent["status"] for intent in await order.intents()] == ["canceled"]
    assert await cases(order) == []
    await assert_conserved(stack, [order.order_id])


async def test_a_label_in_flight_is_undone_when_the_order_is_cancelled(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    lost = failing(stack.easypost.url, "/buy$", kind="drop_after", times=1)  # bought, but nobody hears of it
    silent = failing(stack.easypost.url, "/v2/shipments/", method="GET", kind="drop")  # nor can ask
    async with lost, silent:
        await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
        await eventually(order.labels)
        path, key = f"/v1/orders/{order.order_id}/cancel", {"Idempotency-Key": shop.name}
        asked = await api.post(path, json={"reason": "customer_changed_mind"}, headers=key)
        assert (asked.status_code, asked.json().get("state")) == (202, "cancelling"), asked.text
    assert (await order.until_closed())["status"] == "cancelled"
    assert [intent["status"] for intent in await order.intents()] == ["canceled"]
    await assert_conserved(stack, [order.order_id])
