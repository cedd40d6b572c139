"""What `GET` shows of orders: rows of Postgres, five statements however many orders. Writes nothing, locks nothing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import BigInteger, BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from models.db import Database
from models.errors import NotFoundError
from models.stores.pages import Page, cursor_of, from_place, page_of
from models.tables.messages import Event
from models.tables.orders import Hold, Order, OrderLine, OrderUnit, SourcingPlan
from models.tables.payments import Intent, PaymentOperation, Tender
from models.tables.shipments import Label, Shipment
from models.words import OperationKind, OrderStatus, Outcome

T = TypeVar("T")

# What is shown of orders, as statements that are built once.
_IDS: BindParameter[Sequence[str]] = bindparam("ids", expanding=True)
_LINES = (
    select(OrderLine, OrderUnit)
    .join(OrderUnit, OrderUnit.line_id == OrderLine.id)
    .where(OrderUnit.order_id.in_(_IDS))
    .order_by(OrderLine.order_id, OrderLine.position, OrderUnit.id)
)
_PARCELS = (
    select(Shipment, Label)
    .outerjoin(Label, (Label.shipment_id == Shipment.id) & Label.refund_requested_at.is_(None))
    .where(Shipment.order_id.in_(_IDS))
    .order_by(Shipment.order_id, Shipment.position)
)
_TENDERS = select(Tender).where(Tender.order_id.in_(_IDS)).order_by(Tender.position)
_INTENTS = select(Intent).where(Intent.order_id.in_(_IDS)).order_by(Intent.created_at)
_HOLDS = select(Hold).where(Hold.order_id.in_(_IDS), Hold.released_at.is_(None)).order_by(Hold.placed_at)


@dataclass(frozen=True, slots=True)
class LineRecord:
    line: OrderLine
    units: tuple[OrderUnit, ...]


@dataclass(frozen=True, slots=True)
class ParcelRecord:
    """A shipment with its live label, if it has one."""

    shipment: Shipment
    label: Label | None
    unit_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """All that an order's page shows."""

    order: Order
    lines: tuple[LineRecord, ...]
    parcels: tuple[ParcelRecord, ...]
    tenders: tuple[Tender, ...]
    intents: tuple[Intent, ...]
    refunded: int
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class OrderFilter:
    status: OrderStatus | None = None
    channel: str | None = None
    brand_id: str | None = None
    number: str | None = None


class OrderReader:
    def __init__(self, database: Database) -> None:
        self._db = database

    def order(self, order_id: str) -> OrderRecord:
        return self._db.transaction(lambda session: _records(session, [_order(session, order_id)])[0])

    def orders(self, wanted: OrderFilter, *, cursor: str | None, limit: int) -> Page[OrderRecord]:
        """Newest first, by (time, id), so that orders of one instant each come once."""
        query = from_place(select(Order), Order.created_at, Order.id, cursor, limit, newest_first=True)
        for column, value in (
            (Order.status, wanted.status),
            (Order.channel, wanted.channel),
            (Order.brand_id, wanted.brand_id),
            (Order.number, wanted.number),
        ):
            if value is not None:
                query = query.where(column == value)

        def work(session: Session) -> Page[OrderRecord]:
            found = session.scalars(query).all()
            page = page_of(found, limit, [cursor_of(each.created_at, each.id) for each in found])
            return Page(tuple(_records(session, page.data)), page.next_cursor)

        return self._db.transaction(work)

    def events(self, order_id: str, *, after: int, limit: int) -> Sequence[Event]:
        """The order's story after its event number `after`, oldest first."""
        query = select(Event).where(Event.aggregate == order_id, Event.seq > after).order_by(Event.seq).limit(limit)

        def work(session: Session) -> Sequence[Event]:
            found = session.scalars(query).all()
            if not found:
                _order(session, order_id)
            return found

        return self._db.transaction(work)

    def plans(self, order_id: str) -> Sequence[SourcingPlan]:
        """Every sourcing plan with its candidates, oldest first."""
        query = select(SourcingPlan).where(SourcingPlan.order_id == order_id).order_by(SourcingPlan.id)

        def work(session: Session) -> Sequence[SourcingPlan]:
            _order(session, order_id)
            return session.scalars(query).all()

        return self._db.transaction(work)


def _order(session: Session, order_id: str) -> Order:
    found = session.get(Order, order_id)
    if found is None:
        raise NotFoundError("No such order.")
    return found


def _records(session: Session, orders: Sequence[Order]) -> list[OrderRecord]:
    ids = [order.id for order in orders]
    lines = _lines(session, ids)
    parcels = _parcels(session, ids, [unit for of_order in lines.values() for line in of_order for unit in line.units])
    tenders = _by_order(session.scalars(_TENDERS, {"ids": ids}))
    intents = _by_order(session.scalars(_INTENTS, {"ids": ids}))
    holds = _by_order(session.scalars(_HOLDS, {"ids": ids}))
    refunded = _refunded(session, [o for o in ids if any(u.refunded_by for line in lines[o] for u in line.units)])
    return [
        OrderRecord(
            order=order,
            lines=tuple(lines[order.id]),
            parcels=tuple(parcels[order.id]),
            tenders=tuple(tenders[order.id]),
            intents=tuple(intents[order.id]),
            refunded=refunded.get(order.id, 0),
            holds=tuple(holds[order.id]),
        )
        for order in orders
    ]


def _refunded(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """What was given back or is on its way, by order."""
    if not ids:
        return {}
    query = (
        select(PaymentOperation.order_id, func.sum(PaymentOperation.amount).cast(BigInteger))
        .where(
            PaymentOperation.order_id.in_(ids),
            PaymentOperation.kind == OperationKind.REFUND,
            PaymentOperation.outcome.in_([Outcome.SUCCEEDED, Outcome.PENDING]),
        )
        .group_by(PaymentOperation.order_id)
    )
    return {order_id: amount for order_id, amount in session.execute(query)}  # noqa: C416 (rows are no pairs)


def _lines(session: Session, ids: Sequence[str]) -> defaultdict[str, list[LineRecord]]:
    units: defaultdict[str, list[OrderUnit]] = defaultdict(list)
    lines: dict[str, OrderLine] = {}
    for line, unit in session.execute(_LINES, {"ids": ids}):
        lines[line.id] = line
        units[line.id].append(unit)
    found: defaultdict[str, list[LineRecord]] = defaultdict(list)
    for line in lines.values():
        found[line.order_id].append(LineRecord(line, tuple(units[line.id])))
    return found


def _parcels(session: Session, ids: Sequence[str], units: Iterable[OrderUnit]) -> defaultdict[str, list[ParcelRecord]]:
    inside: defaultdict[str | None, list[str]] = defaultdict(list)
    for unit in units:
        inside[unit.shipment_id].append(unit.id)
    found: defaultdict[str, list[ParcelRecord]] = defaultdict(list)
    for shipment, label in session.execute(_PARCELS, {"ids": ids}):
        found[shipment.order_id].append(ParcelRecord(shipment, label, tuple(inside[shipment.id])))
    return found


Owned = TypeVar("Owned", Tender, Intent, Hold)


def _by_order(rows: Iterable[Owned]) -> defaultdict[str, list[Owned]]:
    found: defaultdict[str, list[Owned]] = defaultdict(list)
    for row in rows:
        found[row.order_id].append(row)
    return found
