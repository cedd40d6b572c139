"""What breaks is seen and heals: a bug is a failed workflow task, an impossible effect a case, nonsense a case too."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from models.clock import SystemClock
from models.db import Database
from models.messages.commands import Asked, CommandOutcome
from models.shipment import Do, Effect
from models.stores.commands import CommandStore, NewCommand, Recorded
from models.stores.labels import Labels
from models.stores.orders import OrderStore
from models.stores.requests import RequestStore
from models.stores.returns import ReturnStore
from models.words import CommandKind, Role
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.replay.histories import histories_of, replay, until_at_rest
from tests.shop import Shop
from tests.stack import Stack, failing
from tests.workflows.killing import one_worker
from workers.engine import ledgers
from workflows import effects
from workflows.order import OrderWorkflow


async def failed_tasks(stack: Stack, order_id: str) -> list[str]:
    """What the failed workflow tasks of an order's runs say."""
    runs = await histories_of(await stack.client(), order_id)
    wanted = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    failed = [event for run in runs for event in run.events if event.event_type == wanted]
    return [event.workflow_task_failed_event_attributes.failure.message for event in failed]


async def fired(stack: Stack, order_id: str) -> bool:
    history = await (await stack.client()).get_workflow_handle(order_id).fetch_history()
    return any(event.event_type == EventType.EVENT_TYPE_TIMER_FIRED for event in history.events)


async def cases(order: Journey) -> list[dict[str, Any]]:
    return (await order.api.get("/v1/cases", params={"order": order.order_id})).json()["data"]


async def until_case(order: Journey, kind: str) -> dict[str, Any]:
    """The order's case of that type, once it is open."""
    found: list[dict[str, Any]] = []

    async def opened() -> bool:
        found[:] = [case for case in await cases(order) if case["type"] == kind]
        return bool(found)

    await eventually(opened)
    return found[0]


async def placed_unheard(stack: Stack, api: httpx.AsyncClient, cart: dict[str, Any]) -> Journey:
    """An order whose verdict nobody waits for."""
    answer = await api.post("/v1/orders", json=cart, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 202, answer.text
    return Journey(stack, api, answer, answer.headers["location"].rpartition("/")[2])


async def ended_well(stack: Stack, order: Journey) -> None:
    await assert_conserved(stack, [order.order_id])
    await replay(*await histories_of(await stack.client(), order.order_id))


async def test_bug_is_a_failed_task_and_heals_when_a_fixed_worker_takes_over(
    stack: Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = effects.carry_out

    async def carry_out(order_id: str, key: str, step: Do, words: str) -> Any:
        if step.effect is Effect.BUY_LABEL:
            raise ZeroDivisionError("a bug")
        return await as_it_is(order_id, key, step, words)

    monkeypatch.setattr(effects, "carry_out", carry_out)
    async with stack.api() as api:
        async with stack.worker():
            order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
            shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
            await order.done(shipment, "pick")
            await api.post(f"/v1/shipments/{shipment['id']}/pack", headers={"Idempotency-Key": uuid4().hex})
            await eventually(lambda: failed_tasks(stack, order.order_id))
        assert f"the task of {shipment['id']} broke" in (await failed_tasks(stack, order.order_id))[0]

        monkeypatch.undo()
        async with stack.worker():
            await order.done(await order.shipment_at(shop.node("warehouse"), "captured"), "hand-over")
            await order.deliver_from(shop.node("warehouse"))
            await order.until_status("delivered")
            await ended_well(stack, order)


@pytest.mark.usefixtures("worker")
async def test_impossible_effect_is_a_case_until_it_succeeds_while_the_other_parcel_goes(
    stack: Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    skus = [shop.stock("here", warehouse=5), shop.stock("there", far_warehouse=5)]
    async with stack.api() as api:
        order = await Journey.place(stack, api, shop.cart(*skus))
        parcel = await order.shipment_at(shop.node("warehouse"), "accepted")
        as_it_is = Labels[Any, Any].plan

        def plan(self: Labels[Any, Any], ref: Any) -> Any:
            if ref.shipment_id == parcel["id"]:
                raise ZeroDivisionError("a bug in one step")
            return as_it_is(self, ref)

        monkeypatch.setattr(Labels, "plan", plan)
        await order.done(parcel, "pick")
        await order.done(parcel, "pack")
        stuck = await until_case(order, "stuck_effect")
        assert (stuck["subject"], stuck["owner"], stuck["detail"]["effect"]) == (parcel["id"], "ops", "buy_label")

        await order.ship_from(shop.node("far_warehouse"))
        await order.deliver_from(shop.node("far_warehouse"))
        assert (await order.shipment_at(shop.node("warehouse"), "packed"))["id"] == parcel["id"]

        monkeypatch.undo()
        answer = await order.command(f"/v1/orders/{order.order_id}/retry", reason="carrier_fixed")
        assert answer.status_code == 200, answer.text
        await order.done(await order.shipment_at(shop.node("warehouse"), "captured"), "hand-over")
        await order.deliver_from(shop.node("warehouse"))
        await order.until_status("delivered")
        assert await failed_tasks(stack, order.order_id) == []
        await ended_well(stack, order)


@pytest.mark.usefixtures("worker")
async def test_step_of_postgres_alone_is_done_when_its_local_tries_have_failed(
    stack: Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {OrderStore: 3, ReturnStore: 3}  # tries that meet no Postgres: a local step has two

    for store in (OrderStore, ReturnStore):
        as_it_is = store.obey

        def obey(self: Any, *asked: Any, store: Any = store, as_it_is: Any = as_it_is) -> Any:
            if away[store]:
                away[store] -= 1
                raise OperationalError("obey", {}, Exception("away"))
            return as_it_is(self, *asked)

        monkeypatch.setattr(store, "obey", obey)
    async with stack.api() as api:
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        await order.ship_from(shop.node("warehouse"))
        await order.deliver_from(shop.node("warehouse"))
        units = (await order.until_status("delivered"))["shipments"][0]["units"]
        back = await order.send_back(*units)
        received = await order.command(f"/v1/returns/{back['id']}/receive", units=[{"unit": unit} for unit in units])
        assert received.status_code == 200, received.text
        await order.until_status("returned")
        assert set(away.values()) == {0}
        assert await failed_tasks(stack, order.order_id) == []
        await ended_well(stack, order)


@pytest.mark.usefixtures("worker")
async def test_run_learns_of_a_command_that_a_dead_worker_carried_out_and_took_with_it(
    stack: Stack, shop: Shop, stack_db: Database
) -> None:
    """An Update whose workflow task was never answered is in no history; its transaction is in Postgres."""
    clock = SystemClock()
    requests = RequestStore(stack_db, clock)
    async with stack.api() as api:
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
        await order.done(shipment, "pick")
        new = NewCommand(CommandKind.PACK, Role.OPS, "test", "pack", shipment_id=shipment["id"])
        recorded = CommandStore(stack_db, clock, requests).record(new, None)
        assert isinstance(recorded, Recorded)
        ledgers(stack_db, clock).orders.obey(order.order_id, recorded.asked)
        await order.done(await order.shipment_at(shop.node("warehouse"), "captured"), "hand-over")
        await order.deliver_from(shop.node("warehouse"))
        await order.until_status("delivered")
        await ended_well(stack, order)


@pytest.mark.usefixtures("worker")
async def test_order_whose_authorization_is_stuck_is_undone_at_once_when_cancelled(stack: Stack, shop: Shop) -> None:
    async with stack.api({"late_answer": "PT0.5S"}) as api:
        async with failing(stack.stripe.url, "/v1/payment_intents$"):
            order = await placed_unheard(stack, api, shop.cart(shop.stock("one", warehouse=5)))
            assert (await until_case(order, "stuck_effect"))["subject"] == order.order_id
            answer = await order.command(f"/v1/orders/{order.order_id}/cancel", reason="customer_changed_mind")
        assert answer.status_code == 200, answer.text
        assert (await order.until_closed())["status"] == "cancelled"
        await ended_well(stack, order)


@pytest.mark.usefixtures("worker")
async def test_cancel_in_temporal_is_a_cancel_by_ops(stack: Stack, shop: Shop) -> None:
    async with stack.api() as api:
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        handle = (await stack.client()).get_workflow_handle(order.order_id)
        await handle.cancel()
        await order.until_closed()
        events = (await api.get(f"/v1/orders/{order.order_id}/events", params={"limit": 100})).json()["data"]
        asked = next(event for event in events if event["type"] == "order.cancel_requested")
        assert (asked["actor"], asked["data"]["reason"]) == ("ops:ops", "cancelled_in_temporal")
        assert (await handle.result())["status"] == "cancelled"
        await ended_well(stack, order)


NONSENSE: list[tuple[str, list[Any]]] = [
    ("cancel", ["please"]),
    ("cancel", [["ops", "fraud"]]),
    ("cancel", [{"reason": 5}]),
    ("cancel", [{"reason": "line\nbreak"}]),
    ("cancel", [{"reason": "nul\x00"}]),
    ("cancel", [{"units": "all"}]),
    ("cancel", [{"key": "a"}, {"key": "b"}]),
    ("fact", []),
    ("fact", [{"id": 7}]),
    ("fact", ["evt_1", "tracking.delivered"]),
    ("cancle", [{"reason": "fraud"}]),
]


@pytest.mark.usefixtures("worker")
async def test_nonsense_is_a_case_and_never_an_exception(stack: Stack, shop: Shop) -> None:
    async with stack.api() as api:
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        handle = (await stack.client()).get_workflow_handle(order.order_id)
        for name, sent in NONSENSE:
            await handle.signal(name, args=sent)
        await until_case(order, "senseless_command")
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("cancel", {"reason": 5}, rpc_timeout=timedelta(seconds=20))
        await order.ship_from(shop.node("warehouse"))
        await order.deliver_from(shop.node("warehouse"))
        await order.until_status("delivered")
        assert [(case["type"], case["owner"]) for case in await cases(order)] == [("senseless_command", "ops")]
        assert await failed_tasks(stack, order.order_id) == []
        await ended_well(stack, order)


@pytest.mark.usefixtures("worker")
async def test_a_command_that_nobody_can_carry_out_is_refused_and_the_run_goes_on(stack: Stack, shop: Shop) -> None:
    async with stack.api() as api:
        order, other = [
            await Journey.place(stack, api, shop.cart(shop.stock(what, warehouse=5))) for what in ("one", "other")
        ]
        theirs = await other.shipment_at(shop.node("warehouse"), "accepted")
        handle = (await stack.client()).get_workflow_handle(order.order_id)
        for name, shipment in (("pack", theirs["id"]), ("hold", "shp_nowhere"), ("hand_over", None)):
            asked = Asked(command_id=f"{shop.name}-{name}", kind=CommandKind(name), shipment_id=shipment)
            answer = await handle.execute_update(name, asked, result_type=CommandOutcome)
            assert (answer.done, answer.code) == (False, "unknown_shipment")
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("retry", {"command_id": "nul\x00", "kind": "retry"})
        await order.ship_from(shop.node("warehouse"))
        assert await cases(order) == []
        assert await failed_tasks(stack, order.order_id) == []
        await order.deliver_from(shop.node("warehouse"))
        await order.until_status("delivered")
        await ended_well(stack, order)


@pytest.mark.usefixtures("worker")
async def test_cancel_signal_without_an_object_cancels_the_whole_order(stack: Stack, shop: Shop) -> None:
    async with stack.api() as api:
        order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
        await (await stack.client()).get_workflow_handle(order.order_id).signal("cancel")
        assert (await order.until_closed())["status"] == "cancelled"
        await ended_well(stack, order)


async def view_of(handle: WorkflowHandle[Any, Any]) -> None:
    """Asked again where the server had given the Query to the worker that has just died."""
    try:
        await handle.query(OrderWorkflow.view, rpc_timeout=timedelta(seconds=60))
    except RPCError as error:
        if error.status is not RPCStatusCode.CANCELLED:
            raise
        await view_of(handle)


async def test_query_of_a_run_without_a_worker_changes_nothing_of_what_comes_next(stack: Stack, shop: Shop) -> None:
    """The new worker gets the Query first, with a timer that fired since; then the workflow task, with an Update."""
    client = await stack.client()
    async with stack.api({"offer": "PT2S", "offer_in_opening_hours": False}) as api:
        with one_worker(stack, sticky=timedelta(seconds=3)):
            order = await Journey.place(stack, api, shop.cart(shop.stock("one", near_store=5, warehouse=5)))
            await order.shipment_at(shop.node("near_store"), "offered")
            await until_at_rest(client, order.order_id)
        handle = client.get_workflow_handle(order.order_id)
        asked = asyncio.create_task(view_of(handle))
        await eventually(lambda: fired(stack, order.order_id))
        with one_worker(stack):
            with contextlib.suppress(WorkflowQueryFailedError):
                await asked
            held = await order.command(f"/v1/orders/{order.order_id}/holds", reason="fraud_review")
            assert held.status_code == 200, held.text
            await order.shipment_at(shop.node("warehouse"), "accepted")
            await until_at_rest(client, order.order_id)
        with one_worker(stack):  # it knows nothing and replays all
            hold = (await order.order())["holds"][0]["id"]
            await api.delete(f"/v1/orders/{order.order_id}/holds/{hold}", headers={"Idempotency-Key": hold})
            await order.until_status("confirmed")
            await order.ship_from(shop.node("warehouse"))
            await order.deliver_from(shop.node("warehouse"))
            await order.until_status("delivered")
            assert await failed_tasks(stack, order.order_id) == []
            await ended_well(stack, order)
