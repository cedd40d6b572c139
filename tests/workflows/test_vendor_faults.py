"""P3, P4, P5: each call of both vendors fails in each way in which a call can, and every order comes out the same.

All branches that are needed for it are played at once, once for each way: in a life of that way every call fails the
first time that a step makes it, and one with an effect once more, its effect done and its answer lost.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, product
from typing import Any

import pytest
from sqlalchemy import select

from models.db import Database
from models.errors import OutcomeUnknownError, VendorUnavailableError
from models.heard import Window
from models.tables.orders import Order
from models.tables.returns import Return
from tests import journey
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import PRICE
from tests.stack import Stack, calling
from tests.workflows.branches import DELIVERED, ONE
from tests.workflows.failing import WAYS, Failing, calls, places, short_of_patience_with
from tests.workflows.killing import SOON
from tests.workflows.scene import Branch, Scene
from tests.workflows.stage import Play, cast, play_all
from tests.workflows.troubles import is_asked_back
from workers.engine import gateways
from workflows import options


async def rest_given_back(scene: Scene) -> Journey:
    """With multicapture, and after a hold: one parcel is captured and gone, then the other has no shelf left."""
    shop = scene.shop
    order = await scene.place(shop.stock("here", near_store=5), shop.stock("there", warehouse=5))
    await hold_and_release(order)
    await order.ship_from(shop.node("warehouse"))
    await order.done(await order.shipment_at(shop.node("near_store"), "offered"), "reject", reason="not_in_stock")
    await order.shipment_at(shop.node("near_store"), "cancelled")
    await order.until(lambda seen: seen["payment"]["held"]["amount"] == 0)
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def hold_and_release(order: Journey) -> None:
    held = await order.command(f"/v1/orders/{order.order_id}/holds", reason="fraud_review")
    hold = held.json()["outcome"]["detail"]["hold"]
    released = await order.api.delete(f"/v1/orders/{order.order_id}/holds/{hold}", headers={"Idempotency-Key": hold})
    assert released.status_code in (200, 202), released.text
    await order.until(lambda seen: not seen["holds"])


async def cancelled_half_way(scene: Scene) -> Journey:
    """One parcel is labelled and captured, the other only authorized, each on an intent of its own."""
    shop = scene.shop
    order = await scene.place(shop.stock("here", near_store=5), shop.stock("there", warehouse=5))
    await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
    await order.shipment_at(shop.node("warehouse"), "captured")
    await order.cancel()
    return order


async def brought_back(scene: Scene) -> Journey:
    """One piece of two is back without its label, so that is asked back too."""
    sku, node = scene.shop.stock("one", warehouse=5), scene.shop.node("warehouse")
    order = await scene.place(sku, sku)
    await order.ship_from(node)
    await order.deliver_from(node)
    unit = (await order.until_status("delivered"))["shipments"][0]["units"][0]
    asked = await order.send_back(unit)
    received = await order.command(f"/v1/returns/{asked['id']}/receive", units=[{"unit": unit}])
    assert received.status_code == 200, received.text
    await order.until(lambda seen: seen["payment"]["refunded"]["amount"] == PRICE)
    await eventually(lambda: is_asked_back(order, asked["label"]["tracking_code"]))
    return order


LIVES = {
    "rest_given_back": Branch(
        rest_given_back,
        {**DELIVERED, "shipments": [("near_store", "cancelled"), ("warehouse", "delivered")]},
        waits={"customer_answer": "PT0.5S"},
        multicapture=True,
    ),
    "cancelled_half_way": Branch(
        cancelled_half_way,
        {
            "status": "cancelled",
            "shipments": [("near_store", "cancelled"), ("warehouse", "cancelled")],
            "captured": [ONE],
            "intents": ["canceled", "succeeded"],
            "labels": 1,
        },
    ),
    "brought_back": Branch(
        brought_back,
        {
            "status": "partially_returned",
            "shipments": [("warehouse", "delivered")],
            "captured": [ONE + PRICE],
            "labels": 2,
        },
    ),
}


def ways_of(plays: list[Play], db: Database) -> Callable[[str], str | None]:
    """The way of a run, by its order's brand: each play has one of its own."""
    by_brand: dict[str, str] = {}
    for name in LIVES:
        copies = [play for play in plays if play.name == name]
        by_brand |= {play.scene.shop.brand: way for play, way in zip(copies, WAYS, strict=False)}
    known: dict[str, str | None] = {}

    def way_of(run: str) -> str | None:
        if run not in known:
            order = select(Return.order_id).where(Return.id == run).scalar_subquery() if run.startswith("ret_") else run
            brand = db.transaction(lambda session: session.scalar(select(Order.brand_id).where(Order.id == order)))
            known[run] = by_brand.get(brand or "")
        return known[run]

    return way_of


async def open_cases(plays: list[Play]) -> set[tuple[str, str]]:
    """Those that nobody has ended: the branch, and the case's type."""
    found: set[tuple[str, str]] = set()
    for play in plays:
        for order in play.scene.orders:
            cases = (await play.scene.api.get("/v1/cases", params={"order": order})).json()["data"]
            found |= {(play.name, case["type"]) for case in cases if case["closed_at"] is None}
    return found


async def ask_as_the_relay_does(stack: Stack, way: str, parcel: Mapping[str, str]) -> set[tuple[str, str]]:
    """What no activity asks: it fails in one of the two ways that say what is not known, and the next try tells all."""
    faulty, now = Failing(lambda _: way), datetime.now(UTC)
    window = Window(now - timedelta(hours=1), now)

    def fails_once(ask: Callable[[], Any]) -> None:
        with pytest.raises((OutcomeUnknownError, VendorUnavailableError)):
            ask()
        assert ask() == ask()

    with short_of_patience_with(faulty):
        stripe, easypost = gateways(stack.settings)
        stripe, easypost = faulty.around(stripe), faulty.around(easypost)
        asks: list[Callable[[], Any]] = [
            lambda: stripe.events(window, None),
            lambda: easypost.purchases(window, None),
            lambda: easypost.track(parcel["tracker_id"]),
            lambda: easypost.refund_status(parcel["id"]),
        ]
        await asyncio.gather(*(asyncio.to_thread(fails_once, ask) for ask in asks))
    return faulty.met


async def some_parcel(stack: Stack, order: str) -> Mapping[str, str]:
    async with calling(stack.easypost.url) as carrier:
        ledger = (await carrier.get("/_admin/ledger", params={"reference_prefix": order})).json()
    return next(parcel for parcel in ledger["shipments"] if parcel["labels"])


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon."""
    for bundle in (options.CARD_NETWORK, options.CARRIER):
        monkeypatch.setitem(bundle, "retry_policy", SOON)
    monkeypatch.setattr(journey, "PATIENCE", 200.0)


@pytest.mark.usefixtures("hurried")
@pytest.mark.timeout(300)
async def test_every_order_comes_to_the_same_when_each_vendor_call_fails_in_each_way(
    stack: Stack, stack_db: Database
) -> None:
    async with stack.api() as api:
        plays = await cast(stack, api, stack_db, confirm_within=60, life=120, copies=len(WAYS), branches=LIVES)
        faulty = Failing(ways_of(plays, stack_db))
        with short_of_patience_with(faulty):
            async with stack.worker(faults=faulty):
                await play_all(stack, plays)
                orders = [order for play in plays for order in play.scene.orders]
                await assert_conserved(stack, orders, patience=120)
        assert await open_cases(plays) == set()
    met, parcel = set(faulty.met), await some_parcel(stack, orders[0])
    for way in WAYS:
        met |= await ask_as_the_relay_does(stack, way, parcel)
    wanted = set(product(chain(calls(stack.settings), places().values()), WAYS))
    assert wanted - met == set()
