"""Labels: planned under the order's lock, prepared at the carrier, bought once, asked back when of no use."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.ids import label_key
from models.messages.activities import Learned
from models.stores.book import Book
from models.stores.fulfilment import SYSTEM
from models.tables.catalogue import Box, Variant
from models.tables.orders import Order
from models.tables.shipments import Label, Shipment
from models.tables.stock import Location
from models.vendors import Address, BoughtLabel, LabelAsk, LabelVoidAsk, Parcel, Planned
from models.words import CaseType, Role, Stage


class LabelStore:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def plan_label(self, order_id: str, shipment_id: str) -> Planned[LabelAsk] | Learned:
        """One live label a shipment. Answers instead when none may be bought: cancelled, held or unpaid meanwhile."""

        def work(session: Session) -> Planned[LabelAsk] | Learned:
            book = self._open(session, order_id)
            shipment = book.shipment(shipment_id)
            label = book.live_label(shipment)
            if label and label.bought_at and shipment.stage is Stage.PACKED and not shipment.leaving:
                _go_on(book, shipment)  # it was found at the carrier before the parcel was packed
                book.tell("label.used", SYSTEM, shipment=shipment.id)
            if shipment.leaving or (label and label.bought_at):
                return Learned(facts=book.settle())
            if label:
                return Planned(self._ask(book, shipment, label), fresh=False)
            blocked = book.is_on_hold(shipment) or not book.is_paid_for(shipment)
            if shipment.stage is not Stage.PACKED or blocked:
                return Learned(facts=book.settle())
            number = 1 + sum(1 for x in book.labels if x.shipment_id == shipment_id)
            label = Label(key=label_key(order_id, shipment_id, number), shipment_id=shipment_id, planned_at=book.now)
            session.add(label)
            return Planned(self._ask(book, shipment, label), fresh=True)

        return self._db.transaction(work)

    def _ask(self, book: Book, shipment: Shipment, label: Label) -> LabelAsk:
        session = book.session
        node = session.get_one(Location, shipment.location_id)
        box = session.get(Box, shipment.box_id) if shipment.box_id else None
        skus = {u.sku for u in book.units_of(shipment)}
        hazmat = bool(session.scalars(select(Variant.sku).where(Variant.sku.in_(skus), Variant.hazmat)).first())
        parcel = Parcel(
            reference=label.key,
            origin=node_address(node),
            destination=destination_of(book.order),
            grams=shipment.grams or 0,
            length_mm=box.length_mm if box else 200,
            width_mm=box.width_mm if box else 150,
            height_mm=box.height_mm if box else 100,
            hazmat=hazmat,
        )
        promised = book.order.promised_by
        days = max((promised - book.now).days, 1) if promised else book.order.transit_days
        return LabelAsk(label.key, parcel, label.carrier_shipment_id, days)

    def record_prepared(self, order_id: str, key: str, carrier_shipment_id: str) -> str | Learned:
        """The carrier's shipment to buy: the first that any try prepared. Answers instead when none is to be bought."""

        def work(session: Session) -> str | Learned:
            book = self._open(session, order_id)
            label = session.get_one(Label, key)
            if book.shipment(label.shipment_id or "").leaving or not _is_planned(label):
                return Learned(facts=book.settle())
            first = label.carrier_shipment_id = label.carrier_shipment_id or carrier_shipment_id
            return first

        return self._db.transaction(work)

    def record_label(self, order_id: str, key: str, label: BoughtLabel) -> Learned:
        """Bought, even where it was struck out meanwhile: what the carrier sold lives until its refund is asked."""

        def work(session: Session) -> Learned:
            book = self._open(session, order_id)
            row = session.get_one(Label, key)
            if row.bought_at:
                return Learned(facts=book.facts())
            know_label(book, row, label, book.now)
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    def label_impossible(self, order_id: str, key: str, reason: str, what: str) -> Learned:
        """Nothing was bought and nothing can be as things stand: the shipment is held, a case names what is wrong.

        The label is struck out; releasing the hold plans the next one.
        """

        def work(session: Session) -> Learned:
            book = self._open(session, order_id)
            label = session.get_one(Label, key)
            shipment = book.shipment(label.shipment_id or "")
            if _strike_out(book, label) and not shipment.leaving:
                book.open_case(CaseType.LABEL_IMPOSSIBLE, shipment.id, Role.CS, reason=reason, what=what)
                book.hold(shipment, "label_impossible", SYSTEM)
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    def plan_label_refund(self, order_id: str, shipment_id: str) -> Planned[LabelVoidAsk] | Learned:
        """The label that goes back, or that the carrier may have sold. One that it never heard of is struck out."""

        def work(session: Session) -> Planned[LabelVoidAsk] | Learned:
            book = self._open(session, order_id)
            live = Label.shipment_id == book.shipment(shipment_id).id, Label.refund_requested_at.is_(None)
            label = session.scalars(select(Label).where(*live)).one_or_none()
            if label and label.carrier_shipment_id:
                bought = label.bought_at is not None
                return Planned(LabelVoidAsk(label.key, label.carrier_shipment_id, bought), fresh=False)
            if label:
                _strike_out(book, label)
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    def strike_out(self, order_id: str, key: str) -> Learned:
        """The carrier was asked: it sold no such label."""

        def work(session: Session) -> Learned:
            book = self._open(session, order_id)
            _strike_out(book, session.get_one(Label, key))
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    def record_label_refund(self, order_id: str, carrier_shipment_id: str, status: str) -> Learned:
        def work(session: Session) -> Learned:
            book = self._open(session, order_id)
            label = session.scalars(select(Label).where(Label.carrier_shipment_id == carrier_shipment_id)).one()
            if label.refund_requested_at is None:
                label.refund_requested_at, label.refund_status = book.now, status
                book.tell("label.refund_requested", SYSTEM, shipment=label.shipment_id, status=status)
            return Learned(facts=book.settle())

        return self._db.transaction(work)

    def _open(self, session: Session, order_id: str) -> Book:
        return Book.open(session, order_id, self._clock.now())


def _is_planned(label: Label) -> bool:
    """Neither bought nor struck out."""
    return label.bought_at is None and label.refund_requested_at is None


def _strike_out(book: Book, label: Label) -> bool:
    """It was never bought and will not be; False where it was, or is struck out already."""
    if not _is_planned(label):
        return False
    label.refund_requested_at, label.refund_status = book.now, "never_bought"
    book.tell("label.struck_out", SYSTEM, shipment=label.shipment_id)
    return True


def keep_bought(row: Label, label: BoughtLabel, now: datetime) -> None:
    """Write what the carrier sold."""
    row.carrier_shipment_id, row.tracking_code = label.carrier_shipment_id, label.tracking_code
    row.carrier, row.service, row.url = label.carrier, label.service, label.url
    row.rate, row.currency, row.tracker_id = label.rate, label.currency, label.tracker_id
    row.bought_at = now


def know_label(book: Book, row: Label, label: BoughtLabel, at: datetime) -> None:
    """It was bought then, also where it was struck out meanwhile; the parcel goes on, unless it will not leave."""
    row.refund_requested_at = row.refund_status = None
    keep_bought(row, label, at)
    shipment = book.shipment(row.shipment_id or "")
    if shipment.stage is Stage.PACKED and not shipment.leaving:
        _go_on(book, shipment)
    book.close_cases(shipment.id, "label_bought", CaseType.LABEL_IMPOSSIBLE)
    book.tell(
        "label.bought",
        SYSTEM,
        shipment=shipment.id,
        carrier=label.carrier,
        service=label.service,
        tracking_code=label.tracking_code,
        cost=label.rate,
    )


def _go_on(book: Book, shipment: Shipment) -> None:
    """To its capture; where nothing is owed, it may leave."""
    shipment.stage, shipment.deadline = Stage.LABELLED, book.now + book.timings.hold_review
    if not book.owes(shipment):
        shipment.stage, shipment.deadline = Stage.CAPTURED, book.now + book.timings.hand_over


def destination_of(order: Order) -> Address:
    """Where the order goes, as it was typed."""
    return Address(
        name=order.name,
        street=order.street,
        street2=order.street2,
        city=order.city,
        state=order.state,
        postcode=order.postcode,
        country=order.country,
        phone=order.phone,
        email=order.email,
    )


def node_address(node: Location) -> Address:
    """Where a node is."""
    return Address(
        name=node.name,
        street=node.street,
        city=node.city,
        state=node.state,
        postcode=node.postcode,
        country=node.country,
        phone=node.phone,
    )
