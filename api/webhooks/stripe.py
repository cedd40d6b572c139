"""Stripe's webhooks: the signature over the raw bytes, then one inbox row, then 200. It acts on nothing.

A row is what we need of an event: codes, amounts and times. Types that no order cares about are answered and dropped.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import stripe
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.deps import ClockDep, SettingsDep
from api.errors import ProblemError, problems
from api.webhooks.taking import InboxDep, malformed
from models.heard_stripe import heard_of

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

TOLERANCE: Final = 300  # seconds, into the past and into the future


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
