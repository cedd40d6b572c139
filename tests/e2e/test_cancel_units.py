"""One of two units is cancelled, at each stage of its parcel: the other goes its way, each cent and piece where it belongs."""

from typing import Any

import httpx
import pytest

from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import PRICE, SHIPPING, Shop
from tests.stack import Stack, calling

ONE, BOTH = PRICE + SHIPPING, 2 * PRICE + SHIPPING


async def two_units(stack: Stack, api: httpx.AsyncClient, shop: Shop) -> tuple[Journey, str, list[str]]:
    """An order of two pieces in one parcel: its SKU and unit ids."""
    sku = shop.stock("one", warehouse=5)
    order = await Journey.place(stack, api, shop.cart(sku, sku))
    shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
    return order, sku, sorted(shipment["units"])


async def cancel(order: Journey, *units: str) -> httpx.Response:
    return await order.command(f"/v1/orders/{order.order_id}/cancel", reason="changed_mind", units=list(units))


async def packed(order: Journey, shop: Shop) -> dict[str, Any]:
    await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
    return await order.shipment_at(shop.node("warehouse"), "captured")


async def money(order: Journey) -> tuple[int, int]:
    payment = (await order.order())["payment"]
    return payment["captured"]["amount"], payment["refunded"]["amount"]


async def stock(api: httpx.AsyncClient, sku: str) -> tuple[int, int]:
    [variant] = (await api.get(f"/v1/inventory/{sku}")).json()["variants"]
    return variant["on_hand"], variant["reserved"]


async def delivered(order: Journey, shop: Shop) -> None:
    await order.done(await order.shipment_at(shop.node("warehouse"), "captured"), "hand-over")
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")


async def test_it_is_neither_held_nor_charged_when_it_is_cancelled_before_packing(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, sku, units = await two_units(stack, api, shop)
    assert (await cancel(order, units[0])).json()["outcome"]["code"] == "cancelled"
    assert await stock(api, sku) == (5, 1)
    assert (await packed(order, shop))["units"] == units[1:]
    await delivered(order, shop)
    assert (await money(order), await stock(api, sku)) == ((ONE, 0), (4, 0))
    await assert_conserved(stack, [order.order_id])


async def test_its_money_comes_back_and_the_parcel_waits_until_it_is_out_when_it_is_captured(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, sku, units = await two_units(stack, api, shop)
    shipment = await packed(order, shop)
    assert (await cancel(order, units[0])).status_code == 200
    assert (await money(order), await stock(api, sku)) == ((BOTH, PRICE), (5, 2))
    refused = await order.do(shipment, "hand-over")
    assert (refused.status_code, refused.json()["code"]) == (409, "take_out_first"), refused.text
    await order.done(shipment, "take-out")
    assert await stock(api, sku) == (5, 1)
    assert (await order.do(shipment, "take-out")).json()["code"] == "nothing_to_take_out"
    await delivered(order, shop)
    assert (len(await order.labels()), await stock(api, sku)) == (1, (4, 0))
    await assert_conserved(stack, [order.order_id])


async def test_what_was_captured_for_it_comes_back_when_it_is_cancelled_during_the_capture(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, _, units = await two_units(stack, api, shop)
    intent = (await order.intents())[0]["id"]
    async with calling(stack.stripe.url) as stripe:
        slow = {"kind": "latency", "method": "POST", "path": f"{intent}/capture$", "times": 1, "seconds": 1.5}
        assert (await stripe.post("/_admin/faults", json=slow)).status_code < 300
        await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
        await order.shipment_at(shop.node("warehouse"), "labelled")
        await eventually(lambda: is_fired(stripe))
    assert (await cancel(order, units[0])).status_code == 200
    await order.shipment_at(shop.node("warehouse"), "captured")
    await order.until(lambda seen: seen["payment"]["refunded"]["amount"] == PRICE)
    assert await money(order) == (BOTH, PRICE)
    await assert_conserved(stack, [order.order_id])


async def is_fired(stripe: httpx.AsyncClient) -> bool:
    armed = (await stripe.get("/_admin/faults")).json()["data"]
    return not [fault for fault in armed if fault["kind"] == "latency" and not fault["fired"]]


async def test_all_comes_back_when_the_units_are_cancelled_one_by_one(stack: Stack, api: httpx.AsyncClient, shop: Shop):
    order, sku, units = await two_units(stack, api, shop)
    await packed(order, shop)
    for unit in units:
        assert (await cancel(order, unit)).status_code == 200
    closed = await order.until_closed()
    assert (closed["status"], await money(order), await stock(api, sku)) == ("cancelled", (BOTH, BOTH), (5, 0))
    assert [refund["amount"] for i in await order.intents() for refund in i["refunds"]] == [PRICE, PRICE + SHIPPING]
    await assert_conserved(stack, [order.order_id])


async def test_it_is_off_the_shelf_and_stays_refunded_with_a_case_when_the_carrier_took_it_along(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, sku, units = await two_units(stack, api, shop)
    shipment = await packed(order, shop)
    await cancel(order, units[0])
    await order.carry(shipment["tracking"]["code"], "in_transit")
    await order.shipment_at(shop.node("warehouse"), "handed_over")
    assert (await money(order), await stock(api, sku)) == ((BOTH, PRICE), (3, 0))
    cases = (await api.get("/v1/cases", params={"order": order.order_id})).json()["data"]
    assert [case["type"] for case in cases] == ["tracking_contradicts"]
    refused = await order.do(shipment, "take-out")
    assert refused.json()["code"] == "already_handed_over"
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    await assert_conserved(stack, [order.order_id])


async def test_it_is_off_hand_and_stays_refunded_with_a_case_when_a_carrier_takes_a_cancelled_parcel(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, sku, _ = await two_units(stack, api, shop)
    shipment = await packed(order, shop)
    await order.cancel()
    assert await stock(api, sku) == (5, 0)
    await order.carry(shipment["tracking"]["code"], "in_transit", "delivered")
    await eventually(lambda: is_on_hand(api, sku, 3))
    assert (await money(order), (await order.order())["status"]) == ((BOTH, BOTH), "cancelled")
    cases = (await api.get("/v1/cases", params={"order": order.order_id})).json()["data"]
    assert [case["type"] for case in cases] == ["tracking_contradicts"]
    await assert_conserved(stack, [order.order_id])


async def is_on_hand(api: httpx.AsyncClient, sku: str, pieces: int) -> bool:
    return (await stock(api, sku))[0] == pieces


@pytest.mark.parametrize("again", ["unknown_unit", "already_cancelled", "already_handed_over"])
async def test_it_is_refused_with_a_code_when_there_is_nothing_to_cancel(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, again: str
):
    order, _, units = await two_units(stack, api, shop)
    asked = units[0]
    match again:
        case "unknown_unit":
            asked = "unit_of_another"
        case "already_cancelled":
            await cancel(order, units[0])
        case _:
            await order.ship_from(shop.node("warehouse"))
    answer = await cancel(order, asked)
    assert (answer.status_code, answer.json()["code"]) == (409, again), answer.text
    await assert_conserved(stack, [order.order_id])


async def test_the_unit_is_cancelled_once_when_signals_name_it_twice(stack: Stack, api: httpx.AsyncClient, shop: Shop):
    order, sku, units = await two_units(stack, api, shop)
    run = (await stack.client()).get_workflow_handle(order.order_id)
    for key in ("one", "one", "two"):
        await run.signal("cancel", {"key": key, "units": units[:1], "reason": "fraud"})
    await eventually(lambda: is_reserved(api, sku, 1))
    assert (await packed(order, shop))["units"] == units[1:]
    await assert_conserved(stack, [order.order_id])


async def is_reserved(api: httpx.AsyncClient, sku: str, pieces: int) -> bool:
    return (await stock(api, sku))[1] == pieces
