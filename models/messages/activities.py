"""Inputs and results of activities. Each is a handful of ids: the row has the rest."""

from datetime import datetime

from models.messages.base import Message
from models.messages.commands import Asked, CommandOutcome
from models.messages.facts import OrderFacts


class OrderRef(Message):
    order_id: str


class ShipmentRef(Message):
    order_id: str
    shipment_id: str


class AuthorizeRest(Message):
    """What a capture of the shipment `beside` would release; without one, all that is not paid for."""

    order_id: str
    beside: str | None = None


class Obey(Message):
    """Carry out one command."""

    order_id: str
    asked: Asked


class ApplyFacts(Message):
    order_id: str
    fact_ids: tuple[str, ...]


class Lapse(Message):
    """The timer of a key (a shipment's id, or the payment's) fired: ends only a wait that still has this deadline."""

    order_id: str
    key: str
    deadline: datetime


class Senseless(Message):
    """Signals that came with an object that nobody understands, by name: a case."""

    order_id: str
    signals: tuple[str, ...]


class EffectFailed(Message):
    """An effect that can never succeed as it stands: opens a case with an owner."""

    order_id: str
    key: str
    effect: str
    error_type: str
    stuck_until: datetime


class Learned(Message):
    """What Postgres holds after a step, and the command's answer where it was one."""

    facts: OrderFacts
    outcome: CommandOutcome | None = None
