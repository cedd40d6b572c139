"""What Postgres refused, as our errors: a key that exists, a reference to nothing."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from models.errors import ConflictError, InvalidError

_UNIQUE, _FOREIGN = "23505", "23503"


@contextmanager
def refusals(what: str) -> Generator[None]:
    """Round a transaction that writes `what`: ConflictError `exists` or InvalidError `unknown_reference`."""
    try:
        yield
    except IntegrityError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == _UNIQUE:
            raise ConflictError(f"{what} exists already.", code="exists") from error
        if state == _FOREIGN:
            raise InvalidError(f"{what} refers to something that does not exist.", code="unknown_reference") from error
        raise
