"""What is to be given back of what was captured: pure, by intent, in the order of capture.

A unit that was paid for and will not be the customer's is given back once, at its fixed price; the shipping charge with
it when nothing ships. A refund that Stripe refused for good is not asked for again until a person says retry; one to a
closed card never.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_CLOSED_CARD: Final = frozenset({"expired_or_canceled_card", "lost_or_stolen_card"})  # Stripe's words


@dataclass(frozen=True, slots=True)
class Paid:
    """What one capture took and is to be given back: a unit's price, or (without a unit) the shipping charge.

    `claim_id` is the claim that took the unit; for the shipping charge, that of the last unit to go.
    """

    amount: int
    intent_id: str
    claim_id: str
    unit_id: str | None = None


@dataclass(frozen=True, slots=True)
class RefundDue:
    """One refund: `amount` of this intent, for these units, `shipping` of it for the shipping charge."""

    intent_id: str
    claim_id: str
    units: tuple[str, ...]
    amount: int
    shipping: int


def may_be_asked_again(reason: str | None) -> bool:
    """Whether a refund that was refused for this reason can ever succeed: a closed card takes none."""
    return reason not in _CLOSED_CARD


def next_refund(back: Sequence[Paid], captured: Sequence[str]) -> RefundDue | None:
    """The refund that is due first; `captured` names the intents in the order of their captures."""
    for intent_id in captured:
        parts = [paid for paid in back if paid.intent_id == intent_id]
        if amount := sum(paid.amount for paid in parts):
            return RefundDue(
                intent_id,
                claim_id=min(paid.claim_id for paid in parts),
                units=tuple(sorted(paid.unit_id for paid in parts if paid.unit_id)),
                amount=amount,
                shipping=sum(paid.amount for paid in parts if paid.unit_id is None),
            )
    return None
