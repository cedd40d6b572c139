"""Every branch comes to the same answers, effects and facts, however its run is interrupted; and every run replays."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from models.db import Database
from tests import journey
from tests.oracle import assert_conserved
from tests.replay import histories
from tests.stack import Stack
from tests.workflows.killing import DEATHS, killed_worker
from tests.workflows.stage import Play, cast, play_all

RECORDING = bool(os.environ.get("SHELFWAY_RECORD"))  # `./shelfway record`: keep the plain runs' histories and facts
MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "renewed": {"waits": {"renew_at_every_idle_point": True}},
    "uncached": {"worker": {"max_cached_workflows": 0, "threads": 4}, "at_once": 8},
    "killed": {"confirm_within": 15 + 2 * DEATHS},
}


@asynccontextmanager
async def worked(stack: Stack, plays: list[Play], mode: str) -> AsyncIterator[None]:
    """Somebody does the work; in the mode `killed` it is a worker after the other, at least two."""
    if mode != "killed":
        async with stack.worker(**MODES[mode].get("worker", {})):
            yield
        return
    async with killed_worker(
        stack, [play.scene.orders for play in plays], os.environ.get("SHELFWAY_SEED", "0")
    ) as victim:
        yield
        await victim.died.wait()


@pytest.mark.parametrize("mode", MODES)
async def test_every_branch_comes_to_the_same_when(
    stack: Stack, stack_db: Database, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey, "PATIENCE", 200.0)
    client = await stack.client()
    async with stack.api() as api:
        plays = await cast(
            stack,
            api,
            stack_db,
            confirm_within=MODES[mode].get("confirm_within", 15),
            life=40,
            waits=MODES[mode].get("waits", {}),
        )
        async with worked(stack, plays, mode):
            await play_all(stack, plays, at_once=MODES[mode].get("at_once"))
            if RECORDING:
                for play in plays:
                    await histories.until_at_rest(client, play.runs[0])
    runs = {play.name: [await histories.histories_of(client, run) for run in play.runs] for play in plays}
    for play in plays if RECORDING else ():
        order, *returns = runs[play.name]
        histories.store(play.name, order[0])
        for of_return in returns:
            histories.store(f"returns/{play.name}", of_return[0])
        histories.store_facts(play.name, play.summary)
    came = {play.name: json.loads(json.dumps(play.summary)) for play in plays}
    recorded = {play.name: histories.facts_of(play.name) for play in plays}
    other = {
        name: {what: (came[name].get(what), facts[what]) for what in facts if came[name].get(what) != facts[what]}
        for name, facts in recorded.items()
    }
    assert not {name: differs for name, differs in other.items() if differs}, "what came, and what was recorded"
    await histories.replay(*(history for of_branch in runs.values() for of_run in of_branch for history in of_run))
    async with stack.worker():
        await assert_conserved(stack, [play.runs[0] for play in plays])
