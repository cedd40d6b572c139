"""`python -m workers.main`: one process that serves every task queue until it is told to stop.

SIGTERM and SIGINT drain: no new tasks, running ones end. On start it prints one line of JSON that says it is ready.
"""

import asyncio
import json
import signal
import sys

import structlog

from models.clock import SystemClock
from models.config import Settings
from models.db import Database
from workers.engine import gateways, ledgers, workers
from workers.faults import FaultPoints
from workers.loop import run
from workflows.client import connect

log = structlog.get_logger()


async def serve() -> None:
    """Every queue in this process, until told to stop."""
    sys.dont_write_bytecode = False  # the sandbox imports the workflow for each run: compiled once, not each time
    settings = Settings()  # pyright: ignore[reportCallIssue] (its fields come from the environment)
    threads = settings.worker_threads
    db = Database(settings.database_url, pool_size=2 * threads)
    client = await connect()
    books = ledgers(db, SystemClock(), link=settings.public_url)
    faults = FaultPoints(settings.fault_points) if settings.fault_points else None
    running = workers(client, books, gateways(settings), threads=threads, faults=faults)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(worker.run()) for worker in running]
    print(json.dumps({"event": "ready", "queues": [w.task_queue for w in running]}), flush=True)  # noqa: T201
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*(worker.shutdown() for worker in running))
    await asyncio.gather(*tasks, return_exceptions=True)
    db.dispose()
    for task in done:
        task.result()  # a worker that died says why


if __name__ == "__main__":
    run(serve())
