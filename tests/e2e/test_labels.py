"""Labels that the carrier will not sell, and orders that are cancelled around their label, through everything real."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from models.db import Database
from models.stores.inbox import InboxStore
from models.stores.silence import QUIET, Silence
from models.stores.sweeps import SweepStore
from tests.conftest import MovableClock
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack, failing
from workers.engine import gateways
from workers.mending_vendors import MendingVendors

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


# Of what comes back, as of what goes out


async def delivered(stack: Stack, api: httpx.AsyncClient, shop: Shop) -> tuple[Journey, str]:
    """An order of one piece, which is at the customer's."""
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    await order.ship_from(shop.node("warehouse"))
    await order.deliver_from(shop.node("warehouse"))
    return order, (await order.until_status("delivered"))["shipments"][0]["units"][0]


async def receive(order: Journey, asked: dict[str, Any], unit: str) -> None:
    answer = await order.command(f"/v1/returns/{asked['id']}/receive", units=[{"unit": unit}])
    assert answer.status_code == 200, answer.text
    await order.until(lambda seen: seen["status"] == "returned")


def asked_back(labels: list[dict[str, Any]]) -> list[bool]:
    return sorted(label["refund_status"] is not None for label in labels)


async def test_the_carrier_is_asked_about_a_returns_label_when_nobody_heard_whether_it_sold_one(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, unit = await delivered(stack, api, shop)
    lost = failing(stack.easypost.url, "/buy$", kind="drop_after", times=1)  # bought, but nobody hears of it
    unreadable = failing(stack.easypost.url, "/v2/shipments/", method="GET")  # nor will the carrier say
    async with lost, unreadable:
        body, key = {"units": [unit], "reason": "wrong_shade"}, {"Idempotency-Key": shop.name}
        asked = await api.post(f"/v1/orders/{order.order_id}/return", json=body, headers=key)
        assert asked.status_code == 202, asked.text  # whether there is a label is not known
        await eventually(lambda: cases(order))
    await receive(order, asked.json(), unit)
    await assert_conserved(stack, [order.order_id])
    assert asked_back(await order.labels()) == [False, True]
    assert await cases(order) == []


async def test_a_returns_label_is_struck_out_when_the_carrier_refused_to_sell_it(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, unit = await delivered(stack, api, shop)
    async with failing(stack.easypost.url, "/buy$", status=422, response=REFUSED):
        asked = await order.send_back(unit)
    assert (asked["label"], [case["type"] for case in await cases(order)]) == (None, ["label_impossible"])
    events = (await api.get(f"/v1/orders/{order.order_id}/events", params={"limit": 100})).json()["data"]
    assert [event["type"] for event in events].count("return.label_struck_out") == 1
    await receive(order, asked, unit)
    await assert_conserved(stack, [order.order_id])


@pytest.mark.parametrize("kind", ["shipment", "return"])
async def test_a_labels_refund_that_the_carrier_refuses_keeps_nobody_waiting_when_it_is_of_a(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, kind: str
):
    """It is asked for once more a day later; then it is our cost."""
    async with failing(stack.easypost.url, "/refund$", status=422, response=REFUSED):
        if kind == "return":
            order, unit = await delivered(stack, api, shop)
            await receive(order, await order.send_back(unit), unit)
        else:
            order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
            await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
            await order.shipment_at(shop.node("warehouse"), "captured")
            assert (await cancel(order)).json()["outcome"]["code"] == "cancelled"
        await assert_conserved(stack, [order.order_id])
        assert await cases(order) == []
        assert asked_back(await order.labels()).count(True) == 0
        await asked_again(stack, times=2)
    (case,) = await cases(order)
    assert (case["type"], case["owner"], case["detail"]) == ("label_not_refunded", "ops", {"status": "rejected"})
    await assert_conserved(stack, [order.order_id])


async def asked_again(stack: Stack, *, times: int) -> None:
    """Days go by, and reconciliation follows what was asked for."""
    clock, database = MovableClock(), Database(stack.urls.app, pool_size=1)
    silence, inbox = Silence(database, clock), InboxStore(database, clock)
    mending = MendingVendors(silence, inbox, SweepStore(database, clock), gateways(stack.settings), clock)
    for _ in range(times):
        clock.advance(QUIET + timedelta(minutes=1))
        await asyncio.to_thread(mending.follow_label_refunds)
    database.dispose()
