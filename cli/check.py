"""The oracle: looks at Postgres, at both vendors' ledgers and at Temporal, and says in words what does not agree.

`check` is for tests, `./shelfway check` for people. It changes nothing and never just asserts. An order in motion may
be between two states: it is not judged by what holds at rest, unless the caller says that everything has settled.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError
from temporalio.client import Client
from temporalio.service import RPCError

from cli.conservation import money, parcels, runs
from cli.env import found_running
from cli.http import ApiClient, ApiUnreachableError
from models.conservation import Checked, Finding, Report
from models.db import Database
from models.stores.conservation import Conservation

_STATEMENT_MS = 60_000  # an examination reads everything


async def check(
    database_url: str,
    stripe_base: str | None,
    easypost_base: str | None,
    temporal_client: Client | None,
    *,
    orders: Sequence[str] | None = None,
    settled: bool = True,
    now: datetime | None = None,
) -> list[Finding]:
    """What is wrong; nothing when all is well. The arguments are `examine`'s."""
    seen = await examine(
        database_url, stripe_base, easypost_base, temporal_client, orders=orders, settled=settled, now=now
    )
    return seen.findings


async def examine(
    database_url: str,
    stripe_base: str | None,
    easypost_base: str | None,
    temporal_client: Client | None,
    *,
    orders: Sequence[str] | None = None,
    settled: bool = True,
    now: datetime | None = None,
) -> Report:
    """Every check with what it looked at. None leaves a vendor or Temporal out; `orders` looks at these alone.

    `settled`: everything is at rest, so an order in motion is a finding itself. Else what moves is not judged by the
    checks at rest. `now` is what deadlines are compared with. Raises what a part that is away raises.
    """
    instant = now or datetime.now(UTC)
    db = Database(database_url, pool_size=1, statement_timeout=_STATEMENT_MS)
    try:
        books = Conservation(db)
        seen = await asyncio.to_thread(books.snapshot, instant, orders)
        checked = list(seen.checked)
        if stripe_base:
            checked += money.compare(seen.books, await asyncio.to_thread(_stripe_ledger, stripe_base, orders))
        if easypost_base:
            checked += parcels.compare(seen.books, await asyncio.to_thread(_easypost_ledger, easypost_base, orders))
        if temporal_client:
            checked += await runs.compare(temporal_client, seen.books, instant, strangers=orders is None)
        if settled:
            not_judged = dict.fromkeys(seen.motion.stuck, "stuck, with a case")
            checked.append(_rest(seen.motion.moving, len(seen.books)))
        else:
            later = await asyncio.to_thread(books.motion, instant, orders)
            not_judged = {**dict.fromkeys(later.stuck, "stuck, with a case"), **seen.motion.until(later)}
        return Report(tuple(_judged(each, not_judged) for each in checked), not_judged)
    finally:
        db.dispose()


def _rest(moving: Mapping[str, str], orders: int) -> Checked:
    findings = tuple(Finding("REST", order_id, f"not at rest: {why}", order_id) for order_id, why in moving.items())
    return Checked("REST", "orders: all are at rest", orders, findings)


def _judged(check: Checked, not_judged: Mapping[str, str]) -> Checked:
    """Without what it says of orders that may be between two states."""
    if not check.at_rest:
        return check
    return replace(check, findings=tuple(f for f in check.findings if f.order_id not in not_judged))


def _stripe_ledger(base: str, orders: Sequence[str] | None) -> list[Mapping[str, Any]]:
    admin = ApiClient(base)
    queries: list[dict[str, str]] = [{}] if orders is None else [{"metadata[order_id]": order} for order in orders]
    return [intent for query in queries for intent in admin.get("/_admin/ledger", **query)["intents"]]


def _easypost_ledger(base: str, orders: Sequence[str] | None) -> list[Mapping[str, Any]]:
    admin = ApiClient(base.rstrip("/").removesuffix("/v2"))
    queries: list[dict[str, str]] = [{}] if orders is None else [{"reference_prefix": f"{order}:"} for order in orders]
    return [shipment for query in queries for shipment in admin.get("/_admin/ledger", **query)["shipments"]]


def check_running() -> int:
    """Examine what the environment names, or an `up` of this checkout runs, and print it. 1 when something is wrong."""
    if not found_running():
        return 1
    try:
        report = asyncio.run(_examine_environment())
    except (OperationalError, ApiUnreachableError, RPCError, RuntimeError) as error:
        print(f"Not everything answers, so nothing was judged: {error}")
        return 1
    _print(report, Console(highlight=False, soft_wrap=True))
    return int(bool(report.findings))


async def _examine_environment() -> Report:
    from models.config import Settings
    from workflows.client import connect

    settings = Settings()  # pyright: ignore[reportCallIssue] (read from the environment)
    return await examine(
        settings.database_url, settings.stripe_api_base, settings.easypost_api_base, await connect(), settled=False
    )


def _print(report: Report, console: Console) -> None:
    table = Table("", "what was checked", "looked at", "wrong", box=None, pad_edge=False)
    for each in report.checked:
        wrong = f"[bold red]{len(each.findings)}[/]" if each.findings else "[green]0[/]"
        table.add_row(each.code, each.what, str(each.looked_at), wrong)
    console.print(table)
    for order_id, why in sorted(report.not_judged.items()):
        console.print(f"in motion, not judged: {order_id} ({why})", style="yellow", markup=False)
    for finding in report.findings:
        console.print(f"wrong: {finding}", style="bold red", markup=False)
    count = len(report.findings)
    console.print(f"{count} wrong" if count else "All is as it should be.", style="bold red" if count else "green")
