"""What went wrong, as types. A refusal (decline, shortage, too late) is a result, not one of these.

Each error has a stable `code`, the word that callers of the API may rely on; the HTTP status is the api's business.
"""

import traceback
from pathlib import Path


class ShelfwayError(Exception):
    """The base: a message that may be shown to a caller. It never holds a person's data."""

    code = "internal_error"
    retryable = False  # by itself, as an activity


class NotFoundError(ShelfwayError):
    """No such thing, or none that this caller may see."""

    code = "not_found"


class InvalidError(ShelfwayError):
    """The words are well-formed but cannot be meant; `field` names the place."""

    code = "invalid"

    def __init__(self, message: str, *, code: str = "invalid", field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class ConflictError(ShelfwayError):
    """The thing's present state forbids it."""

    code = "conflict"

    def __init__(self, message: str, *, code: str = "conflict") -> None:
        super().__init__(message)
        self.code = code


class StaleError(ShelfwayError):
    """It was changed in between: read it again."""

    code = "stale"


class MoneyBusyError(ShelfwayError):
    """Another operation on this intent has no outcome yet: wait for its turn. Retryable."""

    code = "money_busy"
    retryable = True


class VoidRefusedError(ShelfwayError):
    """Stripe still holds the customer's money and will not give it back as it was asked: for a person."""

    code = "void_refused"


class OutcomeUnknownError(ShelfwayError):
    """A vendor was asked and it is not known what came of it. Retryable: the next try looks it up first."""

    code = "outcome_unknown"
    retryable = True


class RejectedError(ShelfwayError):
    """A vendor understood and will never do it as it stands. The message holds codes and parameters' names alone."""

    code = "vendor_rejected"


class VendorUnavailableError(ShelfwayError):
    """A vendor did not do what was asked, and surely so (429, refused connection). Retryable."""

    code = "vendor_unavailable"
    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def frames_of(error: BaseException) -> list[str]:
    """Where it broke, without the message: Postgres quotes whole rows in its own."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
