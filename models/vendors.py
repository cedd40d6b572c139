"""What is asked of a payment provider and a carrier, and what they answer: values only, in the smallest money unit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, TypeVar

from models.words import IntentState, Outcome

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IntentView:
    """A PaymentIntent as the provider holds it now."""

    id: str
    state: IntentState
    amount: int
    capturable: int
    received: int
    multicapture: bool
    client_secret: str | None = None
    charge_id: str | None = None
    capture_before: datetime | None = None
    reason: str | None = None  # of its last refusal

    @property
    def outcome(self) -> Outcome:
        """What came of the authorization that made it."""
        return _OUTCOMES[self.state]


_OUTCOMES: Final = {
    IntentState.OPEN: Outcome.SUCCEEDED,
    IntentState.CAPTURED: Outcome.SUCCEEDED,
    IntentState.REQUIRES_ACTION: Outcome.REQUIRES_ACTION,
    IntentState.VOIDED: Outcome.REFUSED,
    IntentState.REFUSED: Outcome.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Authorization:
    """What is asked for: one intent on a saved method. `off_session` says that nobody is there to answer 3-D Secure."""

    key: str
    order_id: str
    tender: int
    amount: int
    currency: str
    payment_method: str
    customer_key: str
    customer_id: str | None
    off_session: bool


@dataclass(frozen=True, slots=True)
class Authorized:
    """Refused has a reason (Stripe's decline code) and may have no intent."""

    outcome: Outcome
    customer_id: str
    intent: IntentView | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MoneyMoved:
    """What came of a capture or a void, with the intent as it now is."""

    outcome: Outcome
    intent: IntentView
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    street: str
    city: str
    postcode: str
    country: str
    street2: str | None = None
    state: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class AddressVerdict:
    """Deliverable or not, with coordinates where the carrier knows them."""

    deliverable: bool
    reason: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    reference: str  # the label's key
    origin: Address
    destination: Address
    grams: int
    length_mm: int
    width_mm: int
    height_mm: int
    hazmat: bool


@dataclass(frozen=True, slots=True)
class Rate:
    id: str
    carrier: str
    service: str
    amount: int
    currency: str
    days: int | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """The carrier's shipment, not bought yet: preparing costs nothing."""

    carrier_shipment_id: str
    rates: Sequence[Rate] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class BoughtLabel:
    carrier_shipment_id: str
    carrier: str
    service: str
    rate: int
    currency: str
    tracking_code: str
    tracker_id: str | None
    url: str


class NoLabelError(Exception):
    """No label can be had for this parcel as it stands. For a case, not for a retry.

    `reason` is a code: `unprintable`, `missing`, `no_rate_fits`, `carrier_refused`; `what` names the field, or what the
    carrier said, as codes.
    """

    def __init__(self, reason: str, what: str = "") -> None:
        super().__init__(f"{reason}: {what}" if what else reason)
        self.reason = reason
        self.what = what


@dataclass(frozen=True, slots=True)
class Planned(Generic[T]):
    """An effect that was decided and recorded before it is asked for.

    `fresh` says that this very transaction planned it, so nobody can have asked yet; otherwise it is looked up first.
    """

    ask: T
    fresh: bool


@dataclass(frozen=True, slots=True)
class CaptureAsk:
    key: str
    intent_id: str
    amount: int
    currency: str
    final: bool
    received_before: int  # by what is known: `amount` more than this at Stripe means that this one was done


@dataclass(frozen=True, slots=True)
class VoidAsk:
    key: str
    intent_id: str
    partly_captured: bool  # an intent that gave something cannot be canceled: what is left of it is released


@dataclass(frozen=True, slots=True)
class RefundAsk:
    key: str
    order_id: str
    intent_id: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Refunded:
    """Succeeded, on its way (`pending`), or refused with Stripe's reason; `id` is Stripe's, if there is one."""

    outcome: Outcome
    id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LabelVoidAsk:
    """A label that will not be used. Where our books do not say that it was bought, the carrier knows."""

    key: str
    carrier_shipment_id: str
    bought: bool


@dataclass(frozen=True, slots=True)
class LabelAsk:
    """The parcel to be labelled; the carrier's shipment where an earlier try prepared one."""

    key: str
    parcel: Parcel
    carrier_shipment_id: str | None
    transit_days: int  # the slowest that keeps the promise
