"""What our rows say of each order, read for all of them at once, to be laid beside somebody else's ledger.

Read-only. The rows are detached: whoever compares must not change them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, case, select
from sqlalchemy.orm import Session

from models.status import status_of
from models.stores.book import standing_of
from models.tables.orders import Hold, Order, OrderUnit
from models.tables.payments import Intent, PaymentOperation
from models.tables.returns import Return
from models.tables.shipments import Label, Shipment
from models.words import OrderStatus

R = TypeVar("R")
B = TypeVar("B", OrderUnit, Shipment, Intent, PaymentOperation, Hold, Return)

_TO_NOTHING = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.FAILED})


@dataclass(frozen=True, slots=True)
class OrderBooks:
    """One order's rows. `shipping_charge` is what the customer pays for sending, tax included."""

    id: str
    status: OrderStatus
    computed_status: OrderStatus
    currency: str
    shipping_charge: int
    created_at: datetime
    started_at: datetime | None
    closed_at: datetime | None
    units: tuple[OrderUnit, ...]
    shipments: tuple[Shipment, ...]
    labels: tuple[Label, ...]
    intents: tuple[Intent, ...]
    operations: tuple[PaymentOperation, ...]
    returns: tuple[Return, ...]

    @property
    def came_to_nothing(self) -> bool:
        """Cancelled whole, expired or failed: in the end nothing of it is held, taken or sent."""
        return self.status in _TO_NOTHING


def read_books(session: Session, orders: list[str] | None) -> dict[str, OrderBooks]:
    """By order id, oldest first: of these orders, or of all. Eight statements."""

    def of_orders(query: Select[R], column: Any) -> Iterable[R]:
        return session.scalars(query if orders is None else query.where(column.in_(orders)))

    units = _grouped(of_orders(select(OrderUnit).order_by(OrderUnit.id), OrderUnit.order_id))
    shipments = _grouped(of_orders(select(Shipment).order_by(Shipment.position), Shipment.order_id))
    intents = _grouped(of_orders(select(Intent).order_by(Intent.created_at), Intent.order_id))
    operations = _grouped(
        of_orders(select(PaymentOperation).order_by(PaymentOperation.planned_at), PaymentOperation.order_id)
    )
    returns = _grouped(of_orders(select(Return).order_by(Return.id), Return.order_id))
    holds = _grouped(of_orders(select(Hold).where(Hold.released_at.is_(None)), Hold.order_id))
    order_of = case((Label.return_id.is_(None), Shipment.order_id), else_=Return.order_id)
    joined = select(order_of, Label).outerjoin(Shipment, Shipment.id == Label.shipment_id)
    joined = joined.outerjoin(Return, Return.id == Label.return_id).order_by(Label.key)
    labels: dict[str, list[Label]] = defaultdict(list)
    for order_id, label in session.execute(joined if orders is None else joined.where(order_of.in_(orders))):
        labels[order_id].append(label)
    return {
        order.id: OrderBooks(
            id=order.id,
            status=order.status,
            computed_status=_status(order, units[order.id], shipments[order.id], on_hold=bool(holds[order.id])),
            currency=order.currency,
            shipping_charge=order.shipping + (0 if order.includes_tax else order.shipping_tax),
            created_at=order.created_at,
            started_at=order.started_at,
            closed_at=order.closed_at,
            units=tuple(units[order.id]),
            shipments=tuple(shipments[order.id]),
            labels=tuple(labels[order.id]),
            intents=tuple(intents[order.id]),
            operations=tuple(operations[order.id]),
            returns=tuple(returns[order.id]),
        )
        for order in of_orders(select(Order).order_by(Order.created_at, Order.id), Order.id)
    }


def _grouped(rows: Iterable[B]) -> Mapping[str, list[B]]:
    groups: defaultdict[str, list[B]] = defaultdict(list)
    for row in rows:
        groups[row.order_id].append(row)
    return groups


def _status(order: Order, units: list[OrderUnit], shipments: list[Shipment], *, on_hold: bool) -> OrderStatus:
    """The status that the units and the standing give, whatever the column says."""
    return status_of([unit.state for unit in units], standing_of(order, shipments, on_hold=on_hold))
