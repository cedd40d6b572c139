"""Returns: what a customer sends back, unit by unit, and what became of each piece."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Id, word
from models.words import Disposition, RefundOn, ReturnStage


class Return(Base):
    """One RMA, with a run of its own. `deadline` is the next reminder's, or the end."""

    __tablename__ = "returns"
    id: Mapped[Id]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.id"))  # where it is sent to
    stage: Mapped[ReturnStage] = mapped_column(word(ReturnStage))
    refund_on: Mapped[RefundOn] = mapped_column(word(RefundOn))
    wants_label: Mapped[bool]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    actor: Mapped[str]
    deadline: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    scanned_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (deadline IS NOT NULL)", name="open_has_deadline"),
        Index("ix_returns_unstarted", "created_at", postgresql_where=text("started_at IS NULL")),
    )


class ReturnUnit(Base):
    """One piece of a return. Received once, at one location, with what becomes of it there."""

    __tablename__ = "return_units"
    return_id: Mapped[str] = mapped_column(ForeignKey("returns.id"), primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("order_units.id"), primary_key=True)
    received_at: Mapped[datetime | None]
    location_id: Mapped[str | None] = mapped_column(ForeignKey("locations.id"))
    disposition: Mapped[Disposition | None] = mapped_column(word(Disposition))
    __table_args__ = (
        CheckConstraint(
            "(received_at IS NULL) = (location_id IS NULL) AND (received_at IS NULL) = (disposition IS NULL)",
            name="received",
        ),
        Index(None, "unit_id"),
    )
