"""O6: Temporal beside our orders and returns: an open one has one run that goes on, a closed one none, and none is ill.

Runs are described by the id of what they are for; the list, which lags, serves only to find strangers.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.conservation import Checked, Finding
from models.stores.conservation_books import OrderBooks

START_WITHIN: Final = timedelta(seconds=5)
_AT_ONCE: Final = 16
_LAST_STEPS: Final = 2.0  # seconds that a run may take to end after its order or return was closed
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


@dataclass(frozen=True, slots=True)
class Owner:
    """What has a run of its own: an order, or a return."""

    id: str
    order_id: str
    status: str
    created_at: datetime
    started_at: datetime | None
    closed_at: datetime | None

    def may_have_none(self, now: datetime) -> bool:
        """One taken a moment ago may not have been started yet."""
        return self.started_at is None and now - self.created_at <= START_WITHIN

    def finding(self, message: str) -> Finding:
        return Finding("O6", self.id, message, self.order_id)


Found = tuple[Owner, WorkflowExecutionDescription | None]


async def compare(client: Client, books: Mapping[str, OrderBooks], now: datetime, *, strangers: bool) -> list[Checked]:
    """`strangers`: `books` are all the orders there are, so whatever else runs is one. Raises RPCError when away."""
    gate, checked = asyncio.Semaphore(_AT_ONCE), list[Checked]()

    async def look(owner: Owner) -> Found:
        async with gate:
            return owner, await _settled(client, owner)

    for kind, workflow, owners in (
        ("order", "OrderWorkflow", _orders(books)),
        ("return", "ReturnWorkflow", _returns(books)),
    ):
        started = [owner for owner in owners if not owner.may_have_none(now)]
        checked += _checks(kind, await asyncio.gather(*map(look, started)))
        if strangers:
            checked.append(await _strangers(client, kind, workflow, {owner.id for owner in owners}))
    return checked


def _orders(books: Mapping[str, OrderBooks]) -> list[Owner]:
    return [Owner(o.id, o.id, o.status, o.created_at, o.started_at, o.closed_at) for o in books.values()]


def _returns(books: Mapping[str, OrderBooks]) -> list[Owner]:
    rows = [row for order in books.values() for row in order.returns]
    return [Owner(r.id, r.order_id, r.stage, r.created_at, r.started_at, r.closed_at) for r in rows]


def _checks(kind: str, found: Sequence[Found]) -> list[Checked]:
    open_ = [each for each in found if each[0].closed_at is None]
    closed = [each for each in found if each[0].closed_at is not None]
    return [
        _checked(f"open {kind}s: each has one run that goes on", open_, (_open(kind, *each) for each in open_)),
        _checked(f"closed {kind}s: none is running", closed, (_closed(kind, *each) for each in closed)),
        _checked(f"{kind}s' runs: no workflow task keeps failing", found, (_ill(*each) for each in found)),
    ]


def _checked(what: str, found: Sequence[Found], findings: Iterable[Finding | None]) -> Checked:
    return Checked("O6", what, len(found), tuple(f for f in findings if f), at_rest=True)


async def _settled(client: Client, owner: Owner) -> WorkflowExecutionDescription | None:
    """The run's description; that of one just closed when it has taken its last step, or has had time to."""
    patience = asyncio.get_running_loop().time() + _LAST_STEPS
    while True:
        described = await _describe(client, owner.id)
        running = described is not None and described.status is WorkflowExecutionStatus.RUNNING
        if owner.closed_at is None or not running or asyncio.get_running_loop().time() > patience:
            return described
        await asyncio.sleep(0.05)


async def _describe(client: Client, run_id: str) -> WorkflowExecutionDescription | None:
    try:
        return await client.get_workflow_handle(run_id).describe(rpc_timeout=_RPC)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _open(kind: str, owner: Owner, run: WorkflowExecutionDescription | None) -> Finding | None:
    if run is None:
        return owner.finding(f"the {kind} is open ({owner.status}) and has no run")
    if run.status is WorkflowExecutionStatus.RUNNING:
        return None
    return owner.finding(f"the {kind} is open ({owner.status}), but its run is {_word(run)}")


def _closed(kind: str, owner: Owner, run: WorkflowExecutionDescription | None) -> Finding | None:
    if run is None:
        return None  # its history is past retention
    if run.status is WorkflowExecutionStatus.RUNNING:
        return owner.finding(f"the {kind} is closed ({owner.status}), but its run goes on")
    return owner.finding(f"the {kind} is closed, but its run was {_word(run)}") if run.status in _BAD else None


def _ill(owner: Owner, run: WorkflowExecutionDescription | None) -> Finding | None:
    problems = run.search_attributes.get(_ILL) if run is not None else None
    return owner.finding(f"its workflow task keeps failing: {', '.join(map(str, problems))}") if problems else None


async def _strangers(client: Client, kind: str, workflow: str, known: set[str]) -> Checked:
    ids: set[str] = set()
    try:
        async for run in client.list_workflows(f'WorkflowType = "{workflow}"', rpc_timeout=_RPC):
            if run.status is not WorkflowExecutionStatus.TERMINATED:  # ended on purpose
                ids.add(run.id)
    except RPCError as error:
        if error.status is not RPCStatusCode.UNIMPLEMENTED:  # the time-skipping test server has no list
            raise
    findings = tuple(Finding("O6", i, f"this {workflow} runs or ran for no {kind} of ours", i) for i in ids - known)
    return Checked("O6", f"runs: every {workflow} is for one of our {kind}s", len(ids), findings, at_rest=True)


def _word(run: WorkflowExecutionDescription) -> str:
    return run.status.name.lower() if run.status else "of unknown state"
