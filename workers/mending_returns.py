"""Reconciliation of Temporal with Postgres for returns: each that is not over has one run, which knows what we know.

As for orders (`mending_runs`), but for one thing: a return's run that knows something else, less or more, need not be
ended, since all that it knows is in Postgres: it is told to read that anew.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol

import structlog

from models.clock import Clock
from models.messages.commands import FactArrived
from models.messages.returns import ReturnFacts, ReturnInput, ReturnRef
from models.stores.lost_returns import LostReturns
from models.stores.sweeps import SweepStore
from workers.mending_runs import DUE_FOR, PAGE
from workers.relay_jobs import each

log = structlog.get_logger()

_READ_ANEW: Final = "read_anew"  # a fact without a row says just that


class ReturnRuns(Protocol):
    """The returns' runs. Each raises `ConnectionError` where Temporal is away."""

    async def standing(self, run_id: str) -> Literal["running", "completed", "failed", "none"]: ...

    async def return_facts(self, return_id: str) -> ReturnFacts | None:
        """What the run knows; None when nobody can say."""
        ...

    async def signal_fact(self, run_id: str, arrived: FactArrived) -> Literal["sent", "no_run", "away"]: ...

    async def resume_return(self, order: ReturnInput, *, completed: bool) -> None: ...


class Returns(Protocol):
    """What resuming needs of the return store."""

    def run_input(self, return_id: str) -> ReturnInput: ...

    def apply_facts(self, ref: ReturnRef, fact_ids: Sequence[str]) -> object: ...


class MendingReturns:
    """Two periodic works: one for returns that need a run, one for those that are over whose run goes on.

    `is_heard` as for orders: no run resumes before what vendors did lately is in our books.
    """

    def __init__(
        self,
        lost: LostReturns,
        sweeps: SweepStore,
        returns: Returns,
        runs: ReturnRuns,
        *,
        is_heard: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._lost = lost
        self._sweeps = sweeps
        self._returns = returns
        self._runs = runs
        self._is_heard = is_heard
        self._clock = clock

    async def mend(self) -> int:
        """Look at the suspects and at the next page of returns that need a run; how many were mended."""

        def wanted() -> list[str]:
            page = self._lost.open_after(self._sweeps.place("mend_returns"), PAGE)
            self._sweeps.move("mend_returns", page[-1] if len(page) == PAGE else None)
            return sorted({*page, *self._lost.suspects()})

        return await self.look_at(await asyncio.to_thread(wanted))

    async def look_at(self, return_ids: Sequence[str]) -> int:
        """The same for these returns."""
        return sum(await each(self._mend, return_ids))

    async def end(self) -> int:
        """Look at the next page of returns that are over lately: a run that was restored to before that is told so."""

        def wanted() -> Sequence[str]:
            page = self._lost.closed_after(self._sweeps.place("end_returns"), PAGE)
            self._sweeps.move("end_returns", page[-1] if len(page) == PAGE else None)
            return page

        return sum(await each(self._end, await asyncio.to_thread(wanted)))

    async def _mend(self, return_id: str) -> bool:
        standing = await self._runs.standing(return_id)
        if standing != "running":
            return await self._resume(return_id, f"run: {standing}", completed=standing == "completed")
        if facts := await asyncio.to_thread(self._lost.unheard, return_id):
            await self._tell(return_id, facts)
            return True
        return await self._catch_up(return_id)

    async def _end(self, return_id: str) -> bool:
        return await self._runs.standing(return_id) == "running" and await self._catch_up(return_id)

    async def _resume(self, return_id: str, why: str, *, completed: bool) -> bool:
        """Take in what the lost run was told, or was to be, then start the next one from what Postgres has."""
        if not await asyncio.to_thread(self._is_heard):
            log.warning("reconcile.waits_for_vendors", order=return_id)
            return False
        ref = (await asyncio.to_thread(self._lost.kept, return_id)).ref
        if facts := await asyncio.to_thread(self._lost.waiting, return_id):
            await asyncio.to_thread(self._returns.apply_facts, ref, facts)
        if not await asyncio.to_thread(self._lost.resume, ref, why):
            return False
        await self._runs.resume_return(await asyncio.to_thread(self._returns.run_input, return_id), completed=completed)
        log.warning("reconcile.run_resumed", order=return_id, why=why)
        return True

    async def _catch_up(self, return_id: str) -> bool:
        """Tell a run that knows something else to read Postgres anew; one that may just be learning is left alone."""
        known = await self._runs.return_facts(return_id)
        kept = await asyncio.to_thread(self._lost.kept, return_id)
        if known is None or known == kept.facts or kept.quiet_since >= self._clock.now() - DUE_FOR:
            return False
        await self._tell(return_id, [_READ_ANEW])
        log.warning("reconcile.run_behind", order=return_id)
        return True

    async def _tell(self, return_id: str, fact_ids: Sequence[str]) -> None:
        for fact_id in fact_ids:
            if await self._runs.signal_fact(return_id, FactArrived(id=fact_id, kind="reconciliation")) == "away":
                raise ConnectionError("Temporal is away")
