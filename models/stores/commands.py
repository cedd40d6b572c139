"""What people ask of a running order, as rows: committed before the run hears of them, so nothing asked is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.errors import NotFoundError
from models.messages.commands import Asked, Cancel, CommandOutcome
from models.mint import mint
from models.stores.requests import Recalled, RequestKey, RequestStore
from models.tables.messages import Command
from models.tables.orders import Order
from models.tables.returns import Return
from models.tables.shipments import Shipment
from models.words import CommandKind, Role


@dataclass(frozen=True, slots=True)
class NewCommand:
    """Who asks what of which order or shipment, and why. `scope` is a store's location: elsewhere nothing is found."""

    kind: CommandKind
    role: Role
    actor: str
    reason: str
    order_id: str | None = None
    shipment_id: str | None = None
    return_id: str | None = None
    scope: str | None = None
    note: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Recorded:
    """A committed command, as its order's run is to hear of it; `closed` when that run is over."""

    order_id: str
    asked: Asked
    closed: bool
    outcome: CommandOutcome | None


class CommandStore:
    def __init__(self, database: Database, clock: Clock, requests: RequestStore) -> None:
        self._db = database
        self._clock = clock
        self._requests = requests

    def record(self, new: NewCommand, key: RequestKey | None) -> Recorded | Recalled:
        """Write the command and take its key, or say what the key did. NotFoundError for what the caller cannot see."""
        command_id = mint("cmd")
        return self._db.transaction(lambda session: self._record(session, command_id, new, key))

    def _record(
        self, session: Session, command_id: str, new: NewCommand, key: RequestKey | None
    ) -> Recorded | Recalled:
        now = self._clock.now()
        if key is not None and (recalled := self._requests.claim(session, key, command_id, now)):
            if recalled.resource != command_id:
                return recalled
            return _recorded(session, command_id)
        order_id, closed = _order_of(session, new)
        row = Command(
            id=command_id,
            order_id=order_id,
            shipment_id=new.shipment_id,
            return_id=new.return_id,
            kind=new.kind,
            role=new.role,
            actor=new.actor,
            reason=new.reason,
            note=new.note,
            payload=dict(new.payload),
            created_at=now,
        )
        session.add(row)
        return _as_recorded(row, closed=closed)

    def heard(self, command_id: str) -> None:
        """Its run has answered it, or is over: nobody sends it again."""
        mine = (Command.id == command_id, Command.heard_at.is_(None))
        done = update(Command).where(*mine).values(heard_at=self._clock.now())
        self._db.transaction(lambda session: session.execute(done))

    def recorded(self, command_id: str) -> Recorded:
        """A command with its outcome, once it has one."""
        return self._db.transaction(lambda session: _recorded(session, command_id))


def _order_of(session: Session, new: NewCommand) -> tuple[str, bool]:
    """Its order, and whether that is closed."""
    query = select(Order.id, Order.closed_at)
    if new.order_id is not None:
        query = query.where(Order.id == new.order_id)
    if new.shipment_id is not None:
        query = query.join(Shipment, Shipment.order_id == Order.id).where(Shipment.id == new.shipment_id)
        if new.scope is not None:
            query = query.where(Shipment.location_id == new.scope)
    if new.return_id is not None:
        query = select(Order.id, Return.closed_at).join(Return, Return.order_id == Order.id)
        query = query.where(Return.id == new.return_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFoundError(f"No such {'shipment' if new.shipment_id else 'return' if new.return_id else 'order'}.")
    return found.id, found.closed_at is not None


def _recorded(session: Session, command_id: str) -> Recorded:
    query = (
        select(Command, case((Command.return_id.is_(None), Order.closed_at), else_=Return.closed_at))
        .join(Order, Order.id == Command.order_id)
        .outerjoin(Return, Return.id == Command.return_id)
        .where(Command.id == command_id)
    )
    row, closed_at = session.execute(query).one()
    return _as_recorded(row, closed=closed_at is not None)


def _as_recorded(row: Command, *, closed: bool) -> Recorded:
    ask = Cancel(
        key=row.id,
        actor=f"{row.role.value}:{row.actor}",
        reason=row.reason,
        units=tuple(row.payload.get("units") or ()),
    )
    return Recorded(
        order_id=row.order_id,
        asked=Asked(
            command_id=row.id,
            kind=row.kind,
            shipment_id=row.shipment_id,
            return_id=row.return_id,
            cancel=ask if row.kind is CommandKind.CANCEL else None,
        ),
        closed=closed,
        outcome=CommandOutcome.model_validate(row.outcome) if row.outcome is not None else None,
    )
