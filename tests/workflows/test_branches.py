"""Every branch comes to the same answers, effects and facts, however its run is interrupted; and every run replays."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.oracle import assert_conserved
from tests.replay import histories
from tests.shop import Shop
from tests.stack import Stack
from tests.workflows.branches import BRANCHES
from tests.workflows.killing import killed_worker
from tests.workflows.scene import Branch, Scene

DEEP = bool(os.environ.get("SHELFWAY_DEEP"))
RECORDING = bool(os.environ.get("SHELFWAY_RECORD"))  # `./shelfway record`: keep the plain runs' histories and facts
MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "renewed": {"waits": {"renew_at_every_idle_point": True}},
    "uncached": {"worker": {"max_cached_workflows": 0}},
    "killed": {},
}


def cases() -> Iterator[Any]:
    for name, branch in BRANCHES.items():
        for mode in MODES:
            rare = mode == "killed" and not branch.killed_always
            if DEEP or not rare:
                yield pytest.param(name, mode, marks=[pytest.mark.deep] if rare else [], id=f"{name}-{mode}")


@asynccontextmanager
async def multicapture(stack: Stack, *, on: bool) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=stack.stripe.url) as stripe:
        await stripe.post("/_admin/settings", json={"multicapture": on})
        yield
        await stripe.post("/_admin/settings", json={"multicapture": False})


@asynccontextmanager
async def worked(stack: Stack, scene: Scene, name: str, mode: str) -> AsyncIterator[None]:
    """Somebody does the work; in the mode `killed` it is a worker after the other, at least two."""
    if mode != "killed":
        async with stack.worker(**MODES[mode].get("worker", {})):
            yield
        return
    seed = f"{os.environ.get('SHELFWAY_SEED', '0')}:{name}"
    async with killed_worker(stack, scene.orders, seed) as victim:
        yield
        await victim.died.wait()


async def played(stack: Stack, shop: Shop, name: str, mode: str) -> tuple[list[str], dict[str, Any]]:
    """The ids of the order and of its returns, and the summary of what came of it."""
    branch: Branch = BRANCHES[name]
    waits = {**branch.waits, **MODES[mode].get("waits", {})}
    async with multicapture(stack, on=branch.multicapture), stack.api(waits) as api:
        scene = Scene(stack, api, shop, life=40.0) if mode == "killed" else Scene(stack, api, shop)
        async with worked(stack, scene, name, mode):
            journey = await branch.play(scene)
            if RECORDING:
                await histories.until_at_rest(await stack.client(), journey.order_id)
            return [journey.order_id, *await journey.returns()], await journey.summary()


@pytest.mark.parametrize(("name", "mode"), list(cases()))
async def test_branch_comes_to_the_same_when(stack: Stack, shop: Shop, name: str, mode: str) -> None:
    ids, summary = await played(stack, shop, name, mode)
    runs = [await histories.histories_of(await stack.client(), run_id) for run_id in ids]
    if RECORDING:
        histories.store(name, runs[0][0])
        for of_return in runs[1:]:
            histories.store(f"returns/{name}", of_return[0])
        histories.store_facts(name, summary)
    assert {key: summary[key] for key in BRANCHES[name].comes_to} == dict(BRANCHES[name].comes_to)
    assert json.loads(json.dumps(summary)) == histories.facts_of(name)
    await histories.replay(*(history for of_run in runs for history in of_run))
    async with stack.worker():
        await assert_conserved(stack, ids[:1])
