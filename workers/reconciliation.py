"""Reconciliation as the relay runs it: each part with its period. A part may run twice or be killed in the middle."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final, Protocol

import structlog

from activities.payments import PaymentActivities
from activities.ports import CarrierGateway, PaymentGateway
from activities.shipping import ShippingActivities
from models.clock import Clock
from models.db import Database
from models.stores.forgotten import ForgottenOrders
from models.stores.inbox import InboxStore
from models.stores.leftovers import Leftovers
from models.stores.lost_returns import LostReturns
from models.stores.lost_runs import LostRuns
from models.stores.silence import Silence
from models.stores.stock import StockStore
from models.stores.sweeps import SweepStore
from workers.engine import ledgers
from workers.mending_books import MendingBooks
from workers.mending_forgotten import MendingForgotten
from workers.mending_returns import MendingReturns, ReturnRuns
from workers.mending_runs import MendingRuns, Runs
from workers.mending_vendors import MendingVendors

log = structlog.get_logger()

EVERY: Final[Mapping[str, timedelta]] = {
    "hear_stripe": timedelta(minutes=1),
    "hear_easypost": timedelta(minutes=2),
    "mend_runs": timedelta(seconds=30),
    "end_forgotten": timedelta(minutes=1),
    "end_runs": timedelta(minutes=1),
    "mend_returns": timedelta(seconds=30),
    "end_returns": timedelta(minutes=1),
    "settle_closed": timedelta(minutes=5),
    "release_orphans": timedelta(minutes=10),
    "refund_labels": timedelta(minutes=10),
    "own_unknown_outcomes": timedelta(minutes=10),
    "read_intents": timedelta(minutes=5),
    "read_parcels": timedelta(minutes=5),
    "follow_label_refunds": timedelta(minutes=30),
}


def periods(changed: Mapping[str, timedelta]) -> Mapping[str, timedelta]:
    """How often each part is due. ValueError for a part that there is not, or a period that is none."""
    if wrong := [name for name, period in changed.items() if name not in EVERY or period <= timedelta(0)]:
        raise ValueError(f"no part of reconciliation, or no period: {', '.join(sorted(wrong))}")
    return {**EVERY, **changed}


async def look(parts: Mapping[str, Callable[[], Awaitable[int]]]) -> Mapping[str, int | str]:
    """Each of these parts once, in order, and one line that says what it has mended, or which error kept it."""
    found: dict[str, int | str] = {}
    for name, part in parts.items():
        try:
            found[name] = await part()
        except Exception as error:  # noqa: BLE001 (any trouble of one part is its own)
            found[name] = type(error).__name__
    log.info("reconcile.done", **found)
    return found


class AllRuns(Runs, ReturnRuns, Protocol):
    """The orders' runs, and the returns'."""


def reconciliation(
    database: Database, clock: Clock, runs: AllRuns, vendors: tuple[PaymentGateway, CarrierGateway], *, link: str = ""
) -> Mapping[str, Callable[[], Awaitable[int]]]:
    """The parts by name, on one database."""
    ours, sweeps = ledgers(database, clock, link=link), SweepStore(database, clock)
    told = MendingVendors(Silence(database, clock), InboxStore(database, clock), sweeps, vendors, clock)
    mending = MendingRuns(
        LostRuns(database, clock), sweeps, ours.orders, runs, is_heard=told.is_up_to_date, clock=clock
    )
    lost = LostReturns(database, clock, ours.returns)
    returns = MendingReturns(lost, sweeps, ours.returns, runs, is_heard=told.is_up_to_date, clock=clock)
    stripe, easypost = vendors
    books = MendingBooks(
        Leftovers(database, clock, StockStore()),
        ours.orders,
        PaymentActivities(ours.payments, ours.refunds, stripe),
        ShippingActivities(ours.orders, ours.labels, easypost),
        clock,
    )
    blocking: Mapping[str, Callable[[], int]] = {
        "hear_stripe": told.hear_stripe,
        "hear_easypost": told.hear_easypost,
        "settle_closed": books.settle_closed,
        "release_orphans": books.release_orphans,
        "refund_labels": books.refund_labels,
        "own_unknown_outcomes": books.own_unknown_outcomes,
        "read_intents": told.read_intents,
        "read_parcels": told.read_parcels,
        "follow_label_refunds": told.follow_label_refunds,
    }
    apart = {name: partial(asyncio.to_thread, work) for name, work in blocking.items()}
    forgotten = MendingForgotten(ForgottenOrders(database, clock), stripe, runs)
    parts: Mapping[str, Callable[[], Awaitable[int]]] = {
        "mend_runs": mending.mend,
        "end_runs": mending.end,
        "mend_returns": returns.mend,
        "end_returns": returns.end,
        "end_forgotten": forgotten.end,
        **apart,
    }
    return {name: parts[name] for name in EVERY}
