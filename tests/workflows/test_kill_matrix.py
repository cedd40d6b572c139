"""P3, P4, P20: a worker is killed with -9 at every fault point there is, and every order comes out the same.

All branches of an order's life are played at once, on a few workers. Whoever comes to a point first dies there, and
takes down whatever else its process had in hand; another follows at once. So each order meets several deaths, its own
and others', and the try after a death with the vendor's answer in hand dies as well: at looking that answer up.
"""

import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.postgres import Urls
from models.clock import SystemClock
from models.db import Database
from tests import journey
from tests.oracle import assert_conserved
from tests.stack import Stack, stack_in
from tests.workflows import points
from tests.workflows.dying import dying_workers
from tests.workflows.stage import cast, play_all
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


SHORT = Pace(patient=False, confirm_within=30, life=40, patience=150)
PRODUCTION = Pace(patient=True, confirm_within=150, life=400, patience=900)


async def matrix(stack: Stack, folder: Path, pace: Pace) -> list[points.Death]:
    """Who died where, when all has come out as it has to and nobody came to a point alone that is none yet."""
    db = Database(stack.urls.app)
    try:
        async with dying_workers(stack, folder, patient=pace.patient), stack.api() as api:
            branches = await cast(stack, api, db, confirm_within=pace.confirm_within, life=pace.life, copies=COPIES)
            plays = [play for play in branches if not play.branch.multicapture]  # it has no point of its own
            await play_all(stack, plays)
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
