"""Where an order's units ship from: plans on a snapshot, holds the plan under locks, keeps the explanation.

Reads stock through `StockStore` and holds it there; changes no stock itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from models.fewest_parcels import plan
from models.sourcing import Demand, Exclusions, LineShortage, Node, Plan, Point, SourcingPolicy
from models.stock import Key, Reserved, Short, UnitWant
from models.stores.stock import StockStore
from models.tables.orders import Exclusion, SourcingPlan
from models.tables.stock import Location
from models.words import LocationKind

_TRIES = 3


@dataclass(frozen=True, slots=True)
class UnitDemand:
    """One piece to be placed. Bundles are exploded before: the SKU is a component's, the line is the bundle's."""

    unit_id: str
    line_id: str
    sku: str


@dataclass(frozen=True, slots=True)
class Group:
    """The units that one node ships: a shipment to be."""

    location_id: str
    store: bool
    unit_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Every unit is held; `lots` has each unit's lot. Groups stand nearest first."""

    groups: tuple[Group, ...]
    lots: dict[str, str]


@dataclass(frozen=True, slots=True)
class Shortage:
    """Nothing is held. `lines` has what each short line wanted and what it could have had."""

    lines: tuple[LineShortage, ...]


class SourcingStore:
    def __init__(self, stock: StockStore, policy: SourcingPolicy = plan) -> None:
        self._stock = stock
        self._policy = policy

    def place(
        self,
        session: Session,
        *,
        holder: str,
        demand: Sequence[UnitDemand],
        country: str,
        destination: Point | None,
        excluded: Exclusions = frozenset(),
        expires_at: datetime | None,
        now: datetime,
        cause: str,
        order_id: str,
        cart: str | None = None,
    ) -> Placement | Shortage:
        """Choose the nodes of `country` that ship these units, and hold them there: all, or none.

        Plans without locks, locks only the plan's rows and verifies; if they changed it plans again from what it saw,
        the third time with every candidate's row locked. Units held already move (`StockStore.reserve`), and stay
        where they are on a shortage. `cart`: as `reserve` takes it. Either way the plan is kept.
        """
        session.flush()
        needs = _needs(demand)
        nodes = self._nodes(session, country)
        skus = {need.sku for need in needs}
        available = self._stock.availability(session, skus, now, [node.id for node in nodes])
        if lenders := self._stock.lender(session, cart, holder):
            for key, quantity in self._stock.held_by(session, lenders, now).items():
                available[key] = available.get(key, 0) + quantity
        for tries_left in reversed(range(_TRIES)):
            if not tries_left:
                available = self._stock.lock_available(session, skus, [node.id for node in nodes], now, lenders=lenders)
            chosen = self._policy(needs, nodes, available, destination=destination, excluded=excluded)
            if chosen.shortages:
                break
            wants = _wants(demand, chosen)
            attempt = session.begin_nested()
            held = self._stock.reserve(session, holder, wants, expires_at=expires_at, now=now, cart=cart)
            if isinstance(held, Reserved):
                attempt.commit()
                self._keep(session, order_id, cause, chosen, now)
                return Placement(_groups(wants, nodes), dict(held.lots))
            attempt.rollback()  # which also gives the locks back, or the next try would take its own out of order
            available |= _seen(held)
        else:
            raise AssertionError("a plan made under the locks of all its candidates did not hold")
        self._keep(session, order_id, cause, chosen, now)
        return Shortage(chosen.shortages)

    def exclude(
        self,
        session: Session,
        order_id: str,
        line_ids: Sequence[str],
        location_id: str,
        *,
        reason: str,
        now: datetime,
    ) -> None:
        """The node is not asked for these lines again in this order's life. Twice is once."""
        rows = [
            {
                "order_id": order_id,
                "line_id": line_id,
                "location_id": location_id,
                "reason": reason,
                "created_at": now,
            }
            for line_id in sorted(set(line_ids))
        ]
        if rows:
            session.execute(upsert(Exclusion).on_conflict_do_nothing(), rows)

    def excluded(self, session: Session, order_id: str) -> Exclusions:
        """What `exclude` said of this order so far, as `place` takes it."""
        rows = session.execute(select(Exclusion.line_id, Exclusion.location_id).where(Exclusion.order_id == order_id))
        return frozenset((line_id, location_id) for line_id, location_id in rows)

    def _nodes(self, session: Session, country: str) -> list[Node]:
        columns = (
            Location.id,
            Location.kind == LocationKind.STORE,
            Location.latitude,
            Location.longitude,
            Location.priority,
            Location.country,
            Location.paused,
        )
        return [Node(*row) for row in session.execute(select(*columns).where(Location.country == country))]

    def _keep(self, session: Session, order_id: str, cause: str, chosen: Plan, now: datetime) -> None:
        session.execute(
            insert(SourcingPlan).values(order_id=order_id, cause=cause, plan=chosen.explain(), created_at=now)
        )


def _needs(demand: Sequence[UnitDemand]) -> list[Demand]:
    counted: dict[tuple[str, str], int] = {}
    for unit in demand:
        counted[unit.line_id, unit.sku] = counted.get((unit.line_id, unit.sku), 0) + 1
    return [Demand(line_id, sku, quantity) for (line_id, sku), quantity in counted.items()]


def _wants(demand: Sequence[UnitDemand], chosen: Plan) -> list[UnitWant]:
    waiting: dict[tuple[str, str], list[str]] = {}
    for unit in reversed(demand):
        waiting.setdefault((unit.line_id, unit.sku), []).append(unit.unit_id)
    return [
        UnitWant(waiting[part.line_id, part.sku].pop(), part.sku, part.node_id)
        for part in chosen.allocations
        for _ in range(part.quantity)
    ]


def _groups(wants: Sequence[UnitWant], nodes: Sequence[Node]) -> tuple[Group, ...]:
    stores = {node.id: node.store for node in nodes}
    units: dict[str, list[str]] = {}
    for want in wants:
        units.setdefault(want.location_id, []).append(want.unit_id)
    return tuple(Group(place, stores[place], tuple(listed)) for place, listed in units.items())


def _seen(short: Short) -> dict[Key, int]:
    return {(shortage.sku, shortage.location_id): shortage.available for shortage in short.shortages}
