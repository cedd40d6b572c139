"""Stripe's events in our words: codes, amounts and times, and which operation of which order they name. Pure.

An event without the shape that Stripe describes raises KeyError, TypeError, ValueError or AttributeError.
"""

from datetime import UTC, datetime
from typing import Any, Final

from models.heard import Heard
from models.ids import operation_of
from models.money import from_stripe
from models.vendors import IntentView
from models.words import IntentState

_PAYMENTS: Final = {
    "payment_intent.amount_capturable_updated": "payment.authorized",
    "payment_intent.payment_failed": "payment.failed",
    "payment_intent.canceled": "payment.canceled",
    "payment_intent.succeeded": "payment.captured",
}
_REFUNDS: Final = ("refund.created", "refund.updated", "refund.failed")
_DISPUTES: Final = ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed")
TYPES: Final = (*_PAYMENTS, *_REFUNDS, *_DISPUTES)

STATES: Final = {
    "requires_capture": IntentState.OPEN,
    "requires_action": IntentState.REQUIRES_ACTION,
    "succeeded": IntentState.CAPTURED,
    "canceled": IntentState.VOIDED,
    "requires_payment_method": IntentState.REFUSED,
}

_SAYS: Final = {
    IntentState.OPEN: "payment.authorized",
    IntentState.REQUIRES_ACTION: "payment.authorized",
    IntentState.CAPTURED: "payment.captured",
    IntentState.VOIDED: "payment.canceled",
    IntentState.REFUSED: "payment.failed",
}


def heard_of(event: dict[str, Any]) -> Heard | None:
    """The event in our words; None for a type that no order cares about."""
    kind, thing = event["type"], event["data"]["object"]
    if kind in _PAYMENTS:
        said, subject, payload = _PAYMENTS[kind], thing["id"], {**_of_intent(thing), "key": _caused_by(event)}
    elif kind in _REFUNDS:
        said, subject, payload = f"refund.{_refund_status(thing)}", thing["payment_intent"], _of_refund(thing)
    elif kind.startswith("charge.dispute."):
        said, subject, payload = kind.removeprefix("charge."), thing["payment_intent"], _of_dispute(thing)
    else:
        return None
    if subject is None:  # of a charge without an intent: none of ours
        return None
    payload = {name: value for name, value in payload.items() if value is not None}
    at = datetime.fromtimestamp(event["created"], UTC)
    return Heard(id=str(event["id"]), source="stripe", kind=said, subject=str(subject), occurred_at=at, payload=payload)


def read_anew(view: IntentView, order_id: str, at: datetime) -> Heard:
    """An intent that was read because nothing was heard of it, as the event that should have come; one a day."""
    said = f"read:{view.id}:{view.state}:{view.capturable}:{view.received}:{at.date()}"
    payload = {"order": order_id, "amount": view.amount, "received": view.received, "capturable": view.capturable}
    return Heard(said, "stripe", _SAYS[view.state], view.id, at, payload)


def _of_intent(intent: dict[str, Any]) -> dict[str, Any]:
    error: dict[str, Any] = intent.get("last_payment_error") or {}
    return {
        **_ours(intent),
        "customer": intent.get("customer"),
        "status": intent["status"],
        "amount": from_stripe(intent["amount"], intent["currency"]),
        "received": from_stripe(intent.get("amount_received") or 0, intent["currency"]),
        "capturable": from_stripe(intent.get("amount_capturable") or 0, intent["currency"]),
        "reason": intent.get("cancellation_reason") or error.get("decline_code") or error.get("code"),
    }


def _caused_by(event: dict[str, Any]) -> str | None:
    """The idempotency key of the request that it came of: an operation of ours, if it was us."""
    request: dict[str, Any] = event.get("request") or {}
    key: str | None = request.get("idempotency_key")
    return None if key is None else operation_of(key)


def _of_refund(refund: dict[str, Any]) -> dict[str, Any]:
    return {
        **_ours(refund),
        "status": refund["status"],
        "refund": refund["id"],
        "charge": refund.get("charge"),
        "amount": from_stripe(refund["amount"], refund["currency"]),
        "reason": refund.get("failure_reason"),
    }


def _of_dispute(dispute: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": dispute["status"],
        "dispute": dispute["id"],
        "charge": dispute.get("charge"),
        "amount": from_stripe(dispute["amount"], dispute["currency"]),
        "reason": dispute.get("reason"),
    }


def _ours(thing: dict[str, Any]) -> dict[str, Any]:
    """What we wrote into its metadata: which order, and which operation of it."""
    metadata: dict[str, Any] = thing.get("metadata") or {}
    return {"order": metadata.get("order_id"), "operation": metadata.get("operation")}


def _refund_status(refund: dict[str, Any]) -> str:
    """One that waits for anything is pending; one that was given up has failed."""
    status = str(refund["status"])
    return {"requires_action": "pending", "canceled": "failed"}.get(status, status)
