"""An order's rows as plain objects: all that `Book` reads of them, so that its decisions run without a database."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from models.stores.book import Book
from models.words import IntentState, OperationKind, OrderStatus, Outcome, Stage, UnitState, Verdict


@dataclass(slots=True, eq=False)
class Unit:
    id: str
    amount: int
    shipment_id: str | None = None
    state: UnitState = UnitState.AWAITING
    captured_by: str | None = None
    refunded_by: str | None = None


@dataclass(slots=True, eq=False)
class Shipment:
    id: str
    position: int
    location_id: str
    stage: Stage = Stage.PLANNED
    deadline: datetime | None = None
    leaving: bool = False
    packed_at: datetime | None = None
    handed_over_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(slots=True, eq=False)
class Label:
    shipment_id: str
    refund_requested_at: datetime | None = None


@dataclass(slots=True, eq=False)
class Intent:
    """Ours, and the bank's too: each has its own."""

    id: str
    amount: int
    capturable: int
    state: IntentState
    multicapture: bool
    received: int = 0
    given_back: int = 0  # the bank's alone
    superseded: bool = False
    look_due: bool = False
    renew_at: datetime | None = None
    capture_before: datetime | None = None


@dataclass(slots=True, eq=False)
class Operation:
    key: str
    kind: OperationKind
    leg: int
    amount: int
    intent_id: str | None = None
    shipment_id: str | None = None
    claim_id: str | None = None
    shipping: int = 0
    units: tuple[str, ...] = ()
    final: bool = True
    renews: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    retried_at: datetime | None = None


@dataclass(slots=True, eq=False)
class Hold:
    id: str
    shipment_id: str | None


@dataclass(slots=True, eq=False)
class Order:
    expires_at: datetime
    shipping: int
    id: str = "ord_1"
    shipping_tax: int = 0
    includes_tax: bool = False
    revision: int = 0
    status: OrderStatus = OrderStatus.PENDING
    verdict: Verdict | None = None
    customer_until: datetime | None = None
    promised_by: datetime | None = None
    confirmed_at: datetime | None = None
    delivered_at: datetime | None = None
    closed_at: datetime | None = None
    timings: dict[str, Any] = field(default_factory=dict)


class Returns(list[set[str]]):
    """The open returns, by their units. `scalar` is the one question that `Book` has for its session: how many."""

    def scalar(self, _query: object) -> int:
        return len(self)


def book_of(order: Order, units: list[Unit], returns: Returns, now: datetime) -> Book:
    """The real one, with nothing loaded and nothing to load."""
    book = Book(cast("Any", returns), cast("Any", order), now, held=False, exception="")
    rows = {"units": units, "shipments": [], "intents": [], "operations": [], "labels": [], "holds": [], "claims": {}}
    book.__dict__ |= rows
    return book
