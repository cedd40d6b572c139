"""What activities need of the outside world, as protocols. Money is in the currency's smallest unit.

A gateway raises `OutcomeUnknownError` when it cannot know what came of a call, `VendorUnavailableError` when the call
surely had no effect, and any other error only for what can never succeed as it stands. A refusal is an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from models.messages.activities import EffectFailed, Learned
from models.messages.commands import Asked
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


class PaymentGateway(Protocol):
    def authorize(self, ask: Authorization) -> Authorized: ...

    def find_authorization(self, ask: Authorization) -> Authorized | None:
        """The intent that an earlier try of this very key made; None when surely none was made."""
        ...

    def capture(self, *, key: str, intent_id: str, amount: int, final: bool) -> MoneyMoved: ...

    def void(self, *, key: str, intent_id: str) -> MoneyMoved: ...

    def look(self, intent_id: str) -> IntentView: ...


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


class CarrierGateway(Protocol):
    def verify(self, address: Address) -> AddressVerdict: ...

    def prepare(self, parcel: Parcel) -> Prepared:
        """Raises `CannotPrintError` where nothing printable is left of a text, or a needed field is missing."""
        ...

    def look(self, carrier_shipment_id: str) -> BoughtLabel | Prepared:
        """The label of that shipment if it was bought, else the shipment with its rates."""
        ...

    def buy(self, carrier_shipment_id: str, rate: Rate) -> BoughtLabel: ...

    def refund(self, carrier_shipment_id: str) -> str:
        """Ask for the label's refund; answers the carrier's word for where it stands."""
        ...


class CannotPrintError(Exception):
    """The carrier cannot print this parcel's label; `field` names what is wrong. For a case, not for a retry."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the label needs a printable {field}")
        self.field = field


class TaxPort(Protocol):
    def basis_points(self, *, country: str, state: str | None) -> tuple[int, bool]:
        """The rate (1900 is 19 %), and whether shipping is taxed too."""
        ...


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
    final: bool
    received_before: int  # by the recorded captures: more than this at Stripe means that this one was done


@dataclass(frozen=True, slots=True)
class VoidAsk:
    key: str
    intent_id: str


@dataclass(frozen=True, slots=True)
class LabelAsk:
    """The parcel to be labelled; the carrier's shipment where an earlier try prepared one."""

    key: str
    parcel: Parcel
    carrier_shipment_id: str | None
    transit_days: int  # the slowest that keeps the promise


class OrderLedger(Protocol):
    """The order's transactions, each one commit, each doing its effect once however often it is called."""

    def facts(self, order_id: str) -> Learned: ...
    def destination(self, order_id: str) -> Address: ...
    def record_address(self, order_id: str, verdict: AddressVerdict) -> Learned: ...
    def plan_and_reserve(self, order_id: str) -> Learned: ...
    def obey(self, order_id: str, asked: Asked) -> Learned: ...
    def apply_facts(self, order_id: str, fact_ids: Sequence[str]) -> Learned: ...
    def lapse(self, order_id: str, key: str) -> Learned: ...
    def undo(self, order_id: str, shipment_id: str) -> Learned: ...
    def expire(self, order_id: str) -> Learned: ...
    def close(self, order_id: str) -> Learned: ...
    def open_case(self, failed: EffectFailed) -> Learned: ...


class MoneyLedger(Protocol):
    """Payment operations: planned under the order's lock, recorded with all that follows from their outcome."""

    def plan_authorization(self, order_id: str) -> Planned[Authorization] | Learned: ...
    def plan_rest(self, order_id: str, shipment_id: str | None) -> Planned[Authorization] | Learned: ...
    def plan_renewal(self, order_id: str) -> Planned[Authorization] | Learned: ...
    def record_authorization(self, order_id: str, key: str, answer: Authorized) -> Learned: ...
    def plan_capture(self, order_id: str, shipment_id: str) -> Planned[CaptureAsk] | Learned: ...
    def record_capture(self, order_id: str, key: str, answer: MoneyMoved) -> Learned: ...
    def plan_void(self, order_id: str) -> Planned[VoidAsk] | Learned: ...
    def record_void(self, order_id: str, key: str, answer: MoneyMoved) -> Learned: ...
    def intent_to_look_at(self, order_id: str) -> str | Learned: ...
    def record_look(self, order_id: str, view: IntentView) -> Learned: ...


class LabelLedger(Protocol):
    """Labels: planned, prepared at the carrier, bought, and asked back."""

    def plan_label(self, order_id: str, shipment_id: str) -> Planned[LabelAsk] | Learned: ...
    def record_prepared(self, order_id: str, key: str, carrier_shipment_id: str) -> None: ...
    def record_label(self, order_id: str, key: str, label: BoughtLabel) -> Learned: ...
    def label_impossible(self, order_id: str, key: str, reason: str) -> Learned: ...
    def plan_label_refund(self, order_id: str, shipment_id: str) -> Planned[str] | Learned: ...
    def record_label_refund(self, order_id: str, carrier_shipment_id: str, status: str) -> Learned: ...
