"""What a worker takes from Temporal at once."""

from models.clock import SystemClock
from models.db import Database
from tests.stack import Stack
from workers.engine import gateways, ledgers, workers


async def test_no_more_is_taken_at_once_than_is_worked_on(stack: Stack, stack_db: Database):
    books = ledgers(stack_db, SystemClock())
    configs = [worker.config() for worker in workers(await stack.client(), books, gateways(stack.settings), threads=7)]
    taken = {(c["max_concurrent_workflow_tasks"], c["max_concurrent_activities"]) for c in configs}  # pyright: ignore[reportTypedDictNotRequiredAccess]
    assert taken == {(7, 7)}
