"""What a vendor has been silent about for too long: authorizations, parcels on their way, refunds of labels.

Each is read anew in its turn, the longest unread first, and counts as read when it is chosen: one that cannot be read
keeps none of the others. What was read is heard like anything else (`models.heard`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.heard import Heard
from models.stores.book import HOLDING, Book
from models.stores.fulfilment import SYSTEM
from models.tables.orders import Order
from models.tables.payments import Intent
from models.tables.shipments import Label, Shipment, TrackingEvent
from models.vendors import IntentView
from models.words import CaseType, IntentState, Role, Stage

QUIET: Final = timedelta(days=1)  # that an authorization or a parcel may be
UNANSWERED: Final = timedelta(minutes=10)  # that a customer's 3-D Secure may take before Stripe is asked
REFUNDED_WITHIN: Final = timedelta(days=35)  # a label: thirty days are usual
_UNDER_WAY: Final = (Stage.LABELLED, Stage.CAPTURED, Stage.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class OpenRefund:
    """A label whose refund was asked for: `status` in the carrier's word, and how often it was asked."""

    key: str
    order_id: str
    carrier_shipment_id: str
    status: str
    asks: int


class Silence:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    # Authorizations

    def intents(self, limit: int = 50) -> Sequence[str]:
        """Those that hold money and were not read for a while; they count as read now."""
        read, now = func.coalesce(Intent.looked_at, Intent.created_at), self._clock.now()
        asked = Intent.state == IntentState.REQUIRES_ACTION
        quiet = or_(read < now - QUIET, asked & (read < now - UNANSWERED))
        wanted = select(Intent.id).where(Intent.state.in_(HOLDING), quiet).order_by(read).limit(limit)
        mark = update(Intent).where(Intent.id.in_(wanted)).values(looked_at=now).returning(Intent.id)
        return self._db.transaction(lambda session: session.scalars(mark).all())

    def differs(self, view: IntentView) -> str | None:
        """The order of an intent that is not as we have it; None when it is."""
        query = select(Intent).where(Intent.id == view.id)

        def work(session: Session) -> str | None:
            intent = session.scalars(query).one()
            ours = (intent.state, intent.amount, intent.capturable, intent.received)
            return intent.order_id if ours != (view.state, view.amount, view.capturable, view.received) else None

        return self._db.transaction(work)

    # Parcels

    def parcels(self, limit: int = 50) -> Sequence[str]:
        """Trackers of parcels on their way that nothing was heard of; of orders that were resumed, at once."""
        read, now = func.coalesce(Label.looked_at, Label.bought_at), self._clock.now()
        wanted = (
            select(Label.key)
            .join(Shipment, Shipment.id == Label.shipment_id)
            .join(Order, Order.id == Shipment.order_id)
            .where(Shipment.stage.in_(_UNDER_WAY), Label.refund_requested_at.is_(None), Label.tracker_id.is_not(None))
            .where(or_(read < now - QUIET, read < Order.resumed_at))
            .order_by(read)
            .limit(limit)
        )
        mark = update(Label).where(Label.key.in_(wanted)).values(looked_at=now).returning(Label.tracker_id)
        return self._db.transaction(lambda session: [id_ for id_ in session.scalars(mark) if id_])

    def is_told(self, heard: Heard) -> bool:
        """Whether we know what a carrier says of a parcel."""
        label = select(Label.shipment_id).where(Label.tracking_code == heard.subject).scalar_subquery()
        same = TrackingEvent.status == heard.payload["status"], TrackingEvent.occurred_at == heard.occurred_at
        query = select(exists().where(TrackingEvent.shipment_id == label, *same))
        return self._db.transaction(lambda session: bool(session.scalar(query)))

    # Labels

    def recorded(self, carrier_shipment_ids: Collection[str]) -> set[str]:
        """Those of the carrier's shipments whose label our books have as bought."""
        mine = Label.carrier_shipment_id.in_(carrier_shipment_ids), Label.bought_at.is_not(None)
        query = select(Label.carrier_shipment_id).where(*mine)
        return {found for found in self._db.transaction(lambda session: session.scalars(query).all()) if found}

    def open_refunds(self, limit: int = 50) -> Sequence[OpenRefund]:
        """Refunds of labels without an end, not read for a day: submitted, or rejected when first asked for."""
        read, now = func.coalesce(Label.looked_at, Label.refund_requested_at), self._clock.now()
        rejected_once = (Label.refund_status == "rejected") & (Label.refund_asks < 2)
        wanted = (
            select(Label.key)
            .where(or_(Label.refund_status == "submitted", rejected_once), read < now - QUIET)
            .order_by(read)
            .limit(limit)
        )
        mark = update(Label).where(Label.key.in_(wanted)).values(looked_at=now).returning(Label)

        def work(session: Session) -> Sequence[OpenRefund]:
            return [_open_refund(label) for label in session.scalars(mark)]

        return self._db.transaction(work)

    def know_refund(self, refund: OpenRefund, status: str, *, asked_again: bool) -> None:
        """Where it stands now. Rejected twice, or open for too long, it is our cost, and ops should know."""

        def work(session: Session) -> None:
            book = Book.open(session, refund.order_id, self._clock.now())
            label = session.get_one(Label, refund.key)
            if asked_again:
                label.refund_asks += 1
            if label.refund_status != status:
                label.refund_status = status
                book.tell("label.refund_known", SYSTEM, label=label.key, status=status)
            since = label.refund_requested_at or book.now
            if (status == "rejected" and label.refund_asks > 1) or _is_overdue(status, since, book.now):
                _own(book, refund.key, status)
            book.show_cases()
            book.settle()

        self._db.transaction(work)


def _open_refund(label: Label) -> OpenRefund:
    order_id, parcel = label.key.partition(":")[0], label.carrier_shipment_id or ""
    return OpenRefund(label.key, order_id, parcel, label.refund_status or "", label.refund_asks)


def _is_overdue(status: str, since: datetime, now: datetime) -> bool:
    return status == "submitted" and since < now - REFUNDED_WITHIN


def _own(book: Book, key: str, status: str) -> None:
    if not book.cases.has_been(CaseType.LABEL_NOT_REFUNDED, key):
        book.open_case(CaseType.LABEL_NOT_REFUNDED, key, Role.OPS, status=status)
