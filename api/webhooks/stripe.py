"""Stripe's webhooks: the signature over the raw bytes, then one inbox row, then 200. It acts on nothing.

A row is what we need of an event: codes, amounts and times. Types that no order cares about are answered and dropped.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import stripe
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.deps import ClockDep, SettingsDep
from api.errors import ProblemError, problems
from api.webhooks.taking import InboxDep, malformed
from models.money import from_stripe
from models.stores.inbox import Heard

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

TOLERANCE: Final = 300  # seconds, into the past and into the future

_PAYMENTS: Final = {
    "payment_intent.amount_capturable_updated": "payment.authorized",
    "payment_intent.payment_failed": "payment.failed",
    "payment_intent.canceled": "payment.canceled",
    "payment_intent.succeeded": "payment.captured",
}
_REFUNDS: Final = frozenset({"refund.created", "refund.updated", "refund.failed"})


@router.post("/stripe", responses=problems(400, 401), response_class=Response)
async def receive_stripe(request: Request, inbox: InboxDep, settings: SettingsDep, clock: ClockDep) -> Response:
    """Take one event of Stripe's. Safe to repeat: an event is kept once, by its id."""
    body = await request.body()
    secrets = [settings.stripe_webhook_secret, settings.stripe_webhook_secret_previous]
    header = request.headers.get("stripe-signature", "")
    verify(body, header, [secret.get_secret_value() for secret in secrets if secret], clock.now())
    try:
        heard = heard_of(json.loads(body))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise malformed() from None
    if heard is not None:
        await run_in_threadpool(inbox.take, heard)
    return Response(status_code=200)


def verify(body: bytes, header: str, secrets: Sequence[str], now: datetime) -> None:
    """Raises a 401 problem unless one of the secrets signed these very bytes within the tolerance of `now`.

    Stripe's own verifier looks at the past alone.
    """
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(body, header, secret, TOLERANCE)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        stamps = [part[2:] for part in header.split(",") if part.startswith("t=")]
        if int(stamps[0]) <= now.timestamp() + TOLERANCE:
            return
    raise ProblemError(401, "bad_signature", "The signature does not fit the body, or is too old or too new.")


def heard_of(event: dict[str, Any]) -> Heard | None:
    """The event in our words; None for a type that no order cares about."""
    kind, thing = event["type"], event["data"]["object"]
    if kind in _PAYMENTS:
        said, subject, payload = _PAYMENTS[kind], thing["id"], _of_intent(thing)
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


def _of_intent(intent: dict[str, Any]) -> dict[str, Any]:
    error: dict[str, Any] = intent.get("last_payment_error") or {}
    return {
        **_ours(intent),
        "status": intent["status"],
        "received": from_stripe(intent.get("amount_received") or 0, intent["currency"]),
        "capturable": from_stripe(intent.get("amount_capturable") or 0, intent["currency"]),
        "reason": intent.get("cancellation_reason") or error.get("decline_code") or error.get("code"),
    }


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
