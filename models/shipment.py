"""What comes next, as a table: pure, without a clock. A timer's firing is a fact like any other (`lapsed`).

`next_step(facts, key)` serves four kinds of key: CHECKOUT, ORDER, PAYMENT and each shipment's id. What is under way
comes first: a command is carried out when its shipment rests. Undoing goes label, money, stock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.messages.commands import Asked
from models.messages.facts import ORDER, PAYMENT, Facts, OrderFacts, Rest, ShipmentFacts
from models.words import Stage, Verdict


class Effect(StrEnum):
    """What a step does; the name of the activity that does it."""

    VERIFY_ADDRESS = "verify_address"  # and, in the transaction that records it, plan and reserve
    AUTHORIZE = "authorize"
    OBEY = "obey"
    APPLY_FACTS = "apply_facts"
    LAPSE = "lapse"
    BUY_LABEL = "buy_label"
    VOID_LABEL = "void_label"
    AUTHORIZE_REST = "authorize_rest"
    CAPTURE = "capture"
    VOID = "void"
    LOOK = "look"
    KEEP_ALIVE = "keep_alive"
    UNDO = "undo"
    EXPIRE = "expire"
    CLOSE = "close"


MONEY = frozenset(
    {Effect.AUTHORIZE, Effect.AUTHORIZE_REST, Effect.CAPTURE, Effect.VOID, Effect.LOOK, Effect.KEEP_ALIVE}
)


@dataclass(frozen=True, slots=True)
class Do:
    effect: Effect
    asked: Asked | None = None
    arrived: tuple[str, ...] = ()
    deadline: datetime | None = None  # of the wait that lapsed


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for facts to change, until this instant; without one, another key's step ends it."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    pass


Step = Do | Wait | Closed


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant that ends the waits of these keys."""

    until: datetime
    keys: tuple[str, ...]


def next_step(facts: Facts, key: str) -> Step:
    """What is to be done for this key now, as far as the facts say."""
    if stuck := next((s for s in facts.stuck if s.key == key), None):
        return Wait(stuck.until)
    match key:
        case "order":
            return _order_step(facts)
        case "checkout":
            step = _checkout_step(facts.known)
        case "payment":
            step = _payment_step(facts)
        case _:
            step = _shipment_step(facts, key)
    if isinstance(step, Do) and step.effect in MONEY and _money_is_busy(facts, key):
        return Wait()
    if not isinstance(step, Do) and (asked := _asked_of(facts, key)):
        return Do(Effect.OBEY, asked)
    return step


def _checkout_step(known: OrderFacts) -> Step:
    if known.verdict is not None:
        return Closed()
    return Do(Effect.AUTHORIZE if known.shipments else Effect.VERIFY_ADDRESS)


def _shipment_step(facts: Facts, key: str) -> Step:
    shipment = facts.known.shipment(key)
    if shipment is None or not shipment.open:
        return Closed()
    if shipment.leaving:
        return _leaving_step(facts, shipment)
    if key in facts.lapsed:
        return Do(Effect.LAPSE, deadline=shipment.deadline)
    if shipment.on_hold or not shipment.paid:
        return Wait(shipment.deadline)
    match shipment.stage:
        case Stage.PACKED:
            return Do(Effect.BUY_LABEL)
        case Stage.LABELLED if facts.known.payment.rest is Rest.DUE:
            return Do(Effect.AUTHORIZE_REST)
        case Stage.LABELLED:
            return Do(Effect.CAPTURE)
        case _:
            return Wait(shipment.deadline)


def _leaving_step(facts: Facts, shipment: ShipmentFacts) -> Step:
    if shipment.label:
        return Do(Effect.VOID_LABEL)
    if facts.known.payment.void_due or _money_is_busy(facts, shipment.id):
        return Wait()
    return Do(Effect.UNDO)


def _payment_step(facts: Facts) -> Step:
    known = facts.known
    if known.payment.void_due:
        labels_live = any(s.label for s in known.shipments if s.leaving)
        return Wait() if labels_live else Do(Effect.VOID)
    if known.payment.look_due:
        return Do(Effect.LOOK)
    if known.payment.rest is Rest.AFTER_CAPTURE and not any(_about_to_capture(s) for s in known.shipments):
        return Do(Effect.AUTHORIZE_REST)
    if PAYMENT in facts.lapsed:
        if known.payment.rest is Rest.REFUSED:
            return Do(Effect.LAPSE, deadline=known.payment.deadline)
        return Do(Effect.KEEP_ALIVE)
    if not known.payment.open and known.payment.deadline is None:
        return Closed()
    return Wait(known.payment.deadline)


def _about_to_capture(shipment: ShipmentFacts) -> bool:
    return shipment.stage is Stage.LABELLED and shipment.paid and not shipment.leaving


def _order_step(facts: Facts) -> Step:
    known = facts.known
    if asked := _asked_of(facts, ORDER):
        return Do(Effect.OBEY, asked)
    if facts.arrived:
        return Do(Effect.APPLY_FACTS, arrived=facts.arrived)
    if known.closed:
        return Closed()
    if known.verdict is None:
        return Wait()
    if known.verdict is Verdict.REQUIRES_ACTION:
        return Do(Effect.EXPIRE) if ORDER in facts.lapsed else Wait(known.expires_at)
    if known.payment.open or any(s.open for s in known.shipments):
        return Wait()
    if known.window_ends and ORDER not in facts.lapsed:
        return Wait(known.window_ends)
    return Do(Effect.CLOSE)


def _asked_of(facts: Facts, key: str) -> Asked | None:
    """The oldest command that this key is to carry out; one about a closed shipment falls to the order."""
    return next((a for a in facts.asked if _who_obeys(facts.known, a) == key), None)


def _who_obeys(known: OrderFacts, asked: Asked) -> str:
    shipment = known.shipment(asked.shipment_id) if asked.shipment_id else None
    return shipment.id if shipment and shipment.open else ORDER


def _money_is_busy(facts: Facts, key: str) -> bool:
    return any(effect in MONEY and who != key for who, effect in facts.doing)


def learn(facts: Facts, known: OrderFacts) -> Facts:
    """Newer knowledge replaces older; a step's own answer may be older than what another step brought."""
    return facts if known.revision <= facts.known.revision else facts.but(known=known)


def begin(facts: Facts, key: str, step: Do) -> Facts:
    """The effect is in flight: its key does nothing else, and no other key touches the money."""
    return facts.but(doing=(*facts.doing, (key, step.effect.value)))


def finish(facts: Facts, key: str, step: Do) -> Facts:
    """It is over, whatever came of it. What it answered (a command, facts, a lapse) is answered."""
    return facts.but(
        doing=tuple(d for d in facts.doing if d[0] != key),
        asked=tuple(a for a in facts.asked if a != step.asked),
        arrived=tuple(f for f in facts.arrived if f not in step.arrived),
        lapsed=tuple(k for k in facts.lapsed if k != key),
    )


def lapse(facts: Facts, key: str) -> Facts:
    """The key's timer fired. A stuck effect's timer is its review: it is tried again."""
    if any(s.key == key for s in facts.stuck):
        return facts.but(stuck=tuple(s for s in facts.stuck if s.key != key))
    return facts.but(lapsed=(*facts.lapsed, key))


def next_deadline(facts: Facts, keys: Iterable[str]) -> Deadline | None:
    """The earliest instant that any of these keys waits for, and whose it is."""
    waits = {key: step.until for key in keys if isinstance(step := next_step(facts, key), Wait) and step.until}
    if not waits:
        return None
    until = min(waits.values())
    return Deadline(until, tuple(key for key, at in waits.items() if at == until))
