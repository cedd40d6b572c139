"""The public shape of returns, and what people say about one."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field

from api.schemas.base import Id, In, LongText, Money, Out, Word
from api.schemas.samples import RETURN
from api.schemas.shipments import LabelOut
from models.stores.return_reader import Piece, ReturnRecord
from models.words import Disposition, RefundOn, ReturnStage, UnitState


class ReturnIn(In):
    """The units that come back, and why (a code). `refund_on` is the moment the money goes back.

    Without `location` they go to the node that shipped them; without `label` the customer sees to the way.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"units": ["unit_06h1a0"], "reason": "wrong_shade", "refund_on": "receipt"}]}
    )
    units: Annotated[list[Id], Field(min_length=1, max_length=1000)]
    reason: Word
    note: LongText = ""
    refund_on: RefundOn = RefundOn.RECEIPT
    location: Id | None = None
    label: bool = True


class ReceivedIn(In):
    """A unit that is here, and what becomes of it."""

    unit: Id
    disposition: Disposition = Disposition.RESTOCK


class ReceiveIn(In):
    """What came back, and where; the rest of the return is still awaited."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"units": [{"unit": "unit_06h1a0", "disposition": "restock"}]}]}
    )
    units: Annotated[list[ReceivedIn], Field(min_length=1, max_length=1000)]
    location: Id | None = None
    note: LongText = ""


class ReturnUnitOut(Out):
    id: str
    sku: str
    state: UnitState
    amount: Money
    received_at: datetime | None
    location_id: str | None
    disposition: Disposition | None

    @classmethod
    def of(cls, found: Piece, currency: str) -> Self:
        piece, unit = found.piece, found.unit
        return cls(
            id=unit.id,
            sku=unit.sku,
            state=unit.state,
            amount=Money(amount=unit.amount, currency=currency),
            received_at=piece.received_at,
            location_id=piece.location_id,
            disposition=piece.disposition,
        )


class ReturnOut(Out):
    """One return. `deadline` is the next reminder or the end; the label is there once it is bought."""

    model_config = ConfigDict(json_schema_extra={"examples": [RETURN]})
    object: Literal["return"] = "return"
    id: str
    order: str
    order_number: str
    stage: ReturnStage
    reason: str
    location_id: str
    refund_on: RefundOn
    units: list[ReturnUnitOut]
    label: LabelOut | None
    deadline: datetime | None
    expires_at: datetime
    created_at: datetime
    scanned_at: datetime | None
    closed_at: datetime | None
    url: str

    @classmethod
    def of(cls, record: ReturnRecord) -> Self:
        row = record.row
        same = ("id", "stage", "reason", "location_id", "refund_on", "deadline", "expires_at", "created_at")
        return cls(
            **{name: getattr(row, name) for name in same},
            order=row.order_id,
            order_number=record.order.number,
            units=[ReturnUnitOut.of(piece, record.order.currency) for piece in record.pieces],
            label=LabelOut.of(record.label),
            scanned_at=row.scanned_at,
            closed_at=row.closed_at,
            url=f"/v1/returns/{row.id}",
        )
