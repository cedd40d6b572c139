"""The money: tenders, Stripe's intents as last known, and every operation planned before it was asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Id, Money, word
from models.words import IntentState, OperationKind, Outcome, TenderKind


class Tender(Base):
    """What the customer pays with, in the order given."""

    __tablename__ = "tenders"
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[TenderKind] = mapped_column(word(TenderKind))
    amount: Mapped[Money]
    payment_method: Mapped[str | None]  # Stripe's pm_…; never a card's number
    stripe_customer_id: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("kind <> 'card' OR payment_method IS NOT NULL", name="card_has_method"),
    )


class Intent(Base):
    """A PaymentIntent as last known. `capturable` is what Stripe still lets us take."""

    __tablename__ = "intents"
    id: Mapped[Id]  # Stripe's pi_…
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    tender: Mapped[int]
    state: Mapped[IntentState] = mapped_column(word(IntentState))
    amount: Mapped[Money]
    capturable: Mapped[Money]
    received: Mapped[Money] = mapped_column(server_default="0")
    outside: Mapped[Money] = mapped_column(server_default="0")  # of it, what no operation of ours took
    multicapture: Mapped[bool] = mapped_column(server_default="false")
    client_secret: Mapped[str | None]
    charge_id: Mapped[str | None] = mapped_column(unique=True)
    capture_before: Mapped[datetime | None]
    renew_at: Mapped[datetime | None]  # when its keep-alive is due
    superseded: Mapped[bool] = mapped_column(server_default="false")  # a renewal took its place: to be voided
    look_due: Mapped[bool] = mapped_column(server_default="false")  # Stripe said something: to be read anew
    looked_at: Mapped[datetime | None]  # when it was last read, since nothing was heard
    created_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("amount > 0 AND capturable BETWEEN 0 AND amount", name="amounts"),
        CheckConstraint("received BETWEEN 0 AND amount AND outside BETWEEN 0 AND received", name="received"),
        Index("ix_intents_holding", "created_at", postgresql_where=text("state IN ('open', 'requires_action')")),
    )


class PaymentOperation(Base):
    """One effect at Stripe. Planned by the transaction that decides it, known when its outcome is recorded.

    At most one with no outcome per intent, and per order while an authorization has no intent yet.
    """

    __tablename__ = "payment_operations"
    key: Mapped[Id]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    kind: Mapped[OperationKind] = mapped_column(word(OperationKind))
    tender: Mapped[int]
    leg: Mapped[int]  # the n of its key
    intent_id: Mapped[str | None] = mapped_column(ForeignKey("intents.id"))
    shipment_id: Mapped[str | None] = mapped_column(ForeignKey("shipments.id"))
    claim_id: Mapped[str | None]
    amount: Mapped[Money]
    shipping: Mapped[Money] = mapped_column(server_default="0")  # the shipping charge's part of `amount`
    final: Mapped[bool] = mapped_column(server_default="true")  # a capture that releases the rest
    units: Mapped[list[Any]] = mapped_column(server_default="[]")  # that a capture is for, or a refund gives back
    renews: Mapped[str | None]  # an authorization that takes the place of this intent
    outcome: Mapped[Outcome | None] = mapped_column(word(Outcome))
    reason: Mapped[str | None]
    stripe_id: Mapped[str | None]
    planned_at: Mapped[datetime]
    known_at: Mapped[datetime | None]
    retried_at: Mapped[datetime | None]  # a refund that was refused: since then it is due again, as another
    __table_args__ = (
        CheckConstraint("amount > 0 AND shipping BETWEEN 0 AND amount", name="amounts"),
        CheckConstraint("(outcome IS NULL) = (known_at IS NULL)", name="known"),
        CheckConstraint("kind = 'authorize' OR intent_id IS NOT NULL", name="has_intent"),
        CheckConstraint("kind <> 'refund' OR claim_id IS NOT NULL", name="refund_has_claim"),
        CheckConstraint("kind <> 'capture' OR shipment_id IS NOT NULL", name="capture_has_shipment"),
        CheckConstraint("retried_at IS NULL OR (kind = 'refund' AND outcome = 'refused')", name="retried"),
        Index("uq_payment_operations_in_flight", "intent_id", unique=True, postgresql_where=text("outcome IS NULL")),
        Index(
            "uq_payment_operations_authorizing",
            "order_id",
            "tender",
            unique=True,
            postgresql_where=text("outcome IS NULL AND kind = 'authorize'"),
        ),
        Index(
            "uq_payment_operations_captured_leg",
            "shipment_id",
            "tender",
            "intent_id",
            unique=True,
            postgresql_where=text("kind = 'capture' AND outcome = 'succeeded'"),
        ),
        Index(None, "order_id", "planned_at"),
    )
