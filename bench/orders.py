"""Orders per second through everything real, beside a no-op workflow on the same server, in one run.

Real: HTTP in, both sandboxes, Postgres (durable), Temporal with its database file, worker, relay. An order is one
warehouse shipment, from `POST /v1/orders` to delivered. Ratios hold on any machine; absolute figures are this one's.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from bench.machine import cpu_ms, spent
from bench.noop import QUEUE, EmptyUpdate, NoOp
from bench.timeouts import timeouts
from cli import ports
from cli.apps import COMMANDS, App, answers_at, api_command, said_ready
from cli.env import Places, environment
from cli.migrate import migrate
from cli.postgres import Postgres
from cli.sandboxes import EASYPOST, STRIPE, Sandbox
from cli.seed import seed
from cli.temporal import NAMESPACE, Temporal
from workflows.client import ShelfwayPlugin
from workflows.search import REGISTERED

KEY = {"Authorization": "Bearer demo-admin"}
OTHERS = frozenset({"stripe sandbox", "easypost sandbox", "driver", "noop worker"})  # not an order's own cost


@dataclass(frozen=True)
class Bench:
    """What runs, and how each process is found."""

    api_url: str
    temporal: Temporal
    stripe: Sandbox
    easypost: Sandbox
    pids: Mapping[str, int]

    def cpu(self) -> dict[str, float]:
        """Milliseconds so far. The driver's own children are the others."""
        each = {name: cpu_ms([pid]) for name, pid in self.pids.items()}
        return each | {"driver": cpu_ms([os.getpid()]) - sum(each.values())}


@contextmanager
def everything(folder: Path) -> Any:
    with ExitStack() as up:
        api_port = ports.find()
        api_url = f"http://127.0.0.1:{api_port}"
        postgres = up.enter_context(Postgres(folder / "postgres"))
        temporal = up.enter_context(Temporal(folder / "temporal", REGISTERED))
        stripe = up.enter_context(
            Sandbox(STRIPE, folder / "stripe", webhook_url=f"{api_url}/webhooks/stripe", webhook_secret="whsec_sandbox")
        )
        easypost = up.enter_context(
            Sandbox(EASYPOST, folder / "easypost", webhook_url=f"{api_url}/webhooks/easypost", webhook_secret="sandbox")
        )
        urls = postgres.create_database("shelfway")
        migrate(urls.owner)
        seed(urls.owner, lambda _: None)
        places = Places(
            api_url, urls.owner, urls.app, temporal.address, NAMESPACE, temporal.ui_url, stripe.url, easypost.url
        )
        env = environment(places)
        apps = [
            App("worker", COMMANDS["worker"], env, folder / "worker.log", said_ready),
            App("relay", COMMANDS["relay"], env, folder / "relay.log", said_ready),
            App("api", api_command("127.0.0.1", api_port), env, folder / "api.log", answers_at(f"{api_url}/readyz")),
            App("noop worker", (sys.executable, "-m", "bench.noop"), env, folder / "noop.log", said_ready),
        ]
        for app in apps:
            app.launch()
            up.callback(app.stop)
        for app in apps:
            app.await_ready()
        servers = {"postgres": postgres, "temporal": temporal, "stripe sandbox": stripe, "easypost sandbox": easypost}
        pids = {name: server.process.pid for name, server in servers.items()}
        yield Bench(api_url, temporal, stripe, easypost, pids | {app.name: app.process.pid for app in apps})


async def one_order(bench: Bench, http: httpx.AsyncClient, cart: Mapping[str, Any]) -> None:
    """Placed, picked, packed, handed over, delivered: the calls that people and machines make, and few looks."""
    order = (await _post(http, "/v1/orders", cart)).json()
    path = f"/v1/shipments/{(await _until(http, order, lambda s: s['stage'] == 'accepted'))['id']}"
    await _post(http, f"{path}/pick")
    await _post(http, f"{path}/pack")
    await _post(http, f"{path}/hand-over")  # answers when the parcel is labelled, paid for and gone
    order = (await http.get(f"/v1/orders/{order['id']}")).raise_for_status().json()
    code = order["shipments"][0]["tracking"]["code"]
    await http.post(f"{bench.easypost.url}/_admin/parcels/{code}/advance", json={"status": "delivered"})
    await _until(http, order, lambda s: s["stage"] == "delivered")


async def _post(http: httpx.AsyncClient, path: str, body: Any = None) -> httpx.Response:
    """Asked again by its key until the outcome is known."""
    key = {"Idempotency-Key": uuid4().hex}
    while True:
        answer = await http.post(path, json=body, headers=key)
        if answer.status_code not in (202, 409, 503) or "retry-after" not in answer.headers:
            answer.raise_for_status()
            if answer.status_code != 202:
                return answer
        await asyncio.sleep(0.1)


async def _until(http: httpx.AsyncClient, order: Any, reached: Callable[[Any], bool]) -> Any:
    """Its one shipment, once it is so; looked at after a quarter of a second, then ever more rarely."""
    pause = 0.25
    while not (order["shipments"] and reached(order["shipments"][0])):
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 1.0)
        order = (await http.get(f"/v1/orders/{order['id']}")).raise_for_status().json()
    return order["shipments"][0]


async def at_once(count: int, in_flight: int, work: Callable[[], Coroutine[Any, Any, None]]) -> float:
    """Do it `count` times, `in_flight` at once; answers how many a second."""
    gate = asyncio.Semaphore(in_flight)

    async def gated() -> None:
        async with gate:
            await work()

    begun = time.perf_counter()
    await asyncio.gather(*(gated() for _ in range(count)))
    return count / (time.perf_counter() - begun)


async def noop(client: Client) -> None:
    await client.execute_workflow(NoOp.run, id=uuid4().hex, task_queue=QUEUE)


async def empty_update(client: Client) -> None:
    start = WithStartWorkflowOperation(
        EmptyUpdate.run, id=uuid4().hex, task_queue=QUEUE, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    await client.execute_update_with_start_workflow("nothing", start_workflow_operation=start)


async def p50(times: int, work: Callable[[], Coroutine[Any, Any, object]]) -> float:
    """Milliseconds, one after another."""
    taken: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        await work()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


@asynccontextmanager
async def clients(bench: Bench) -> AsyncIterator[tuple[Client, httpx.AsyncClient]]:
    temporal = await Client.connect(bench.temporal.address, plugins=[ShelfwayPlugin()])
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200, keepalive_expiry=2)  # the api's is 5
    async with httpx.AsyncClient(base_url=bench.api_url, headers=KEY, limits=limits, timeout=30) as http:
        yield temporal, http


async def measure(bench: Bench, orders: int, in_flight: tuple[int, ...], console: Console) -> None:
    async with clients(bench) as (temporal, http):
        await http.post(f"{bench.stripe.url}/_admin/settings", json={"multicapture": True})
        cart = await _carts(http)
        await at_once(5, 5, lambda: one_order(bench, http, cart()))
        await at_once(50, 10, lambda: noop(temporal))
        verdict = await p50(30, lambda: _post(http, "/v1/orders", cart()))
        update = await p50(30, lambda: empty_update(temporal))
        rows = [_row("verdict at rest, p50 ms", verdict, update, "≤ 6")]
        costs: dict[int, dict[str, float]] = {}
        for at in in_flight:
            before = bench.cpu()
            yard = [await at_once(10 * at, at, lambda: noop(temporal))]
            rested = bench.cpu()
            rate = await at_once(orders, at, lambda: one_order(bench, http, cart()))
            costs[at] = {name: ms / orders for name, ms in spent(rested, bench.cpu()).items()}
            yard.append(await at_once(10 * at, at, lambda: noop(temporal)))
            per_second = statistics.mean(yard)
            rows.append(_row(f"orders/s, {at} in flight", rate, per_second, "≥ 0.11"))
            ours = sum(ms for name, ms in costs[at].items() if name not in OTHERS)
            theirs = spent(before, rested)
            per_noop = (theirs["temporal"] + theirs["noop worker"]) / (10 * at)
            rows.append(_row(f"CPU ms an order, {at} in flight", ours, per_noop, "≤ 100 ms"))
        rows.append(("timeouts and failures in all runs", str(await timeouts(temporal)), "", "", "0"))
    _print(console, rows, costs)


async def _carts(http: httpx.AsyncClient) -> Callable[[], dict[str, Any]]:
    """Carts of one piece each, of goods that lie in one warehouse in plenty: no two carts in a row lock one row."""
    skus = [f"BENCH-{number:03}" for number in range(50)]
    variants = [{"sku": sku, "title": sku, "grams": 120} for sku in skus]
    product = {
        "id": "prod_bench",
        "brand": "brand_aurelle",
        "title": "Bench",
        "category": "bench",
        "variants": variants,
    }
    prices = {"prices": [{"sku": sku, "amount": 2500} for sku in skus]}
    items = [{"sku": sku, "quantity": 1000} for sku in skus]
    await _post(http, "/v1/products", {**product, "variants": variants})
    await _post(http, "/v1/price_lists/pl_aurelle_us/prices", prices)
    await _post(http, "/v1/inventory/receipts", {"location_id": "loc_wh_columbus", "items": items})
    quote = {"brand": "brand_aurelle", "lines": [{"sku": skus[0], "quantity": 1}], "country": "US", "state": "NY"}
    total = (await http.post("/v1/quotes", json=quote)).raise_for_status().json()["choices"][0]["total"]["amount"]
    goods = cycle(skus)

    def cart() -> dict[str, Any]:
        return {
            "brand": "brand_aurelle",
            "lines": [{"sku": next(goods), "quantity": 1}],
            "customer": {"email": "bench@example.com", "name": "Ada Palmer", "phone": "+12125550190"},
            "ship_to": {
                "street": "350 West 18th Street",
                "city": "New York",
                "state": "NY",
                "postcode": "10011",
                "country": "US",
            },
            "payment": {"payment_method": "pm_card_visa"},
            "expected_total": total,
        }

    return cart


def _row(what: str, ours: float, yardstick: float, aim: str) -> tuple[str, ...]:
    return what, f"{ours:.1f}", f"{yardstick:.1f}", f"{ours / yardstick:.3g}", aim


def _print(console: Console, rows: list[tuple[str, ...]], costs: Mapping[int, Mapping[str, float]]) -> None:
    figures = Table(
        "what", "Shelfway", "no-op", "ratio", "aim", title="Orders, everything real, beside a no-op workflow"
    )
    for row in rows:
        figures.add_row(*row)
    console.print(figures)
    first = next(iter(costs.values()))
    by_process = Table("process", *(f"{at} in flight" for at in costs), title="CPU ms an order, by process")
    for name in sorted(first, key=lambda n: -first[n]):
        if name != "noop worker":
            by_process.add_row(name, *(f"{cost[name]:.1f}" for cost in costs.values()))
    console.print(by_process)


def run(orders: int = 120, in_flight: tuple[int, ...] = (20, 50)) -> None:
    console = Console()
    with tempfile.TemporaryDirectory(prefix="shelfway-bench-") as folder, everything(Path(folder)) as bench:
        asyncio.run(measure(bench, orders, in_flight, console))


if __name__ == "__main__":
    run()
