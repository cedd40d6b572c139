"""Shipments, their labels and what carriers said of them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Id, Money, Serial, word
from models.words import Stage


class Shipment(Base):
    """The units that one node ships in one parcel. `deadline` is the present stage's; the workflow's timer has it."""

    __tablename__ = "shipments"
    id: Mapped[Id]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int]
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.id"))
    stage: Mapped[Stage] = mapped_column(word(Stage))
    deadline: Mapped[datetime | None]
    leaving: Mapped[bool] = mapped_column(server_default="false")  # cancelled, not yet undone
    re_sourced_from: Mapped[str | None] = mapped_column(ForeignKey("shipments.id"))
    end_reason: Mapped[str | None]
    box_id: Mapped[str | None] = mapped_column(ForeignKey("boxes.id"))
    grams: Mapped[int | None]
    offered_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    packed_at: Mapped[datetime | None]
    captured_at: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("grams > 0", name="grams_positive"),
        Index("ix_shipments_node_open", "location_id", "stage", postgresql_where=text("delivered_at IS NULL")),
    )


class Label(Base):
    """One label planned, and bought where `bought_at` is set; live until its refund is requested."""

    __tablename__ = "labels"
    key: Mapped[Id]  # {order}:{shipment or return}:label:{n}, EasyPost's `reference`
    shipment_id: Mapped[str | None] = mapped_column(ForeignKey("shipments.id"))
    return_id: Mapped[str | None] = mapped_column(ForeignKey("returns.id"))
    carrier_shipment_id: Mapped[str | None] = mapped_column(unique=True)  # EasyPost's shp_…
    carrier: Mapped[str | None]
    service: Mapped[str | None]
    rate: Mapped[Money | None]
    currency: Mapped[str | None]
    tracking_code: Mapped[str | None] = mapped_column(unique=True)
    tracker_id: Mapped[str | None]
    url: Mapped[str | None]
    planned_at: Mapped[datetime]
    bought_at: Mapped[datetime | None]
    refund_requested_at: Mapped[datetime | None]
    refund_status: Mapped[str | None]
    refund_asks: Mapped[int] = mapped_column(server_default="1")
    looked_at: Mapped[datetime | None]  # when the carrier was last asked, since nothing was heard
    __table_args__ = (
        Index(
            "uq_labels_live_shipment",
            "shipment_id",
            unique=True,
            postgresql_where=text("refund_requested_at IS NULL"),
        ),
        Index(
            "uq_labels_live_return",
            "return_id",
            unique=True,
            postgresql_where=text("refund_requested_at IS NULL"),
        ),
        CheckConstraint("(shipment_id IS NULL) <> (return_id IS NULL)", name="of_one_parcel"),
        Index("ix_labels_refunds", "refund_requested_at", postgresql_where=text("refund_requested_at IS NOT NULL")),
        CheckConstraint("(bought_at IS NULL) = (tracking_code IS NULL)", name="bought_is_tracked"),
        CheckConstraint("rate >= 0", name="rate"),
    )


class TrackingEvent(Base):
    """What the carrier said, in the order it reached us; the shipment's stage never goes back for it."""

    __tablename__ = "tracking_events"
    id: Mapped[Serial]
    shipment_id: Mapped[str] = mapped_column(ForeignKey("shipments.id"), index=True)
    inbox_id: Mapped[str] = mapped_column(ForeignKey("inbox.id"), unique=True)
    status: Mapped[str]
    detail: Mapped[str] = mapped_column(server_default="")
    occurred_at: Mapped[datetime]
