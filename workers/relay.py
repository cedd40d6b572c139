"""`python -m workers.relay`: passes events on, tells runs of facts, and sweeps up what was left lying.

One process leads, by an advisory lock; others stand by and take over. It dies of nothing but a signal: Postgres or
Temporal being away is logged once and waited out. On start it prints one line of JSON with its role.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final, Literal

import structlog
from temporalio.client import Client

from models.clock import Clock, SystemClock
from models.config import Settings
from models.db import Database
from models.messages.commands import Asked, CommandOutcome, FactArrived
from models.messages.order import CheckoutAnswer, OrderInput
from models.messages.returns import ReturnFacts, ReturnInput
from models.stores.commands import CommandStore
from models.stores.events import EventsStore
from models.stores.fulfilment import Fulfilment
from models.stores.inbox import InboxStore
from models.stores.leadership import Leadership
from models.stores.lookout import Lookout
from models.stores.orders import OrderStore
from models.stores.requests import RequestStore
from models.stores.returns import ReturnStore
from models.stores.sourcing import SourcingStore
from models.stores.stock import StockStore
from models.stores.sweeps import SweepStore
from workers import relay_jobs
from workers.engine import gateways
from workers.loop import run, say_ready
from workers.reconciliation import EVERY, look, periods, reconciliation
from workers.sinks import EventSink, LogSink
from workflows import client as temporal

log = structlog.get_logger()

POLL: Final = 0.05  # seconds between looks for events and facts, one look for both
SWEEP_POLL: Final = 0.5  # between looks at what is due
CHECK_LOCK: Final = 0.5
PAUSE_AFTER_TROUBLE: Final = 1.0

PERIODS: Final[Mapping[str, timedelta]] = {
    "start_orders": timedelta(seconds=2),
    "start_returns": timedelta(seconds=2),
    "resend_commands": timedelta(seconds=5),
    "sweep_holds": timedelta(seconds=10),
    "prune_keys": timedelta(hours=1),
}

Job = Callable[[], Awaitable[object]]
Part = Callable[[], Awaitable[int]]


class TemporalRuns:
    """The orders' runs by a client that connects at the first need, so that a relay starts while Temporal is away."""

    def __init__(self) -> None:
        self._client: Client | None = None

    async def _connected(self) -> Client:
        if self._client is None:
            try:
                async with asyncio.timeout(2):
                    self._client = await temporal.connect()
            except (RuntimeError, TimeoutError) as error:  # the first is what the SDK raises where nobody listens
                raise ConnectionError("Temporal is away") from error
        return self._client

    async def signal_fact(self, run_id: str, arrived: FactArrived) -> Literal["sent", "no_run", "away"]:
        return await temporal.signal_fact(await self._connected(), run_id, arrived)

    async def check_out(self, order: OrderInput, wait: float) -> CheckoutAnswer | None:
        return await temporal.check_out(await self._connected(), order, wait)

    async def command(self, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None:
        return await temporal.command(await self._connected(), order_id, asked, wait)

    async def standing(self, run_id: str) -> temporal.Standing:
        return await temporal.standing(await self._connected(), run_id)

    async def revision(self, order_id: str) -> int | None:
        view = await temporal.view(await self._connected(), order_id)
        return view and view.revision

    async def resume(self, order: OrderInput, *, completed: bool) -> None:
        await temporal.resume(await self._connected(), order, completed=completed)

    async def terminate(self, order_id: str, why: str) -> None:
        await temporal.terminate(await self._connected(), order_id, why)

    async def return_facts(self, return_id: str) -> ReturnFacts | None:
        return await temporal.return_facts(await self._connected(), return_id)

    async def resume_return(self, order: ReturnInput, *, completed: bool) -> None:
        await temporal.resume_return(await self._connected(), order, completed=completed)

    async def begin_return(self, order: ReturnInput, wait: float) -> ReturnFacts | None:
        return await temporal.begin_return(await self._connected(), order, wait)


class Relay:
    """The leader's work on one database: what is looked at all the time, and what is due from time to time."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        runs: relay_jobs.Runs,
        sink: EventSink,
        *,
        link: str,
        reconciliation: Mapping[str, Part] | None = None,
        reconcile_every: Mapping[str, timedelta] = EVERY,
    ) -> None:
        self._sweeps = SweepStore(database, clock)
        self._lookout = Lookout(database, clock)
        self._events_wait, self._facts_wait = asyncio.Event(), asyncio.Event()
        events, inbox = EventsStore(database, clock), InboxStore(database, clock)
        commands = CommandStore(database, clock, RequestStore(database, clock))
        stock = StockStore()
        orders = OrderStore(database, clock, Fulfilment(stock, SourcingStore(stock)), link=link)
        self.events: Job = partial(relay_jobs.relay_events, events, sink)
        returns = ReturnStore(database, clock, stock, RequestStore(database, clock), link=link)
        self.facts: Job = partial(relay_jobs.tell_facts, inbox, orders, returns, runs)
        self._periodic: Mapping[str, Job] = {
            "start_orders": lambda: relay_jobs.start_orders(orders, runs, clock.now()),
            "start_returns": lambda: relay_jobs.start_returns(returns, runs, clock.now()),
            "resend_commands": partial(relay_jobs.resend_commands, self._sweeps, commands, orders, returns, runs),
            "sweep_holds": lambda: asyncio.to_thread(_sweep_holds, database, stock, clock),
            "prune_keys": lambda: asyncio.to_thread(self._sweeps.prune_keys),
        }
        self._reconciliation = reconciliation or {}
        self._reconcile_every = reconcile_every

    async def periodic(self) -> None:
        """Run what is due. One that fails is tried again when it is due again, and keeps none of the others."""
        for name in await asyncio.to_thread(self._sweeps.due, tuple(self._periodic)):
            ok = False
            try:
                await self._periodic[name]()
                ok = True
            except Exception as error:  # noqa: BLE001 (any trouble of one work is its own)
                log.warning("relay.job_failed", job=name, error=type(error).__name__)
            await asyncio.to_thread(self._sweeps.done, name, PERIODS, ok=ok)

    async def reconcile(self) -> None:
        """The parts that are due."""
        due = await asyncio.to_thread(self._sweeps.due, tuple(self._reconciliation))
        if not due:
            return
        found = await look({name: part for name, part in self._reconciliation.items() if name in due})
        for name, mended in found.items():
            await asyncio.to_thread(self._sweeps.done, name, self._reconcile_every, ok=isinstance(mended, int))

    async def look(self) -> None:
        """Wake the work that there is. The next look sees what came meanwhile, and what a work has left."""
        waiting = await asyncio.to_thread(self._lookout.look)
        if waiting.events:
            self._events_wait.set()
        if waiting.facts:
            self._facts_wait.set()

    async def lead(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_again("look", self.look, POLL))
            group.create_task(_again("events", partial(_once, self._events_wait, self.events), 0))
            group.create_task(_again("facts", partial(_once, self._facts_wait, self.facts), 0))
            group.create_task(_again("periodic", self.periodic, SWEEP_POLL))
            if self._reconciliation:  # apart, since it asks vendors: they may take their time
                group.create_task(_again("reconcile", self.reconcile, SWEEP_POLL))


def _sweep_holds(database: Database, stock: StockStore, clock: Clock) -> int:
    return database.transaction(lambda session: stock.sweep_expired(session, clock.now()))


async def _once(woken: asyncio.Event, job: Job) -> None:
    await woken.wait()
    woken.clear()
    await job()


async def _again(name: str, job: Job, pause: float) -> None:
    """For ever. Trouble is logged when it begins and when it ends, not at every try."""
    in_trouble = False
    while True:
        try:
            await job()
        except Exception as error:  # noqa: BLE001 (whatever is away comes back)
            if not in_trouble:
                log.warning("relay.trouble", job=name, error=type(error).__name__)
            in_trouble = True
            await asyncio.sleep(PAUSE_AFTER_TROUBLE)
        else:
            if in_trouble:
                log.warning("relay.recovered", job=name)
            in_trouble = False
            await asyncio.sleep(pause)


async def lead_or_stand_by(relay: Relay, leadership: Leadership, say: Callable[[str], None]) -> None:
    """Lead whenever nobody else does, until cancelled. `say` is told the role at the start and when it changes."""
    leading: asyncio.Task[None] | None = None
    said = ""
    try:
        while True:
            try:
                role = "leader" if await asyncio.to_thread(leadership.held) else "standby"
            except Exception as error:  # noqa: BLE001 (Postgres is away: stand by until it is back)
                role = "standby"
                if said != role:
                    log.warning("relay.no_postgres", error=type(error).__name__)
            if role == "leader" and leading is None:
                leading = asyncio.create_task(relay.lead())
            elif role == "standby" and leading is not None:
                await _stop(leading)
                leading = None
            if said != role:
                say(role)
                said = role
            await asyncio.sleep(CHECK_LOCK)
    finally:
        if leading is not None:
            await _stop(leading)
        leadership.give_up()


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class _Voice:
    """The first role goes to stdout, for whoever started the process; later ones to the log."""

    def __init__(self, heartbeat: Path | None) -> None:
        self._heartbeat = heartbeat
        self._ready = False

    def __call__(self, role: str) -> None:
        if self._ready:
            log.info("relay.role", role=role)
            return
        self._ready = True
        say_ready(self._heartbeat, role=role)


async def serve() -> None:
    """Lead or stand by until told to stop."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    settings = Settings()  # pyright: ignore[reportCallIssue] (its fields come from the environment)
    database = Database(settings.database_url, pool_size=8, lock_timeout=1000, statement_timeout=1500)
    clock, runs = SystemClock(), TemporalRuns()
    jobs = reconciliation(database, clock, runs, gateways(settings), link=settings.public_url)
    relay = Relay(
        database,
        clock,
        runs,
        LogSink(),
        link=settings.public_url,
        reconciliation=jobs,
        reconcile_every=periods(settings.reconcile_every),
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    working = asyncio.create_task(lead_or_stand_by(relay, Leadership(database.engine), _Voice(settings.heartbeat_file)))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        working.result()  # a bug: say it, and let whoever started us start another
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await _stop(working)
    os._exit(0)  # a thread may still wait for Postgres; whatever is cut off here is done again by the next leader


if __name__ == "__main__":
    run(serve())
