"""Which activity carries out which effect, and the words that ops read beside it in Temporal's UI."""

from collections.abc import Callable
from typing import Any, Final

from temporalio import workflow
from temporalio.workflow import ActivityConfig

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.payments import PaymentActivities
    from activities.shipping import ShippingActivities
    from models.messages.activities import (
        ApplyFacts,
        AuthorizeRest,
        Lapse,
        Learned,
        Obey,
        OrderRef,
        Senseless,
        ShipmentRef,
    )
    from models.messages.base import Message
    from models.messages.facts import PAYMENT, Facts
    from models.shipment import Do, Effect
    from models.words import CommandKind, Stage
    from workflows.options import CARD_NETWORK, CARRIER, in_postgres, remotely

_COMMANDS: Final = {
    CommandKind.CANCEL: "Cancel the order",
    CommandKind.ACCEPT: "Store accepts",
    CommandKind.REJECT: "Store rejects: source elsewhere",
    CommandKind.PACK: "Packed",
    CommandKind.HAND_OVER: "Handed over to the carrier: stock goes down",
    CommandKind.TAKE_OUT: "Cancelled units are out of the parcel",
    CommandKind.RECEIVE: "Goods came back",
    CommandKind.HOLD: "Put on hold",
    CommandKind.RELEASE: "Release a hold",
    CommandKind.RETRY: "Try again what was stuck",
}

_EFFECTS: Final = {
    Effect.VERIFY_ADDRESS: "Verify the address, plan the shipments and reserve their stock",
    Effect.AUTHORIZE: "Authorize the payment and confirm",
    Effect.FIND_AUTHORIZATION: "Look for the authorization that nobody heard of",
    Effect.APPLY_FACTS: "Take in what happened outside",
    Effect.REPORT: "A Signal made no sense: open a case",
    Effect.BUY_LABEL: "Buy the label",
    Effect.VOID_LABEL: "Ask the label's money back",
    Effect.AUTHORIZE_REST: "Authorize the other shipments anew",
    Effect.CAPTURE: "Capture the payment",
    Effect.VOID: "Void the authorization",
    Effect.REFUND: "Refund what was captured",
    Effect.LOOK: "Read the payment anew",
    Effect.KEEP_ALIVE: "Renew the authorization before it lapses",
    Effect.UNDO: "Release the stock",
    Effect.EXPIRE: "Not confirmed in time: expire",
    Effect.CLOSE: "The return window is over: close",
}

_LAPSES: Final = {
    Stage.OFFERED: "The store stayed silent: source elsewhere",
    Stage.ACCEPTED: "Not packed in time: open a case",
    Stage.CAPTURED: "Not handed over in time: open a case",
    Stage.HANDED_OVER: "The carrier is silent: open a case",
    Stage.UNSOURCED: "No shelf has it: give up and release",
}


def summary(facts: Facts, key: str, step: Do) -> str:
    """A plain-text line for one effect; it names the shipment by its number, never a person."""
    shipment = facts.known.shipment(key)
    where = f" · shipment {shipment.position} at {shipment.node}" if shipment else ""
    if step.asked:
        return f"{_COMMANDS[step.asked.kind]}{where}"
    if step.effect is Effect.LAPSE:
        words = _LAPSES.get(shipment.stage, "A wait is over") if shipment else "The customer did not answer: give up"
        return f"{words}{where}"
    return f"{_EFFECTS[step.effect]}{where}"


Step = Callable[[Any, Any], Learned]

# The activity of each effect and, for a vendor's, how it is run; without, it is one Postgres transaction.
_STEPS: Final[dict[Effect, tuple[Step, ActivityConfig | None]]] = {
    Effect.VERIFY_ADDRESS: (ShippingActivities.verify_address, CARRIER),
    Effect.AUTHORIZE: (PaymentActivities.authorize, CARD_NETWORK),
    Effect.FIND_AUTHORIZATION: (PaymentActivities.find_authorization, CARD_NETWORK),
    Effect.OBEY: (OrderActivities.obey, None),
    Effect.APPLY_FACTS: (OrderActivities.apply_facts, None),
    Effect.REPORT: (OrderActivities.report, None),
    Effect.LAPSE: (OrderActivities.lapse, None),
    Effect.BUY_LABEL: (ShippingActivities.buy_label, CARRIER),
    Effect.VOID_LABEL: (ShippingActivities.void_label, CARRIER),
    Effect.AUTHORIZE_REST: (PaymentActivities.authorize_rest, CARD_NETWORK),
    Effect.CAPTURE: (PaymentActivities.capture, CARD_NETWORK),
    Effect.VOID: (PaymentActivities.void, CARD_NETWORK),
    Effect.REFUND: (PaymentActivities.refund, CARD_NETWORK),
    Effect.LOOK: (PaymentActivities.look, CARD_NETWORK),
    Effect.KEEP_ALIVE: (PaymentActivities.keep_alive, CARD_NETWORK),
    Effect.UNDO: (OrderActivities.undo, None),
    Effect.EXPIRE: (OrderActivities.expire, None),
    Effect.CLOSE: (OrderActivities.close, None),
}

_ABOUT_A_SHIPMENT: Final = frozenset({Effect.BUY_LABEL, Effect.VOID_LABEL, Effect.CAPTURE, Effect.UNDO})


def _message(order_id: str, key: str, step: Do) -> Message:
    if step.asked:
        return Obey(order_id=order_id, asked=step.asked)
    if step.arrived:
        return ApplyFacts(order_id=order_id, fact_ids=step.arrived)
    if step.senseless:
        return Senseless(order_id=order_id, signals=step.senseless)
    if step.deadline:
        return Lapse(order_id=order_id, key=key, deadline=step.deadline)
    if step.effect is Effect.AUTHORIZE_REST:
        return AuthorizeRest(order_id=order_id, beside=None if key == PAYMENT else key)
    if step.effect in _ABOUT_A_SHIPMENT:
        return ShipmentRef(order_id=order_id, shipment_id=key)
    return OrderRef(order_id=order_id)


async def carry_out(order_id: str, key: str, step: Do, words: str) -> Learned:
    """Run the effect's activity and answer what Postgres then holds."""
    activity, options = _STEPS[step.effect]
    message = _message(order_id, key, step)
    if options is None:
        return await in_postgres(activity, message, words)
    return await remotely(activity, message, words, options)
