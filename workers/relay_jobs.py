"""The relay's work, each as a function that a test can call: events out, facts to their runs, what was left lying.

Every one of them may run twice or be killed in the middle: what it does is known by its id on the other side.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, Literal, Protocol, TypeVar

from models.messages.commands import Asked, CommandOutcome, FactArrived
from models.messages.order import CheckoutAnswer, OrderInput
from models.messages.returns import ReturnFacts, ReturnInput, ReturnRef
from models.stores.commands import CommandStore
from models.stores.events import EventsStore
from models.stores.inbox import DueFact, InboxStore
from models.stores.sweeps import SweepStore, Unanswered
from workers.sinks import EventSink

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE: Final = 16  # calls to Temporal in flight
START_AFTER: Final = timedelta(seconds=2)  # that the api has to start a run itself
_WAIT: Final = 2.0  # seconds for a verdict or an outcome


class Runs(Protocol):
    """The orders' runs. None means that nothing was heard in time."""

    async def signal_fact(self, run_id: str, arrived: FactArrived) -> Literal["sent", "no_run", "away"]: ...

    async def check_out(self, order: OrderInput, wait: float) -> CheckoutAnswer | None: ...

    async def command(self, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None: ...

    async def begin_return(self, order: ReturnInput, wait: float) -> ReturnFacts | None: ...


class Orders(Protocol):
    """What the relay needs of the order store."""

    def unstarted(self, older_than: datetime, limit: int = 50) -> Sequence[str]: ...

    def run_input(self, order_id: str) -> OrderInput: ...

    def started(self, order_id: str) -> None: ...

    def apply_facts(self, order_id: str, fact_ids: Sequence[str]) -> object: ...

    def obey(self, order_id: str, asked: Asked) -> object: ...


class Returns(Protocol):
    """What the relay needs of the return store."""

    def unstarted(self, older_than: datetime, limit: int = 50) -> Sequence[str]: ...

    def run_input(self, return_id: str) -> ReturnInput: ...

    def started(self, return_id: str) -> None: ...

    def apply_facts(self, ref: ReturnRef, fact_ids: Sequence[str]) -> object: ...

    def obey(self, return_id: str, asked: Asked) -> object: ...


async def relay_events(events: EventsStore, sink: EventSink) -> int:
    """Pass on what happened, in order; how many."""

    def pass_on() -> int:
        if waiting := events.unrelayed():
            sink.send(waiting)
            events.relayed([event.id for event in waiting])
        return len(waiting)

    return await asyncio.to_thread(pass_on)


async def tell_facts(inbox: InboxStore, orders: Orders, returns: Returns, runs: Runs) -> int:
    """Tell each order's or return's run its due facts, in order; how many were told.

    Where the run is over Postgres takes the fact in. Raises when some could not be told, after it has told the others.
    """
    due = await asyncio.to_thread(inbox.due)
    by_run = [list(facts) for _, facts in groupby(sorted(due, key=_run_of), key=_run_of)]
    told: list[str] = []

    async def tell(facts: list[DueFact]) -> None:
        for fact in facts:  # it stops at the first that cannot be told: none overtakes another
            match await runs.signal_fact(fact.run_id, FactArrived(id=fact.id, kind=fact.kind)):
                case "away":
                    raise ConnectionError("Temporal is away")
                case "no_run" if fact.return_id:
                    ref = ReturnRef(order_id=fact.order_id, return_id=fact.return_id)
                    await asyncio.to_thread(returns.apply_facts, ref, [fact.id])
                case "no_run":
                    await asyncio.to_thread(orders.apply_facts, fact.order_id, [fact.id])
                case "sent":
                    pass
            told.append(fact.id)

    try:
        await each(tell, by_run)
    finally:
        if told:
            await asyncio.to_thread(inbox.signalled, told)
    return len(told)


def _run_of(fact: DueFact) -> str:
    return fact.run_id


async def start_orders(orders: Orders, runs: Runs, now: datetime) -> int:
    """Start the runs of orders that were left without one; how many have answered."""

    async def start(order_id: str) -> bool:
        answer = await runs.check_out(await asyncio.to_thread(orders.run_input, order_id), _WAIT)
        if answer is not None:
            await asyncio.to_thread(orders.started, order_id)
        return answer is not None

    return sum(await each(start, await asyncio.to_thread(orders.unstarted, now - START_AFTER)))


async def start_returns(returns: Returns, runs: Runs, now: datetime) -> int:
    """Start the runs of returns that were left without one; how many have answered."""

    async def start(return_id: str) -> bool:
        facts = await runs.begin_return(await asyncio.to_thread(returns.run_input, return_id), _WAIT)
        if facts is not None:
            await asyncio.to_thread(returns.started, return_id)
        return facts is not None

    return sum(await each(start, await asyncio.to_thread(returns.unstarted, now - START_AFTER)))


async def resend_commands(
    sweeps: SweepStore, commands: CommandStore, orders: Orders, returns: Returns, runs: Runs
) -> int:
    """Send again, by their ids, the commands that no run has answered; how many have answered.

    An Update that no worker had accepted lives in the server's memory alone, so it may be lost, and even when a worker
    that died had carried it out. Where the run is over Postgres answers.
    """

    async def resend(left: Unanswered) -> bool:
        command = await asyncio.to_thread(commands.recorded, left.command_id)
        if left.closed and command.asked.return_id:
            await asyncio.to_thread(returns.obey, command.asked.return_id, command.asked)
        elif left.closed:
            await asyncio.to_thread(orders.obey, command.order_id, command.asked)
        elif await runs.command(command.order_id, command.asked, _WAIT) is None:
            return False
        await asyncio.to_thread(commands.heard, left.command_id)
        return True

    return sum(await each(resend, await asyncio.to_thread(sweeps.unanswered_commands)))


async def each(work: Callable[[T], Awaitable[R]], things: Sequence[T]) -> list[R]:
    """All of them, some at once. One that fails keeps none of the others; its error is raised when all are done."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def limited(thing: T) -> R:
        async with limit:
            return await work(thing)

    outcomes = await asyncio.gather(*map(limited, things), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
