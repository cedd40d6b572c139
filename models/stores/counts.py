"""Counts of shelves, as people send them: each is one transaction, taken once by its caller's key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.mint import mint
from models.stores.requests import Recalled, RequestKey, RequestStore
from models.stores.shelf import counted, follow
from models.stores.stock import StockStore
from models.stores.stock_desk import check_stocked
from models.tables.stock import Movement
from models.words import MovementReason


@dataclass(frozen=True, slots=True)
class Difference:
    """So many pieces of a SKU more, or fewer, than our books had."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class CountView:
    """A count by what it changed."""

    id: str
    location_id: str
    differences: Sequence[Difference]


class CountStore:
    def __init__(self, database: Database, clock: Clock, requests: RequestStore, stock: StockStore) -> None:
        self._db = database
        self._clock = clock
        self._requests = requests
        self._stock = stock

    def count(
        self, location_id: str, counts: Mapping[str, int], *, key: RequestKey, actor: str
    ) -> Recalled | CountView:
        """So many pieces of each SKU lie on that location's shelf. InvalidError names an item that has no stock."""
        count_id = mint("cnt")

        def work(session: Session, now: datetime) -> None:
            check_stocked(session, location_id, list(counts))
            changes = self._stock.count(session, location_id, counts, operation=count_id, actor=actor, now=now)
            counted(session, [change.key for change in changes], actor, now)
            follow(session, changes, count_id, now)

        return self._requests.once(key, count_id, work) or self.made(count_id, location_id)

    def made(self, count_id: str, location_id: str) -> CountView:
        """What a count changed."""
        moved = (
            select(Movement.sku, func.sum(Movement.quantity))
            .where(Movement.operation == count_id, Movement.reason == MovementReason.COUNT)
            .group_by(Movement.sku)
            .order_by(Movement.sku)
        )
        rows = self._db.transaction(lambda session: session.execute(moved).all())
        return CountView(count_id, location_id, [Difference(sku, int(quantity)) for sku, quantity in rows])
