"""Rows to start from, and stand-ins for the runs and the order store that remember what they were asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pytest

from models.db import Database
from models.messages.activities import Learned
from models.messages.commands import Asked, CommandOutcome, FactArrived
from models.messages.facts import OrderFacts, PaymentFacts
from models.messages.order import CheckoutAnswer, OrderInput
from models.messages.returns import ReturnFacts, ReturnInput, ReturnRef
from models.stores.inbox import InboxStore
from models.words import OrderStatus, Verdict
from tests.conftest import MovableClock
from tests.relay.rows import Rows


@dataclass
class FakeRuns:
    """Temporal, as far as the relay sees it."""

    facts: list[tuple[str, FactArrived]] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    commands: list[Asked] = field(default_factory=list)
    say: Literal["sent", "no_run", "away"] = "sent"
    away_for: frozenset[str] = frozenset()
    answer: bool = True

    async def begin_return(self, order: ReturnInput, wait: float) -> ReturnFacts | None:
        self.started.append(order.return_id)
        return ReturnFacts() if self.answer else None

    async def signal_fact(self, run_id: str, arrived: FactArrived) -> Literal["sent", "no_run", "away"]:
        if self.say == "away" or run_id in self.away_for:
            return "away"
        await asyncio.sleep(0)
        self.facts.append((run_id, arrived))
        return self.say

    async def check_out(self, order: OrderInput, wait: float) -> CheckoutAnswer | None:
        self.started.append(order.order_id)
        return CheckoutAnswer(verdict=Verdict.CONFIRMED, status=OrderStatus.CONFIRMED) if self.answer else None

    async def command(self, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None:
        self.commands.append(asked)
        return CommandOutcome(done=True, code="done") if self.answer else None


_IDLE = OrderFacts(verdict=Verdict.CONFIRMED, payment=PaymentFacts(open=True))  # nothing to do now


@dataclass
class FakeOrders:
    """The order store, as far as the relay sees it."""

    waiting: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    applied: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    obeyed: list[Asked] = field(default_factory=list)
    broken_for: frozenset[str] = frozenset()
    known: OrderFacts = field(default_factory=lambda: _IDLE)

    def unstarted(self, older_than: datetime, limit: int = 50) -> Sequence[str]:
        return self.waiting

    def run_input(self, order_id: str) -> OrderInput:
        if order_id in self.broken_for:
            raise RuntimeError("broken")
        return OrderInput(order_id=order_id, number="1", channel="web", brand="brand_aurelle")

    def facts(self, order_id: str) -> Learned:
        return Learned(facts=self.known)

    def started(self, order_id: str) -> None:
        self.marked.append(order_id)

    def apply_facts(self, order_id: str, fact_ids: Sequence[str]) -> object:
        self.applied.append((order_id, tuple(fact_ids)))
        return None

    def obey(self, order_id: str, asked: Asked) -> object:
        self.obeyed.append(asked)
        return None


@dataclass
class FakeReturns:
    """The return store, as far as the relay sees it."""

    waiting: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    applied: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    obeyed: list[Asked] = field(default_factory=list)

    def unstarted(self, older_than: datetime, limit: int = 50) -> Sequence[str]:
        return self.waiting

    def run_input(self, return_id: str) -> ReturnInput:
        return ReturnInput(return_id=return_id, order_id="ord_1", number="1", channel="web", brand="brand_aurelle")

    def started(self, return_id: str) -> None:
        self.marked.append(return_id)

    def apply_facts(self, ref: ReturnRef, fact_ids: Sequence[str]) -> object:
        self.applied.append((ref.return_id, tuple(fact_ids)))
        return None

    def obey(self, return_id: str, asked: Asked) -> object:
        self.obeyed.append(asked)
        return None


@pytest.fixture
def returns() -> FakeReturns:
    return FakeReturns()


@pytest.fixture
def rows(database: Database, clock: MovableClock) -> Rows:
    made = Rows(database, clock.now())
    made.shop()
    return made


@pytest.fixture
def inbox(database: Database, clock: MovableClock) -> InboxStore:
    return InboxStore(database, clock)


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.fixture
def orders() -> FakeOrders:
    return FakeOrders()
