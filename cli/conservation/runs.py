"""O6: Temporal beside our orders. Every open order has one run that goes on, every closed one none, and no run is ill.

Runs are described by the order's id; the list, which lags, serves only to find strangers.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.conservation import Checked, Finding
from models.stores.conservation_books import OrderBooks

START_WITHIN: Final = timedelta(seconds=5)
_AT_ONCE: Final = 16
_LAST_STEPS: Final = 2.0  # seconds that a run may take to end after its order was closed
_RPC: Final = timedelta(seconds=10)
_ILL: Final = "TemporalReportedProblems"
_BAD: Final = frozenset(
    {
        WorkflowExecutionStatus.FAILED,
        WorkflowExecutionStatus.TERMINATED,
        WorkflowExecutionStatus.TIMED_OUT,
        WorkflowExecutionStatus.CANCELED,
    }
)


async def compare(client: Client, books: Mapping[str, OrderBooks], now: datetime, *, strangers: bool) -> list[Checked]:
    """`strangers`: `books` are all the orders there are, so whatever else runs is one. Raises RPCError when away."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def look(order: OrderBooks) -> WorkflowExecutionDescription | None:
        async with gate:
            return await _settled(client, order)

    orders = [order for order in books.values() if _has_run(order, now)]
    found = dict(zip((o.id for o in orders), await asyncio.gather(*(look(o) for o in orders)), strict=True))
    open_ = [order for order in orders if order.closed_at is None]
    closed = [order for order in orders if order.closed_at is not None]
    checked = [
        _checked("open orders: each has one run that goes on", open_, (_open(o, found[o.id]) for o in open_)),
        _checked("closed orders: none is running", closed, (_closed(o, found[o.id]) for o in closed)),
        _checked("runs: no workflow task keeps failing", orders, (_ill(o, found[o.id]) for o in orders)),
    ]
    return [*checked, await _strangers(client, books)] if strangers else checked


def _checked(what: str, orders: list[OrderBooks], findings: Iterable[Finding | None]) -> Checked:
    return Checked("O6", what, len(orders), tuple(f for f in findings if f), at_rest=True)


def _has_run(order: OrderBooks, now: datetime) -> bool:
    """An order taken a moment ago may not have been started yet."""
    return order.started_at is not None or now - order.created_at > START_WITHIN


async def _settled(client: Client, order: OrderBooks) -> WorkflowExecutionDescription | None:
    """The run's description; that of an order just closed when it has taken its last step, or has had time to."""
    patience = asyncio.get_running_loop().time() + _LAST_STEPS
    while True:
        described = await _describe(client, order.id)
        running = described is not None and described.status is WorkflowExecutionStatus.RUNNING
        if order.closed_at is None or not running or asyncio.get_running_loop().time() > patience:
            return described
        await asyncio.sleep(0.05)


async def _describe(client: Client, order_id: str) -> WorkflowExecutionDescription | None:
    try:
        return await client.get_workflow_handle(order_id).describe(rpc_timeout=_RPC)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _open(order: OrderBooks, run: WorkflowExecutionDescription | None) -> Finding | None:
    if run is None:
        return _finding(order.id, f"the order is open ({order.status}) and has no run")
    if run.status is WorkflowExecutionStatus.RUNNING:
        return None
    return _finding(order.id, f"the order is open ({order.status}), but its run is {_word(run)}")


def _closed(order: OrderBooks, run: WorkflowExecutionDescription | None) -> Finding | None:
    if run is None:
        return None  # its history is past retention
    if run.status is WorkflowExecutionStatus.RUNNING:
        return _finding(order.id, f"the order is closed ({order.status}), but its run goes on")
    return _finding(order.id, f"the order is closed, but its run was {_word(run)}") if run.status in _BAD else None


def _ill(order: OrderBooks, run: WorkflowExecutionDescription | None) -> Finding | None:
    problems = run.search_attributes.get(_ILL) if run is not None else None
    return _finding(order.id, f"its workflow task keeps failing: {', '.join(map(str, problems))}") if problems else None


async def _strangers(client: Client, books: Mapping[str, OrderBooks]) -> Checked:
    ids: set[str] = set()
    try:
        async for run in client.list_workflows('WorkflowType = "OrderWorkflow"', rpc_timeout=_RPC):
            if run.status is not WorkflowExecutionStatus.TERMINATED:  # ended on purpose
                ids.add(run.id)
    except RPCError as error:
        if error.status is not RPCStatusCode.UNIMPLEMENTED:  # the time-skipping test server has no list
            raise
    findings = tuple(_finding(i, "an OrderWorkflow runs or ran for an order that is none") for i in ids - books.keys())
    return Checked("O6", "runs: every one is an order's", len(ids), findings, at_rest=True)


def _word(run: WorkflowExecutionDescription) -> str:
    return run.status.name.lower() if run.status else "of unknown state"


def _finding(order_id: str, message: str) -> Finding:
    return Finding("O6", order_id, message, order_id)
