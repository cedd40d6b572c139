"""Drift planted in our own books, each seen by the oracle first: orphan stock, money of a closed order, no outcome."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from activities.payments import PaymentActivities
from activities.shipping import ShippingActivities
from cli.check import check
from models.db import Database
from models.heard import Window
from models.ids import authorize_key, label_key
from models.mint import mint
from models.stock import UnitWant
from models.stores.inbox import InboxStore
from models.stores.leftovers import Leftovers
from models.stores.silence import Silence
from models.stores.stock import StockStore
from models.stores.sweeps import SweepStore
from models.tables.orders import OrderUnit
from models.tables.payments import Intent, PaymentOperation
from models.tables.stock import Lot
from models.words import IntentState, OperationKind, Outcome, UnitState
from tests.conftest import MovableClock
from tests.e2e.test_refunds import TOTAL, captured, refunds, refuse_refund, retry
from tests.gateways.test_easypost import bought, parcel
from tests.journey import Journey
from tests.oracle import assert_conserved
from tests.reconcile.conftest import LATER
from tests.shop import Shop
from tests.stack import Stack, calling
from workers.engine import gateways, ledgers
from workers.mending_books import MendingBooks
from workers.mending_vendors import MendingVendors


@pytest.fixture
def books(stack: Stack, stack_db: Database, later: MovableClock) -> MendingBooks:
    ours, (stripe, easypost) = ledgers(stack_db, stack.clock), gateways(stack.settings)
    left = Leftovers(stack_db, later, StockStore())
    payments = PaymentActivities(ours.payments, ours.refunds, stripe)
    shipping = ShippingActivities(ours.orders, ours.labels, easypost)
    return MendingBooks(left, ours.orders, payments, shipping, stack.clock)


async def cancelled(stack: Stack, api: httpx.AsyncClient, shop: Shop) -> Journey:
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    assert (await order.command(f"/v1/orders/{order.order_id}/cancel", reason="customer_asked")).status_code == 200
    await order.until_closed()
    await assert_conserved(stack, [order.order_id])
    return order


async def wrong(stack: Stack, order: Journey) -> set[str]:
    """What the oracle finds wrong, by the promise that is broken."""
    found = await check(
        stack.urls.app, stack.stripe.url, stack.easypost.url, await stack.client(), orders=[order.order_id]
    )
    return {finding.code for finding in found}


async def test_stock_is_free_again_when_a_closed_order_holds_it(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, books: MendingBooks, stack_db: Database
):
    order = await cancelled(stack, api, shop)
    unit = (await order.order())["lines"][0]["units"][0]["id"]
    hold(stack, stack_db, order.order_id, UnitWant(unit, shop.sku("one"), shop.node("warehouse")))
    assert await wrong(stack, order) == {"O3"}
    assert books.release_orphans() >= 1
    await assert_conserved(stack, [order.order_id])
    assert reserved(stack_db, shop) == 0


def hold(stack: Stack, db: Database, holder: str, want: UnitWant) -> None:
    def work(session: Any) -> object:
        return StockStore().reserve(session, holder, [want], expires_at=None, now=stack.clock.now())

    db.transaction(work)


def reserved(db: Database, shop: Shop) -> int | None:
    return db.transaction(lambda session: session.scalar(select(Lot.reserved).where(Lot.sku == shop.sku("one"))))


async def test_stock_is_free_again_when_nobody_holds_it(
    stack: Stack, shop: Shop, books: MendingBooks, stack_db: Database
):
    """Its order was forgotten by a restore of a part, say."""
    shop.stock("one", warehouse=5)
    hold(stack, stack_db, "ord_nobody", UnitWant(mint("unit"), shop.sku("one"), shop.node("warehouse")))
    assert reserved(stack_db, shop) == 1
    assert (books.release_orphans() >= 1, reserved(stack_db, shop)) == (True, 0)


async def test_it_is_one_case_when_a_closed_order_holds_what_has_left(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, books: MendingBooks, stack_db: Database
):
    order = await cancelled(stack, api, shop)
    unit = (await order.order())["lines"][0]["units"][0]["id"]
    hold(stack, stack_db, order.order_id, UnitWant(unit, shop.sku("one"), shop.node("warehouse")))
    left = update(OrderUnit).where(OrderUnit.id == unit)
    stack_db.transaction(lambda session: session.execute(left.values(state=UnitState.DELIVERED)))
    for _ in range(2):
        books.release_orphans()
        assert await open_cases(api, order) == [("stock_missing", order.order_id, "ops")]
    assert reserved(stack_db, shop) == 0
    stack_db.transaction(lambda session: session.execute(left.values(state=UnitState.CANCELLED)))


async def test_authorization_is_voided_when_a_closed_order_holds_it(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, books: MendingBooks, stack_db: Database
):
    """Recorded, but its run is over: the order was closed while the answer was on its way, say."""
    order = await cancelled(stack, api, shop)
    key = authorize_key(order.order_id, 1, 2)
    intent = await authorized(stack, order, key, shop.total(1))

    def record(session: Any) -> None:
        now = stack.clock.now()
        money = {"tender": 1, "amount": shop.total(1), "order_id": order.order_id}
        session.add(Intent(id=intent, state=IntentState.OPEN, capturable=shop.total(1), created_at=now, **money))
        session.flush()
        known = {"outcome": Outcome.SUCCEEDED, "planned_at": now, "known_at": now, "stripe_id": intent}
        session.add(PaymentOperation(key=key, kind=OperationKind.AUTHORIZE, leg=2, intent_id=intent, **known, **money))

    stack_db.transaction(record)
    assert await wrong(stack, order) == {"O4", "REST"}
    assert books.settle_closed() >= 1
    await assert_conserved(stack, [order.order_id])


async def authorized(stack: Stack, order: Journey, key: str, amount: int) -> str:
    """An intent that Stripe holds for the order, made behind our back; its id."""
    form = {
        "amount": str(amount),
        "currency": "usd",
        "capture_method": "manual",
        "confirm": "true",
        "payment_method": "pm_card_visa",
        "metadata[order_id]": order.order_id,
        "metadata[operation]": key,
    }
    async with calling(stack.stripe.url, auth=("sk_test_sandbox", "")) as stripe:
        made = await stripe.post("/v1/payment_intents", data=form)
        assert made.status_code == 200, made.text
        return made.json()["id"]


async def test_label_is_asked_back_once_when_it_was_sold_for_a_parcel_that_will_not_leave(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, books: MendingBooks, stack_db: Database
):
    """Postgres forgot that it was bought, or nobody was left to record it."""
    order = await cancelled(stack, api, shop)
    key = label_key(order.order_id, (await order.order())["shipments"][0]["id"], 1)
    _, easypost = gateways(stack.settings)
    bought(easypost, parcel(reference=key))
    assert await wrong(stack, order) == {"O5"}
    for _ in range(2):
        heard = easypost.purchases(Window(stack.clock.now() - LATER, stack.clock.now() + LATER), None).heard
        sold = [each for each in heard if each.subject == key]
        InboxStore(stack_db, stack.clock).take(sold[0])
        ledgers(stack_db, stack.clock).orders.apply_facts(order.order_id, [sold[0].id])
        books.refund_labels()
    await assert_conserved(stack, [order.order_id])
    events = (await api.get(f"/v1/orders/{order.order_id}/events", params={"limit": 100})).json()["data"]
    types = [event["type"] for event in events]
    assert [types.count(each) for each in ("label.found", "label.refund_requested")] == [1, 1]


async def test_it_is_one_case_when_a_second_label_was_sold_under_the_same_key(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, stack_db: Database
):
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
    shipment = await order.shipment_at(shop.node("warehouse"), "captured")
    key, (_, easypost) = label_key(order.order_id, shipment["id"], 1), gateways(stack.settings)
    second = bought(easypost, parcel(reference=key))
    vendors = MendingVendors(
        Silence(stack_db, stack.clock), InboxStore(stack_db, stack.clock), SweepStore(stack_db, stack.clock),
        gateways(stack.settings), stack.clock,
    )  # fmt: skip
    page = vendors.sold(Window(stack.clock.now() - LATER, stack.clock.now() + LATER), None)
    found = [each for each in page.heard if each.subject == key]
    assert [each.payload["carrier_shipment_id"] for each in found] == [second.carrier_shipment_id]
    for _ in range(2):
        InboxStore(stack_db, stack.clock).take(found[0])
        ledgers(stack_db, stack.clock).orders.apply_facts(order.order_id, [found[0].id])
    assert await open_cases(api, order) == [("unknown_fact", key, "ops")]
    easypost.refund(second.carrier_shipment_id)  # as ops do


async def test_intent_is_read_anew_when_stripe_spoke_after_the_order_was_closed(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, books: MendingBooks, stack_db: Database
):
    order = await cancelled(stack, api, shop)
    look = update(Intent).where(Intent.order_id == order.order_id).values(look_due=True)
    stack_db.transaction(lambda session: session.execute(look))
    assert await wrong(stack, order) == {"REST"}
    assert books.settle_closed() >= 1
    await assert_conserved(stack, [order.order_id])


async def test_it_is_refunded_once_and_the_case_closed_when_a_closed_orders_refund_is_retried(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, books: MendingBooks
):
    order = await captured(stack, api, shop)
    intent = (await order.intents())[0]["id"]
    await refuse_refund(stack, order)
    assert (await order.command(f"/v1/orders/{order.order_id}/cancel", reason="customer_asked")).status_code == 200
    await order.until_closed()
    books.settle_closed()
    assert await open_cases(api, order) == [("refund_failed", intent, "cs")]
    assert await refunds(order) == []
    assert (await retry(order))["refunds"] == 1
    for _ in range(2):
        books.settle_closed()
        assert await refunds(order) == [(TOTAL, "succeeded")]
    assert await open_cases(api, order) == []
    assert (await order.order())["payment"]["refunded"]["amount"] == TOTAL
    await assert_conserved(stack, [order.order_id])


async def test_it_is_a_case_while_nobody_knows_what_came_of_an_effect(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, books: MendingBooks, stack_db: Database
):
    """Planned hours ago by a run that is gone with its order closed: nobody would ever look."""
    order = await cancelled(stack, api, shop)
    unit = stack_db.transaction(
        lambda session: session.scalar(select(OrderUnit.id).where(OrderUnit.order_id == order.order_id))
    )
    key, intent = f"{order.order_id}:void:planted:1", (await order.intents())[0]["id"]
    long_ago = stack.clock.now() - timedelta(hours=2)
    planned = {"kind": OperationKind.VOID, "tender": 1, "leg": 2, "intent_id": intent, "units": [unit]}
    operation = PaymentOperation(key=key, order_id=order.order_id, amount=1, planned_at=long_ago, **planned)
    stack_db.transaction(lambda session: session.add(operation))
    assert await wrong(stack, order) == {"REST"}
    for _ in range(2):
        books.own_unknown_outcomes()
        assert await open_cases(api, order) == [("stuck_effect", key, "ops")]
    known = update(PaymentOperation).where(PaymentOperation.key == key)
    values = {"outcome": Outcome.SUCCEEDED, "known_at": stack.clock.now()}
    stack_db.transaction(lambda session: session.execute(known.values(**values)))
    books.own_unknown_outcomes()
    assert await open_cases(api, order) == []


async def open_cases(api: httpx.AsyncClient, order: Journey) -> list[tuple[str, str, str]]:
    found = (await api.get("/v1/cases", params={"order": order.order_id})).json()["data"]
    return [(case["type"], case["subject"], case["owner"]) for case in found]
