"""The label of what comes back: bought as soon as it is wanted, asked back when nobody used it."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.messages.returns import ReturnLearned, ReturnRef
from models.stores.addresses import destination_of, node_address
from models.stores.book import Book
from models.stores.fulfilment import SYSTEM
from models.stores.labels import Labelled
from models.stores.returns import Parcel
from models.tables.catalogue import Variant
from models.tables.shipments import Label
from models.tables.stock import Location
from models.vendors import LabelAsk
from models.vendors import Parcel as Package
from models.words import CaseType, ReturnStage, Role

_DAYS: Final = 30  # the slowest service will do: nobody waits at a door
_GRAMS: Final = 500  # of a piece that has no weight on file


class ComingBack(Labelled[ReturnLearned]):
    def __init__(self, parcel: Parcel) -> None:
        super().__init__(parcel.book, return_id=parcel.row.id)
        self.parcel = parcel

    @property
    def wants_one(self) -> bool:
        return self.parcel.row.wants_label and self.parcel.row.closed_at is None

    @property
    def needs_none(self) -> bool:
        return self.parcel.row.closed_at is not None and self.parcel.row.scanned_at is None

    def ask(self, label: Label) -> LabelAsk:
        """From the customer to the node that takes it back."""
        parcel, session = self.parcel, self.book.session
        units = parcel.units(parcel.pieces)
        variants = {v.sku: v for v in session.scalars(select(Variant).where(Variant.sku.in_({u.sku for u in units})))}
        package = Package(
            reference=label.key,
            origin=destination_of(self.book.order),
            destination=node_address(session.get_one(Location, parcel.row.location_id)),
            grams=sum(variants[unit.sku].grams or _GRAMS for unit in units),
            length_mm=200,
            width_mm=150,
            height_mm=100,
            hazmat=any(variants[unit.sku].hazmat for unit in units),
        )
        return LabelAsk(label.key, package, label.carrier_shipment_id, _DAYS)

    def go_on(self) -> bool:
        """The customer has what to send it with."""
        row = self.parcel.row
        if row.stage is not ReturnStage.REQUESTED:
            return False
        row.stage = ReturnStage.LABELLED
        return True

    def give_up(self, reason: str, what: str) -> None:
        """The customer sends it at our cost in another way, which CS has to arrange."""
        self.parcel.row.wants_label = False
        self.book.open_case(CaseType.LABEL_IMPOSSIBLE, self.id, Role.CS, reason=reason, what=what)

    def tell(self, event: str, **data: Any) -> None:
        self.parcel.tell(f"label_{event}", SYSTEM, **data)

    def learned(self) -> ReturnLearned:
        self.book.settle()
        return ReturnLearned(facts=self.parcel.facts())


def coming_back(session: Session, ref: ReturnRef, now: datetime) -> ComingBack:
    """The return, under its order's lock."""
    return ComingBack(Parcel.of(Book.open(session, ref.order_id, now), ref.return_id))
