"""What a run shows of itself: the Query's answer, the status table of Temporal's UI, the words beside its timers."""

from collections.abc import Sequence
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages.facts import CHECKOUT, ORDER, PAYMENT, Facts, Rest, ShipmentFacts
    from models.messages.order import RunView, Waiting
    from models.shipment import Do, Wait, next_step
    from models.words import Stage, Verdict

# What a shipment waits for at each stage, and whose turn it is.
_WAITS: Final = {
    Stage.OFFERED: ("the store to accept", "store"),
    Stage.UNSOURCED: ("a shelf that has it", "ops"),
    Stage.ACCEPTED: ("the parcel to be packed", "node"),
    Stage.PACKED: ("a hold to be released", "ops"),
    Stage.LABELLED: ("a hold to be released", "ops"),
    Stage.CAPTURED: ("the carrier to collect", "node"),
    Stage.HANDED_OVER: ("the carrier to deliver", "carrier"),
}


def _shipment_waits(shipment: ShipmentFacts) -> tuple[str, str]:
    if shipment.leaving:
        return ("the money to be given back", "shelfway")
    if shipment.on_hold:
        return ("a hold to be released", "ops")
    if not shipment.paid:
        return ("the customer's payment", "customer")
    return _WAITS.get(shipment.stage, ("its turn", "shelfway"))


def _waits(facts: Facts, key: str) -> tuple[str, str]:
    if any(s.key == key for s in facts.stuck):
        return ("a retry of what is stuck", "ops")
    if shipment := facts.known.shipment(key):
        return _shipment_waits(shipment)
    if key == PAYMENT:
        customer = facts.known.payment.rest is Rest.REFUSED
        return ("the customer's payment", "customer") if customer else ("the authorization's renewal", "shelfway")
    if key == ORDER and facts.known.verdict is Verdict.REQUIRES_ACTION:
        return ("the customer to authenticate", "customer")
    if key == ORDER and facts.known.verdict is None:
        return ("the checkout's verdict", "shelfway")
    if key == ORDER and facts.known.window_ends:
        return ("the return window to end", "customer")
    return ("its shipments", "shelfway")


def alarm_for(facts: Facts, keys: Sequence[str]) -> str:
    """The label of a timer in Temporal's UI: the wait that ends first, and how many end soon after."""
    what, turn = _waits(facts, keys[0])
    shipment = facts.known.shipment(keys[0])
    where = f"Shipment {shipment.position} at {shipment.node}: " if shipment else ""
    others = f", and {len(keys) - 1} more" if len(keys) > 1 else ""
    return f"{where}waits for {what} ({turn}'s turn){others}"


def _keys(facts: Facts) -> list[str]:
    return [ORDER, CHECKOUT, PAYMENT, *(s.id for s in facts.known.shipments if s.open)]


def view_of(facts: Facts) -> RunView:
    """Each thing that is in hand: what it waits for, until when, whose turn it is."""
    waits: list[Waiting] = []
    for key in _keys(facts):
        step = next_step(facts, key)
        if isinstance(step, Do):
            waits.append(Waiting(on=key, what=step.effect.replace("_", " "), until=None, turn="shelfway"))
        elif isinstance(step, Wait) and (step.until or key not in (ORDER, PAYMENT)):
            what, turn = _waits(facts, key)
            until = step.until.isoformat() if step.until else None
            waits.append(Waiting(on=key, what=what, until=until, turn=turn))
    return RunView(status=facts.known.status, waits=tuple(waits), revision=facts.known.revision)


def _row(facts: Facts, shipment: ShipmentFacts) -> str:
    mark = " · leaving" if shipment.leaving else " · on hold" if shipment.on_hold else ""
    stage = shipment.stage.replace("_", " ") + mark
    until = f"{shipment.deadline:%Y-%m-%d %H:%M} UTC" if shipment.deadline and shipment.open else ""
    turn = _waits(facts, shipment.id)[1] if shipment.open else ""
    return f"| {shipment.position} | {shipment.node} | {stage} | {len(shipment.units)} | {until} | {turn} |"


def status_table(facts: Facts) -> str:
    """Markdown for the run's current details: one row a shipment, in ops' words."""
    known = facts.known
    rows = [_row(facts, s) for s in known.shipments]
    head = f"**{known.status.replace('_', ' ')}**" + (f" · exception: {known.exception}" if known.exception else "")
    if not rows:
        return head
    columns = "| # | node | stage | units | until | whose turn |\n|---|---|---|---|---|---|"
    return "\n".join([head, "", columns, *rows])
