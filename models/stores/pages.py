"""One page of a list, as every store's list answers it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from models.errors import InvalidError

T = TypeVar("T")
Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])

MAX_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next_cursor` is opaque; None on the last page."""

    data: tuple[T, ...]
    next_cursor: str | None


def page_of(rows: Sequence[T], limit: int, cursors: Sequence[str]) -> Page[T]:
    """Of `limit + 1` rows asked for, with a cursor each: the first `limit`, and whether there are more."""
    if len(rows) <= limit:
        return Page(tuple(rows), None)
    return Page(tuple(rows[:limit]), cursors[limit - 1])


def from_place(
    query: Query,
    at: InstrumentedAttribute[datetime],
    row_id: InstrumentedAttribute[str],
    cursor: str | None,
    limit: int,
    *,
    newest_first: bool = False,
) -> Query:
    """By (time, id), so that rows of one instant each come once: `limit + 1` of those behind the cursor's place."""
    place = tuple_(at, row_id)
    query = query.order_by(*((at.desc(), row_id.desc()) if newest_first else (at, row_id))).limit(limit + 1)
    if cursor is None:
        return query
    seen = tuple_(*place_of(cursor))
    return query.where(place < seen if newest_first else place > seen)


def cursor_of(at: datetime, row_id: str) -> str:
    """A place in a list by (time, id), as an opaque text."""
    return urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[datetime, str]:
    """InvalidError `invalid_cursor` when it is none of ours."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        at, row_id = urlsafe_b64decode(padded).decode().split(" ")
        place = datetime.fromisoformat(at), row_id
        if place[0].tzinfo is None or "\x00" in row_id:
            raise ValueError(cursor)  # noqa: TRY301 (all that can be wrong with it has one answer)
    except ValueError as error:
        raise InvalidError("This cursor is none of ours.", code="invalid_cursor", field="cursor") from error
    return place
