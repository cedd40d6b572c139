"""Stripe's answers as values: the few fields that we read, checked, and in our own words and amounts.

An answer that does not have this shape raises pydantic's ValidationError. Nothing here calls anybody.
"""

from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, Field

from models.errors import OutcomeUnknownError
from models.heard_stripe import STATES
from models.money import from_stripe
from models.vendors import IntentView, Refunded
from models.words import IntentState, Outcome

_REFUNDS: Final = {
    "succeeded": Outcome.SUCCEEDED,
    "pending": Outcome.PENDING,
    "requires_action": Outcome.PENDING,
    "failed": Outcome.REFUSED,
    "canceled": Outcome.REFUSED,
}


class _Multicapture(BaseModel):
    status: str = "unavailable"


class _Card(BaseModel):
    multicapture: _Multicapture | None = None
    capture_before: int | None = None


class _Method(BaseModel):
    card: _Card | None = None


class _Charge(BaseModel):
    id: str
    payment_method_details: _Method | None = None


class _LastError(BaseModel):
    code: str | None = None
    decline_code: str | None = None


class _Refund(BaseModel):
    id: str
    status: str
    failure_reason: str | None = None


class Intent(BaseModel):
    """A PaymentIntent on the wire; `latest_charge` is an id where it was not expanded."""

    id: str
    status: str
    currency: str
    amount: int
    amount_capturable: int = 0
    amount_received: int = 0
    client_secret: str | None = None
    latest_charge: _Charge | str | None = None
    last_payment_error: _LastError | None = None
    cancellation_reason: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


def read(raw: dict[str, Any]) -> Intent:
    return Intent.model_validate(raw)


def reason_of(intent: Intent) -> str | None:
    """Stripe's word for why it was refused or canceled."""
    if intent.status == "canceled":
        return intent.cancellation_reason or "canceled"
    error = intent.last_payment_error
    return (error.decline_code or error.code) if error else None


def view_of(intent: Intent) -> IntentView:
    """In our words and amounts; one that is still in motion at Stripe has no outcome yet."""
    state = STATES.get(intent.status)
    if state is None:
        raise OutcomeUnknownError(f"stripe: the intent is {intent.status}")
    charge = intent.latest_charge if isinstance(intent.latest_charge, _Charge) else None
    card = charge.payment_method_details.card if charge and charge.payment_method_details else None
    return IntentView(
        id=intent.id,
        state=state,
        amount=from_stripe(intent.amount, intent.currency),
        capturable=from_stripe(intent.amount_capturable, intent.currency),
        received=from_stripe(intent.amount_received, intent.currency),
        multicapture=bool(card and card.multicapture and card.multicapture.status == "available"),
        client_secret=intent.client_secret if state is IntentState.REQUIRES_ACTION else None,
        charge_id=charge.id if charge else intent.latest_charge if isinstance(intent.latest_charge, str) else None,
        capture_before=datetime.fromtimestamp(card.capture_before, UTC) if card and card.capture_before else None,
        reason=reason_of(intent),
    )


def refund_of(raw: dict[str, Any]) -> Refunded:
    """What became of a refund, in our words."""
    refund = _Refund.model_validate(raw)
    outcome = _REFUNDS.get(refund.status)
    if outcome is None:
        raise OutcomeUnknownError(f"stripe: the refund is {refund.status}")
    return Refunded(outcome, refund.id, refund.failure_reason)
