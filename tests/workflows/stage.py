"""Many branches played at once, each on shelves of its own: what one waits for, another uses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx

from models.db import Database
from tests import journey
from tests.shop import Shop
from tests.stack import Stack, calling
from tests.workflows.branches import BRANCHES
from tests.workflows.scene import Branch, Scene


@dataclass
class Play:
    """One branch, played once. `wrong` says what it came to, if that is not what it has to."""

    name: str
    branch: Branch
    scene: Scene
    wrong: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)  # the order's id, then its returns'

    async def go(self) -> None:
        try:
            played = await self.branch.play(self.scene)
            self.runs = [played.order_id, *await played.returns()]
            self.summary = await played.summary()
        except Exception as error:  # noqa: BLE001 (told with its name, and the others go on)
            self.wrong = f"{self.name}: {type(error).__name__} {error}"
            return
        came = {key: self.summary[key] for key in self.branch.comes_to}
        if came != dict(self.branch.comes_to):
            self.wrong = f"{self.name} came to {came}"


async def cast(
    stack: Stack,
    api: httpx.AsyncClient,
    db: Database,
    *,
    confirm_within: int,
    life: float,
    copies: int = 1,
    waits: Mapping[str, Any] = MappingProxyType({}),
    branches: Mapping[str, Branch] = MappingProxyType(BRANCHES),
) -> list[Play]:
    """Each branch, the copies of one after another. `confirm_within` is for those in which that ends, `life` for an authorization to be renewed.

    Both in seconds, and such that all that comes before is done, also beside many others.
    """
    longer = {"confirm_within": f"PT{confirm_within}S"}
    plays: list[Play] = []
    for name, branch in branches.items():
        for _ in range(1 if branch.outage else copies):
            shop = await asyncio.to_thread(Shop(db).open)
            own = {wait: longer.get(wait, span) for wait, span in branch.waits.items()}
            plays.append(Play(name, branch, Scene(stack, api, shop, {**waits, **own}, life)))
    return plays


async def play_all(stack: Stack, plays: Sequence[Play], *, at_once: int | None = None) -> None:
    """All at once, but for what wants Stripe otherwise: the others come behind the verdicts with multicapture, an outage
    behind theirs.

    Or `at_once` at most, where a worker replays each run for each of its tasks.

    Raises an AssertionError that tells all that came out wrong.
    """
    several = [play for play in plays if play.branch.multicapture]
    calm = [play for play in plays if not play.branch.multicapture and not play.branch.outage]
    gate = asyncio.Semaphore(at_once or len(plays))

    async def in_turn(play: Play) -> None:
        async with gate:
            await play.go()

    def verdicts_of(these: Sequence[Play]) -> Callable[[], Awaitable[bool]]:
        async def are_there() -> bool:
            return all(play.scene.orders or play.wrong for play in these)

        return are_there

    async with asyncio.TaskGroup() as stage:
        async with multicapture(stack):
            for play in several:
                stage.create_task(play.go())
            await journey.eventually(verdicts_of(several))
        for play in calm:
            stage.create_task(in_turn(play))
        await journey.eventually(verdicts_of(calm))
        for play in plays:
            if play.branch.outage:
                stage.create_task(play.go())
    wrong = [play.wrong for play in plays if play.wrong]
    assert not wrong, "\n\n".join(wrong)


@asynccontextmanager
async def multicapture(stack: Stack) -> AsyncIterator[None]:
    async with calling(stack.stripe.url) as stripe:
        await stripe.post("/_admin/settings", json={"multicapture": True})
        try:
            yield
        finally:
            await stripe.post("/_admin/settings", json={"multicapture": False})
