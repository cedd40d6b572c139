"""Every branch comes to the same answers, effects and facts, however its run is interrupted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.shop import Shop
from tests.stack import Stack
from tests.workflows.branches import BRANCHES, Branch, Scene

MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "renewed": {"waits": {"renew_at_every_idle_point": True}},
    "uncached": {"worker": {"max_cached_workflows": 0}},
}


@asynccontextmanager
async def multicapture(stack: Stack, *, on: bool) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=stack.stripe.url) as stripe:
        await stripe.post("/_admin/settings", json={"multicapture": on})
        yield
        await stripe.post("/_admin/settings", json={"multicapture": False})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", BRANCHES)
async def test_branch_comes_to_the_same_when(stack: Stack, shop: Shop, name: str, mode: str) -> None:
    branch: Branch = BRANCHES[name]
    waits = {**branch.waits, **MODES[mode].get("waits", {})}
    async with (
        multicapture(stack, on=branch.multicapture),
        stack.worker(**MODES[mode].get("worker", {})),
        stack.api(waits) as api,
    ):
        journey = await branch.play(Scene(stack, api, shop))
        summary = await journey.summary()
    assert {key: summary[key] for key in branch.comes_to} == dict(branch.comes_to)
