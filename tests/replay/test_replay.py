"""What was recorded still replays: a changed workflow that would break a running order fails here, not in production."""

import re
import time
from dataclasses import replace

import pytest
from temporalio.workflow import NondeterminismError

from models import shipment
from models.messages.facts import Facts
from models.shipment import Do, Effect, Step
from tests.replay import histories
from tests.workflows.branches import BRANCHES

NAMES = sorted(path.stem for path in histories.FOLDER.glob("*.json"))
RETURNS = sorted(f"returns/{path.stem}" for path in (histories.FOLDER / "returns").glob("*.json"))
OTHERWISE = {Effect.BUY_LABEL: Effect.CAPTURE, Effect.CAPTURE: Effect.BUY_LABEL}


def test_every_branch_has_its_history_and_none_is_left_over() -> None:
    assert set(BRANCHES) == set(NAMES), "play and keep them with: ./shelfway record"


def test_a_return_has_its_history() -> None:
    assert RETURNS == ["returns/never_sent_back", "returns/returned_in_two"]


async def test_all_histories_replay_within_a_minute() -> None:
    began = time.monotonic()
    for name in (*NAMES, *RETURNS):
        await histories.replay(histories.stored(name))
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("name", ["one_warehouse", "store_and_warehouse", "rest_refused"])
async def test_replay_fails_when_two_effects_change_places(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is = shipment.next_step

    def next_step(facts: Facts, key: str) -> Step:
        step = as_it_is(facts, key)
        return replace(step, effect=OTHERWISE.get(step.effect, step.effect)) if isinstance(step, Do) else step

    monkeypatch.setattr(shipment, "next_step", next_step)
    with pytest.raises(NondeterminismError):
        await histories.replay(histories.stored(name))


@pytest.mark.parametrize("name", [*NAMES, *RETURNS])
def test_no_machine_is_named_in_a_history(name: str) -> None:
    text = (histories.FOLDER / f"{name}.json").read_text()
    assert not re.search(r"\d+@", text)
    assert "stackTrace" not in text
