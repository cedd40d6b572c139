"""What a node sees of its shipments: three statements however many. A store's key sees its own location's alone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.db import Database
from models.errors import NotFoundError
from models.stores.pages import Page, cursor_of, from_place, page_of
from models.tables.catalogue import Variant
from models.tables.orders import Order, OrderUnit
from models.tables.shipments import Label, Shipment, TrackingEvent
from models.tables.stock import Location
from models.words import Stage


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit with the words that a person needs to find it on a shelf."""

    unit: OrderUnit
    variant: Variant


@dataclass(frozen=True, slots=True)
class ShipmentRecord:
    shipment: Shipment
    order: Order
    location: Location
    label: Label | None
    pieces: tuple[Piece, ...]
    tracking: tuple[TrackingEvent, ...]


class ShipmentReader:
    """`scope` is a store's location: what lies elsewhere does not exist for it. None sees all."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def shipment(self, shipment_id: str, *, scope: str | None) -> ShipmentRecord:
        query = _query(scope).where(Shipment.id == shipment_id)

        def work(session: Session) -> ShipmentRecord:
            found = _records(session, query)
            if not found:
                raise NotFoundError("No such shipment.")
            return found[0]

        return self._db.transaction(work)

    def shipments(
        self,
        *,
        scope: str | None,
        location_id: str | None,
        order_id: str | None,
        stages: Sequence[Stage],
        cursor: str | None,
        limit: int,
    ) -> Page[ShipmentRecord]:
        """Oldest first, since the oldest is the most urgent; by (time, id)."""
        query = from_place(_query(scope), Shipment.created_at, Shipment.id, cursor, limit)
        if location_id is not None:
            query = query.where(Shipment.location_id == location_id)
        if order_id is not None:
            query = query.where(Shipment.order_id == order_id)
        if stages:
            query = query.where(Shipment.stage.in_(stages))

        def work(session: Session) -> Page[ShipmentRecord]:
            found = _records(session, query)
            cursors = [cursor_of(each.shipment.created_at, each.shipment.id) for each in found]
            return page_of(found, limit, cursors)

        return self._db.transaction(work)


def _query(scope: str | None) -> Select[Shipment, Order, Location, Label]:
    query = (
        select(Shipment, Order, Location, Label)
        .join(Order, Order.id == Shipment.order_id)
        .join(Location, Location.id == Shipment.location_id)
        .outerjoin(Label, (Label.shipment_id == Shipment.id) & Label.refund_requested_at.is_(None))
    )
    return query if scope is None else query.where(Shipment.location_id == scope)


def _records(session: Session, query: Select[Shipment, Order, Location, Label]) -> list[ShipmentRecord]:
    rows = session.execute(query).all()
    ids = [shipment.id for shipment, *_ in rows]
    pieces: defaultdict[str | None, list[Piece]] = defaultdict(list)
    for unit, variant in session.execute(
        select(OrderUnit, Variant)
        .join(Variant, Variant.sku == OrderUnit.sku)
        .where(OrderUnit.shipment_id.in_(ids))
        .order_by(OrderUnit.sku, OrderUnit.id)
    ):
        pieces[unit.shipment_id].append(Piece(unit, variant))
    tracking: defaultdict[str, list[TrackingEvent]] = defaultdict(list)
    for event in session.scalars(
        select(TrackingEvent).where(TrackingEvent.shipment_id.in_(ids)).order_by(TrackingEvent.id)
    ):
        tracking[event.shipment_id].append(event)
    return [
        ShipmentRecord(shipment, order, location, label, tuple(pieces[shipment.id]), tuple(tracking[shipment.id]))
        for shipment, order, location, label in rows
    ]
