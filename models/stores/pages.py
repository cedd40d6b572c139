"""One page of a list, as every store's list answers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

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
