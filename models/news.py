"""Whether a fact from outside tells its order anything new: pure rules on what Postgres holds already.

What tells nothing new is kept for the record and wakes nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from models.words import IntentState, Outcome

PATIENCE: Final = timedelta(seconds=60)  # that an activity has to record its own operation's outcome

SCANS: Final = frozenset({"in_transit", "out_for_delivery", "available_for_pickup", "delivered", "return_to_sender"})
OURS: Final = frozenset({"return", "case", "stock"})  # sources of facts that we made ourselves, each with its order
_REFUNDS: Final[Mapping[str, Outcome]] = {
    "refund.succeeded": Outcome.SUCCEEDED,
    "refund.pending": Outcome.PENDING,
    "refund.failed": Outcome.REFUSED,
}


class News(StrEnum):
    NONE = "nothing_new"
    NOW = "now"
    LATER = "later"  # an activity is about to record it; news only if it has not in a minute


@dataclass(frozen=True, slots=True)
class ParcelNow:
    """What is known of the parcel that a tracking code belongs to. `silent`: its carrier's silence is a case."""

    handed_over: bool
    delivered: bool
    silent: bool = False


@dataclass(frozen=True, slots=True)
class MoneyNow:
    """What is known of an intent. `captured` is the sum of the recorded captures; `named` the operation that the
    message names, `in_flight` any operation of the intent that has no outcome. `forgotten`: it was caused by an
    operation of ours that we do not know of.
    """

    in_flight: bool
    named: Outcome | None
    state: IntentState | None
    captured: int
    forgotten: bool = False


def is_scan(status: str, *, scanned: bool) -> bool:
    """Whether the carrier has had the parcel in its hands. `scanned` says that the details hold one of `SCANS`."""
    return status in SCANS or (status == "failure" and scanned)


def tracking_news(status: str, parcel: ParcelNow, *, scanned: bool) -> News:
    """Whether a status of EasyPost's tells more than the parcel's row holds."""
    if not parcel.handed_over:
        return News.NOW if is_scan(status, scanned=scanned) else News.NONE
    if status == "delivered":
        return News.NONE if parcel.delivered else News.NOW
    if parcel.silent and is_scan(status, scanned=scanned):
        return News.NOW
    return News.NOW if status in ("return_to_sender", "failure") else News.NONE


def payment_news(kind: str, money: MoneyNow, *, received: int) -> News:
    """`kind` is one of `payment.…`, `refund.…`, `dispute.…`; `received` is what Stripe says was captured so far."""
    if kind.startswith("dispute.") or money.forgotten:
        return News.NOW
    if money.in_flight:
        return News.LATER
    match kind:
        case "payment.authorized":
            known = money.named is Outcome.SUCCEEDED
        case "payment.failed":
            known = money.named is Outcome.REFUSED
        case "payment.canceled":
            known = money.state is IntentState.VOIDED
        case "payment.captured":
            known = money.captured >= received
        case _:
            known = money.named is not None and money.named is _REFUNDS.get(kind)
    return News.NONE if known else News.NOW
