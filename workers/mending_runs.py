"""Reconciliation of Temporal with Postgres: each open order has one run that goes on and knows what Postgres knows.

Runs are asked for by id. One that is lost resumes from the order's facts; one that fell behind is told to read them
anew; one that knows another history than Postgres (which was restored, then) is ended, and another resumes from there.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, Literal, Protocol

import structlog

from models.clock import Clock
from models.messages.activities import Learned
from models.messages.commands import FactArrived
from models.messages.facts import CHECKOUT, ORDER, PAYMENT, Facts
from models.messages.order import OrderInput
from models.shipment import Do, next_step
from models.stores.lost_runs import Kept, LostRuns
from models.stores.sweeps import SweepStore
from workers.relay_jobs import each

log = structlog.get_logger()

PAGE: Final = 100  # orders a look
BEHIND_FOR: Final = timedelta(minutes=5)  # that a run may know less than Postgres: a pick, say, wakes nobody
DUE_FOR: Final = timedelta(seconds=20)  # the same where Postgres has something for it to do: it did not hear of it


class Runs(Protocol):
    """The orders' runs. Each raises `ConnectionError` where Temporal is away."""

    async def standing(self, run_id: str) -> Literal["running", "completed", "failed", "none"]: ...

    async def revision(self, order_id: str) -> int | None:
        """What the run knows; None when nobody can say."""
        ...

    async def signal_fact(self, run_id: str, arrived: FactArrived) -> Literal["sent", "no_run", "away"]: ...

    async def resume(self, order: OrderInput, *, completed: bool) -> None: ...

    async def terminate(self, order_id: str, why: str) -> None: ...


class Orders(Protocol):
    """What resuming needs of the order store."""

    def run_input(self, order_id: str) -> OrderInput: ...

    def facts(self, order_id: str) -> Learned: ...

    def apply_facts(self, order_id: str, fact_ids: Sequence[str]) -> object: ...


class MendingRuns:
    """Two periodic works: one for open orders, one for closed orders whose run goes on.

    `is_heard` says whether what vendors did lately is in our books: before that no run resumes, since what was done
    after a backup would be done again.
    """

    def __init__(
        self,
        lost: LostRuns,
        sweeps: SweepStore,
        orders: Orders,
        runs: Runs,
        *,
        is_heard: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._lost = lost
        self._is_heard = is_heard
        self._sweeps = sweeps
        self._orders = orders
        self._runs = runs
        self._clock = clock

    async def mend(self) -> int:
        """Look at the suspects and at the next page of open orders; how many were mended."""

        def wanted() -> list[str]:
            page = self._lost.open_after(self._sweeps.place("mend_runs"), PAGE)
            self._sweeps.move("mend_runs", page[-1] if len(page) == PAGE else None)
            return sorted({*page, *self._lost.suspects()})

        return await self.look_at(await asyncio.to_thread(wanted))

    async def look_at(self, order_ids: Sequence[str]) -> int:
        """The same for these orders."""
        return sum(await each(self._mend, order_ids))

    async def end(self) -> int:
        """Look at the next page of orders closed lately: a run that was restored to before that is told so."""

        def wanted() -> Sequence[str]:
            page = self._lost.closed_after(self._sweeps.place("end_runs"), PAGE)
            self._sweeps.move("end_runs", page[-1] if len(page) == PAGE else None)
            return page

        return sum(await each(self._end, await asyncio.to_thread(wanted)))

    async def _mend(self, order_id: str) -> bool:
        standing = await self._runs.standing(order_id)
        if standing != "running":
            return await self._resume(order_id, f"run: {standing}", completed=standing == "completed")
        known = await self._runs.revision(order_id)
        kept = await asyncio.to_thread(self._lost.kept, order_id)
        if known is not None and (known > kept.revision or kept.forgot):
            if not await self._may_resume(order_id):
                return False
            await self._runs.terminate(order_id, f"it knows revision {known}, Postgres {kept.revision}: restored")
            return await self._resume(order_id, "run: knew another Postgres")
        if facts := await asyncio.to_thread(self._lost.unheard, order_id):
            await self._tell(order_id, facts)
            return True
        return known is not None and await self._catch_up(order_id, known, kept)

    async def _resume(self, order_id: str, why: str, *, completed: bool = False) -> bool:
        """Take in what the lost run was told, or was to be, then start the next one from the order's facts."""
        if (await asyncio.to_thread(self._lost.kept, order_id)).closed or not await self._may_resume(order_id):
            return False
        if facts := await asyncio.to_thread(self._lost.waiting, order_id):
            await asyncio.to_thread(self._orders.apply_facts, order_id, facts)
        if not await asyncio.to_thread(self._lost.resume, order_id, why):
            return False
        order = await asyncio.to_thread(self._orders.run_input, order_id)
        await self._runs.resume(order, completed=completed)
        log.warning("reconcile.run_resumed", order=order_id, why=why)
        return True

    async def _may_resume(self, order_id: str) -> bool:
        heard = await asyncio.to_thread(self._is_heard)
        if not heard:
            log.warning("reconcile.waits_for_vendors", order=order_id)
        return heard

    async def _end(self, order_id: str) -> bool:
        if await self._runs.standing(order_id) != "running":
            return False
        known = await self._runs.revision(order_id)
        kept = await asyncio.to_thread(self._lost.kept, order_id)
        return known is not None and await self._catch_up(order_id, known, kept)

    async def _catch_up(self, order_id: str, known: int, kept: Kept) -> bool:
        """Tell a run that is behind to read Postgres anew: a fact without a row says just that."""
        if known >= kept.revision:
            return False
        span = DUE_FOR if await asyncio.to_thread(self._is_due, order_id) else BEHIND_FOR
        if kept.quiet_since >= self._clock.now() - span:
            return False
        await self._tell(order_id, [f"revision-{kept.revision}"])
        log.warning("reconcile.run_behind", order=order_id, known=known, kept=kept.revision)
        return True

    def _is_due(self, order_id: str) -> bool:
        """A worker that died between a commit and the end of its workflow task may take an Update with it."""
        facts = Facts(known=self._orders.facts(order_id).facts)
        keys = (ORDER, CHECKOUT, PAYMENT, *(shipment.id for shipment in facts.known.shipments))
        return any(isinstance(next_step(facts, key), Do) for key in keys)

    async def _tell(self, order_id: str, fact_ids: Sequence[str]) -> None:
        for fact_id in fact_ids:
            if await self._runs.signal_fact(order_id, FactArrived(id=fact_id, kind="reconciliation")) == "away":
                raise ConnectionError("Temporal is away")
