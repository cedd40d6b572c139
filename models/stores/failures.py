"""What a database error means to a caller: the one place outside `db` that knows SQLAlchemy's and Postgres' errors."""

from enum import StrEnum
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from models.db import UnheardCommitError

DATABASE_ERRORS: Final[tuple[type[Exception], ...]] = (DBAPIError, PoolTimeoutError)


class Failure(StrEnum):
    AWAY = "away"  # cannot be reached
    BUSY = "busy"  # a lock, a statement or a connection took too long: the transaction did nothing
    INVALID = "invalid"  # a value that no column can hold
    UNHEARD = "unheard"  # it may have been done: the connection was lost at the commit
    BROKEN = "broken"  # a fault of ours


_BUSY = frozenset({"55P03", "57014", "40001", "40P01", "53300"})
_AWAY_CLASSES = ("08", "57P")
_INVALID_CLASS = "22"


def failure_of(error: Exception) -> Failure:
    """Sort one of DATABASE_ERRORS."""
    if isinstance(error, UnheardCommitError):
        return Failure.UNHEARD
    if isinstance(error, PoolTimeoutError):
        return Failure.BUSY
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state in _BUSY:
        return Failure.BUSY
    if state is None:
        return Failure.AWAY if isinstance(error, OperationalError) else _without_state(error)
    if str(state).startswith(_AWAY_CLASSES):
        return Failure.AWAY
    return Failure.INVALID if str(state).startswith(_INVALID_CLASS) else Failure.BROKEN


def _without_state(error: Exception) -> Failure:
    """The driver refused before it asked Postgres: a NUL byte, a lone surrogate, a number out of range."""
    return Failure.INVALID if type(getattr(error, "orig", None)).__name__ == "DataError" else Failure.BROKEN
