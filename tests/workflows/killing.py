"""A worker as a process that is killed with -9 again and again, and started anew, while an order lives on.

At each death somebody asks the Query `view`, and there is time for a timer to fire with no worker there: the case in
which a clock in the workflow would break its replay (the next worker gets the Query's task, with an old time, first).
"""

import asyncio
import contextlib
import multiprocessing
import os
import random
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.common import RetryPolicy
from temporalio.service import RPCError

from models.clock import SystemClock
from models.config import Settings
from models.db import Database
from tests.stack import Stack
from tests.workflows.points import Traced
from workers.engine import gateways, ledgers, workers
from workflows import options
from workflows.client import ShelfwayPlugin
from workflows.order import OrderWorkflow

STICKY = timedelta(seconds=1)
START_TO_CLOSE = timedelta(seconds=2)  # shorter than production's, so that a killed effect is tried again soon
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=1))
LIVES = (0.3, 1.2)  # seconds that a worker lives once it serves
BETWEEN = (0.1, 0.9)  # and that there is none
DEATHS = 20 if os.environ.get("SHELFWAY_DEEP") else 6  # then one lives on

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["__main__", "tests.workflows.preloaded"])


@dataclass(frozen=True)
class Child:
    """What a worker's process is told."""

    settings: Settings
    address: str
    link: str
    sticky: timedelta = STICKY
    patient: bool = False  # a death is noticed, and what it broke off tried again, no sooner than in production


def serve(child: Child, ready: Connection) -> None:
    """The process: a worker on every queue until it is killed, or its parent is."""
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("a worker of the kill test has a parent")
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
    if not child.patient:
        for bundle in (options.DATABASE, options.CARD_NETWORK, options.CARRIER):
            bundle.update(start_to_close_timeout=START_TO_CLOSE, retry_policy=SOON)
    asyncio.run(_serve(child, ready))


async def _serve(child: Child, ready: Connection) -> None:
    client = await Client.connect(child.address, plugins=[ShelfwayPlugin()])
    books = ledgers(Database(child.settings.database_url, pool_size=32), SystemClock(), link=child.link)
    points = child.settings.fault_points
    faults = Traced(points) if points else None
    running = workers(client, books, gateways(child.settings), sticky=child.sticky, faults=faults)
    serving = [asyncio.create_task(worker.run()) for worker in running]
    ready.send(True)
    await asyncio.gather(*serving)


@contextlib.contextmanager
def worker_process(child: Child) -> Iterator[tuple[BaseProcess, Connection]]:
    """A worker's process, killed at the end; something can be read once it serves."""
    here, there = _processes.Pipe(duplex=False)
    process = _processes.Process(target=serve, args=(child, there), daemon=True)
    process.start()
    there.close()
    try:
        yield process, here
    finally:
        process.kill()
        process.join()
        here.close()


@contextlib.contextmanager
def one_worker(stack: Stack, *, sticky: timedelta = STICKY) -> Iterator[Connection]:
    """A worker of this stack, killed at the end; something can be read once it serves."""
    with worker_process(Child(stack.settings, stack.temporal.address, stack.base, sticky)) as (_, ready):
        yield ready


@dataclass
class Victim:
    """Kills worker after worker; `died` is set once one is dead."""

    stack: Stack
    random: random.Random
    died: asyncio.Event = field(default_factory=asyncio.Event)
    asked: set[asyncio.Task[Any]] = field(default_factory=set)

    async def live_and_die(self, orders: Sequence[Sequence[str]]) -> None:
        for _ in range(DEATHS):
            await self._one_life(self.random.uniform(*LIVES))
            self.died.set()
            for order_id in chain.from_iterable(orders):
                self._ask(order_id)
            await asyncio.sleep(self.random.uniform(*BETWEEN))
        await self._one_life(None)

    async def _one_life(self, seconds: float | None) -> None:
        with one_worker(self.stack) as ready:
            await asyncio.to_thread(ready.recv)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await asyncio.Event().wait()

    def _ask(self, order_id: str) -> None:
        task = asyncio.create_task(self._view(order_id))
        self.asked.add(task)
        task.add_done_callback(self.asked.discard)

    async def _view(self, order_id: str) -> None:
        handle = (await self.stack.client()).get_workflow_handle(order_id)
        with contextlib.suppress(RPCError, WorkflowQueryFailedError):
            await handle.query(OrderWorkflow.view, rpc_timeout=timedelta(seconds=5))


@asynccontextmanager
async def killed_worker(stack: Stack, orders: Sequence[Sequence[str]], seed: str) -> AsyncIterator[Victim]:
    """Serve the stack with workers that die. `orders`, ids by scene, may be filled while they do."""
    victim = Victim(stack, random.Random(seed))
    killing = asyncio.create_task(victim.live_and_die(orders))
    try:
        yield victim
    finally:
        killing.cancel()
        await asyncio.gather(killing, *victim.asked, return_exceptions=True)
