"""The public shape of orders: what a checkout sends and what an order shows. Not the messages of a workflow."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from api.schemas.base import (
    Amount,
    Country,
    CurrencyCode,
    Id,
    In,
    LongText,
    Metadata,
    Money,
    Out,
    Quantity,
    ShortText,
    Sku,
    State,
    Storable,
    Word,
)
from api.schemas.samples import ORDER, PLACE_ORDER, PLAN
from models.messages.timings import OrderTimings
from models.quotes import Wanted
from models.stores.intake import Buyer, Checkout, Destination
from models.stores.readers import LineRecord, OrderRecord, ParcelRecord
from models.tables.messages import Event
from models.tables.orders import Hold, Order, OrderUnit, SourcingPlan
from models.tables.payments import Intent
from models.words import IntentState, OrderStatus, Stage, UnitState, Verdict

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]+\.[^@\s]+$", max_length=254), Storable]
Phone = Annotated[str, StringConstraints(min_length=3, max_length=40), Storable]
PaymentMethod = Annotated[str, StringConstraints(pattern=r"^pm_[A-Za-z0-9_]{1,100}$")]


class CustomerIn(In):
    """Who buys. A guest has no `customer_id`."""

    email: Email
    name: ShortText
    phone: Phone | None = None
    customer_id: Id | None = None


class AddressIn(In):
    """Where the parcel goes, as the customer typed it."""

    street: ShortText
    street2: ShortText | None = None
    city: ShortText
    state: State | None = None
    postcode: ShortText
    country: Country


class LineIn(In):
    sku: Sku
    quantity: Quantity


class PaymentIn(In):
    payment_method: PaymentMethod = Field(description="Stripe's, made by the storefront; never a card's number.")


_LONGEST_WAIT: Final = timedelta(days=366)


class WaitsIn(OrderTimings):
    """A tool for tests and demos: how long this order's waits last. What is left out stays as the system has it.

    Durations are ISO 8601 (`PT5S`) or seconds. Only a key that may `orders:waits` can send it.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"offer": "PT5S", "offer_in_opening_hours": False}]}
    )

    @model_validator(mode="after")
    def _can_be_waited(self) -> Self:
        spans = {name: span for name in self.model_fields_set if isinstance(span := getattr(self, name), timedelta)}
        for name, span in spans.items():
            if not timedelta(0) < span <= _LONGEST_WAIT:
                raise ValueError(f"{name} is to be more than nothing and at most {_LONGEST_WAIT.days} days")
        return self


class PlaceOrder(In):
    """A checkout. `expected_total` is what the customer saw: another total is refused with the new quote."""

    model_config = ConfigDict(json_schema_extra={"examples": [PLACE_ORDER]})
    brand: Id
    channel: Word = "web"
    currency: CurrencyCode | None = None
    customer: CustomerIn
    ship_to: AddressIn
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=100)]
    speed: Word | None = Field(None, description="One of the quote's; without it the cheapest.")
    payment: PaymentIn | None = Field(None, description="A total of zero needs none.")
    expected_total: Amount
    on_shortage: Literal["refuse"] = Field("refuse", description="What to do when not all is there: only `refuse` yet.")
    reservation: Id | None = Field(None, description="A cart's hold to use.")
    note: LongText = ""
    metadata: Metadata = Field(default_factory=dict)
    waits: WaitsIn | None = None

    def checkout(self) -> Checkout:
        return Checkout(
            brand_id=self.brand,
            channel=self.channel,
            buyer=Buyer(**self.customer.model_dump()),
            ship_to=Destination(**self.ship_to.model_dump()),
            lines=tuple(Wanted(line.sku, line.quantity) for line in self.lines),
            expected_total=self.expected_total,
            speed=self.speed,
            currency=self.currency,
            payment_method=self.payment.payment_method if self.payment else None,
            reservation=self.reservation,
            note=self.note,
            metadata=self.metadata,
            waits=self.waits.model_dump(exclude_unset=True) if self.waits else {},
        )


class CancelIn(In):
    """Why; `reason` is a code, the rest is the note. Without `units` the whole order is cancelled."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "customer_changed_mind", "units": ["unit_06h1a0"]}]}
    )
    reason: Word = "unspecified"
    units: Annotated[list[Id], Field(min_length=1, max_length=1000)] | None = None
    note: LongText = ""


class HoldIn(In):
    """A stop before what comes next; no `shipment` holds the whole order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "fraud_review", "note": "Call back first."}]})
    reason: Word
    shipment: Id | None = None
    note: LongText = ""


class RetryIn(In):
    """Try again what is stuck, of one shipment or of the whole order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "address_corrected"}]})
    reason: Word = "retry"
    shipment: Id | None = None
    note: LongText = ""


class UnitOut(Out):
    """One piece. `amount` is what the customer pays for it."""

    id: str
    sku: str
    state: UnitState
    shipment: str | None
    amount: Money

    @classmethod
    def of(cls, unit: OrderUnit, currency: str) -> Self:
        amount = Money(amount=unit.amount, currency=currency)
        return cls(id=unit.id, sku=unit.sku, state=unit.state, shipment=unit.shipment_id, amount=amount)


class LineOut(Out):
    id: str
    sku: str
    title: str
    quantity: int
    unit_price: Money
    discount: Money
    tax: Money
    units: list[UnitOut]

    @classmethod
    def of(cls, record: LineRecord, currency: str) -> Self:
        line = record.line
        return cls(
            id=line.id,
            sku=line.sku,
            title=line.title,
            quantity=line.quantity,
            unit_price=Money(amount=line.unit_price, currency=currency),
            discount=Money(amount=line.discount, currency=currency),
            tax=Money(amount=line.tax, currency=currency),
            units=[UnitOut.of(unit, currency) for unit in record.units],
        )


class TrackingOut(Out):
    carrier: str | None
    service: str | None
    code: str | None
    label_url: str | None


class ParcelOut(Out):
    """A shipment as the order shows it; `GET /v1/shipments/{id}` shows more."""

    id: str
    position: int
    location_id: str
    stage: Stage
    deadline: datetime | None
    leaving: bool
    end_reason: str | None
    units: list[str]
    tracking: TrackingOut | None
    handed_over_at: datetime | None
    delivered_at: datetime | None

    @classmethod
    def of(cls, record: ParcelRecord) -> Self:
        shipment, label = record.shipment, record.label
        bought = label is not None and label.bought_at is not None
        return cls(
            id=shipment.id,
            position=shipment.position,
            location_id=shipment.location_id,
            stage=shipment.stage,
            deadline=shipment.deadline,
            leaving=shipment.leaving,
            end_reason=shipment.end_reason,
            units=list(record.unit_ids),
            tracking=TrackingOut(
                carrier=label.carrier, service=label.service, code=label.tracking_code, label_url=label.url
            )
            if label is not None and bought
            else None,
            handed_over_at=shipment.handed_over_at,
            delivered_at=shipment.delivered_at,
        )


class IntentOut(Out):
    """One of Stripe's PaymentIntents as last known: what is still held, and what was taken."""

    id: str
    state: IntentState
    held: Money
    captured: Money

    @classmethod
    def of(cls, intent: Intent, currency: str) -> Self:
        return cls(
            id=intent.id,
            state=intent.state,
            held=Money(amount=intent.capturable, currency=currency),
            captured=Money(amount=intent.received, currency=currency),
        )


class PaymentOut(Out):
    """`client_secret` is there while the customer has to confirm (3-D Secure): hand it to Stripe's own form."""

    held: Money
    captured: Money
    refunded: Money
    client_secret: str | None
    intents: list[IntentOut]

    @classmethod
    def of(cls, intents: tuple[Intent, ...], refunded: int, currency: str) -> Self:
        waiting = [each for each in intents if each.state is IntentState.REQUIRES_ACTION]
        return cls(
            held=Money(amount=sum(each.capturable for each in intents), currency=currency),
            captured=Money(amount=sum(each.received for each in intents), currency=currency),
            refunded=Money(amount=refunded, currency=currency),
            client_secret=waiting[-1].client_secret if waiting else None,
            intents=[IntentOut.of(each, currency) for each in intents],
        )


class HoldOut(Out):
    id: str
    reason: str
    shipment: str | None
    actor: str
    placed_at: datetime

    @classmethod
    def of(cls, hold: Hold) -> Self:
        return cls(
            id=hold.id, reason=hold.reason, shipment=hold.shipment_id, actor=hold.actor, placed_at=hold.placed_at
        )


class PersonOut(Out):
    email: str
    name: str
    phone: str | None
    customer_id: str | None


class AddressOut(Out):
    street: str
    street2: str | None
    city: str
    state: str | None
    postcode: str
    country: str


class EventOut(Out):
    """Something that happened, with its number in the order's story."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "object": "event",
                    "id": "evt_20481",
                    "seq": 1,
                    "type": "order.placed",
                    "at": "2026-11-25T09:00:00Z",
                    "actor": "storefront:demo-storefront",
                    "data": {"channel": "web", "total": 6820, "currency": "usd", "units": 2},
                }
            ]
        }
    )
    object: Literal["event"] = "event"
    id: str
    seq: int
    type: str
    at: datetime
    actor: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(
            id=f"evt_{event.id}", seq=event.seq, type=event.type, at=event.at, actor=event.actor, data=event.data
        )


class PlanOut(Out):
    """Which node ships what, with every candidate's score or reason for refusal, as it was decided then."""

    model_config = ConfigDict(json_schema_extra={"examples": [PLAN]})
    object: Literal["sourcing_plan"] = "sourcing_plan"
    cause: str
    created_at: datetime
    plan: dict[str, Any]

    @classmethod
    def of(cls, plan: SourcingPlan) -> Self:
        return cls(cause=plan.cause, created_at=plan.created_at, plan=plan.plan)


class OrderOut(Out):
    """An order as Postgres has it. `revision` is its ETag; `verdict` is checkout's, None until it is known."""

    model_config = ConfigDict(json_schema_extra={"examples": [ORDER]})
    object: Literal["order"] = "order"
    id: str
    number: str
    brand: str
    channel: str
    status: OrderStatus
    verdict: Verdict | None
    refusal: dict[str, Any] | None = Field(description="Why checkout said no, where it did.")
    currency: str
    includes_tax: bool
    subtotal: Money
    discount: Money
    tax: Money
    shipping: Money
    shipping_tax: Money
    total: Money
    speed: str
    promised_by: datetime | None
    customer: PersonOut
    ship_to: AddressOut
    lines: list[LineOut]
    shipments: list[ParcelOut]
    payment: PaymentOut
    holds: list[HoldOut]
    reservation: str | None
    note: str
    metadata: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    delivered_at: datetime | None
    customer_until: datetime | None
    closed_at: datetime | None
    revision: int
    url: str
    events: list[EventOut] | None = None
    sourcing: list[PlanOut] | None = None

    @classmethod
    def of(cls, record: OrderRecord) -> Self:
        order, currency = record.order, record.order.currency
        money = {
            name: Money(amount=getattr(order, name), currency=currency)
            for name in ("subtotal", "discount", "tax", "shipping", "shipping_tax", "total")
        }
        same = {name: getattr(order, name) for name in _SAME}
        return cls(
            **money,
            **same,
            brand=order.brand_id,
            refusal=refusal_of(order),
            customer=PersonOut.model_validate(order),
            ship_to=AddressOut.model_validate(order),
            lines=[LineOut.of(line, currency) for line in record.lines],
            shipments=[ParcelOut.of(parcel) for parcel in record.parcels],
            payment=PaymentOut.of(record.intents, record.refunded, currency),
            holds=[HoldOut.of(hold) for hold in record.holds],
            reservation=order.cart_hold_id,
            metadata=order.details,
            url=f"/v1/orders/{order.id}",
        )


# Columns that are shown under their own names.
_SAME = (
    "id",
    "number",
    "channel",
    "status",
    "verdict",
    "currency",
    "includes_tax",
    "speed",
    "promised_by",
    "note",
    "created_at",
    "expires_at",
    "confirmed_at",
    "delivered_at",
    "customer_until",
    "closed_at",
    "revision",
)

_KEPT_OPEN = (None, Verdict.CONFIRMED, Verdict.REQUIRES_ACTION)


def refusal_of(order: Order) -> dict[str, Any] | None:
    """The verdict's own words (a decline's reason, the short lines), where the verdict is a refusal."""
    if order.verdict in _KEPT_OPEN:
        return None
    return {key: value for key, value in order.verdict_detail.items() if key != "verified"}
