"""What an order's workflow knows: Postgres as of one revision, and what the run itself has seen since.

No amounts, lots, addresses or tenders: those stay in rows. Every recording transaction answers with the whole
`OrderFacts` of its revision, so facts that overtake each other on the way cannot mislead: the newer revision wins.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from models.messages.base import Message
from models.messages.commands import Asked
from models.words import OrderStatus, Stage, Verdict

ORDER: Final = "order"
PAYMENT: Final = "payment"
CHECKOUT: Final = "checkout"

ENDED: Final = frozenset({Stage.DELIVERED, Stage.RE_SOURCED, Stage.CANCELLED})  # nothing more is done with it
UNCONFIRMED: Final = frozenset({None, Verdict.REQUIRES_ACTION})  # it may still be confirmed, until it expires


class Rest(StrEnum):
    """Where authorizing stands what no open authorization covers any more."""

    NONE = "none"  # nothing to do: each parcel's amount is authorized
    AFTER_CAPTURE = "after_capture"  # to be authorized; refused beside a capture, once more when the old hold is free
    REFUSED = "refused"  # the customer's turn


class ShipmentFacts(Message):
    """One parcel. `deadline` ends its present wait; `paid` says that its amount is authorized or captured.

    `rest_due`: its capture would release what other parcels need (no multicapture), so that is authorized first.
    """

    id: str
    position: int
    node: str
    store: bool
    stage: Stage
    units: tuple[str, ...]
    deadline: datetime | None = None
    leaving: bool = False
    label: bool = False
    paid: bool = True
    rest_due: bool = False
    on_hold: bool = False

    @property
    def open(self) -> bool:
        return self.stage not in ENDED


class PaymentFacts(Message):
    """The order's money as far as it decides what comes next; `deadline` is the keep-alive's or the customer's."""

    open: bool = False
    deadline: datetime | None = None
    rest: Rest = Rest.NONE
    void_due: bool = False
    refund_due: bool = False
    look_due: bool = False  # the provider said something: read the intent anew
    in_doubt: bool = False  # checkout's authorization was asked for, and what came of it is not known


class OrderFacts(Message):
    """Postgres as of `revision`."""

    revision: int = 0
    status: OrderStatus = OrderStatus.PENDING
    verdict: Verdict | None = None
    shipments: tuple[ShipmentFacts, ...] = ()
    payment: PaymentFacts = PaymentFacts()
    expires_at: datetime | None = None
    promised_by: datetime | None = None
    window_ends: datetime | None = None
    stores: tuple[str, ...] = ()
    exception: str = ""
    returns: int = 0  # open ones: the order waits for what they bring
    closed: bool = False

    @property
    def undoing(self) -> bool:
        """Something was cancelled and is not undone yet."""
        return self.payment.void_due or self.payment.refund_due or any(s.leaving and s.open for s in self.shipments)

    def shipment(self, shipment_id: str) -> ShipmentFacts | None:
        return next((s for s in self.shipments if s.id == shipment_id), None)

    def deadline(self, key: str) -> datetime | None:
        """The instant that ends what this key waits for now."""
        match key:
            case "order":
                return self.expires_at if self.verdict in UNCONFIRMED else self.window_ends
            case "payment":
                return self.payment.deadline
            case _:
                shipment = self.shipment(key)
                return shipment.deadline if shipment else None


class Stuck(Message):
    """An effect that failed for good: it waits for a person's retry, or for the next review."""

    key: str
    effect: str
    until: datetime


class Facts(Message):
    """All that decides what a run does next; carried over continue-as-new as it is."""

    known: OrderFacts = OrderFacts()
    lapsed: tuple[tuple[str, datetime], ...] = ()  # waits whose alarm rang: whose, and which deadline
    doing: tuple[tuple[str, str], ...] = ()
    asked: tuple[Asked, ...] = ()
    arrived: tuple[str, ...] = ()
    stuck: tuple[Stuck, ...] = ()
    senseless: tuple[str, ...] = ()  # Signals that made no sense, by name
