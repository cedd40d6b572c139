"""A count says that less is there than was promised: who loses is sourced elsewhere, and what is packed goes its way."""

from typing import Any
from uuid import uuid4

import httpx

from tests.journey import Journey, count_shelf
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack


async def count(api: httpx.AsyncClient, shop: Shop, sku: str, pieces: int) -> None:
    await count_shelf(api, shop.node("warehouse"), sku, pieces)


async def test_the_youngest_is_sourced_elsewhere_when_a_count_takes_its_piece(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    sku = shop.stock("one", warehouse=2, far_warehouse=1)
    older, younger = [await Journey.place(stack, api, shop.cart(sku)) for _ in range(2)]
    await older.shipment_at(shop.node("warehouse"), "accepted")
    await younger.shipment_at(shop.node("warehouse"), "accepted")
    await count(api, shop, sku, 1)
    await younger.shipment_at(shop.node("far_warehouse"), "accepted")
    await older.ship_from(shop.node("warehouse"))
    await younger.ship_from(shop.node("far_warehouse"))
    await assert_conserved(stack, [older.order_id, younger.order_id])


async def test_only_the_lost_piece_waits_for_supply_when_no_shelf_has_another(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    sku = shop.stock("one", warehouse=2)
    order = await Journey.place(stack, api, shop.cart(sku, sku))
    await order.shipment_at(shop.node("warehouse"), "accepted")
    await count(api, shop, sku, 1)
    lost = await order.shipment_at(shop.node("warehouse"), "unsourced")
    assert len(lost["units"]) == 1
    cases = (await api.get("/v1/cases", params={"order": order.order_id})).json()["data"]
    assert [case["type"] for case in cases] == ["unsourced"]
    await order.ship_from(shop.node("warehouse"))
    await assert_conserved(stack, [order.order_id])


async def asked(stack: Stack, api: httpx.AsyncClient, shop: Shop, **at: int) -> tuple[Journey, str]:
    """An order of two pieces that waits for its customer's 3-D Secure."""
    sku = shop.stock("one", **at)
    order = await Journey.place(stack, api, shop.cart(sku, sku, payment="pm_card_authenticationRequired"))
    await order.until(lambda seen: seen["verdict"] == "requires_action")
    return order, sku


async def test_it_ships_from_elsewhere_when_a_count_comes_before_the_customer_has_confirmed(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, sku = await asked(stack, api, shop, warehouse=2, far_warehouse=2)
    await count(api, shop, sku, 1)
    await order.shipment_at(shop.node("far_warehouse"), "planned")
    await order.authenticate()
    await order.ship_from(shop.node("far_warehouse"))
    await assert_conserved(stack, [order.order_id])


async def test_it_is_out_of_stock_and_nothing_stays_authorized_when_a_count_leaves_too_few_before_it_is_confirmed(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order, sku = await asked(stack, api, shop, warehouse=2)
    await count(api, shop, sku, 1)
    ended = await order.until_closed()
    assert (ended["verdict"], ended["status"]) == ("out_of_stock", "failed")
    assert [intent["status"] for intent in await order.intents()] == ["canceled"]
    await assert_conserved(stack, [order.order_id])


async def test_the_customer_gets_another_piece_when_a_reserved_one_is_reported_as_damaged(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    sku = shop.stock("one", warehouse=1, far_warehouse=1)
    order = await Journey.place(stack, api, shop.cart(sku))
    await order.shipment_at(shop.node("warehouse"), "accepted")
    broken = await damage(api, shop, sku, 1)
    assert (broken["on_hand"], broken["reserved"]) == (0, 0)
    await order.ship_from(shop.node("far_warehouse"))
    await assert_conserved(stack, [order.order_id])


async def damage(api: httpx.AsyncClient, shop: Shop, sku: str, pieces: int) -> dict[str, Any]:
    path = f"/v1/inventory/{sku}/{shop.node('warehouse')}"
    seen = await api.get(path)
    body = {"adjust_by": -pieces, "reason": "damage"}
    answer = await api.patch(
        path, json=body, headers={"Idempotency-Key": uuid4().hex, "If-Match": seen.headers["etag"]}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_case_asks_for_a_count_when_more_is_broken_than_lay_there(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    sku = shop.stock("one", warehouse=2)
    order = await Journey.place(stack, api, shop.cart(sku, sku))
    shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
    await order.done(shipment, "pick")
    broken = await damage(api, shop, sku, 1)
    assert (broken["on_hand"], broken["reserved"]) == (2, 2)
    subject = f"{sku}@{shop.node('warehouse')}"
    assert [case["type"] for case in await about(api, subject)] == ["stock_missing"]
    await count(api, shop, sku, 0)
    assert await about(api, subject) == []
    await order.ship_from(shop.node("warehouse"))
    await assert_conserved(stack, [order.order_id])


async def about(api: httpx.AsyncClient, subject: str) -> list[dict[str, Any]]:
    """The open cases about it."""
    cases = (await api.get("/v1/cases", params={"type": "stock_missing", "limit": 100})).json()["data"]
    return [case for case in cases if case["subject"] == subject]


async def test_what_is_found_can_be_sold_when_a_count_finds_more_than_was_known(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    shop.stock("another", warehouse=1)
    sku = shop.stock("one")
    await count(api, shop, sku, 1)
    order = await Journey.place(stack, api, shop.cart(sku))
    await order.ship_from(shop.node("warehouse"))
    await assert_conserved(stack, [order.order_id])
