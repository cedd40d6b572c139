"""The public shape of cases."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import ConfigDict

from api.schemas.base import In, Out, ShortText
from api.schemas.samples import CASE
from models.tables.messages import Case
from models.words import CaseType, Role


class CloseCase(In):
    """How it ended, for those who look later."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"resolution": "Packed by hand and collected."}]})
    resolution: ShortText


class CaseOut(Out):
    """An exception that somebody owns. `subject` is what it is about: a shipment, an intent, an order."""

    model_config = ConfigDict(json_schema_extra={"examples": [CASE]})
    object: Literal["case"] = "case"
    id: str
    type: CaseType
    order: str | None
    subject: str
    owner: Role
    detail: dict[str, Any]
    opened_at: datetime
    reminded_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    resolution: str | None

    @classmethod
    def of(cls, case: Case) -> Self:
        return cls(
            id=case.id,
            type=case.type,
            order=case.order_id,
            subject=case.subject,
            owner=case.owner,
            detail=case.detail,
            opened_at=case.opened_at,
            reminded_at=case.reminded_at,
            closed_at=case.closed_at,
            closed_by=case.closed_by,
            resolution=case.resolution,
        )
