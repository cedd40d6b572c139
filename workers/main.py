"""`python -m workers.main`: one process that serves every task queue until it is told to stop.

SIGTERM and SIGINT drain: no new tasks, running ones end. On start it prints one line of JSON that says it is ready.
"""

import asyncio
import contextlib
import signal
import sys
from typing import Final

import structlog
from temporalio.client import Client

from models.clock import SystemClock
from models.config import Settings
from models.db import Database
from workers.engine import gateways, ledgers, workers
from workers.faults import FaultPoints
from workers.loop import run, say_ready
from workflows.client import connect

log = structlog.get_logger()

PAUSE: Final = 0.5  # seconds between two tries to reach Temporal


async def serve() -> None:
    """Every queue in this process, until told to stop."""
    sys.dont_write_bytecode = False  # the sandbox imports the workflow for each run: compiled once, not each time
    settings = Settings()  # pyright: ignore[reportCallIssue] (its fields come from the environment)
    threads = settings.worker_threads
    db = Database(settings.database_url, pool_size=2 * threads)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await connected(stop)
    if client is None:
        return
    books = ledgers(db, SystemClock(), link=settings.public_url)
    faults = FaultPoints(settings.fault_points) if settings.fault_points else None
    running = workers(client, books, gateways(settings), threads=threads, faults=faults)
    tasks = [asyncio.create_task(worker.run()) for worker in running]
    say_ready(settings.heartbeat_file, queues=[worker.task_queue for worker in running])
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*(worker.shutdown() for worker in running))
    await asyncio.gather(*tasks, return_exceptions=True)
    db.dispose()
    for task in done:
        task.result()  # a worker that died says why


async def connected(stop: asyncio.Event) -> Client | None:
    """A client, as soon as Temporal answers; None when told to stop before. Its absence is logged once."""
    missed = False
    while not stop.is_set():
        try:
            return await connect()
        except RuntimeError as error:  # what the SDK raises where nobody listens
            if not missed:
                log.warning("worker.no_temporal", error=str(error)[:200])
            missed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE):
                await stop.wait()
    return None


if __name__ == "__main__":
    run(serve())
