"""What passes between people, vendors, the workflow and us: events, inbox, commands, keys, cases, audit."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Id, Serial, word
from models.words import CaseType, CommandKind, Role


class Event(Base):
    """What happened to an aggregate, in order: history and outbox in one. Only `relayed_at` is ever written again."""

    __tablename__ = "events"
    id: Mapped[Serial]
    aggregate: Mapped[str]
    seq: Mapped[int]
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    actor: Mapped[str]
    at: Mapped[datetime]
    relayed_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("aggregate", "seq"),
        CheckConstraint("seq > 0", name="seq"),
        Index("ix_events_unrelayed", "id", postgresql_where=text("relayed_at IS NULL")),
    )


class InboxFact(Base):
    """A fact from outside, by its sender's id. Signalled to its order, and applied, at most once each."""

    __tablename__ = "inbox"
    id: Mapped[Id]
    source: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]  # what it is about: a tracking code, an intent's id
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id"))
    return_id: Mapped[str | None] = mapped_column(ForeignKey("returns.id"))  # whose run it is for, if not the order's
    payload: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    signalled_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    result: Mapped[str | None]
    __table_args__ = (
        Index("ix_inbox_due", "due_at", postgresql_where=text("signalled_at IS NULL AND applied_at IS NULL")),
        Index("ix_inbox_unapplied", "signalled_at", postgresql_where=text("applied_at IS NULL")),
        Index(None, "order_id"),
    )


class Command(Base):
    """What a person asked of an order, or of a return; its id is the Update's id, its outcome the Update's answer."""

    __tablename__ = "commands"
    id: Mapped[Id]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    shipment_id: Mapped[str | None] = mapped_column(ForeignKey("shipments.id"))
    return_id: Mapped[str | None] = mapped_column(ForeignKey("returns.id"))
    kind: Mapped[CommandKind] = mapped_column(word(CommandKind))
    role: Mapped[Role] = mapped_column(word(Role))
    actor: Mapped[str]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    payload: Mapped[dict[str, Any]]
    outcome: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    known_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]  # the run itself has answered: its history has what Postgres has
    __table_args__ = (Index("ix_commands_unheard", "created_at", postgresql_where=text("heard_at IS NULL")),)


class IdempotencyKey(Base):
    """A caller's key: the fingerprint of what it was used for, and the answer once there is one."""

    __tablename__ = "idempotency_keys"
    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    resource: Mapped[str | None]
    status: Mapped[int | None]
    answer: Mapped[dict[str, Any] | None]
    busy_until: Mapped[datetime]  # the first call is answering; a crashed one frees the key then
    created_at: Mapped[datetime]
    __table_args__ = (Index(None, "created_at"),)


class Case(Base):
    """An exception with a type, an age, an owner, and the actions that end it. One open case per cause."""

    __tablename__ = "cases"
    id: Mapped[Id]
    type: Mapped[CaseType] = mapped_column(word(CaseType))
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id"), index=True)
    subject: Mapped[str]
    owner: Mapped[Role] = mapped_column(word(Role))
    detail: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    resolution: Mapped[str | None]
    __table_args__ = (
        Index("uq_cases_open_cause", "type", "subject", unique=True, postgresql_where=text("closed_at IS NULL")),
    )


class Audit(Base):
    """Every privileged act. The application's role may add and read, never change."""

    __tablename__ = "audit"
    id: Mapped[Serial]
    at: Mapped[datetime]
    role: Mapped[Role] = mapped_column(word(Role))
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    outcome: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    __table_args__ = (Index(None, "subject", "id"),)


class Due(Base):
    """Periodic work of the relay and when each is next due; `place` is how far one has come that goes in pages."""

    __tablename__ = "due"
    name: Mapped[Id]
    next_at: Mapped[datetime]
    last_ok_at: Mapped[datetime | None]
    place: Mapped[str | None]
