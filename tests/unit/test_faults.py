"""Fault points: each strikes whoever comes there first, and nobody afterwards."""

import os
import signal
from pathlib import Path
from typing import Any, cast

import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from workers.faults import FaultPoints

POINTS = [":before", ".test_faults.charge:before", ".test_faults.charge:after-effect", ":after-commit"]


class Died(BaseException):
    """In the place of a process that is no more."""


class Vendor:
    def __init__(self) -> None:
        self.charged: list[int] = []

    def charge(self, amount: int) -> str:
        self.charged.append(amount)
        return f"charged {amount}"


class Activity(ActivityInboundInterceptor):
    """An activity that asks the vendor for one charge."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (the SDK's name)
        return self._vendor.charge(input.args[0])


def marks(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


async def attempt(folder: Path, vendor: Vendor) -> str:
    """One try of the activity by a worker with fault points."""
    faults = FaultPoints(folder)
    inbound = faults.intercept_activity(Activity(faults.around(vendor)))
    asked = ExecuteActivityInput(fn=vendor.charge, args=[5], executor=None, headers={})
    return await cast("Any", ActivityEnvironment().run(inbound.execute_activity, asked))


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    killed: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        killed.append((pid, number))
        raise Died

    monkeypatch.setattr(os, "kill", kill)
    return killed


async def test_a_process_dies_once_at_each_point_in_turn_when_it_is_tried_again(
    tmp_path: Path, deaths: list[tuple[int, int]]
) -> None:
    vendor, struck = Vendor(), []
    for _ in POINTS:
        with pytest.raises(Died):
            await attempt(tmp_path, vendor)
        struck.append((set(marks(tmp_path)), len(vendor.charged)))
    names = [f"unknown{point}" for point in POINTS]  # the activity of a test environment
    assert struck == [(set(names[: n + 1]), max(0, n - 1)) for n in range(len(POINTS))]
    assert deaths == [(os.getpid(), signal.SIGKILL)] * len(POINTS)
    assert await attempt(tmp_path, vendor) == "charged 5"


async def test_the_mark_names_the_run_that_was_struck(tmp_path: Path, deaths: list[tuple[int, int]]) -> None:
    with pytest.raises(Died):
        await attempt(tmp_path, Vendor())
    assert (marks(tmp_path), len(deaths)) == ({"unknown:before": "test"}, 1)
