"""Workers that die at fault points: each lives until it comes to a point first, and the next follows at once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.stack import Stack
from tests.workflows.killing import Child, worker_process

WORKERS = 4


@asynccontextmanager
async def dying_workers(stack: Stack, folder: Path, *, patient: bool) -> AsyncIterator[None]:
    """The stack is served by some at a time. `folder`, an empty one, is where they leave their marks."""
    settings = stack.settings.model_copy(update={"fault_points": folder})
    child = Child(settings, stack.temporal.address, stack.base, patient=patient)
    async with asyncio.TaskGroup() as lives:
        serving = [lives.create_task(_follow_one_another(child)) for _ in range(WORKERS)]
        try:
            yield
        finally:
            for life in serving:
                life.cancel()


async def _follow_one_another(child: Child) -> None:
    while True:
        code = await _live(child)
        if code != -signal.SIGKILL:
            raise RuntimeError(f"a worker ended with {code}, which no fault point does")


async def _live(child: Child) -> int | None:
    """One worker's whole life; what its process ended with."""
    loop, dead = asyncio.get_running_loop(), asyncio.Event()
    with worker_process(child) as (process, _):
        loop.add_reader(process.sentinel, dead.set)
        try:
            await dead.wait()
        finally:
            loop.remove_reader(process.sentinel)
        process.join()  # here, where the next is started: of two threads that look for its end, one would find none
        return process.exitcode
