"""All of reconciliation, part after part as the relay runs it, at a time of the test's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from cli.check import check
from models.db import Database
from models.stores.inbox import InboxStore
from tests.conftest import MovableClock
from tests.journey import Journey
from tests.replay.histories import until_at_rest
from tests.stack import Stack
from workers.engine import Ledgers, gateways, ledgers
from workers.reconciliation import look, reconciliation
from workers.relay import Part, TemporalRuns
from workers.relay_jobs import tell_facts

ROUNDS = 6  # more than it ever takes


@dataclass
class Reconciling:
    stack: Stack
    clock: MovableClock
    jobs: Mapping[str, Part]
    inbox: InboxStore
    books: Ledgers
    runs: TemporalRuns
    tell_first: bool = False

    @classmethod
    @contextmanager
    def on(cls, stack: Stack, clock: MovableClock) -> Iterator["Reconciling"]:
        db, runs = Database(stack.urls.app, pool_size=4), TemporalRuns()
        jobs = reconciliation(db, clock, runs, gateways(stack.settings), link=stack.base)
        yield cls(stack, clock, jobs, InboxStore(db, clock), ledgers(db, clock, link=stack.base), runs)
        db.dispose()

    async def round(self) -> None:
        """Each part once. What was heard is told at the end, or before anything is mended if the relay is so quick."""
        if self.tell_first:
            await look({name: part for name, part in self.jobs.items() if name.startswith("hear_")})
            await self._tell()
        found = await look(self.jobs)
        assert all(isinstance(mended, int) for mended in found.values()), found
        await self._tell()
        self.clock.advance(timedelta(minutes=2))

    async def _tell(self) -> None:
        await tell_facts(self.inbox, self.books.orders, self.books.returns, self.runs)

    async def until_level(self, *orders: Journey) -> None:
        """Rounds until the oracle finds nothing wrong with these orders but that parcels are on their way."""
        client, ids = await self.stack.client(), [order.order_id for order in orders]
        for _ in range(ROUNDS):
            await self.round()
            for order_id in ids:
                if await self.runs.standing(order_id) == "running":
                    await until_at_rest(client, order_id)
            found = await check(
                self.stack.urls.app, self.stack.stripe.url, self.stack.easypost.url, client,
                orders=ids, now=self.stack.clock.now(),
            )  # fmt: skip
            if not found:
                return
        raise AssertionError("\n".join(map(str, found)))
