"""Authorizations grow old: renewed before they lapse, usable to their end when that is refused, replaced when lapsed.

Only Stripe's clock is moved: its week is nearly over when an order is authorized, so that the answer's
`capture_before` is seconds away. The renewal is then due at half of that.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx

from models.db import Database
from models.messages.activities import Learned
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import PRICE, SHIPPING, Shop
from tests.stack import Stack, calling
from workers.engine import ledgers

WEEK = timedelta(days=7).total_seconds()
LIFE = 6.0  # seconds from authorizing to the lapse: the renewal has half of it to be in time
WANTS_ITS_OWNER = "pm_card_authenticationRequired"  # off-session the bank refuses it
TOTAL = PRICE + SHIPPING


@asynccontextmanager
async def short_lives(stack: Stack) -> AsyncIterator[None]:
    """What is authorized in the body lapses within LIFE, if Stripe's clock is right again by then."""
    async with calling(stack.stripe.url) as stripe:
        await stripe.post("/_admin/clock", json={"now": time.time() - WEEK + LIFE})
        try:
            yield
        finally:
            await stripe.post("/_admin/clock", json={"now": time.time()})


async def refuse_once(stack: Stack, order: Journey, reason: str) -> None:
    """The next authorization of this order is declined."""
    error = {"type": "card_error", "code": "card_declined", "decline_code": reason, "message": "Declined."}
    fault = {"kind": "error", "status": 402, "response": {"error": error}, "times": 1}
    async with calling(stack.stripe.url) as stripe:
        about = {"method": "POST", "path": "/payment_intents$", "body": order.order_id}
        armed = await stripe.post("/_admin/faults", json=fault | about)
        assert armed.status_code < 300, armed.text


async def told(order: Journey, event: str) -> bool:
    events = (await order.api.get(f"/v1/orders/{order.order_id}/events")).json()["data"]
    return any(each["type"] == event for each in events)


async def until_told(order: Journey, event: str) -> None:
    await eventually(lambda: told(order, event))


def intents_of(order: dict[str, Any]) -> list[tuple[str, int, int]]:
    return [(i["state"], i["held"]["amount"], i["captured"]["amount"]) for i in order["payment"]["intents"]]


def is_renewed(intents: list[tuple[str, int, int]]) -> bool:
    """One is open, and every one before it was given back."""
    return len(intents) > 1 and intents[-1] == ("open", TOTAL, 0) and set(intents[:-1]) == {("voided", 0, 0)}


async def authenticated(stack: Stack, api: httpx.AsyncClient, shop: Shop, **waits: str) -> Journey:
    """A confirmed order whose card cannot be authorized again without its owner."""
    cart = shop.cart(shop.stock("one", warehouse=5), payment=WANTS_ITS_OWNER)
    order = await Journey.place(stack, api, cart | ({"waits": waits} if waits else {}))
    await order.authenticate()
    await order.until_status("confirmed")
    return order


async def ship(order: Journey, node: str) -> None:
    await order.ship_from(node)
    await order.deliver_from(node)
    await order.until_status("delivered")


async def test_the_order_is_captured_once_from_the_renewed_when_its_authorization_grows_old(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    async with short_lives(stack):
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        await order.until_status("confirmed")
    renewed = await order.until(lambda seen: is_renewed(intents_of(seen)))
    assert renewed["status"] == "confirmed"
    await ship(order, shop.node("warehouse"))
    *old, new = await order.intents()
    assert {(each["status"], each["cancellation_reason"]) for each in old} == {("canceled", None)}  # before it lapsed
    assert [capture["amount"] for capture in new["captures"]] == [TOTAL]
    await assert_conserved(stack, [order.order_id])


async def test_nothing_more_is_authorized_when_a_renewal_that_was_done_is_tried_again(
    stack: Stack, stack_db: Database, api: httpx.AsyncClient, shop: Shop
):
    async with short_lives(stack):
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        await order.until_status("confirmed")
    run = (await api.get(f"/v1/orders/{order.order_id}/run")).json()
    (due,) = [wait["until"] for wait in run["waits"] if wait["on"] == "payment"]
    await order.until(lambda seen: is_renewed(intents_of(seen)))
    money = ledgers(stack_db, stack.clock).payments
    again = await asyncio.to_thread(money.plan_renewal, order.order_id, datetime.fromisoformat(due))
    assert isinstance(again, Learned), "its answer was lost, and another hold would be put on the card"
    await ship(order, shop.node("warehouse"))
    await assert_conserved(stack, [order.order_id])


async def test_the_old_authorization_is_used_when_its_renewal_is_refused(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    async with short_lives(stack):
        order = await authenticated(stack, api, shop)
        await until_told(order, "payment.authorization_refused")
        assert (await order.order())["status"] == "confirmed"
        await ship(order, shop.node("warehouse"))
        old = (await order.intents())[0]
        assert [capture["amount"] for capture in old["captures"]] == [TOTAL]
    await assert_conserved(stack, [order.order_id])


async def test_the_order_is_authorized_anew_when_its_authorization_lapsed(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    async with short_lives(stack):
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        await order.until_status("confirmed")
        await refuse_once(stack, order, "insufficient_funds")
        await until_told(order, "payment.authorization_refused")
    await order.until(lambda seen: is_renewed(intents_of(seen)))
    await ship(order, shop.node("warehouse"))
    old, new = await order.intents()
    assert (old["status"], old["cancellation_reason"]) == ("canceled", "expired")
    assert [capture["amount"] for capture in new["captures"]] == [TOTAL]
    await assert_conserved(stack, [order.order_id])


async def test_the_customer_is_asked_and_at_the_deadline_all_given_back_when_a_lapsed_card_wants_its_owner(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    async with short_lives(stack):
        order = await authenticated(stack, api, shop, customer_answer="PT3S")
        await until_told(order, "payment.authorization_refused")
    asked = await order.until_status("awaiting_customer")
    assert asked["customer_until"]
    cases = (await api.get("/v1/cases", params={"order": order.order_id})).json()["data"]
    assert [case["type"] for case in cases] == ["awaiting_customer"]
    closed = await order.until_closed()
    assert (closed["status"], closed["payment"]["held"]["amount"]) == ("cancelled", 0)
    assert [capture for intent in await order.intents() for capture in intent["captures"]] == []
    await assert_conserved(stack, [order.order_id])
