"""P3, P4, P20: a worker is killed with -9 at every fault point there is, and every order comes out the same.

All branches of an order's life are played at once, on a few workers. Whoever comes to a point first dies there, and
takes down whatever else its process had in hand; another follows at once. So each order meets several deaths, its own
and others', and the try after a death with the vendor's answer in hand dies as well: at looking that answer up.
"""

import asyncio
import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cli.postgres import Urls
from models.clock import SystemClock
from models.db import Database
from tests import journey
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack, stack_in
from tests.workflows import points
from tests.workflows.branches import BRANCHES
from tests.workflows.dying import dying_workers
from tests.workflows.scene import Branch, Scene
from workers.engine import gateways, ledgers, workers

COPIES = 2  # of each branch: what dies in one goes on in the other, towards the points behind
RECOVERED = 30.0  # P20: seconds, with production's timeouts


@dataclass(frozen=True)
class Pace:
    """How soon a death is noticed, and what takes longer when it is not, in seconds."""

    patient: bool  # no sooner than in production
    confirm_within: int  # for branches in which that ends
    life: float  # of an authorization that is to be renewed
    patience: float  # for hangs


SHORT = Pace(patient=False, confirm_within=15, life=40, patience=150)
PRODUCTION = Pace(patient=True, confirm_within=150, life=400, patience=900)


@dataclass
class Play:
    """One branch, played once. `wrong` says what it came to, if that is not what it has to."""

    branch: Branch
    scene: Scene
    wrong: str = ""

    async def go(self) -> None:
        name = self.branch.play.__name__
        try:
            summary = await (await self.branch.play(self.scene)).summary()
        except Exception as error:  # noqa: BLE001 (told with its name, and the others go on)
            self.wrong = f"{name}: {type(error).__name__} {error}"
            return
        came = {key: summary[key] for key in self.branch.comes_to}
        if came != dict(self.branch.comes_to):
            self.wrong = f"{name} came to {came}"


async def cast(stack: Stack, api: httpx.AsyncClient, db: Database, pace: Pace) -> list[Play]:
    """Every branch some times over, but for those that want a switch of Stripe's on for everybody."""
    longer = {"confirm_within": f"PT{pace.confirm_within}S"}
    plays: list[Play] = []
    for branch in BRANCHES.values():
        waits = {wait: longer.get(wait, span) for wait, span in branch.waits.items()}
        for _ in range(0 if branch.multicapture else 1 if branch.outage else COPIES):
            shop = await asyncio.to_thread(Shop(db).open)
            plays.append(Play(branch, Scene(stack, api, shop, waits, pace.life)))
    return plays


async def play_all(plays: list[Play]) -> None:
    """All at once; the outages when every other order has its verdict."""
    calm = [play for play in plays if not play.branch.outage]

    async def have_verdicts() -> bool:
        return all(play.scene.orders or play.wrong for play in calm)

    async with asyncio.TaskGroup() as stage:
        for play in calm:
            stage.create_task(play.go())
        await journey.eventually(have_verdicts)
        for play in plays:
            if play.branch.outage:
                stage.create_task(play.go())
    wrong = [play.wrong for play in plays if play.wrong]
    assert not wrong, "\n\n".join(wrong)


async def matrix(stack: Stack, folder: Path, pace: Pace) -> list[points.Death]:
    """Who died where, when all has come out as it has to and nobody came to a point alone that is none yet."""
    db = Database(stack.urls.app)
    try:
        async with dying_workers(stack, folder, patient=pace.patient), stack.api() as api:
            plays = await cast(stack, api, db, pace)
            await play_all(plays)
            await assert_conserved(stack, [order for play in plays for order in play.scene.orders])
        served = workers(await stack.client(), ledgers(db, stack.clock), gateways(stack.settings))
    finally:
        db.dispose()
    deaths = points.deaths(folder)
    assert not points.not_struck((death.point for death in deaths), served, stack.settings)
    return deaths


@pytest.fixture
def patient(urls: Urls, tmp_path: Path) -> Iterator[Stack]:
    """A stack whose Temporal notices a death no sooner than in production."""
    with stack_in(tmp_path, urls, SystemClock(), patient=True) as stack:
        yield stack


@pytest.fixture(params=["short", *(["production"] if os.environ.get("SHELFWAY_DEEP") == "1" else [])])
def paced(request: pytest.FixtureRequest) -> tuple[Stack, Pace]:
    if request.param == "production":
        return request.getfixturevalue("patient"), PRODUCTION
    return request.getfixturevalue("stack"), SHORT


@pytest.mark.alone
@pytest.mark.timeout(1800 if os.environ.get("SHELFWAY_DEEP") == "1" else 400)
async def test_every_order_comes_to_the_same_when_a_worker_dies_at_each_point(
    paced: tuple[Stack, Pace], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, pace = paced
    monkeypatch.setattr(journey, "PATIENCE", pace.patience)
    folder = tmp_path / "points"
    folder.mkdir()
    deaths = await matrix(stack, folder, pace)
    again = sorted(death.again for death in deaths if death.again is not None)
    median, p95 = statistics.median(again), again[int(len(again) * 0.95)]
    with capsys.disabled():
        told = f"{len(deaths)} deaths; a step is in other hands {median:.1f} s after one (median), {p95:.1f} s (p95)"
        print(f"\n{told}, {again[-1]:.1f} s (most)")  # noqa: T201 (the figure of P20)
    assert not pace.patient or p95 < RECOVERED
