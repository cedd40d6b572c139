"""The public shape of shipments, and what a node says about one."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field

from api.schemas.base import Id, In, LongText, Out, Word
from api.schemas.samples import SHIPMENT
from models.stores.shipment_reader import Piece, ShipmentRecord
from models.tables.shipments import Label
from models.words import Stage, UnitState

Grams = Annotated[int, Field(strict=True, ge=1, le=70_000)]


class AcceptIn(In):
    """The store takes the whole shipment."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Back room shelf 4."}]})
    note: LongText = ""


class RejectIn(In):
    """Why the node cannot ship it: a code. It is sourced elsewhere at once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "not_found_on_shelf"}]})
    reason: Word
    note: LongText = ""


class PickIn(In):
    """Units taken from the shelf; without any, all of the shipment's."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"units": ["unit_06h1a0"]}]})
    units: Annotated[list[Id], Field(max_length=1000)] | None = None


class PackIn(In):
    """The box it is in and what the closed parcel weighs; without them they are reckoned from the goods."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"box": "box_s", "grams": 310}]})
    box: Id | None = None
    grams: Grams | None = None
    note: LongText = ""


class HandOverIn(In):
    """The carrier has the parcel."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Afternoon collection."}]})
    note: LongText = ""


class TakeOutIn(In):
    """The cancelled units are out of the closed parcel and back on the shelf."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Parcel closed again."}]})
    note: LongText = ""


class PieceOut(Out):
    """A unit, as a person finds it on a shelf."""

    id: str
    sku: str
    title: str
    shade: str | None
    size: str | None
    barcode: str | None
    hazmat: bool
    state: UnitState

    @classmethod
    def of(cls, piece: Piece) -> Self:
        unit, variant = piece.unit, piece.variant
        return cls(
            id=unit.id,
            sku=unit.sku,
            title=variant.title,
            shade=variant.shade,
            size=variant.size,
            barcode=variant.barcode,
            hazmat=variant.hazmat,
            state=unit.state,
        )


class LabelOut(Out):
    carrier: str | None
    service: str | None
    tracking_code: str | None
    url: str | None
    bought_at: datetime | None

    @classmethod
    def of(cls, label: Label | None) -> Self | None:
        return cls.model_validate(label) if label is not None and label.bought_at is not None else None


class TrackingEventOut(Out):
    """What the carrier said."""

    status: str
    detail: str
    occurred_at: datetime


class ShipmentOut(Out):
    """The units that one node ships in one parcel."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHIPMENT]})
    object: Literal["shipment"] = "shipment"
    id: str
    order: str
    order_number: str
    position: int
    location_id: str
    location_name: str
    stage: Stage
    deadline: datetime | None
    leaving: bool
    end_reason: str | None
    units: list[PieceOut]
    box: str | None
    grams: int | None
    label: LabelOut | None
    tracking: list[TrackingEventOut]
    created_at: datetime
    offered_at: datetime | None
    accepted_at: datetime | None
    packed_at: datetime | None
    captured_at: datetime | None
    handed_over_at: datetime | None
    delivered_at: datetime | None
    url: str

    @classmethod
    def of(cls, record: ShipmentRecord) -> Self:
        shipment = record.shipment
        return cls(
            id=shipment.id,
            order=shipment.order_id,
            order_number=record.order.number,
            position=shipment.position,
            location_id=shipment.location_id,
            location_name=record.location.name,
            stage=shipment.stage,
            deadline=shipment.deadline,
            leaving=shipment.leaving,
            end_reason=shipment.end_reason,
            units=[PieceOut.of(piece) for piece in record.pieces],
            box=shipment.box_id,
            grams=shipment.grams,
            label=LabelOut.of(record.label),
            tracking=[TrackingEventOut.model_validate(event) for event in record.tracking],
            created_at=shipment.created_at,
            offered_at=shipment.offered_at,
            accepted_at=shipment.accepted_at,
            packed_at=shipment.packed_at,
            captured_at=shipment.captured_at,
            handed_over_at=shipment.handed_over_at,
            delivered_at=shipment.delivered_at,
            url=f"/v1/shipments/{shipment.id}",
        )
