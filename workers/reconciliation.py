"""Reconciliation as the relay runs it: each part with its period. A part may run twice or be killed in the middle."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from activities.payments import PaymentActivities
from activities.ports import CarrierGateway, PaymentGateway
from models.clock import Clock
from models.db import Database
from models.stores.leftovers import Leftovers
from models.stores.lost_runs import LostRuns
from models.stores.stock import StockStore
from models.stores.sweeps import SweepStore
from workers.engine import ledgers
from workers.mending_books import MendingBooks
from workers.mending_runs import MendingRuns, Runs

RECONCILIATION: Final[Mapping[str, timedelta]] = {
    "mend_runs": timedelta(seconds=30),
    "end_runs": timedelta(minutes=1),
    "release_orphans": timedelta(minutes=10),
    "settle_closed": timedelta(minutes=5),
    "own_unknown_outcomes": timedelta(minutes=10),
}


def reconciliation(
    database: Database, clock: Clock, runs: Runs, vendors: tuple[PaymentGateway, CarrierGateway], *, link: str = ""
) -> Mapping[str, Callable[[], Awaitable[object]]]:
    """The parts by name, on one database."""
    stripe, _ = vendors
    ours = ledgers(database, clock, link=link)
    mending = MendingRuns(LostRuns(database, clock), SweepStore(database, clock), ours.orders, runs, clock)
    payments = PaymentActivities(ours.payments, ours.refunds, stripe)
    books = MendingBooks(Leftovers(database, clock, StockStore()), ours.orders, payments, clock)
    return {
        "mend_runs": mending.mend,
        "end_runs": mending.end,
        "release_orphans": partial(asyncio.to_thread, books.release_orphans),
        "settle_closed": partial(asyncio.to_thread, books.settle_closed),
        "own_unknown_outcomes": partial(asyncio.to_thread, books.own_unknown_outcomes),
    }
