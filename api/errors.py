"""Every error of the API as `application/problem+json` (RFC 9457): the one place that turns what went wrong into words.

A problem has a stable `code`, never a person's data, never SQL or a stack. 503 means that nothing was recorded,
504 that nobody knows yet.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from models.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ShelfwayError,
    StaleError,
    VendorUnavailableError,
)
from models.quotes import CannotShipTo
from models.stores.failures import DATABASE_ERRORS, Failure, failure_of

log = logging.getLogger("shelfway.api")

PROBLEM_JSON: Final = "application/problem+json"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"

_STATUS: Final[Mapping[type[ShelfwayError], int]] = {
    NotFoundError: 404,
    ConflictError: 409,
    StaleError: 412,
    InvalidError: 422,
    OutcomeUnknownError: 503,
    VendorUnavailableError: 503,
}
_FRAMEWORK: Final[Mapping[int, str]] = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    422: "invalid",
}


class FieldProblem(BaseModel):
    """One thing that is wrong with one field; `field` is its path, as `lines.0.quantity`."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """What went wrong. `code` is stable; some codes carry members of their own beside these."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "code": "not_found",
                    "title": "Not found",
                    "status": 404,
                    "detail": "No such order.",
                    "request_id": "req_06a6f2…",
                    "errors": [],
                }
            ]
        },
    )
    code: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldProblem] = []


class ProblemError(Exception):
    """Raised by a route to answer with this problem. `members` are the code's own fields beside the standard ones."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str | None = None,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title or code.replace("_", " ").capitalize()
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def body(self, request_id: str) -> dict[str, Any]:
        """The document that is sent, and that a replay sends again."""
        problem = Problem(
            code=self.code,
            title=self.title,
            status=self.status,
            detail=self.detail,
            request_id=request_id,
            errors=self.errors,
        )
        return {**self.members, **problem.model_dump(mode="json")}

    def response(self, request_id: str) -> JSONResponse:
        return JSONResponse(self.body(request_id), self.status, self.headers, media_type=PROBLEM_JSON)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """A route's `responses=`: the statuses at which it answers with a problem, for the API's description."""
    return {status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in statuses}


def request_id_of(request: Request) -> str:
    return str(request.scope.get("request_id", ""))


def install(app: FastAPI) -> None:
    """Give `app` the handlers that make problems of everything that is raised below its middleware."""

    def answer(request: Request, problem: ProblemError) -> JSONResponse:
        return problem.response(request_id_of(request))

    @app.exception_handler(ProblemError)
    def _ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ProblemError)
        return answer(request, error)

    @app.exception_handler(ShelfwayError)
    def _models(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ShelfwayError)
        return answer(request, _of_models(error))

    @app.exception_handler(HTTPException)
    def _framework(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return answer(request, _of_framework(error))

    @app.exception_handler(RequestValidationError)
    def _validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return answer(request, _of_validation(error))

    def _database(request: Request, error: Exception) -> JSONResponse:
        log.warning("database error %s in request %s", type(error).__name__, request_id_of(request))
        return answer(request, _of_database(error, reads=request.method == "GET"))

    for kind in DATABASE_ERRORS:
        app.add_exception_handler(kind, _database)


def unexpected() -> ProblemError:
    """Something broke that nobody foresaw; the log has the rest under the request's id."""
    return ProblemError(500, "internal_error", "Something broke on our side. The log has it under this request_id.")


def cannot_ship_to(answer: CannotShipTo) -> ProblemError:
    """Of a quote and of an order alike: it is found before there is a row."""
    return ProblemError(422, "cannot_ship_to", "We do not ship there.", members=asdict(answer))


def _of_models(error: ShelfwayError) -> ProblemError:
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    field = getattr(error, "field", None)
    headers = {"Retry-After": "1"} if status == 503 or hasattr(error, "retry_after") else {}
    return ProblemError(
        status,
        error.code,
        str(error),
        errors=[FieldProblem(field=field, code=error.code, message=str(error))] if field else (),
        headers=headers,
    )


def _of_framework(error: HTTPException) -> ProblemError:
    code = _FRAMEWORK.get(error.status_code, "http_error")
    phrase = HTTPStatus(error.status_code).phrase
    return ProblemError(error.status_code, code, f"{phrase}.", headers=error.headers)


def _of_validation(error: RequestValidationError) -> ProblemError:
    found: list[FieldProblem] = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"] if part not in ("body", "query", "path", "header"))
        found.append(FieldProblem(field=place, code=str(item["type"]), message=_message(item)))
    if any(item.code == "json_invalid" for item in found):
        return ProblemError(400, "malformed", "The body is not JSON.")
    if key := next((item for item in found if item.field == IDEMPOTENCY_KEY), None):
        code = "idempotency_key_missing" if key.code == "missing" else "idempotency_key_invalid"
        return ProblemError(400, code, f"Send {IDEMPOTENCY_KEY}: 1 to 255 plain characters, new for each new wish.")
    return ProblemError(422, "invalid", "Some fields cannot be meant: see errors.", errors=found)


def _message(item: Mapping[str, Any]) -> str:
    """Pydantic's words without what the caller sent; a lone surrogate in them could not be encoded."""
    return str(item["msg"]).encode("utf-8", "replace").decode()


def _of_database(error: Exception, *, reads: bool) -> ProblemError:
    match failure_of(error):
        case Failure.UNHEARD if not reads:
            return ProblemError(
                504,
                "outcome_unknown",
                "The database was lost as it wrote this down: ask again with the same key.",
                headers={"Retry-After": "2"},
            )
        case Failure.AWAY | Failure.UNHEARD:
            return ProblemError(
                503, "database_away", "The database cannot be reached: try again.", headers={"Retry-After": "2"}
            )
        case Failure.BUSY:
            return ProblemError(
                503, "busy", "Too much wants the same thing at once: try again.", headers={"Retry-After": "1"}
            )
        case Failure.INVALID:
            return ProblemError(422, "invalid", "A text holds a character that cannot be stored.")
        case Failure.BROKEN:
            log.error("unforeseen database error", exc_info=error)
            return unexpected()
