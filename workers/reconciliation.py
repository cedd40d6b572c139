"""Reconciliation as the relay runs it: each part with its period. A part may run twice or be killed in the middle."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from models.clock import Clock
from models.db import Database
from models.stores.lost_runs import LostRuns
from models.stores.sweeps import SweepStore
from workers.engine import ledgers
from workers.mending_runs import MendingRuns, Runs

RECONCILIATION: Final[Mapping[str, timedelta]] = {
    "mend_runs": timedelta(seconds=30),
    "end_runs": timedelta(minutes=1),
}


def reconciliation(
    database: Database, clock: Clock, runs: Runs, *, link: str = ""
) -> Mapping[str, Callable[[], Awaitable[object]]]:
    """The parts by name, on one database."""
    books = ledgers(database, clock, link=link)
    mending = MendingRuns(LostRuns(database, clock), SweepStore(database, clock), books.orders, runs, clock)
    return {"mend_runs": mending.mend, "end_runs": mending.end}
