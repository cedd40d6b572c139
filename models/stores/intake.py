"""How an order comes to be: one transaction prices the cart anew, takes the caller's key and writes the order.

From its commit on the order is accepted: whatever happens, there will be a verdict. It starts no run and holds no
stock; checkout does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.errors import InvalidError
from models.messages.timings import OrderTimings
from models.mint import mint
from models.quotes import CannotShipTo, Choice, Quote, QuoteRequest, Wanted
from models.stores import quotes
from models.stores.requests import Recalled, RequestKey, RequestStore
from models.tables.catalogue import Customer
from models.tables.messages import Event
from models.tables.orders import ORDER_NUMBER, Order, OrderLine, OrderUnit
from models.tables.payments import Tender
from models.tables.stock import CartHold
from models.words import TenderKind


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the parcel goes, as typed; `country` is ISO 3166 alpha-2."""

    street: str
    city: str
    postcode: str
    country: str
    street2: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Buyer:
    email: str
    name: str
    phone: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a customer wants to buy. `expected_total` is what they saw, in the currency's smallest unit.

    `waits` are those of `OrderTimings` that this order has of its own.
    """

    brand_id: str
    channel: str
    buyer: Buyer
    ship_to: Destination
    lines: tuple[Wanted, ...]
    expected_total: int
    speed: str | None = None
    currency: str | None = None
    payment_method: str | None = None
    reservation: str | None = None
    note: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    waits: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Accepted:
    """The order is committed; its run may be asked for."""

    order_id: str


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """The total is not what the customer saw; nothing was written."""

    quote: Quote
    choice: Choice


@dataclass(frozen=True, slots=True)
class _Terms:
    choice: Choice
    timings: OrderTimings
    expires_at: datetime
    now: datetime


Intake = Accepted | Recalled | PriceChanged | CannotShipTo


class IntakeStore:
    """`timings` are how long each wait of the orders it takes will last, where an order has none of its own."""

    def __init__(self, database: Database, clock: Clock, requests: RequestStore, timings: OrderTimings) -> None:
        self._db = database
        self._clock = clock
        self._requests = requests
        self._timings = timings

    def place(self, checkout: Checkout, key: RequestKey, caller: str) -> Intake:
        """Write the order, or say why not, or what this key did before. InvalidError names what cannot be meant."""
        order_id = mint("ord")
        return self._db.transaction(lambda session: self._place(session, order_id, checkout, key, caller))

    def _place(self, session: Session, order_id: str, checkout: Checkout, key: RequestKey, caller: str) -> Intake:
        now = self._clock.now()
        offer = quotes.quote(session, _question(checkout), now)
        if isinstance(offer, CannotShipTo):
            return offer
        choice = offer.choice(checkout.speed)
        if choice.cart.total != checkout.expected_total:
            return PriceChanged(offer, choice)
        _refuse_unpayable(checkout, choice)
        timings = self._timings.but(**checkout.waits)
        terms = _Terms(choice, timings, _expiry(session, checkout, caller, timings, now), now)
        if recalled := self._requests.claim(session, key, order_id, now):
            return Accepted(order_id) if recalled.resource == order_id else recalled
        _write(session, order_id, checkout, terms)
        session.add(
            Event(aggregate=order_id, seq=1, type="order.placed", data=_story(checkout, choice), actor=caller, at=now)
        )
        return Accepted(order_id)


def _expiry(session: Session, checkout: Checkout, caller: str, timings: OrderTimings, now: datetime) -> datetime:
    """The end of the adopted hold, or of the time to confirm where there is none (or it is over already)."""
    in_time = now + timings.confirm_within
    customer = checkout.buyer.customer_id
    if customer is not None and session.get(Customer, customer) is None:
        raise InvalidError("No such customer.", code="unknown_customer", field="customer.customer_id")
    if checkout.reservation is None:
        return in_time
    hold = session.get(CartHold, checkout.reservation)
    if hold is None or hold.caller != caller or hold.adopted_by is not None or hold.released_at is not None:
        raise InvalidError("No such reservation of yours.", code="unknown_reservation", field="reservation")
    return hold.expires_at if hold.expires_at > now else in_time


def _write(session: Session, order_id: str, checkout: Checkout, terms: _Terms) -> None:
    choice, buyer, place = terms.choice, checkout.buyer, checkout.ship_to
    cart = choice.cart
    number = session.scalar(select(ORDER_NUMBER.next_value()))
    session.execute(
        insert(Order).values(
            id=order_id,
            number=f"SW-{number}",
            brand_id=checkout.brand_id,
            channel=checkout.channel,
            customer_id=buyer.customer_id,
            email=buyer.email,
            name=buyer.name,
            phone=buyer.phone,
            street=place.street,
            street2=place.street2,
            city=place.city,
            state=place.state,
            postcode=place.postcode,
            country=place.country,
            speed=choice.speed,
            transit_days=choice.transit_days,
            currency=cart.currency,
            includes_tax=cart.includes_tax,
            subtotal=cart.subtotal,
            discount=cart.discount,
            tax=cart.tax,
            shipping=cart.shipping,
            shipping_tax=cart.shipping_tax,
            total=cart.total,
            cart_hold_id=checkout.reservation,
            timings=terms.timings.model_dump(mode="json"),
            details=dict(checkout.metadata),
            note=checkout.note,
            created_at=terms.now,
            expires_at=terms.expires_at,
            promised_by=choice.promised_by,
            last_event=1,
        )
    )
    _write_lines(session, order_id, choice)
    _write_tender(session, order_id, checkout, choice)


def _write_lines(session: Session, order_id: str, choice: Choice) -> None:
    lines: list[dict[str, Any]] = []
    units: list[dict[str, Any]] = []
    for position, line in enumerate(choice.cart.lines, start=1):
        line_id = mint("line")
        lines.append(
            {
                "id": line_id,
                "order_id": order_id,
                "position": position,
                "sku": line.sku,
                "title": line.title,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "discount": line.discount,
                "tax": line.tax,
            }
        )
        units += [
            {
                "id": mint("unit"),
                "order_id": order_id,
                "line_id": line_id,
                "sku": unit.sku,
                "price": unit.price,
                "discount": unit.discount,
                "tax": unit.tax,
                "amount": unit.amount,
            }
            for unit in line.units
        ]
    session.execute(insert(OrderLine), lines)
    session.execute(insert(OrderUnit), units)


def _write_tender(session: Session, order_id: str, checkout: Checkout, choice: Choice) -> None:
    """One card; a total of zero needs none."""
    if checkout.payment_method is not None and choice.cart.total > 0:
        session.add(
            Tender(
                order_id=order_id,
                position=1,
                kind=TenderKind.CARD,
                amount=choice.cart.total,
                payment_method=checkout.payment_method,
            )
        )


def _question(checkout: Checkout) -> QuoteRequest:
    place = checkout.ship_to
    return QuoteRequest(checkout.brand_id, place.country, place.state, checkout.lines, checkout.speed)


def _refuse_unpayable(checkout: Checkout, choice: Choice) -> None:
    if checkout.currency not in (None, choice.cart.currency):
        raise InvalidError(
            f"This brand sells there in {choice.cart.currency}.", code="currency_unavailable", field="currency"
        )
    if choice.cart.total > 0 and checkout.payment_method is None:
        raise InvalidError("A total above zero needs a payment method.", code="payment_required", field="payment")


def _story(checkout: Checkout, choice: Choice) -> dict[str, Any]:
    """The event's data: no person in it."""
    cart = choice.cart
    return {
        "channel": checkout.channel,
        "total": cart.total,
        "currency": cart.currency,
        "units": sum(len(line.units) for line in cart.lines),
        "speed": choice.speed,
    }
