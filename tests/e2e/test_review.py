"""What a review found by reading, each as it broke: it stays mended."""

import asyncio
from datetime import UTC, datetime

import httpx
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from models.db import Database
from models.tables.orders import Hold, Order
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack, failing


async def test_parcel_is_packed_after_all_when_its_box_was_a_typo(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
) -> None:
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
    refused = await order.do(shipment, "pack", box="box_typo", grams=100)
    assert (refused.status_code, refused.json()["code"]) == (409, "unknown_box")
    await order.done(shipment, "pack", box=shop.box)
    await order.shipment_at(shop.node("warehouse"), "captured")
    await assert_conserved(stack, [order.order_id])


async def test_hold_is_seen_when_it_was_placed_while_another_waited_for_the_order(
    stack: Stack, stack_db: Database, shop: Shop
) -> None:
    sku = shop.stock("one", warehouse=5)
    async with stack.worker() as books, stack.api() as api:
        order = await Journey.place(stack, api, shop.cart(sku))
        with Session(stack_db.engine) as session:
            session.execute(select(Order.id).where(Order.id == order.order_id).with_for_update())
            waiting = asyncio.create_task(asyncio.to_thread(books.orders.facts, order.order_id))
            await eventually(lambda: asyncio.to_thread(somebody_waits, stack_db))
            row = {"id": f"hold_{shop.name}", "order_id": order.order_id, "reason": "review", "actor": "test"}
            session.execute(insert(Hold).values(**row, placed_at=datetime.now(UTC)))
            session.commit()
        learned = await waiting
    assert learned.facts.shipments[0].on_hold


async def test_parcel_is_delivered_once_when_it_is_captured_after_that(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
) -> None:
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    node = shop.node("warehouse")
    async with failing(stack.stripe.url, "/capture$", status=500):
        await order.done(await order.shipment_at(node, "accepted"), "pack")
        parcel = await order.shipment_at(node, "labelled")
        await order.carry(parcel["tracking"]["code"], "delivered")
        seen = await order.until_status("delivered")
        assert seen["shipments"][0]["stage"] == "labelled"
    ended = await order.shipment_at(node, "delivered")
    assert ended["delivered_at"] == seen["shipments"][0]["delivered_at"]
    events = (await api.get(f"/v1/orders/{order.order_id}/events", params={"limit": 100})).json()["data"]
    assert [event["type"] for event in events].count("shipment.delivered") == 1
    await assert_conserved(stack, [order.order_id])


def somebody_waits(db: Database) -> bool:
    """Whether a connection of this database waits for a row's lock."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    return bool(db.transaction(lambda session: session.scalar(query)))
