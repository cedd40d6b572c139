"""What the relay does from time to time: each work at its own period, and one line a pass of reconciliation."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from models.db import Database
from tests.conftest import MovableClock
from tests.relay.conftest import FakeRuns
from workers.reconciliation import EVERY, periods
from workers.relay import Relay
from workers.sinks import LogSink


async def mended() -> int:
    return 2


async def broken() -> int:
    raise ConnectionError("Temporal is away")


@pytest.fixture
def relay(database: Database, clock: MovableClock, runs: FakeRuns) -> Relay:
    every = periods({"hear_stripe": timedelta(seconds=20)})
    parts = {"hear_stripe": mended, "mend_runs": broken}
    return Relay(database, clock, runs, LogSink(), link="", reconciliation=parts, reconcile_every=every)


async def passes(relay: Relay) -> list[dict[str, object]]:
    with capture_logs() as logs:
        await relay.reconcile()
    return [{k: v for k, v in line.items() if k not in ("event", "log_level")} for line in logs]


async def test_one_line_says_what_each_part_mended_or_what_kept_it_when_they_were_due(
    relay: Relay, clock: MovableClock
) -> None:
    assert await passes(relay) == [{"hear_stripe": 2, "mend_runs": "ConnectionError"}]
    assert await passes(relay) == []
    clock.advance(timedelta(seconds=21))
    assert await passes(relay) == [{"hear_stripe": 2}]
    clock.advance(EVERY["mend_runs"])
    assert await passes(relay) == [{"hear_stripe": 2, "mend_runs": "ConnectionError"}]


@pytest.mark.parametrize("changed", [{"hear_strip": timedelta(seconds=1)}, {"hear_stripe": timedelta(0)}])
def test_the_relay_does_not_start_when_a_period_makes_no_sense(changed: dict[str, timedelta]) -> None:
    with pytest.raises(ValueError, match="hear_strip"):
        periods(changed)
