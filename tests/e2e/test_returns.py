"""What comes back: whole, in part, early, elsewhere, late or never; each cent and each piece where it belongs."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.e2e.test_refunds import has_case, refuse_refund, retry
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import PRICE, SHIPPING, Shop
from tests.stack import Stack

TOTAL = 2 * PRICE + SHIPPING


async def delivered(stack: Stack, api: httpx.AsyncClient, shop: Shop, **waits: Any) -> tuple[Journey, list[str]]:
    """Two pieces of one SKU, at the customer's."""
    sku = shop.stock("one", warehouse=5)
    order = await Journey.place(stack, api, shop.cart(sku, sku) | ({"waits": waits} if waits else {}))
    await order.ship_from(shop.node("warehouse"))
    await order.deliver_from(shop.node("warehouse"))
    seen = await order.until_status("delivered")
    return order, sorted(seen["shipments"][0]["units"])


async def send_back(order: Journey, *units: str, key: str = "r", **more: Any) -> httpx.Response:
    body = {"units": list(units), "reason": "wrong_shade", **more}
    headers = {"Idempotency-Key": f"{order.order_id}:{key}"}
    while True:
        answer = await order.api.post(f"/v1/orders/{order.order_id}/return", json=body, headers=headers)
        if answer.status_code not in (202, 503):
            return answer
        await asyncio.sleep(0.05)


async def receive(
    order: Journey, return_id: str, *units: str, disposition: str = "restock", **more: Any
) -> httpx.Response:
    pieces = [{"unit": unit, "disposition": disposition} for unit in units]
    return await order.command(f"/v1/returns/{return_id}/receive", units=pieces, **more)


async def refunded(order: Journey) -> int:
    return (await order.order())["payment"]["refunded"]["amount"]


async def until_refunded(order: Journey, amount: int) -> dict[str, Any]:
    return await order.until(lambda seen: seen["payment"]["refunded"]["amount"] == amount)


async def refunds(order: Journey) -> list[int]:
    return sorted(refund["amount"] for intent in await order.intents() for refund in intent["refunds"])


async def shelf(order: Journey, shop: Shop, place: str) -> tuple[int, int]:
    row = (await order.api.get(f"/v1/inventory/{shop.sku('one')}/{shop.node(place)}")).json()
    return row["on_hand"], row["reserved"]


async def test_the_exact_amount_and_the_pieces_come_back_when_a_return_is_received(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, units = await delivered(stack, api, shop)
    answer = await send_back(order, *units)
    assert answer.status_code == 201, answer.text
    asked = answer.json()
    assert (asked["stage"], asked["location_id"]) == ("labelled", shop.node("warehouse"))
    assert asked["label"]["tracking_code"]
    assert await refunded(order) == 0
    got = await receive(order, asked["id"], *units)
    assert got.status_code == 200, got.text
    assert got.json()["returned"]["stage"] == "received"
    seen = await until_refunded(order, 2 * PRICE)
    assert seen["status"] == "returned"
    assert await shelf(order, shop, "warehouse") == (5, 0)
    await assert_conserved(stack, [order.order_id])


async def test_each_part_is_refunded_as_it_comes_when_a_return_comes_in_two(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, units = await delivered(stack, api, shop)
    return_id = (await send_back(order, *units)).json()["id"]
    first = await receive(order, return_id, units[0])
    assert first.json()["outcome"]["detail"] == {"received": 1, "missing": 1}
    assert (await until_refunded(order, PRICE))["status"] == "partially_returned"
    assert (await receive(order, return_id, units[0])).json()["outcome"]["code"] == "already_received"
    await receive(order, return_id, units[1], disposition="scrap")
    await until_refunded(order, 2 * PRICE)
    assert await refunds(order) == [PRICE, PRICE]
    assert await shelf(order, shop, "warehouse") == (4, 0)  # one was scrapped
    await assert_conserved(stack, [order.order_id])


async def test_it_lies_where_it_was_received_when_that_is_elsewhere(stack: Stack, api: httpx.AsyncClient, shop: Shop):
    order, units = await delivered(stack, api, shop)
    shop.stock("other", near_store=1)
    return_id = (await send_back(order, units[0], label=False)).json()["id"]
    got = await receive(order, return_id, units[0], location=shop.node("near_store"))
    assert got.status_code == 200, got.text
    await until_refunded(order, PRICE)
    assert (await shelf(order, shop, "warehouse"), await shelf(order, shop, "near_store")) == ((3, 0), (1, 0))
    await assert_conserved(stack, [order.order_id])


async def test_the_money_goes_back_at_the_carriers_scan_when_the_policy_says_so(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, units = await delivered(stack, api, shop)
    asked = (await send_back(order, units[0], refund_on="scan")).json()
    await order.carry(asked["label"]["tracking_code"], "in_transit")
    await until_refunded(order, PRICE)
    assert await shelf(order, shop, "warehouse") == (3, 0)
    assert (await receive(order, asked["id"], units[0])).status_code == 200
    assert (await refunds(order), await shelf(order, shop, "warehouse")) == ([PRICE], (4, 0))
    await assert_conserved(stack, [order.order_id])


async def test_the_customer_is_reminded_and_the_units_are_free_again_when_nothing_comes(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    waits = {"return_transit": "PT2S", "return_reminders": ["PT1.5S", "PT1S"]}
    order, units = await delivered(stack, api, shop, **waits)
    return_id = (await send_back(order, units[0])).json()["id"]
    assert (await send_back(order, units[0], key="again")).json()["code"] == "claimed_already"
    await eventually(lambda: is_at(order, return_id, "expired"))
    told = (await api.get(f"/v1/orders/{order.order_id}/events", params={"limit": 100})).json()["data"]
    assert [event["type"] for event in told].count("return.reminded") == 2
    await eventually(lambda: is_voided(order))
    late = await receive(order, return_id, units[0])
    assert (late.status_code, late.json()["code"]) == (409, "return_over")
    assert (await send_back(order, units[0], key="once-more")).status_code == 201
    assert await refunds(order) == []


async def is_at(order: Journey, return_id: str, stage: str) -> bool:
    return (await order.api.get(f"/v1/returns/{return_id}")).json()["stage"] == stage


async def is_voided(order: Journey) -> bool:
    """The label that nobody used was asked back; the parcel's own was not."""
    labels = await order.labels()
    return sorted(label["refund_status"] is not None for label in labels) == [False, True]


@pytest.mark.parametrize("equal", [True, False], ids=["equal keys", "different keys"])
async def test_one_refund_is_made_when_fifty_receive_the_same_unit_at_once(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, equal: bool
):
    order, units = await delivered(stack, api, shop)
    return_id = (await send_back(order, units[0])).json()["id"]
    path, body = f"/v1/returns/{return_id}/receive", {"units": [{"unit": units[0]}]}
    keys = [{"Idempotency-Key": f"{return_id}:{0 if equal else number}"} for number in range(50)]
    answers = await asyncio.gather(*(api.post(path, json=body, headers=key) for key in keys))
    assert {answer.status_code for answer in answers} <= {200, 202, 409}, [a.text for a in answers]
    await until_refunded(order, PRICE)
    await assert_conserved(stack, [order.order_id])
    assert (await refunds(order), await shelf(order, shop, "warehouse")) == ([PRICE], (4, 0))


async def test_equal_requests_make_one_return_when_they_come_at_once(stack: Stack, api: httpx.AsyncClient, shop: Shop):
    order, units = await delivered(stack, api, shop)
    path, body = f"/v1/orders/{order.order_id}/return", {"units": units, "reason": "wrong_shade"}
    key = {"Idempotency-Key": order.order_id}
    answers = await asyncio.gather(*(api.post(path, json=body, headers=key) for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {201, 202, 409}, [a.text for a in answers]
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"idempotency_key_in_flight"}
    assert len((await api.get("/v1/returns", params={"order": order.order_id})).json()["data"]) == 1


@pytest.mark.parametrize("code", ["unknown_unit", "not_delivered", "window_over"])
async def test_it_is_refused_with_a_code_when_a_unit_cannot_come_back(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, code: str
):
    if code == "not_delivered":
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        unit = (await order.shipment_at(shop.node("warehouse"), "accepted"))["units"][0]
    elif code == "window_over":
        order, (unit, _) = await delivered(stack, api, shop, return_window="PT0.1S")
        await order.until_closed()
    else:
        order, _ = await delivered(stack, api, shop)
        unit = "unit_of_another"
    answer = await send_back(order, unit)
    assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text


async def test_the_order_stays_open_and_refunds_when_a_return_comes_after_its_window(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, units = await delivered(stack, api, shop, return_window="PT1.5S")
    return_id = (await send_back(order, units[0])).json()["id"]
    run = (await stack.client()).get_workflow_handle(order.order_id)
    await eventually(lambda: window_is_over(run))
    await receive(order, return_id, units[0])
    closed = await order.until_closed()
    assert closed["payment"]["refunded"]["amount"] == PRICE
    await assert_conserved(stack, [order.order_id])


async def window_is_over(run: Any) -> bool:
    history = await run.fetch_history()
    return any(event.HasField("timer_fired_event_attributes") for event in history.events)


async def test_k59_what_is_left_can_come_back_and_no_more_when_a_return_follows_another(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, units = await delivered(stack, api, shop)
    first = (await send_back(order, units[0])).json()["id"]
    await receive(order, first, units[0])
    await until_refunded(order, PRICE)
    again = await send_back(order, *units, key="all")
    assert (again.status_code, again.json()["code"], again.json()["unit"]) == (409, "claimed_already", units[0])
    second = (await send_back(order, units[1], key="rest")).json()["id"]
    await receive(order, second, units[1])
    await until_refunded(order, 2 * PRICE)  # the shipping charge is kept
    assert await refunds(order) == [PRICE, PRICE]
    await assert_conserved(stack, [order.order_id])


async def test_it_is_refunded_once_and_the_case_closed_when_what_was_refused_is_retried(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, units = await delivered(stack, api, shop)
    return_id = (await send_back(order, *units, label=False)).json()["id"]
    await refuse_refund(stack, order)
    await receive(order, return_id, *units)
    await eventually(lambda: has_case(order, "refund_failed"))
    assert (await refunded(order), await refunds(order)) == (0, [])
    assert (await retry(order))["refunds"] == 1
    await until_refunded(order, 2 * PRICE)
    assert await refunds(order) == [2 * PRICE]
    assert not await has_case(order, "refund_failed")
    assert (await retry(order))["refunds"] == 0
    await assert_conserved(stack, [order.order_id])
