"""A return's label: planned under the order's lock, bought once, asked back when nobody used it."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.clock import Clock
from models.db import Database
from models.ids import label_key
from models.messages.returns import ReturnLearned, ReturnRef
from models.stores.fulfilment import SYSTEM
from models.stores.labels import destination_of, keep_bought, node_address
from models.stores.returns import Parcel, ReturnStore
from models.tables.catalogue import Variant
from models.tables.shipments import Label
from models.tables.stock import Location
from models.vendors import BoughtLabel, LabelAsk, Planned
from models.vendors import Parcel as Package
from models.words import CaseType, ReturnStage, Role

_DAYS = 30  # the slowest service will do: nobody waits at a door
_GRAMS = 500  # of a piece that has no weight on file


class ReturnLabelStore:
    def __init__(self, db: Database, clock: Clock, returns: ReturnStore) -> None:
        self._db = db
        self._clock = clock
        self._returns = returns

    def plan_return_label(self, ref: ReturnRef) -> Planned[LabelAsk] | ReturnLearned:
        """One live label a return. Answers instead when none is wanted any more."""

        def work(session: Session) -> Planned[LabelAsk] | ReturnLearned:
            parcel = self._returns.open(session, ref)
            if not parcel.facts().label_due:
                return ReturnLearned(facts=parcel.facts())
            fresh = parcel.label is None
            if parcel.label is None:
                count = session.scalar(select(func.count()).where(Label.return_id == ref.return_id)) or 0
                key = label_key(ref.order_id, ref.return_id, count + 1)
                parcel.label = Label(key=key, return_id=ref.return_id, planned_at=parcel.book.now)
                session.add(parcel.label)
            return Planned(_ask(parcel, parcel.label), fresh)

        return self._db.transaction(work)

    def remember(self, ref: ReturnRef, key: str, carrier_shipment_id: str) -> str:
        """The carrier's shipment to buy: the first that any try prepared."""

        def work(session: Session) -> str:
            self._returns.open(session, ref)
            row = session.get_one(Label, key)
            row.carrier_shipment_id = first = row.carrier_shipment_id or carrier_shipment_id
            return first

        return self._db.transaction(work)

    def record_return_label(self, ref: ReturnRef, key: str, label: BoughtLabel) -> ReturnLearned:
        def work(session: Session) -> ReturnLearned:
            parcel = self._returns.open(session, ref)
            row = session.get_one(Label, key)
            if row.bought_at is None:
                keep_bought(row, label, parcel.book.now)
                if parcel.row.stage is ReturnStage.REQUESTED:
                    parcel.row.stage = ReturnStage.LABELLED
                parcel.book.close_cases(ref.return_id, "label_bought", CaseType.LABEL_IMPOSSIBLE)
                parcel.tell("label_bought", SYSTEM, carrier=label.carrier, service=label.service, cost=label.rate)
                parcel.book.settle()
            return ReturnLearned(facts=parcel.facts())

        return self._db.transaction(work)

    def return_label_impossible(self, ref: ReturnRef, key: str, reason: str, what: str) -> ReturnLearned:
        """None can be bought: the customer sends it at our cost in another way, which CS has to arrange."""

        def work(session: Session) -> ReturnLearned:
            parcel = self._returns.open(session, ref)
            session.delete(session.get_one(Label, key))
            parcel.label, parcel.row.wants_label = None, False
            parcel.book.open_case(CaseType.LABEL_IMPOSSIBLE, ref.return_id, Role.CS, reason=reason, what=what)
            parcel.book.settle()
            return ReturnLearned(facts=parcel.facts())

        return self._db.transaction(work)

    def plan_void(self, ref: ReturnRef) -> Planned[str] | ReturnLearned:
        """The carrier's shipment whose label goes back; one that was only planned is struck out."""

        def work(session: Session) -> Planned[str] | ReturnLearned:
            parcel = self._returns.open(session, ref)
            label = parcel.label
            if parcel.facts().void_due and label:
                if label.bought_at and label.carrier_shipment_id:
                    return Planned(label.carrier_shipment_id, fresh=False)
                label.refund_requested_at, label.refund_status = parcel.book.now, "never_bought"
                parcel.label = None
            return ReturnLearned(facts=parcel.facts())

        return self._db.transaction(work)

    def record_void(self, ref: ReturnRef, status: str) -> ReturnLearned:
        def work(session: Session) -> ReturnLearned:
            parcel = self._returns.open(session, ref)
            if parcel.label:
                parcel.label.refund_requested_at, parcel.label.refund_status = parcel.book.now, status
                parcel.label = None
                parcel.tell("label_refund_requested", SYSTEM, status=status)
                parcel.book.settle()
            return ReturnLearned(facts=parcel.facts())

        return self._db.transaction(work)


def _ask(parcel: Parcel, label: Label) -> LabelAsk:
    """From the customer to the node that takes it back."""
    session, units = parcel.book.session, parcel.units(parcel.pieces)
    variants = {v.sku: v for v in session.scalars(select(Variant).where(Variant.sku.in_({u.sku for u in units})))}
    package = Package(
        reference=label.key,
        origin=destination_of(parcel.book.order),
        destination=node_address(session.get_one(Location, parcel.row.location_id)),
        grams=sum(variants[unit.sku].grams or _GRAMS for unit in units),
        length_mm=200,
        width_mm=150,
        height_mm=100,
        hazmat=any(variants[unit.sku].hazmat for unit in units),
    )
    return LabelAsk(label.key, package, label.carrier_shipment_id, _DAYS)
