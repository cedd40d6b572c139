"""Orders, their lines, units and claims; sourcing's plans. `orders.status` is written by the order store alone."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Sequence,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Id, Money, Serial, word
from models.words import ClaimKind, OnShortage, OrderKind, OrderStatus, UnitState, Verdict

ORDER_NUMBER = Sequence("order_number", start=1001, metadata=Base.metadata)


class Order(Base):
    """One customer's order. The person's data (email to address) is here and nowhere in Temporal."""

    __tablename__ = "orders"
    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[OrderKind] = mapped_column(word(OrderKind), server_default="sale")
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    channel: Mapped[str]
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customers.id"))
    email: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None]
    street: Mapped[str]
    street2: Mapped[str | None]
    city: Mapped[str]
    state: Mapped[str | None]
    postcode: Mapped[str]
    country: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    speed: Mapped[str]
    transit_days: Mapped[int]
    on_shortage: Mapped[OnShortage] = mapped_column(word(OnShortage), server_default="refuse")
    currency: Mapped[str]
    includes_tax: Mapped[bool]
    subtotal: Mapped[Money]
    discount: Mapped[Money] = mapped_column(server_default="0")
    tax: Mapped[Money]
    shipping: Mapped[Money]
    shipping_tax: Mapped[Money]
    total: Mapped[Money]
    status: Mapped[OrderStatus] = mapped_column(word(OrderStatus), server_default="pending")
    verdict: Mapped[Verdict | None] = mapped_column(word(Verdict))
    verdict_detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    cart_hold_id: Mapped[str | None] = mapped_column(ForeignKey("cart_holds.id"))
    timings: Mapped[dict[str, Any]]
    details: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    note: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]  # the run was asked for and answered
    verified_at: Mapped[datetime | None]  # the carrier knows the address
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    promised_by: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    customer_until: Mapped[datetime | None]  # the customer's turn ends then
    closed_at: Mapped[datetime | None]
    resumed_at: Mapped[datetime | None]  # its run was lost: effects are looked up before they are asked for
    last_event: Mapped[int] = mapped_column(server_default="0")  # the seq of its newest event
    revision: Mapped[int] = mapped_column(BigInteger, server_default="1")
    __table_args__ = (
        CheckConstraint(
            "total = subtotal - discount + shipping + CASE WHEN includes_tax THEN 0 ELSE tax + shipping_tax END",
            name="total_adds_up",
        ),
        CheckConstraint("subtotal >= 0 AND discount BETWEEN 0 AND subtotal AND tax >= 0", name="amounts"),
        CheckConstraint("shipping >= 0 AND shipping_tax >= 0", name="shipping_amounts"),
        CheckConstraint("currency ~ '^[a-z]{3}$'", name="currency_iso"),
        Index(None, "created_at", "id"),
        Index("ix_orders_open", "expires_at", postgresql_where=text("status = 'pending'")),
        Index("ix_orders_not_closed", "id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_orders_closed", "closed_at", "id", postgresql_where=text("closed_at IS NOT NULL")),
        Index(None, "customer_id", "created_at"),
    )


class OrderLine(Base):
    __tablename__ = "order_lines"
    id: Mapped[Id]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int]
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"))
    title: Mapped[str]
    quantity: Mapped[int]
    unit_price: Mapped[Money]
    discount: Mapped[Money]
    tax: Mapped[Money]
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("quantity > 0 AND unit_price >= 0", name="positive"),
        CheckConstraint("discount BETWEEN 0 AND unit_price * quantity AND tax >= 0", name="shares"),
    )


class OrderUnit(Base):
    """One piece of an order line: for a bundle, one component of one bundle.

    `price`, `discount` and `tax` are its shares, fixed at checkout; what the customer pays for it is `amount`:
    price - discount, and tax on top where prices exclude it.
    """

    __tablename__ = "order_units"
    id: Mapped[Id]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    line_id: Mapped[str] = mapped_column(ForeignKey("order_lines.id"))
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"))
    price: Mapped[Money]
    discount: Mapped[Money]
    tax: Mapped[Money]
    amount: Mapped[Money]
    state: Mapped[UnitState] = mapped_column(word(UnitState), server_default="awaiting")
    shipment_id: Mapped[str | None] = mapped_column(ForeignKey("shipments.id"), index=True)
    lot_id: Mapped[str | None] = mapped_column(ForeignKey("lots.id"))
    captured_by: Mapped[str | None] = mapped_column(ForeignKey("payment_operations.key"))
    refunded_by: Mapped[str | None] = mapped_column(ForeignKey("payment_operations.key"))
    __table_args__ = (
        CheckConstraint("price >= 0 AND discount BETWEEN 0 AND price AND tax >= 0 AND amount >= 0", name="shares"),
        CheckConstraint("refunded_by IS NULL OR captured_by IS NOT NULL", name="paid_before_refunded"),
        CheckConstraint("shipment_id IS NOT NULL OR state IN ('awaiting', 'cancelled')", name="lies_somewhere"),
        Index(None, "order_id"),
    )


class Claim(Base):
    """A unit taken by a cancel, return, exchange, reship, loss or dispute. One live claim a unit."""

    __tablename__ = "claims"
    id: Mapped[Id]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("order_units.id"))
    kind: Mapped[ClaimKind] = mapped_column(word(ClaimKind))
    command_id: Mapped[str | None] = mapped_column(ForeignKey("commands.id"))
    return_id: Mapped[str | None] = mapped_column(ForeignKey("returns.id"))
    live: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime]
    __table_args__ = (Index("uq_claims_live_unit", "unit_id", unique=True, postgresql_where=text("live")),)


class Hold(Base):
    """A reason-coded stop before what comes next; several at once. No shipment means the whole order."""

    __tablename__ = "holds"
    id: Mapped[Id]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    shipment_id: Mapped[str | None] = mapped_column(ForeignKey("shipments.id"))
    reason: Mapped[str]
    actor: Mapped[str]
    placed_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]


class SourcingPlan(Base):
    """Which node ships what, with every candidate's score or reason for refusal: the explanation, kept."""

    __tablename__ = "sourcing_plans"
    id: Mapped[Serial]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    cause: Mapped[str]
    plan: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Exclusion(Base):
    """A node that rejected a line (or stayed silent) is not asked for it again in this order's life."""

    __tablename__ = "sourcing_exclusions"
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    line_id: Mapped[str] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    reason: Mapped[str]
    created_at: Mapped[datetime]
