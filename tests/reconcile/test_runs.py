"""Temporal's own actions, by its CLI, at three stages; and runs that are lost, behind or ahead of Postgres."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from cli.check import check
from cli.temporal import binary
from models.db import Database
from models.tables.messages import InboxFact
from models.tables.orders import Order
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.reconcile.conftest import LATER
from tests.replay.histories import until_at_rest
from tests.shop import Shop
from tests.stack import Stack
from workers.mending_runs import MendingRuns

Stage = Callable[[Journey, Shop], Awaitable[None]]


async def offered(order: Journey, shop: Shop) -> None:
    """Checkout is done, and the store has not answered."""
    await order.shipment_at(shop.node("near_store"), "offered")


async def captured(order: Journey, shop: Shop) -> None:
    node = shop.node("near_store")
    await order.done(await order.shipment_at(node, "offered"), "accept")
    await order.done(await order.shipment_at(node, "accepted"), "pick")
    await order.done(await order.shipment_at(node, "accepted"), "pack")
    await order.shipment_at(node, "captured")


async def handed_over(order: Journey, shop: Shop) -> None:
    await captured(order, shop)
    await order.done(await order.shipment_at(shop.node("near_store"), "captured"), "hand-over")


async def finish(order: Journey, shop: Shop) -> None:
    """What is left of the order's way, from whatever stage it stands at."""
    node = shop.node("near_store")
    stage = (await order.order())["shipments"][0]["stage"]
    if stage == "offered":
        await captured(order, shop)
    if stage in ("offered", "captured"):
        await order.done(await order.shipment_at(node, "captured"), "hand-over")
    await order.deliver_from(node)
    await order.until_status("delivered")


STAGES: dict[str, Stage] = {"offered": offered, "captured": captured, "handed_over": handed_over}
at_three_stages = pytest.mark.parametrize("stage", list(STAGES))


async def brought_to(stage: str, stack: Stack, api: httpx.AsyncClient, shop: Shop) -> Journey:
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", near_store=5)))
    await STAGES[stage](order, shop)
    await until_at_rest(await stack.client(), order.order_id)
    return order


async def by_cli(stack: Stack, run_id: str, *words: str) -> None:
    """`temporal workflow ...` on a run, as ops type it."""
    program = binary(Path())
    process = await asyncio.create_subprocess_exec(
        program, "workflow", *words, "--workflow-id", run_id, "--address", stack.temporal.address,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def wrong(stack: Stack, order: Journey) -> list[str]:
    """What the oracle finds wrong with the order's run."""
    later = stack.clock.now() + LATER
    found = await check(stack.urls.app, None, None, await stack.client(), orders=[order.order_id], now=later)
    return [finding.message for finding in found if finding.code == "O6"]


async def effects(order: Journey) -> tuple[list[int], int]:
    """What was captured, and how many labels were bought."""
    intents, labels = await order.intents(), await order.labels()
    return [capture["amount"] for intent in intents for capture in intent["captures"]], len(labels)


@at_three_stages
async def test_order_goes_on_when_its_run_was_terminated(
    stage: str, stack: Stack, api: httpx.AsyncClient, shop: Shop, mending: MendingRuns
):
    order = await brought_to(stage, stack, api, shop)
    await by_cli(stack, order.order_id, "terminate", "--reason", "test")
    status = (await order.order())["status"]
    assert await wrong(stack, order) == [f"the order is open ({status}), but its run is terminated"]
    assert await mending.look_at([order.order_id]) == 1
    assert await wrong(stack, order) == []
    await finish(order, shop)
    assert await effects(order) == ([shop.total(1)], 1)
    await assert_conserved(stack, [order.order_id])


@at_three_stages
async def test_no_effect_is_repeated_when_its_run_was_reset(
    stage: str, stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await brought_to(stage, stack, api, shop)
    await by_cli(stack, order.order_id, "reset", "--type", "FirstWorkflowTask", "--reason", "test")
    await until_at_rest(await stack.client(), order.order_id)
    await finish(order, shop)
    assert await effects(order) == ([shop.total(1)], 1)
    await assert_conserved(stack, [order.order_id])


@at_three_stages
async def test_temporals_cancel_is_a_cancel_by_ops_when_it_comes_at(
    stage: str, stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await brought_to(stage, stack, api, shop)
    await by_cli(stack, order.order_id, "cancel")
    events = f"/v1/orders/{order.order_id}/events"
    if stage == "handed_over":

        async def refused() -> bool:
            return any(e["type"] == "command.refused" for e in (await api.get(events)).json()["data"])

        await eventually(refused)
        await finish(order, shop)
    else:
        await order.until_status("cancelled")
        await order.until_closed()
    captures, labels = await effects(order)
    assert (captures, labels) == (([], 0) if stage == "offered" else ([shop.total(1)], 1))
    await assert_conserved(stack, [order.order_id])


async def test_command_and_fact_count_when_the_run_died_before_it_took_them_in(
    stack: Stack, shop: Shop, mending: MendingRuns
):
    """The Update was never accepted, the Signal never read: no worker was there, and then the run was terminated."""
    node = "warehouse"
    async with stack.api() as api:
        async with stack.worker():
            order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
            await order.ship_from(shop.node(node))
            await until_at_rest(await stack.client(), order.order_id)
        shipment = (await order.order())["shipments"][0]
        held = asyncio.create_task(order.command(f"/v1/orders/{order.order_id}/holds", reason="fraud_review"))
        await order.carry(shipment["tracking"]["code"], "delivered")
        await eventually(lambda: was_signalled(stack, order.order_id))
        await by_cli(stack, order.order_id, "terminate", "--reason", "test")
        assert (await order.order())["status"] == "shipped"
        async with stack.worker():
            assert await mending.look_at([order.order_id]) == 1
            await order.until_status("delivered")
            assert (await held).status_code < 300
            await assert_conserved(stack, [order.order_id])


async def was_signalled(stack: Stack, run_id: str) -> bool:
    history = await (await stack.client()).get_workflow_handle(run_id).fetch_history()
    return any(event.HasField("workflow_execution_signaled_event_attributes") for event in history.events)


async def test_run_is_left_alone_when_all_is_well(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, mending: MendingRuns
):
    order = await brought_to("captured", stack, api, shop)
    run = await (await stack.client()).get_workflow_handle(order.order_id).describe()
    assert await mending.look_at([order.order_id]) == 0
    same = await (await stack.client()).get_workflow_handle(order.order_id).describe()
    assert (same.run_id, same.history_length) == (run.run_id, run.history_length)


async def test_run_reads_postgres_anew_when_it_is_behind(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, mending: MendingRuns, stack_db: Database
):
    order = await brought_to("captured", stack, api, shop)
    change(stack_db, update(Order).where(Order.id == order.order_id).values(revision=Order.revision + 7))
    assert await mending.look_at([order.order_id]) == 1

    async def caught_up() -> bool:
        return await mending.look_at([order.order_id]) == 0

    await eventually(caught_up)


async def test_another_run_resumes_when_the_run_knows_more_than_postgres(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, mending: MendingRuns, stack_db: Database
):
    order = await brought_to("captured", stack, api, shop)
    change(stack_db, update(Order).where(Order.id == order.order_id).values(revision=1))
    assert await mending.look_at([order.order_id]) == 1
    assert await wrong(stack, order) == []
    await finish(order, shop)
    assert await effects(order) == ([shop.total(1)], 1)
    await assert_conserved(stack, [order.order_id])


async def test_fact_is_told_again_when_the_run_goes_on_without_it(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, mending: MendingRuns, stack_db: Database
):
    """As after a restore of Temporal to before the Signal."""
    order = await brought_to("handed_over", stack, api, shop)
    code = (await order.order())["shipments"][0]["tracking"]["code"]
    now = stack.clock.now()
    fact = InboxFact(
        id=f"evt_{order.order_id}", source="easypost", kind="tracking.delivered", subject=code,
        order_id=order.order_id, payload={"status": "delivered", "scanned": True}, occurred_at=now, received_at=now,
        due_at=now, signalled_at=now,
    )  # fmt: skip
    stack_db.transaction(lambda session: session.add(fact))
    assert (await order.order())["status"] == "shipped"
    assert await mending.look_at([order.order_id]) == 1
    await order.until_status("delivered")
    await assert_conserved(stack, [order.order_id])


def change(db: Database, statement: object) -> None:
    db.transaction(lambda session: session.execute(statement))  # pyright: ignore[reportArgumentType]
