"""What `GET` shows of returns: rows of Postgres. Writes nothing, locks nothing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.db import Database
from models.errors import NotFoundError
from models.stores.pages import Page, cursor_of, from_place, page_of
from models.tables.orders import Order, OrderUnit
from models.tables.returns import Return, ReturnUnit
from models.tables.shipments import Label
from models.words import ReturnStage


@dataclass(frozen=True, slots=True)
class Piece:
    piece: ReturnUnit
    unit: OrderUnit


@dataclass(frozen=True, slots=True)
class ReturnRecord:
    row: Return
    order: Order
    label: Label | None
    pieces: tuple[Piece, ...]


class ReturnReader:
    def __init__(self, database: Database) -> None:
        self._db = database

    def one(self, return_id: str) -> ReturnRecord:
        def work(session: Session) -> ReturnRecord:
            found = _records(session, _QUERY.where(Return.id == return_id))
            if not found:
                raise NotFoundError("No such return.")
            return found[0]

        return self._db.transaction(work)

    def many(
        self,
        *,
        order_id: str | None,
        location_id: str | None,
        stages: Sequence[ReturnStage],
        cursor: str | None,
        limit: int,
    ) -> Page[ReturnRecord]:
        """Oldest first, by (time, id); those of one order, on their way to one location, at these stages."""
        query = from_place(_QUERY, Return.created_at, Return.id, cursor, limit)
        if order_id is not None:
            query = query.where(Return.order_id == order_id)
        if location_id is not None:
            query = query.where(Return.location_id == location_id)
        if stages:
            query = query.where(Return.stage.in_(stages))

        def work(session: Session) -> Page[ReturnRecord]:
            found = _records(session, query)
            return page_of(found, limit, [cursor_of(each.row.created_at, each.row.id) for each in found])

        return self._db.transaction(work)


_QUERY = (
    select(Return, Order, Label)
    .join(Order, Order.id == Return.order_id)
    .outerjoin(Label, (Label.return_id == Return.id) & Label.refund_requested_at.is_(None))
)


def _records(session: Session, query: Select[Return, Order, Label]) -> list[ReturnRecord]:
    rows = session.execute(query).all()
    pieces: defaultdict[str, list[Piece]] = defaultdict(list)
    inside = (
        select(ReturnUnit, OrderUnit)
        .join(OrderUnit, OrderUnit.id == ReturnUnit.unit_id)
        .where(ReturnUnit.return_id.in_([row.id for row, *_ in rows]))
        .order_by(ReturnUnit.unit_id)
    )
    for piece, unit in session.execute(inside):
        pieces[piece.return_id].append(Piece(piece, unit))
    return [ReturnRecord(row, order, label, tuple(pieces[row.id])) for row, order, label in rows]
