"""How everyone else talks to runs: one plugin for client, worker, replayer and tests, and one function per message.

"Not heard" is an answer here, not an error: the caller's row is committed, so it says 202 and looks again.
"""

import asyncio
import contextlib
import time
from datetime import timedelta
from typing import Any, Final, Literal, TypedDict, TypeVar

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.plugin import SimplePlugin
from temporalio.service import RPCError, RPCStatusCode

from models.ids import CHECKOUT_UPDATE_ID, LABEL_UPDATE_ID, TASK_QUEUE_ORDERS
from models.messages.commands import Asked, CommandOutcome, FactArrived
from models.messages.order import CheckoutAnswer, OrderInput, RunView
from models.messages.returns import ReturnFacts, ReturnInput
from workflows.guard import GuardedRunner
from workflows.order import OrderWorkflow
from workflows.return_ import ReturnWorkflow
from workflows.search import at_start, of_return

T = TypeVar("T")

_NOT_HEARD: Final = (
    TimeoutError,
    RPCError,
    RPCTimeoutOrCancelledError,
    WorkflowAlreadyStartedError,  # the run is over: its row has the verdict
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
_RPC: Final = timedelta(seconds=2)
_ANSWERS_FOR: Final = 1.0  # seconds that a "yes, Temporal answers" is trusted


class ShelfwayPlugin(SimplePlugin):
    """The converter and the workflows' runner that client, worker, replayer and tests share."""

    def __init__(self) -> None:
        super().__init__("shelfway", data_converter=pydantic_data_converter, workflow_runner=GuardedRunner())


async def connect(*, lazy: bool = False) -> Client:
    """A client by Temporal's own environment variables and profile (address, namespace, TLS, API key)."""
    config = ClientConfig.load_client_connect_config()
    return await Client.connect(**config, plugins=[ShelfwayPlugin()], lazy=lazy)


def _start(order: OrderInput) -> WithStartWorkflowOperation[OrderWorkflow, object]:
    return WithStartWorkflowOperation(
        OrderWorkflow.run,
        order,
        id=order.order_id,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        **_labels(order),
    )


class _Labels(TypedDict):
    task_queue: str
    search_attributes: TypedSearchAttributes
    static_summary: str
    static_details: str


def _labels(order: OrderInput) -> _Labels:
    """Where a run is worked on, and what ops read beside it."""
    return _Labels(
        task_queue=TASK_QUEUE_ORDERS,
        search_attributes=at_start(order),
        static_summary=order.summary,
        static_details=f"[Order {order.number}]({order.link})" if order.link else f"Order {order.number}",
    )


def _labels_of_return(order: ReturnInput) -> _Labels:
    return _Labels(
        task_queue=TASK_QUEUE_ORDERS,
        search_attributes=of_return(order),
        static_summary=order.summary,
        static_details=f"[Return of order {order.number}]({order.link})" if order.link else f"Return of {order.number}",
    )


async def check_out(client: Client, order: OrderInput, wait: float) -> CheckoutAnswer | None:
    """Start the order's run and wait at most `wait` seconds for its verdict; None when it is not known by then."""
    return await _start_and_ask(client, _start(order), CHECKOUT_UPDATE_ID, CheckoutAnswer, wait)


async def begin_return(client: Client, order: ReturnInput, wait: float) -> ReturnFacts | None:
    """Start the return's run and wait at most `wait` seconds for its label; None when nothing was heard by then."""
    start = WithStartWorkflowOperation(
        ReturnWorkflow.run,
        order,
        id=order.return_id,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        **_labels_of_return(order),
    )
    return await _start_and_ask(client, start, LABEL_UPDATE_ID, ReturnFacts, wait)


async def _start_and_ask(
    client: Client, start: WithStartWorkflowOperation[Any, Any], update: str, answer: type[T], wait: float
) -> T | None:
    """Update-with-Start by the Update that every run of this kind is asked once: its id is its name."""
    try:
        async with asyncio.timeout(wait):  # of all calls together: the SDK's own limit is one call's
            return await client.execute_update_with_start_workflow(
                update,
                result_type=answer,
                id=update,
                start_workflow_operation=start,
                rpc_timeout=timedelta(seconds=wait),
            )
    except _NOT_HEARD:
        await _forget(start)
        return None


async def _forget(start: WithStartWorkflowOperation[Any, Any]) -> None:
    """The operation holds the same error for whoever asks for its handle; nobody will, so it is taken here."""
    handle = asyncio.ensure_future(start.workflow_handle())
    done, _ = await asyncio.wait([handle], timeout=0.01)
    if handle in done:
        _ = handle.cancelled() or handle.exception()
    else:
        handle.cancel()


async def command(client: Client, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None:
    """Send a command by its id to its order's run, or its return's; wait at most `wait` seconds; None: not heard."""
    handle = client.get_workflow_handle(asked.return_id or order_id)
    try:
        async with asyncio.timeout(wait):
            return await handle.execute_update(
                asked.kind.value,
                asked.cancel or asked,
                id=asked.command_id,
                result_type=CommandOutcome,
                rpc_timeout=timedelta(seconds=wait),
            )
    except _NOT_HEARD:
        return None


async def signal_fact(client: Client, run_id: str, arrived: FactArrived) -> Literal["sent", "no_run", "away"]:
    """Tell an order's or a return's run of a fact.

    `no_run`: it is over, so the fact is applied in Postgres; `away`: try again later.
    """
    try:
        await client.get_workflow_handle(run_id).signal("fact", arrived, rpc_timeout=_RPC)
    except RPCError as error:
        return "no_run" if error.status == RPCStatusCode.NOT_FOUND else "away"
    return "sent"


async def view(client: Client, order_id: str) -> RunView | None:
    """What a run waits for; None when it is over, or nobody can say."""
    try:
        return await client.get_workflow_handle(order_id).query(OrderWorkflow.view, rpc_timeout=_RPC)
    except (RPCError, WorkflowQueryFailedError):
        return None


async def return_facts(client: Client, return_id: str) -> ReturnFacts | None:
    """What a return's run knows; None when it is over, or nobody can say."""
    try:
        return await client.get_workflow_handle(return_id).query(ReturnWorkflow.view, rpc_timeout=_RPC)
    except (RPCError, WorkflowQueryFailedError):
        return None


Standing = Literal["running", "completed", "failed", "none"]


async def standing(client: Client, run_id: str) -> Standing:
    """Where the newest run of an order or of a return stands, asked by its id; `failed` is terminated, too.

    Raises where it is unknown.
    """
    try:
        described = await client.get_workflow_handle(run_id).describe(rpc_timeout=_RPC)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return "none"
        raise ConnectionError("Temporal is away") from error
    match described.status:
        case WorkflowExecutionStatus.RUNNING:
            return "running"
        case WorkflowExecutionStatus.COMPLETED:
            return "completed"
        case _:
            return "failed"


async def resume(client: Client, order: OrderInput, *, completed: bool) -> None:
    """Start a run for an order whose run was lost. For reconciliation alone: everyone else is refused a second run.

    `completed`: the run before has ended well, which an order can only then lack that was restored to before its end.
    """
    with contextlib.suppress(WorkflowAlreadyStartedError):  # somebody was quicker
        await client.start_workflow(
            OrderWorkflow.run,
            order,
            id=order.order_id,
            id_reuse_policy=_reuse(completed=completed),
            rpc_timeout=_RPC,
            **_labels(order),
        )


async def resume_return(client: Client, order: ReturnInput, *, completed: bool) -> None:
    """The same for a return's own run."""
    with contextlib.suppress(WorkflowAlreadyStartedError):
        await client.start_workflow(
            ReturnWorkflow.run,
            order,
            id=order.return_id,
            id_reuse_policy=_reuse(completed=completed),
            rpc_timeout=_RPC,
            **_labels_of_return(order),
        )


def _reuse(*, completed: bool) -> WorkflowIDReusePolicy:
    return WorkflowIDReusePolicy.ALLOW_DUPLICATE if completed else WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY


async def terminate(client: Client, order_id: str, why: str) -> None:
    """End a run at once, and with it whatever it believes. What it had begun at a vendor is found there."""
    await client.get_workflow_handle(order_id).terminate(reason=why, rpc_timeout=_RPC)


class Pulse:
    """Whether Temporal answers: one cheap call, believed for a second."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._yes_until = 0.0

    async def answers(self) -> bool:
        if time.monotonic() < self._yes_until:
            return True
        try:
            await self._client.service_client.check_health(timeout=timedelta(seconds=1))
        except RPCError:
            return False
        self._yes_until = time.monotonic() + _ANSWERS_FOR
        return True
