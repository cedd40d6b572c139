"""Reconciliation's parts on the shared stack, looking from so far in the future that nothing counts as on its way."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from models.db import Database
from models.stores.lost_returns import LostReturns
from models.stores.lost_runs import LostRuns
from models.stores.sweeps import SweepStore
from tests.conftest import MovableClock
from tests.stack import Stack
from workers.engine import ledgers
from workers.mending_returns import MendingReturns
from workers.mending_runs import MendingRuns
from workers.relay import TemporalRuns

LATER = timedelta(minutes=10)


@pytest.fixture
def later() -> MovableClock:
    clock = MovableClock()
    clock.advance(LATER)
    return clock


@pytest.fixture
def mending(stack: Stack, stack_db: Database, later: MovableClock) -> MendingRuns:
    orders = ledgers(stack_db, stack.clock, link=stack.base).orders
    return MendingRuns(
        LostRuns(stack_db, later),
        SweepStore(stack_db, later),
        orders,
        TemporalRuns(),
        is_heard=lambda: True,
        clock=later,
    )


@pytest.fixture
def returning(stack: Stack, stack_db: Database, later: MovableClock) -> MendingReturns:
    returns = ledgers(stack_db, stack.clock, link=stack.base).returns
    lost, sweeps = LostReturns(stack_db, later, returns), SweepStore(stack_db, later)
    return MendingReturns(lost, sweeps, returns, TemporalRuns(), is_heard=lambda: True, clock=later)


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """The API with a worker behind it."""
    async with stack.worker(), stack.api() as client:
        yield client
