"""Which node has an order's units: placed, offered, accepted, re-sourced. A part of `Fulfilment`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.hours import Spell, add_open_time
from models.messages.timings import OrderTimings
from models.stores.book import Book
from models.stores.sourcing import Shortage, SourcingStore, UnitDemand
from models.stores.stock import StockStore
from models.tables.orders import OrderUnit
from models.tables.shipments import Shipment
from models.tables.stock import Location, OpeningHours
from models.words import CaseType, Role, Stage, UnitState

SYSTEM = "shelfway"


class Nodes:
    def __init__(self, stock: StockStore, sourcing: SourcingStore) -> None:
        self._stock = stock
        self._sourcing = sourcing

    def send_to_node(self, book: Book, shipment: Shipment) -> None:
        """A warehouse's parcel is released at once; a store is offered its own and must answer in time."""
        if shipment.location_id not in book.stores:
            self.accept(book, shipment, SYSTEM)
            return
        shipment.stage, shipment.offered_at = Stage.OFFERED, book.now
        shipment.deadline = _offer_ends(book.session, shipment.location_id, book.timings, book)
        book.tell("shipment.offered", SYSTEM, shipment=shipment.id, node=shipment.location_id, until=_at(shipment))

    def accept(self, book: Book, shipment: Shipment, actor: str) -> None:
        """To be picked and packed there. A store that says so has its units accepted; a warehouse was not asked."""
        shipment.stage, shipment.accepted_at = Stage.ACCEPTED, book.now
        shipment.deadline = book.now + book.timings.pack
        if actor is not SYSTEM:
            for unit in book.units_of(shipment):
                unit.state = UnitState.ACCEPTED
        word = "released" if actor is SYSTEM else "accepted"
        book.tell(f"shipment.{word}", actor, shipment=shipment.id, node=shipment.location_id, until=_at(shipment))

    def re_source(self, book: Book, shipment: Shipment, reason: str, actor: str) -> None:
        """Its node will not ship it: its units go to other nodes at once, or wait for the customer's or ops' choice."""
        units = book.units_of(shipment)
        lines = [u.line_id for u in units]
        self._sourcing.exclude(book.session, book.order.id, lines, shipment.location_id, reason=reason, now=book.now)
        book.tell("shipment.rejected", actor, shipment=shipment.id, node=shipment.location_id, reason=reason)
        self.elsewhere(book, shipment, units, reason)

    def source_again(self, book: Book, shipment: Shipment) -> bool:
        """Look once more for a shelf that has what no shelf had."""
        self.elsewhere(book, shipment, book.units_of(shipment), "retry")
        return shipment.stage is Stage.RE_SOURCED

    def elsewhere(self, book: Book, shipment: Shipment, units: Sequence[OrderUnit], reason: str) -> None:
        """Some of a parcel's units, or all: their holds move with them; where nobody has them, they are let go."""
        placed = self.place(book, units, reason, origin=shipment.id)
        if isinstance(placed, Shortage):
            self._stock.release(book.session, book.order.id, book.now, unit_ids=[u.id for u in units])
            for unit in units:
                unit.state, unit.lot_id = UnitState.AWAITING, None
            self._await_supply(book, self._apart(book, shipment, units), reason)
            return
        left = len(book.units_of(shipment))
        if not left:
            end(shipment, Stage.RE_SOURCED, reason)
        for new in placed:
            book.tell("shipment.re_sourced", SYSTEM, shipment=shipment.id, to=new.id, node=new.location_id, left=left)
            self.send_to_node(book, new)

    def _await_supply(self, book: Book, shipment: Shipment, reason: str) -> None:
        """No shelf has it: somebody's turn until the customer's patience ends."""
        shipment.stage, shipment.deadline = Stage.UNSOURCED, book.now + book.timings.customer_answer
        book.open_case(CaseType.UNSOURCED, shipment.id, Role.CS, node=shipment.location_id, reason=reason)

    def _apart(self, book: Book, shipment: Shipment, units: Sequence[OrderUnit]) -> Shipment:
        """A shipment of these units alone: their own, or a new one beside it."""
        if len(units) == len(book.units_of(shipment)):
            return shipment
        store = shipment.location_id in book.stores
        return book.add_shipment(shipment.location_id, units, store=store, origin=shipment.id)

    def place(
        self, book: Book, units: Sequence[OrderUnit], cause: str, origin: str | None
    ) -> list[Shipment] | Shortage:
        order = book.order
        known = order.latitude is not None and order.longitude is not None
        placed = self._sourcing.place(
            book.session,
            holder=order.id,
            order_id=order.id,
            demand=[UnitDemand(u.id, u.line_id, u.sku) for u in units],
            country=order.country,
            destination=(order.latitude or 0.0, order.longitude or 0.0) if known else None,
            excluded=self._sourcing.excluded(book.session, order.id),
            cart=None if order.confirmed_at else order.cart_hold_id,
            expires_at=None if order.confirmed_at else order.expires_at,
            now=book.now,
            cause=cause,
        )
        if isinstance(placed, Shortage):
            return placed
        by_id = {u.id: u for u in units}
        shipments: list[Shipment] = []
        for group in placed.groups:
            inside = [by_id[unit_id] for unit_id in group.unit_ids]
            shipments.append(book.add_shipment(group.location_id, inside, store=group.store, origin=origin))
            for unit in inside:
                unit.state, unit.lot_id = UnitState.RESERVED, placed.lots[unit.id]
        return shipments


def end(shipment: Shipment, stage: Stage, reason: str | None) -> None:
    shipment.stage, shipment.deadline, shipment.end_reason = stage, None, reason


def _at(shipment: Shipment) -> str | None:
    return shipment.deadline.isoformat() if shipment.deadline else None


def _offer_ends(session: Session, location_id: str, timings: OrderTimings, book: Book) -> datetime:
    """A store's time to answer counts in its opening hours and zone, unless the order's waits say otherwise."""
    if not timings.offer_in_opening_hours:
        return book.now + timings.offer
    zone = session.scalars(select(Location.timezone).where(Location.id == location_id)).one()
    rows = session.execute(
        select(OpeningHours.weekday, OpeningHours.opens, OpeningHours.closes).where(
            OpeningHours.location_id == location_id
        )
    )
    spells = [Spell(weekday, opens, closes) for weekday, opens, closes in rows]
    return add_open_time(book.now, timings.offer, spells, zone)
