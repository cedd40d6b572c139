"""What comes next, as a table: pure, without a clock. A timer's firing is a fact like any other (`lapsed`).

`next_step(facts, key)` serves four kinds of key: CHECKOUT, ORDER, PAYMENT and each shipment's id. What is under way
comes first: a command is carried out when its shipment rests. Undoing goes label, money, stock.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from models.messages.commands import Asked
from models.messages.facts import (
    ORDER,
    PAYMENT,
    UNCONFIRMED,
    Facts,
    OrderFacts,
    PaymentFacts,
    Rest,
    ShipmentFacts,
    Stuck,
)
from models.words import CommandKind, Stage


class Effect(StrEnum):
    """What a step does; the name of the activity that does it."""

    VERIFY_ADDRESS = "verify_address"  # and, in the transaction that records it, plan and reserve
    AUTHORIZE = "authorize"
    FIND_AUTHORIZATION = "find_authorization"
    OBEY = "obey"
    APPLY_FACTS = "apply_facts"
    REPORT = "report"
    LAPSE = "lapse"
    BUY_LABEL = "buy_label"
    VOID_LABEL = "void_label"
    AUTHORIZE_REST = "authorize_rest"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"
    LOOK = "look"
    KEEP_ALIVE = "keep_alive"
    UNDO = "undo"
    EXPIRE = "expire"
    CLOSE = "close"


MONEY = frozenset(
    {
        Effect.AUTHORIZE,
        Effect.FIND_AUTHORIZATION,
        Effect.AUTHORIZE_REST,
        Effect.CAPTURE,
        Effect.VOID,
        Effect.REFUND,
        Effect.LOOK,
        Effect.KEEP_ALIVE,
    }
)


@dataclass(frozen=True, slots=True)
class Do:
    effect: Effect
    asked: Asked | None = None
    arrived: tuple[str, ...] = ()
    deadline: datetime | None = None  # of the wait that lapsed
    senseless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for facts to change, until this instant; without one, another key's step ends it."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    pass


Step = Do | Wait | Closed


# Moving a timer costs an action each time; being woken early and setting it anew costs one, and rarely happens.
ALARM_EARLY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant that ends the wait of the first of these keys."""

    until: datetime
    keys: tuple[str, ...]


def next_step(facts: Facts, key: str) -> Step:
    """What is to be done for this key now, as far as the facts say. What is stuck rests; the rest of it goes on."""
    step = _due_step(facts, key)
    if isinstance(step, Do) and step.effect in MONEY and _money_is_busy(facts, key):
        return Wait()
    stuck = _stuck(facts, key)
    if isinstance(step, Do) and any(s.effect == step.effect for s in stuck):
        step = Wait()
    if not isinstance(step, Do) and (asked := _asked_of(facts, key)):
        return Do(Effect.OBEY, asked)
    if stuck and isinstance(step, Wait):
        return Wait(min(until for until in (step.until, *(s.until for s in stuck)) if until))
    return step


def _due_step(facts: Facts, key: str) -> Step:
    match key:
        case "order":
            return _order_step(facts)
        case "checkout":
            return _checkout_step(facts.known)
        case "payment":
            return _payment_step(facts)
        case _:
            return _shipment_step(facts, key)


def _stuck(facts: Facts, key: str) -> list[Stuck]:
    return [s for s in facts.stuck if s.key == key]


def _checkout_step(known: OrderFacts) -> Step:
    if known.verdict is None:
        return Do(Effect.AUTHORIZE if known.shipments else Effect.VERIFY_ADDRESS)
    return Do(Effect.FIND_AUTHORIZATION) if known.payment.in_doubt else Closed()


def _shipment_step(facts: Facts, key: str) -> Step:
    shipment = facts.known.shipment(key)
    if shipment is None or not shipment.open:
        return Closed()
    if shipment.leaving:
        return _leaving_step(facts, shipment)
    if _has_lapsed(facts, key):
        return Do(Effect.LAPSE, deadline=shipment.deadline)
    if shipment.on_hold or not shipment.paid:
        return Wait(shipment.deadline)
    match shipment.stage:
        case Stage.PACKED:
            return Do(Effect.BUY_LABEL)
        case Stage.LABELLED if facts.known.payment.look_due:
            return Wait(shipment.deadline)
        case Stage.LABELLED if shipment.rest_due:
            return Do(Effect.AUTHORIZE_REST)
        case Stage.LABELLED:
            return Do(Effect.CAPTURE)
        case _:
            return Wait(shipment.deadline)


def _leaving_step(facts: Facts, shipment: ShipmentFacts) -> Step:
    if shipment.label:
        return Do(Effect.VOID_LABEL)
    payment = facts.known.payment
    if payment.void_due or payment.refund_due or payment.in_doubt or _money_is_busy(facts, shipment.id):
        return Wait()
    return Do(Effect.UNDO)


def _payment_step(facts: Facts) -> Step:
    known = facts.known
    if known.payment.void_due or known.payment.refund_due:
        if any(_has_label(facts, s) for s in known.shipments if s.leaving):
            return Wait()
        return Do(Effect.VOID if known.payment.void_due else Effect.REFUND)
    if known.payment.look_due:
        return Do(Effect.LOOK)
    if known.payment.rest is Rest.AFTER_CAPTURE and not any(_about_to_capture(s) for s in known.shipments):
        return Do(Effect.AUTHORIZE_REST)
    if _has_lapsed(facts, PAYMENT):
        effect = Effect.LAPSE if known.payment.rest is Rest.REFUSED else Effect.KEEP_ALIVE
        return Do(effect, deadline=known.payment.deadline)
    if not known.payment.open and known.payment.deadline is None:
        return Closed()
    return Wait(known.payment.deadline)


def _has_label(facts: Facts, shipment: ShipmentFacts) -> bool:
    """Or may have in a moment: what is in flight is waited for and then undone."""
    return shipment.label or (shipment.id, Effect.BUY_LABEL.value) in facts.doing


def _about_to_capture(shipment: ShipmentFacts) -> bool:
    return shipment.stage is Stage.LABELLED and shipment.paid and not shipment.leaving


def _order_step(facts: Facts) -> Step:
    known = facts.known
    if asked := _asked_of(facts, ORDER):
        return Do(Effect.OBEY, asked)
    stuck = {s.effect for s in _stuck(facts, ORDER)}
    if facts.arrived and Effect.APPLY_FACTS not in stuck:
        return Do(Effect.APPLY_FACTS, arrived=facts.arrived)
    if facts.senseless and Effect.REPORT not in stuck:
        return Do(Effect.REPORT, senseless=facts.senseless)
    if known.closed:
        return Closed()
    if known.verdict in UNCONFIRMED:
        return Do(Effect.EXPIRE) if _has_lapsed(facts, ORDER) else Wait(known.expires_at)
    if _is_money_open(known.payment) or _is_anybody_busy(facts) or any(s.open for s in known.shipments):
        return Wait()
    if known.window_ends and not _has_lapsed(facts, ORDER):
        return Wait(known.window_ends)
    return Wait() if known.returns else Do(Effect.CLOSE)


def _asked_of(facts: Facts, key: str) -> Asked | None:
    """The oldest command that this key is to carry out; one about a closed shipment falls to the order.

    While a command is stuck the key carries out a retry alone.
    """
    retries_alone = any(s.effect == Effect.OBEY for s in _stuck(facts, key))
    mine = (a for a in facts.asked if _who_obeys(facts.known, a) == key)
    return next((a for a in mine if a.kind is CommandKind.RETRY or not retries_alone), None)


def _who_obeys(known: OrderFacts, asked: Asked) -> str:
    shipment = known.shipment(asked.shipment_id) if asked.shipment_id else None
    return shipment.id if shipment and shipment.open else ORDER


def _has_lapsed(facts: Facts, key: str) -> bool:
    """The alarm rang for the very deadline that this key has now."""
    return (key, facts.known.deadline(key)) in facts.lapsed


def _is_money_open(payment: PaymentFacts) -> bool:
    return payment.open or payment.look_due or payment.in_doubt


def _is_anybody_busy(facts: Facts) -> bool:
    """Beside the order's own attendant."""
    return any(who != ORDER for who, _ in facts.doing)


def _money_is_busy(facts: Facts, key: str) -> bool:
    return any(effect in MONEY and who != key for who, effect in facts.doing)


def learn(facts: Facts, known: OrderFacts) -> Facts:
    """Newer knowledge replaces older; a step's own answer may be older than what another step brought.

    A wait that has lapsed is forgotten with its deadline: the next one begins with none.
    """
    if known.revision <= facts.known.revision:
        return facts
    return facts.but(known=known, lapsed=tuple((key, at) for key, at in facts.lapsed if at == known.deadline(key)))


def begin(facts: Facts, key: str, step: Do) -> Facts:
    """The effect is in flight: its key does nothing else, and no other key touches the money."""
    return facts.but(doing=(*facts.doing, (key, step.effect.value)))


def idle(facts: Facts, key: str) -> Facts:
    """Nothing of this key is in flight."""
    return facts.but(doing=tuple(d for d in facts.doing if d[0] != key))


def finish(facts: Facts, key: str, step: Do) -> Facts:
    """It is over, whatever came of it. What it answered (a command, facts) is answered."""
    return idle(facts, key).but(
        asked=tuple(a for a in facts.asked if a != step.asked),
        arrived=tuple(f for f in facts.arrived if f not in step.arrived),
        senseless=tuple(s for s in facts.senseless if s not in step.senseless),
    )


def lapse(facts: Facts, key: str, until: datetime) -> Facts:
    """The key's wait until that instant is over. A stuck effect's is its review: it is tried again."""
    if reviewed := [s for s in _stuck(facts, key) if s.until <= until]:
        return facts.but(stuck=tuple(s for s in facts.stuck if s not in reviewed))
    return facts.but(lapsed=(*facts.lapsed, (key, until)))


def next_deadline(facts: Facts, keys: Iterable[str]) -> Deadline | None:
    """The earliest instant that any of these keys waits for, and whose it is: theirs, too, that wait little longer."""
    waits = _deadlines(facts, keys)
    if not waits:
        return None
    until = min(waits.values())
    soon = {key: at for key, at in waits.items() if at <= until + ALARM_EARLY}
    return Deadline(until, tuple(sorted(soon, key=lambda key: soon[key])))


def overdue(facts: Facts, keys: Iterable[str], until: datetime) -> tuple[tuple[str, datetime], ...]:
    """The keys whose wait has ended when it is `until`, each with the deadline that ended it."""
    return tuple((key, at) for key, at in _deadlines(facts, keys).items() if at <= until)


def _deadlines(facts: Facts, keys: Iterable[str]) -> dict[str, datetime]:
    steps = ((key, next_step(facts, key)) for key in keys)
    return {key: step.until for key, step in steps if isinstance(step, Wait) and step.until}


def is_at_rest(facts: Facts, keys: Iterable[str]) -> bool:
    """No effect is in flight and none is due."""
    return not facts.doing and not any(isinstance(next_step(facts, key), Do) for key in keys)


def is_alarm_to_move(facts: Facts, keys: Collection[str], alarm: Deadline | None) -> bool:
    """At once when something is due earlier. Later only at rest, and not for little: an alarm may ring for nothing."""
    due = next_deadline(facts, keys)
    if due and (alarm is None or due.until < alarm.until):
        return True
    if alarm is None or not is_at_rest(facts, keys):
        return False
    return due is None or due.until > alarm.until + ALARM_EARLY
