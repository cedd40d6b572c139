"""Facts from outside: taken in once by their sender's id, matched to an order, and handed on when they are news.

It writes `inbox` and the history of scans that change nothing; what a fact does to an order is the order store's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.heard import Heard
from models.heard_easypost import LABEL_SOLD
from models.mint import mint
from models.news import OURS, PATIENCE, MoneyNow, News, ParcelNow, payment_news, tracking_news
from models.tables.messages import Case, InboxFact
from models.tables.orders import Order
from models.tables.payments import Intent, PaymentOperation
from models.tables.returns import Return
from models.tables.shipments import Label, Shipment, TrackingEvent
from models.words import CaseType, OperationKind, Outcome, Role

GIVE_UP_AFTER: Final = timedelta(hours=24)  # that an order may stay unknown
_LEAST_PAUSE: Final = timedelta(seconds=1)
_MOST_PAUSE: Final = timedelta(hours=1)
_SILENT: Final = (
    exists()
    .where(Case.subject == Shipment.id, Case.type == CaseType.TRACKING_SILENT, Case.closed_at.is_(None))
    .label("silent")
)


@dataclass(frozen=True, slots=True)
class DueFact:
    """One that its order, or its return, is to be told of now."""

    id: str
    kind: str
    order_id: str
    return_id: str | None = None

    @property
    def run_id(self) -> str:
        return self.return_id or self.order_id


@dataclass(frozen=True, slots=True)
class _About:
    """What a fact turned out to be about, and whether it is news."""

    order_id: str | None
    shipment_id: str | None
    news: News
    return_id: str | None = None


class InboxStore:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def take(self, heard: Heard) -> bool:
        """Keep a message; False when it was kept before. After this it is never lost."""
        return self._db.transaction(lambda session: self._take(session, heard, self._clock.now()))

    def unheard(self, fact_ids: Sequence[str]) -> set[str]:
        """Those of these messages that were never kept."""
        query = select(InboxFact.id).where(InboxFact.id.in_(fact_ids))
        return set(fact_ids) - set(self._db.transaction(lambda session: session.scalars(query).all()))

    def due(self, limit: int = 200) -> Sequence[DueFact]:
        """The facts that orders are to be told of, oldest first; those that turn out to be no news end here.

        One whose order is not known yet is tried again at growing pauses, and after a day becomes a case.
        """
        return self._db.transaction(lambda session: self._due(session, self._clock.now(), limit))

    def signalled(self, fact_ids: Sequence[str]) -> None:
        """Their runs have been told, durably."""
        now = self._clock.now()
        told = update(InboxFact).where(InboxFact.id.in_(fact_ids)).values(signalled_at=now)
        self._db.transaction(lambda session: session.execute(told))

    def _take(self, session: Session, heard: Heard, now: datetime) -> bool:
        about = _about(session, heard.kind, heard.subject, heard.payload)
        ended = about.news is News.NONE
        taken = session.scalar(
            insert(InboxFact)
            .values(
                id=heard.id,
                source=heard.source,
                kind=heard.kind,
                subject=heard.subject,
                order_id=about.order_id,
                return_id=about.return_id,
                payload=heard.payload,
                occurred_at=heard.occurred_at,
                received_at=now,
                due_at=now + PATIENCE if about.news is News.LATER else now,
                applied_at=now if ended else None,
                result=News.NONE.value if ended else None,
            )
            .on_conflict_do_nothing()
            .returning(InboxFact.id)
        )
        if taken is not None and ended:
            _remember_scan(session, heard.id, heard.payload, heard.occurred_at, about)
        return taken is not None

    def _due(self, session: Session, now: datetime, limit: int) -> Sequence[DueFact]:
        rows = session.scalars(
            select(InboxFact)
            .where(*is_due(now))
            .order_by(InboxFact.received_at, InboxFact.id)
            .limit(limit)
            .with_for_update(key_share=True)
        )
        due: list[DueFact] = []
        for row in rows:
            about = _about(session, row.kind, row.subject, row.payload)
            order_id = row.order_id = row.order_id or about.order_id
            if order_id is None:
                _wait_for_order(session, row, now)
            elif about.news is News.NONE:
                row.applied_at, row.result = now, News.NONE.value
                _remember_scan(session, row.id, row.payload, row.occurred_at, about)
            else:
                row.return_id = about.return_id
                due.append(DueFact(row.id, row.kind, order_id, row.return_id))
        return due


def is_due(now: datetime | BindParameter[datetime]) -> tuple[ColumnElement[bool], ...]:
    """Its order is to be told of it by now: nobody was, and nothing has ended it."""
    return InboxFact.signalled_at.is_(None), InboxFact.applied_at.is_(None), InboxFact.due_at <= now


def _wait_for_order(session: Session, row: InboxFact, now: datetime) -> None:
    """It waits as long again as it has waited."""
    age = now - row.received_at
    if age < GIVE_UP_AFTER:
        row.due_at = now + min(max(age, _LEAST_PAUSE), _MOST_PAUSE)
        return
    row.applied_at, row.result = now, CaseType.UNKNOWN_FACT.value
    detail = {"source": row.source, "kind": row.kind, "subject": row.subject}
    case = {"type": CaseType.UNKNOWN_FACT, "subject": row.id, "owner": Role.OPS, "detail": detail, "opened_at": now}
    session.execute(insert(Case).values(id=mint("case"), **case).on_conflict_do_nothing())


def _remember_scan(
    session: Session, inbox_id: str, payload: dict[str, Any], occurred_at: datetime, about: _About
) -> None:
    """A scan that changes nothing is history all the same, and says that the carrier is not silent."""
    if about.shipment_id is None:
        return
    scan = {"status": payload["status"], "detail": payload.get("detail") or "", "occurred_at": occurred_at}
    written = insert(TrackingEvent).values(shipment_id=about.shipment_id, inbox_id=inbox_id, **scan)
    session.execute(written.on_conflict_do_nothing())


def _about(session: Session, kind: str, subject: str, payload: dict[str, Any]) -> _About:
    if kind.partition(".")[0] in OURS:
        return _About(None, None, News.NOW)
    if kind.startswith("tracking."):
        return _about_parcel(session, subject, payload)
    if kind == LABEL_SOLD:
        return _about_label(session, subject, payload["carrier_shipment_id"])
    return _about_money(session, kind, subject, payload)


def _about_parcel(session: Session, tracking_code: str, payload: dict[str, Any]) -> _About:
    query = select(Shipment.id, Shipment.order_id, Shipment.handed_over_at, Shipment.delivered_at, _SILENT)
    of_code = query.join(Label, Label.shipment_id == Shipment.id).where(Label.tracking_code == tracking_code)
    found = session.execute(of_code).one_or_none()
    if found is None:
        return _about_return(session, tracking_code)
    parcel = ParcelNow(
        handed_over=found.handed_over_at is not None, delivered=found.delivered_at is not None, silent=found.silent
    )
    news = tracking_news(payload["status"], parcel, scanned=bool(payload.get("scanned")))
    return _About(found.order_id, found.id, news)


def _about_return(session: Session, tracking_code: str) -> _About:
    """The first scan of a return's label is news; the rest are its carrier's business."""
    query = select(Return.id, Return.order_id, Return.scanned_at).join(Label, Label.return_id == Return.id)
    found = session.execute(query.where(Label.tracking_code == tracking_code)).one_or_none()
    if found is None:
        return _About(None, None, News.NOW)
    return _About(found.order_id, None, News.NONE if found.scanned_at else News.NOW, found.id)


def _about_label(session: Session, key: str, carrier_shipment_id: str) -> _About:
    """One that is planned is left to the step that buys it."""
    order_id = session.scalar(select(Order.id).where(Order.id == key.partition(":")[0]))
    label = session.get(Label, key)
    if label is None or label.carrier_shipment_id not in (None, carrier_shipment_id):
        return _About(order_id, None, News.NOW)
    return _About(order_id, None, News.NONE if label.bought_at else News.LATER)


def _about_money(session: Session, kind: str, intent_id: str, payload: dict[str, Any]) -> _About:
    intent = session.execute(select(Intent.order_id, Intent.state).where(Intent.id == intent_id)).one_or_none()
    order_id = (
        intent.order_id if intent else session.scalar(select(Order.id).where(Order.id == payload.get("order", "")))
    )
    if order_id is None:
        return _About(None, None, News.NOW)
    operations = session.scalars(select(PaymentOperation).where(PaymentOperation.order_id == order_id)).all()
    named = next((o for o in operations if _is_named(o, payload)), None)
    captured = (OperationKind.CAPTURE, intent_id, Outcome.SUCCEEDED)
    caused_by = str(payload.get("key") or "")
    money = MoneyNow(
        in_flight=any(o.outcome is None for o in operations if o is named or o.intent_id == intent_id),
        named=named.outcome if named else None,
        state=intent.state if intent else None,
        captured=sum(o.amount for o in operations if (o.kind, o.intent_id, o.outcome) == captured),
        forgotten=caused_by.startswith(f"{order_id}:") and caused_by not in [o.key for o in operations],
    )
    return _About(order_id, None, payment_news(kind, money, received=int(payload.get("received") or 0)))


def _is_named(operation: PaymentOperation, payload: dict[str, Any]) -> bool:
    return operation.key == payload.get("operation") or (
        operation.stripe_id is not None and operation.stripe_id == payload.get("refund")
    )
