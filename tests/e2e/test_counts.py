"""A count says that less is there than was promised: who loses is sourced elsewhere, and what is packed goes its way."""

from uuid import uuid4

import httpx

from tests.journey import Journey
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack


async def count(api: httpx.AsyncClient, shop: Shop, sku: str, pieces: int) -> None:
    body = {"location_id": shop.node("warehouse"), "items": [{"sku": sku, "quantity": pieces}]}
    answer = await api.post("/v1/inventory/counts", json=body, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.text


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
