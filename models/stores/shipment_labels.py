"""The label of what goes out: bought once the parcel is packed and paid for, asked back when it will not leave."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.messages.activities import Learned, ShipmentRef
from models.stores.addresses import destination_of, node_address
from models.stores.book import Book
from models.stores.fulfilment import SYSTEM
from models.stores.labels import Labelled
from models.tables.catalogue import Box, Variant
from models.tables.shipments import Label, Shipment
from models.tables.stock import Location
from models.vendors import LabelAsk, Parcel
from models.words import CaseType, Role, Stage

_ENDED = (Stage.CANCELLED, Stage.RE_SOURCED)


class Outgoing(Labelled[Learned]):
    def __init__(self, book: Book, shipment: Shipment) -> None:
        super().__init__(book, shipment_id=shipment.id)
        self.shipment = shipment

    @property
    def wants_one(self) -> bool:
        shipment, blocked = self.shipment, self.book.is_on_hold(self.shipment)
        return self._is_waiting and not blocked and self.book.is_paid_for(shipment)

    @property
    def needs_none(self) -> bool:
        return self.shipment.leaving or self.shipment.stage in _ENDED

    @property
    def _is_waiting(self) -> bool:
        return self.shipment.stage is Stage.PACKED and not self.shipment.leaving

    def ask(self, label: Label) -> LabelAsk:
        book, shipment, session = self.book, self.shipment, self.book.session
        node = session.get_one(Location, shipment.location_id)
        box = session.get(Box, shipment.box_id) if shipment.box_id else None
        skus = {u.sku for u in book.units_of(shipment)}
        hazmat = bool(session.scalars(select(Variant.sku).where(Variant.sku.in_(skus), Variant.hazmat)).first())
        package = Parcel(
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
        return LabelAsk(label.key, package, label.carrier_shipment_id, days)

    def go_on(self) -> bool:
        """To its capture; where nothing is owed, it may leave."""
        if not self._is_waiting:
            return False
        book, shipment = self.book, self.shipment
        shipment.stage, shipment.deadline = Stage.LABELLED, book.now + book.timings.hold_review
        if not book.owes(shipment):
            shipment.stage, shipment.deadline = Stage.CAPTURED, book.now + book.timings.hand_over
        return True

    def give_up(self, reason: str, what: str) -> None:
        """The parcel is held; releasing the hold plans the next label."""
        self.book.open_case(CaseType.LABEL_IMPOSSIBLE, self.id, Role.CS, reason=reason, what=what)
        self.book.hold(self.shipment, "label_impossible", SYSTEM)

    def tell(self, event: str, **data: Any) -> None:
        self.book.tell(f"label.{event}", SYSTEM, shipment=self.id, **data)

    def learned(self) -> Learned:
        return Learned(facts=self.book.settle())


def outgoing(session: Session, ref: ShipmentRef, now: datetime) -> Outgoing:
    """The shipment, under its order's lock."""
    book = Book.open(session, ref.order_id, now)
    return Outgoing(book, book.shipment(ref.shipment_id))
