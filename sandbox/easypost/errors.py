"""Refusals in EasyPost's shape. It must not know HTTP handling beyond the status."""

from collections.abc import Sequence

BY_STATUS = {
    401: "APIKEY.INACTIVE",
    402: "PAYMENT_REQUIRED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMITED",
    501: "SANDBOX.NOT_IMPLEMENTED",
    503: "SERVICE_UNAVAILABLE",
}


class ApiError(Exception):
    """What the caller is told; `errors` has one object for each field."""

    def __init__(self, status: int, code: str, message: str, errors: Sequence[object] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.body = error_body(status, message, code, errors)


def error_body(status: int, message: str, code: str | None = None, errors: Sequence[object] = ()) -> dict[str, object]:
    """The JSON of a refusal; the code follows from the status where none is given."""
    code = code or BY_STATUS.get(status, "INTERNAL_SERVER_ERROR" if status >= 500 else "BAD_REQUEST")
    return {"error": {"code": code, "message": message, "errors": list(errors)}}


def field_error(field: str, message: str) -> dict[str, object]:
    return {"field": field, "message": message, "suggestion": None}


def required(*fields: str) -> ApiError:
    return ApiError(
        422,
        "PARAMETER.REQUIRED",
        "Missing required parameter.",
        [field_error(field, "cannot be blank") for field in fields],
    )


def not_found() -> ApiError:
    return ApiError(404, "NOT_FOUND", "The requested resource could not be found.")


def not_implemented(what: str) -> ApiError:
    return ApiError(501, BY_STATUS[501], f"The EasyPost sandbox of Shelfway does not implement {what}.")
