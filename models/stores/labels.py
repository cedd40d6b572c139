"""Labels: planned under the order's lock, prepared at the carrier, bought once, asked back when of no use.

What goes out and what comes back differ in when they want a label and in what follows from one, not in how it is had.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.ids import label_key
from models.messages.base import Message
from models.stores.book import Book
from models.tables.shipments import Label
from models.vendors import BoughtLabel, LabelAsk, LabelVoidAsk, Planned

R = TypeVar("R", bound=Message)
L = TypeVar("L", bound=Message)


class Labelled(ABC, Generic[L]):
    """A parcel under its order's lock, as its label sees it. `whose` is the column that names it, with its id."""

    def __init__(self, book: Book, **whose: str) -> None:
        self.book = book
        self.whose = whose
        (self.id,) = whose.values()

    @property
    @abstractmethod
    def wants_one(self) -> bool:
        """Whether one may be bought now."""

    @property
    @abstractmethod
    def needs_none(self) -> bool:
        """Whether it will not travel: none is bought any more, and one that was goes back."""

    @abstractmethod
    def ask(self, label: Label) -> LabelAsk:
        """What the carrier is told of it."""

    @abstractmethod
    def go_on(self) -> bool:
        """It has its label: to what comes next. False where it waits for none."""

    @abstractmethod
    def give_up(self, reason: str, what: str) -> None:
        """None can be bought as things stand: somebody owns that."""

    @abstractmethod
    def tell(self, event: str, **data: Any) -> None:
        """Add what became of its label to the order's story."""

    @abstractmethod
    def learned(self) -> L:
        """Settle what was done, and say where things are."""

    @property
    def labels(self) -> list[Label]:
        """All it ever had."""
        query = select(Label).filter_by(**self.whose).order_by(Label.planned_at, Label.key)
        return list(self.book.session.scalars(query))

    @property
    def label(self) -> Label | None:
        """The live one: at most one is."""
        return next((label for label in self.labels if label.refund_requested_at is None), None)

    def plan(self) -> Label:
        label = Label(
            key=label_key(self.book.order.id, self.id, len(self.labels) + 1), planned_at=self.book.now, **self.whose
        )
        self.book.session.add(label)
        return label

    def know(self, row: Label, label: BoughtLabel, at: datetime) -> None:
        """It was bought then, also where it was struck out meanwhile: what the carrier sold lives until asked back."""
        row.refund_requested_at = row.refund_status = None
        row.carrier_shipment_id, row.tracking_code = label.carrier_shipment_id, label.tracking_code
        row.carrier, row.service, row.url = label.carrier, label.service, label.url
        row.rate, row.currency, row.tracker_id = label.rate, label.currency, label.tracker_id
        row.bought_at = at
        self.go_on()
        said = {"carrier": label.carrier, "service": label.service, "tracking_code": label.tracking_code}
        self.tell("bought", **said, cost=label.rate)

    def strike_out(self, label: Label) -> bool:
        """It was never bought and will not be; False where it was, or is struck out already."""
        if not _is_planned(label):
            return False
        label.refund_requested_at, label.refund_status = self.book.now, "never_bought"
        self.tell("struck_out")
        return True


class Labels(Generic[R, L]):
    """The transactions, each one commit. `R` names a parcel, `L` is what its run learns of each.

    `opening` gives the parcel of that name at that instant, under its order's lock.
    """

    def __init__(self, db: Database, clock: Clock, opening: Callable[[Session, R, datetime], Labelled[L]]) -> None:
        self._db = db
        self._clock = clock
        self._opening = opening

    def plan(self, ref: R) -> Planned[LabelAsk] | L:
        """One live label a parcel. Answers instead when none may be bought: it is over, held or unpaid meanwhile."""

        def work(session: Session) -> Planned[LabelAsk] | L:
            parcel = self._open(session, ref)
            label = parcel.label
            if label and label.bought_at and parcel.go_on():  # it was found at the carrier before it was wanted
                parcel.tell("used")
            if label is None and parcel.wants_one:
                return Planned(parcel.ask(parcel.plan()), fresh=True)
            if label is None or label.bought_at or parcel.needs_none:
                return parcel.learned()
            return Planned(parcel.ask(label), fresh=False)

        return self._db.transaction(work)

    def record_prepared(self, ref: R, key: str, carrier_shipment_id: str) -> str | L:
        """The carrier's shipment to buy: the first that any try prepared. Answers instead when none is to be bought."""

        def work(session: Session) -> str | L:
            parcel, label = self._with(session, ref, key)
            if parcel.needs_none or not _is_planned(label):
                return parcel.learned()
            first = label.carrier_shipment_id = label.carrier_shipment_id or carrier_shipment_id
            return first

        return self._db.transaction(work)

    def record_bought(self, ref: R, key: str, label: BoughtLabel) -> L:
        def work(session: Session) -> L:
            parcel, row = self._with(session, ref, key)
            if row.bought_at is None:
                parcel.know(row, label, parcel.book.now)
            return parcel.learned()

        return self._db.transaction(work)

    def impossible(self, ref: R, key: str, reason: str, what: str) -> L:
        """Nothing was bought and nothing can be as things stand: it is struck out, and a case names what is wrong."""

        def work(session: Session) -> L:
            parcel, label = self._with(session, ref, key)
            if parcel.strike_out(label) and not parcel.needs_none:
                parcel.give_up(reason, what)
            return parcel.learned()

        return self._db.transaction(work)

    def plan_refund(self, ref: R) -> Planned[LabelVoidAsk] | L:
        """The label that goes back, or that the carrier may have sold. One that it never heard of is struck out."""

        def work(session: Session) -> Planned[LabelVoidAsk] | L:
            parcel = self._open(session, ref)
            label = parcel.label if parcel.needs_none else None
            if label and label.carrier_shipment_id:
                bought = label.bought_at is not None
                return Planned(LabelVoidAsk(label.key, label.carrier_shipment_id, bought), fresh=False)
            if label:
                parcel.strike_out(label)
            return parcel.learned()

        return self._db.transaction(work)

    def strike_out(self, ref: R, key: str) -> L:
        """The carrier was asked: it sold no such label."""

        def work(session: Session) -> L:
            parcel, label = self._with(session, ref, key)
            parcel.strike_out(label)
            return parcel.learned()

        return self._db.transaction(work)

    def record_refund(self, ref: R, key: str, status: str) -> L:
        """It was asked back: `status` is the carrier's word for where that stands."""

        def work(session: Session) -> L:
            parcel, label = self._with(session, ref, key)
            if label.refund_requested_at is None:
                label.refund_requested_at, label.refund_status = parcel.book.now, status
                parcel.tell("refund_requested", status=status)
            return parcel.learned()

        return self._db.transaction(work)

    def _open(self, session: Session, ref: R) -> Labelled[L]:
        return self._opening(session, ref, self._clock.now())

    def _with(self, session: Session, ref: R, key: str) -> tuple[Labelled[L], Label]:
        return self._open(session, ref), session.get_one(Label, key)


def _is_planned(label: Label) -> bool:
    """Neither bought nor struck out."""
    return label.bought_at is None and label.refund_requested_at is None
