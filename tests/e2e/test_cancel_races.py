"""A cancel meets every workflow-task boundary of a two-shipment order: always one typed outcome, and nothing left over.

The people go on with their work meanwhile, and are refused where it is too late; they learn that from the answers.
"""

import asyncio
from typing import Any

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from tests.journey import Journey
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack

BOUNDARIES = range(1, 19)  # a run left alone has 15 to 18, as its tasks happen to be put together
NEXT = {"offered": "accept", "accepted": "pack", "captured": "hand-over"}
ENDED = {"delivered", "re_sourced", "cancelled"}


async def work(order: Journey) -> dict[str, Any]:
    """Store, warehouse and carrier do what is next until the order is cancelled or delivered."""
    while True:
        seen = await order.order()
        shipments = seen["shipments"]
        if seen["closed_at"] or (shipments and all(s["stage"] in ENDED for s in shipments)):
            return seen
        for shipment in shipments:
            if shipment["stage"] == "handed_over":
                await order.carry(shipment["tracking"]["code"], "delivered")
            elif not shipment["leaving"] and (verb := NEXT.get(shipment["stage"])):
                answer = await order.do(shipment, verb)
                assert answer.status_code in (200, 409), answer.text
        await asyncio.sleep(0.02)


async def until_task(client: Client, order_id: str, number: int) -> None:
    """So many of its workflow tasks are over; or the run rests without having had them."""
    tasks = 0
    async with asyncio.timeout(60):
        async for event in client.get_workflow_handle(order_id).fetch_history_events(wait_new_event=True):
            tasks += event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
            if tasks == number:
                return


async def race(
    stack: Stack, api: httpx.AsyncClient, cart: dict[str, Any], number: int, way: str
) -> tuple[Journey, str]:
    """The order, and what came of cancelling it: a code, or `unheard` where a Signal has no answer."""
    client = await stack.client()
    order = await Journey.place(stack, api, cart)
    at_work = asyncio.create_task(work(order))
    boundary = asyncio.create_task(until_task(client, order.order_id, number))
    await asyncio.wait([at_work, boundary], return_when=asyncio.FIRST_COMPLETED)
    boundary.cancel()
    if way == "signal":
        await client.get_workflow_handle(order.order_id).signal("cancel", {"reason": "customer_changed_mind"})
        code = "unheard"
    else:
        answer = await order.command(f"/v1/orders/{order.order_id}/cancel", reason="customer_changed_mind")
        assert answer.status_code in (200, 409), answer.text
        code = answer.json()["outcome"]["code"] if answer.status_code == 200 else answer.json()["code"]
    await at_work
    return order, code


def after(code: str, order: dict[str, Any]) -> None:
    """The order is as the answer said, to the cent."""
    payment = order["payment"]
    kept = payment["captured"]["amount"] - payment["refunded"]["amount"]
    assert order["status"] in ("cancelled", "delivered")
    assert (order["status"] == "cancelled") is (code == "cancelled") or code == "unheard"
    assert kept == (0 if order["status"] == "cancelled" else order["total"]["amount"])
    assert payment["held"]["amount"] == 0


@pytest.mark.parametrize("way", ["update", "signal"])
async def test_one_typed_outcome_when_a_cancel_meets_each_workflow_task(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, way: str
):
    cart = shop.cart(shop.stock("here", near_store=40), shop.stock("there", warehouse=40))
    races = await asyncio.gather(*(race(stack, api, cart, number, way) for number in BOUNDARIES))
    orders = [order.order_id for order, _ in races]
    await assert_conserved(stack, orders)
    ends = [(code, (await order.order())) for order, code in races]
    for code, order in ends:
        after(code, order)
    assert {order["status"] for _, order in ends} == {"cancelled", "delivered"}
    if way == "update":
        assert {code for code, _ in ends} == {"cancelled", "already_handed_over"}
