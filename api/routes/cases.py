"""Cases over HTTP: the exceptions that somebody owns."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import CallerDep, CasesDep, permit
from api.errors import problems
from api.schemas.base import Cursor, Id, ListOf, list_of
from api.schemas.cases import CaseOut, CloseCase
from models.words import CaseType

router = APIRouter(prefix="/v1/cases", tags=["ops", "cs"])


@router.get("", responses=problems(422), dependencies=[Depends(permit("cases:read"))])
def list_cases(
    cases: CasesDep,
    *,
    include_closed: bool = False,
    type: CaseType | None = None,  # noqa: A002 (the query's name)
    order: Id | None = None,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> ListOf[CaseOut]:
    """Open ones, the longest open first."""
    page = cases.cases(open_only=not include_closed, kind=type, order_id=order, cursor=cursor, limit=limit)
    return list_of([CaseOut.of(case) for case in page.data], page.next_cursor, "/v1/cases")


@router.post("/{case_id}/close", responses=problems(404, 409, 422), dependencies=[Depends(permit("cases:close"))])
def close_case(case_id: Id, body: CloseCase, cases: CasesDep, caller: CallerDep) -> CaseOut:
    """It is dealt with: who closed it and how stays on record."""
    return CaseOut.of(cases.close(case_id, role=caller.role, actor=caller.id, resolution=body.resolution))
