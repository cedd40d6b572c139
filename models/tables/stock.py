"""Where things lie and who holds them: locations, stock, lots, reservations, and the ledger of movements."""

from datetime import date, datetime, time

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Id, Serial, word
from models.words import LocationKind, Mark, MovementReason, ReservationState


class Location(Base):
    """A warehouse or a store; a node when it ships. Lower `priority` ships first where distance cannot tell."""

    __tablename__ = "locations"
    id: Mapped[Id]
    name: Mapped[str]
    kind: Mapped[LocationKind] = mapped_column(word(LocationKind))
    street: Mapped[str]
    city: Mapped[str]
    state: Mapped[str | None]
    postcode: Mapped[str]
    country: Mapped[str]
    phone: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    timezone: Mapped[str]
    priority: Mapped[int] = mapped_column(server_default="100")
    capacity_per_day: Mapped[int | None]
    paused: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(server_default="1")
    __table_args__ = (
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_iso"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="coordinates"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="both_coordinates"),
        CheckConstraint("capacity_per_day >= 0", name="capacity"),
        Index(None, "country", "kind"),
    )


class OpeningHours(Base):
    """Local times of one weekday (0 is Monday); several rows a day are several spells. Closing at 00:00 is midnight."""

    __tablename__ = "opening_hours"
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(primary_key=True)
    opens: Mapped[time] = mapped_column(primary_key=True)
    closes: Mapped[time]
    __table_args__ = (CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),)


class Stock(Base):
    """One SKU at one location: the row that every change of its stock locks."""

    __tablename__ = "stock"
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"), primary_key=True)
    location_id: Mapped[str] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(server_default="0")
    reserved: Mapped[int] = mapped_column(server_default="0")
    safety_stock: Mapped[int] = mapped_column(server_default="0")
    reorder_point: Mapped[int] = mapped_column(server_default="0")
    counted_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(BigInteger, server_default="1")
    __table_args__ = (
        CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="reserved_on_hand"),
        CheckConstraint("safety_stock >= 0 AND reorder_point >= 0", name="levels"),
        Index(None, "location_id", "sku"),
    )


class Lot(Base):
    """Units of a SKU at a location with one expiry date, under their stock row's lock. Undated stock is a lot too."""

    __tablename__ = "lots"
    id: Mapped[Id]
    sku: Mapped[str]
    location_id: Mapped[str]
    code: Mapped[str]  # '' for undated stock that carries no lot code
    expires_on: Mapped[date | None]
    on_hand: Mapped[int] = mapped_column(server_default="0")
    reserved: Mapped[int] = mapped_column(server_default="0")
    __table_args__ = (
        ForeignKeyConstraint(["sku", "location_id"], ["stock.sku", "stock.location_id"]),
        UniqueConstraint("sku", "location_id", "code"),
        CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="reserved_on_hand"),
    )


class CartHold(Base):
    """A cart's reservation by name (`rsv_…`); its units are rows of `reservations` with this holder."""

    __tablename__ = "cart_holds"
    id: Mapped[Id]
    caller: Mapped[str]
    expires_at: Mapped[datetime]
    adopted_by: Mapped[str | None]
    released_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Reservation(Base):
    """Units held at one location out of one lot: a row a unit for an order, a row a lot for a cart.

    Active until consumed at hand-over or released. With an expiry (until the order is confirmed) it counts as
    available from that instant on, swept or not.
    """

    __tablename__ = "reservations"
    id: Mapped[Id]
    holder: Mapped[str]  # the order's or the cart hold's id
    unit_id: Mapped[str | None]
    sku: Mapped[str]
    location_id: Mapped[str]
    lot_id: Mapped[str] = mapped_column(ForeignKey("lots.id"))
    quantity: Mapped[int]
    state: Mapped[ReservationState] = mapped_column(word(ReservationState), server_default="active")
    mark: Mapped[Mark] = mapped_column(word(Mark), server_default="none")
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(["sku", "location_id"], ["stock.sku", "stock.location_id"]),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("unit_id IS NULL OR quantity = 1", name="unit_is_one"),
        Index("uq_reservations_live_unit", "unit_id", unique=True, postgresql_where=text("state = 'active'")),
        Index("ix_reservations_row_active", "sku", "location_id", postgresql_where=text("state = 'active'")),
        Index(
            "ix_reservations_expiring",
            "expires_at",
            postgresql_where=text("state = 'active' AND expires_at IS NOT NULL"),
        ),
        Index(None, "holder"),
    )


class Movement(Base):
    """The append-only stock ledger; on hand is its sum. One operation writes a lot's row once."""

    __tablename__ = "movements"
    id: Mapped[Serial]
    sku: Mapped[str]
    location_id: Mapped[str]
    lot_id: Mapped[str] = mapped_column(ForeignKey("lots.id"))
    quantity: Mapped[int]
    reason: Mapped[MovementReason] = mapped_column(word(MovementReason))
    operation: Mapped[str]
    order_id: Mapped[str | None]
    actor: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(["sku", "location_id"], ["stock.sku", "stock.location_id"]),
        UniqueConstraint("operation", "lot_id"),
        CheckConstraint("quantity <> 0", name="moves"),
        Index(None, "sku", "location_id", "id"),
    )
