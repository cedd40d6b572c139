"""Returns whose own run is lost, behind or ahead of Postgres: each goes on as if nothing had happened."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from models.db import Database
from models.heard import Window
from models.ids import label_key
from models.stores.inbox import InboxStore
from models.tables.returns import Return
from models.words import ReturnStage
from tests.gateways.test_easypost import bought, parcel
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.reconcile.conftest import LATER
from tests.reconcile.test_runs import by_cli, change, was_signalled, wrong
from tests.replay.histories import until_at_rest
from tests.shop import PRICE, Shop
from tests.stack import Stack
from workers.engine import gateways, ledgers
from workers.mending_returns import MendingReturns
from workers.relay import TemporalRuns


@dataclass
class Returning:
    """One piece on its way back."""

    order: Journey
    unit: str
    id: str
    code: str | None  # of its label

    @classmethod
    async def ask(cls, stack: Stack, api: httpx.AsyncClient, shop: Shop, *, label: bool = True) -> "Returning":
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        await order.ship_from(shop.node("warehouse"))
        await order.deliver_from(shop.node("warehouse"))
        unit = (await order.until_status("delivered"))["shipments"][0]["units"][0]
        body, key = {"units": [unit], "reason": "wrong_shade", "label": label}, {"Idempotency-Key": shop.name}

        async def answered() -> dict[str, Any] | None:
            answer = await api.post(f"/v1/orders/{order.order_id}/return", json=body, headers=key)
            return answer.json() if answer.status_code == 201 else None

        await eventually(answered)
        asked = await answered() or {}
        await until_at_rest(await stack.client(), asked["id"])
        return cls(order, unit, asked["id"], (asked["label"] or {}).get("tracking_code"))

    async def is_at(self, stage: str) -> bool:
        return (await self.order.api.get(f"/v1/returns/{self.id}")).json()["stage"] == stage

    async def scan(self) -> None:
        await self.order.carry(self.code or "", "in_transit")
        await eventually(lambda: self.is_at("on_its_way"))

    async def receive(self) -> None:
        answer = await self.order.command(f"/v1/returns/{self.id}/receive", units=[{"unit": self.unit}])
        assert answer.status_code == 200, answer.text

    async def ended_well(self, stack: Stack) -> None:
        """Received, its money given back once, one label bought for it, and nothing wrong anywhere."""
        await self.receive()
        await self.order.until(lambda seen: seen["payment"]["refunded"]["amount"] == PRICE)
        await assert_conserved(stack, [self.order.order_id])
        refunds = [refund["amount"] for intent in await self.order.intents() for refund in intent["refunds"]]
        assert (refunds, len(await self.order.labels())) == ([PRICE], 2)


@pytest.mark.parametrize("stage", ["labelled", "on_its_way"])
async def test_return_goes_on_when_its_run_was_terminated(
    stage: str, stack: Stack, api: httpx.AsyncClient, shop: Shop, returning: MendingReturns
):
    back = await Returning.ask(stack, api, shop)
    if stage == "on_its_way":
        await back.scan()
    await by_cli(stack, back.id, "terminate", "--reason", "test")
    assert await wrong(stack, back.order) == [f"the return is open ({stage}), but its run is terminated"]
    assert await returning.look_at([back.id]) == 1
    assert (await wrong(stack, back.order), await returning.look_at([back.id])) == ([], 0)
    await back.ended_well(stack)


async def test_return_goes_on_when_temporal_lost_its_run(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, returning: MendingReturns
):
    back = await Returning.ask(stack, api, shop)
    await by_cli(stack, back.id, "delete", "--yes")

    async def is_gone() -> bool:
        return await TemporalRuns().standing(back.id) == "none"

    await eventually(is_gone)
    assert await wrong(stack, back.order) == ["the return is open (labelled) and has no run"]
    assert await returning.look_at([back.id]) == 1
    await back.ended_well(stack)


async def test_scan_counts_when_the_returns_run_died_before_it_took_it_in(
    stack: Stack, shop: Shop, returning: MendingReturns
):
    """The Signal was never read: no worker was there, and then the run was terminated."""
    async with stack.api() as api:
        async with stack.worker():
            back = await Returning.ask(stack, api, shop)
        await back.order.carry(back.code or "", "in_transit")
        await eventually(lambda: was_signalled(stack, back.id))
        await by_cli(stack, back.id, "terminate", "--reason", "test")
        async with stack.worker():
            assert await returning.look_at([back.id]) == 1
            assert await back.is_at("on_its_way")
            await back.ended_well(stack)


async def test_returns_run_is_left_alone_when_all_is_well(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, returning: MendingReturns
):
    back = await Returning.ask(stack, api, shop)
    run = await (await stack.client()).get_workflow_handle(back.id).describe()
    assert await returning.look_at([back.id]) == 0
    same = await (await stack.client()).get_workflow_handle(back.id).describe()
    assert (same.run_id, same.history_length) == (run.run_id, run.history_length)


async def test_returns_run_ends_when_postgres_says_that_the_return_is_over(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, returning: MendingReturns, stack_db: Database
):
    """As after a restore of Temporal to before its end."""
    back = await Returning.ask(stack, api, shop, label=False)
    over = {"closed_at": stack.clock.now(), "deadline": None, "stage": ReturnStage.EXPIRED}
    change(stack_db, update(Return).where(Return.id == back.id).values(over))
    assert await wrong(stack, back.order) == ["the return is closed (expired), but its run goes on"]
    assert await returning.end() >= 1
    await (await stack.client()).get_workflow_handle(back.id).result()
    assert await wrong(stack, back.order) == []


async def test_label_is_asked_back_when_it_was_sold_for_a_return_that_is_over(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, returning: MendingReturns, stack_db: Database
):
    back = await Returning.ask(stack, api, shop, label=False)
    await back.receive()
    await assert_conserved(stack, [back.order.order_id])
    key, (_, easypost) = label_key(back.order.order_id, back.id, 1), gateways(stack.settings)
    bought(easypost, parcel(reference=key))
    for mended in (1, 0):
        heard = easypost.purchases(Window(stack.clock.now() - LATER, stack.clock.now() + LATER), None).heard
        (sold,) = [each for each in heard if each.subject == key]
        InboxStore(stack_db, stack.clock).take(sold)
        ledgers(stack_db, stack.clock).orders.apply_facts(back.order.order_id, [sold.id])
        assert await returning.look_at([back.id]) == mended
        await (await stack.client()).get_workflow_handle(back.id).result()
    await assert_conserved(stack, [back.order.order_id])
    assert sorted(label["refund_status"] is not None for label in await back.order.labels()) == [False, True]
