"""What an order costs: history events by type and billable actions, exactly as the tables of docs/events.md say."""

import asyncio
import re
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from temporalio.api.enums.v1 import EventType

from cli.postgres import Urls
from models.clock import SystemClock
from models.db import Database
from tests.journey import Journey
from tests.replay.histories import until_at_rest
from tests.shop import Shop
from tests.stack import Stack, stack_in

pytestmark = pytest.mark.alone  # a start that a loaded machine does not answer in time is another action

FLOWS = {"one warehouse": ["warehouse"], "one of each kind": ["warehouse", "near_store"]}
LIMITS = {"one warehouse": (66, 21), "one of each kind": (115, 35)}  # events, actions
SETTLED = 3.0  # seconds without a change: the server reports its metrics every second


@pytest.fixture
def quiet(urls: Urls, tmp_path: Path) -> Iterator[Stack]:
    """A stack of this test's own: the metric counts for the whole server."""
    with stack_in(tmp_path, urls, SystemClock()) as stack:
        httpx.post(f"{stack.stripe.url}/_admin/settings", json={"multicapture": True})
        yield stack


@pytest.fixture
async def placed(quiet: Stack, database: Database) -> AsyncIterator[tuple[httpx.AsyncClient, Shop]]:
    async with quiet.worker(), quiet.api() as api:
        yield api, Shop(database).open()


async def delivered(stack: Stack, api: httpx.AsyncClient, shop: Shop, nodes: list[str]) -> str:
    """An order's life with each stage waited for, so that every timer starts. The parcel due first goes first."""
    client = await stack.client()
    order = await Journey.place(stack, api, shop.cart(*(shop.stock(f"for-{node}", **{node: 5}) for node in nodes)))

    async def at_rest(node: str, stage: str) -> dict[str, str]:
        shipment = await order.shipment_at(shop.node(node), stage)
        await until_at_rest(client, order.order_id)
        return shipment

    for node in nodes:
        if node == "near_store":
            await order.done(await at_rest(node, "offered"), "accept")
    for node in nodes:
        shipment = await at_rest(node, "accepted")
        await order.done(shipment, "pick")
        await order.done(shipment, "pack")
        await at_rest(node, "captured")
    for node in nodes:
        await order.done(await at_rest(node, "captured"), "hand-over")
    for node in nodes:
        await at_rest(node, "handed_over")
        await order.deliver_from(shop.node(node))
        await at_rest(node, "delivered")
    return order.order_id


async def events(stack: Stack, order_id: str) -> Counter[str]:
    history = await (await stack.client()).get_workflow_handle(order_id).fetch_history()
    return Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower() for event in history.events)


def actions(stack: Stack) -> Counter[str]:
    """The server's metric `action`, by what was done."""
    with urllib.request.urlopen(stack.temporal.metrics_url) as answer:
        lines = answer.read().decode().splitlines()
    counted = [re.match(r'action\{.*action_type="(\w+)".*\} (\d+)', line) for line in lines]
    counts: Counter[str] = Counter()
    for found in filter(None, counted):
        counts[found[1].partition("_")[2]] += int(found[2])
    return counts


async def actions_once_told(stack: Stack) -> Counter[str]:
    """As the server says when it has nothing more to say."""
    counted, since = actions(stack), 0.0
    while since < SETTLED:
        await asyncio.sleep(0.2)
        again = actions(stack)
        since, counted = (since + 0.2, counted) if again == counted else (0.0, again)
    return counted


def table(root: Path, flow: str) -> dict[str, Counter[str]]:
    """What docs/events.md says of a flow: its tables have a column for it, and end with a total."""
    said: dict[str, Counter[str]] = {}
    column = heading = None
    for line in (root / "docs" / "events.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("## "):
            heading = line.removeprefix("## ").lower()
        elif flow in cells:
            column = cells.index(flow)
            said[str(heading)] = Counter()
        elif column and line.startswith("| `"):
            said[str(heading)][cells[0].strip("`")] = int(cells[column])
        elif column and line.startswith("| total"):
            assert said[str(heading)].total() == int(cells[column]), f"the total of {heading}, {flow}, is no sum"
            column = None
    return said


@pytest.mark.parametrize("flow", FLOWS)
async def test_order_costs_what_the_document_says(
    quiet: Stack, placed: tuple[httpx.AsyncClient, Shop], root: Path, flow: str
) -> None:
    api, shop = placed
    before = await actions_once_told(quiet)
    order_id = await delivered(quiet, api, shop, FLOWS[flow])
    counted = {"events": await events(quiet, order_id), "actions": await actions_once_told(quiet) - before}
    assert counted == table(root, flow)
    assert all(cost.total() <= limit for cost, limit in zip(counted.values(), LIMITS[flow], strict=True))
