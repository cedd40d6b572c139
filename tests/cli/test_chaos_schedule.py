"""The schedule of faults: the seed alone decides it, and a minute meets every kind."""

from itertools import pairwise

import pytest

from cli.chaos.proxy import Trouble
from cli.chaos.schedule import KILL, PROCESSES, SERVERS, schedule


def test_the_same_faults_come_when_the_seed_is_the_same() -> None:
    assert schedule(7, 300) == schedule(7, 300)
    assert schedule(7, 300) != schedule(8, 300)


@pytest.mark.parametrize("seed", range(20))
def test_every_process_dies_and_every_server_has_every_trouble_when_a_minute_is_over(seed: int) -> None:
    met = {(fault.target, fault.kind) for fault in schedule(seed, 70)}
    assert {(process, KILL) for process in PROCESSES} <= met
    assert {(server, trouble) for server in SERVERS for trouble in Trouble} <= met


@pytest.mark.parametrize("seed", range(20))
def test_all_is_over_in_time_and_nothing_dies_twice_at_once_when_it_runs_long(seed: int) -> None:
    faults = schedule(seed, 1200)
    assert all(fault.at > 0 and fault.at + fault.lasts <= 1200 for fault in faults)
    assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
    for process in PROCESSES:
        kills = [fault.at for fault in faults if (fault.target, fault.kind) == (process, KILL)]
        assert len(kills) >= 19
        assert all(later - earlier > 8 for earlier, later in pairwise(kills))


def test_a_fault_says_what_it_does() -> None:
    words = {str(fault) for fault in schedule(1, 120)}
    assert "kill -9 worker" in words
    assert any(word.startswith("latency of 0.") and " before postgres for " in word for word in words)
