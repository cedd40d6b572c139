"""One call of the API: key, JSON in and out, refusals in EasyPost's shape. It must not know any object."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.easypost.errors import ApiError, error_body
from sandbox.easypost.shapes import Json, epoch, is_true
from sandbox.easypost.store import Page

MAX_PAGE = 100
PAGE_PARAMETERS = frozenset(
    {"page_size", "before_id", "after_id", "start_datetime", "end_datetime", "purchased", "include_children"}
)


@dataclass(frozen=True)
class Call:
    """What a handler sees of a request."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    base_url: str

    @property
    def id(self) -> str:
        return self.path["id"]

    def page(self, **equal: str) -> Page:
        """The page asked for; `equal` are query parameters that name a column. Raises ApiError."""
        query = self.query
        if unknown := set(query) - PAGE_PARAMETERS - set(equal):
            raise ApiError(422, "PARAMETER.INVALID", f"The sandbox does not filter by {', '.join(sorted(unknown))}.")
        try:
            size = int(query.get("page_size", 20))
        except ValueError:
            size = 0
        if not 1 <= size <= MAX_PAGE:
            raise ApiError(422, "PARAMETER.INVALID", f"page_size is 1 to {MAX_PAGE}.")
        return Page(
            size=size,
            before_id=query.get("before_id"),
            after_id=query.get("after_id"),
            since=epoch(query["start_datetime"]) if "start_datetime" in query else None,
            until=epoch(query["end_datetime"]) if "end_datetime" in query else None,
            purchased=is_true(query["purchased"]) if "purchased" in query else None,
            equal={column: query[name] for name, column in equal.items() if name in query},
        )


Reply = tuple[int, object]
Handler = Callable[[Call], Reply]
Endpoint = Callable[[Request], Awaitable[Response]]


def api(handler: Handler, *, needs_key: bool = True) -> Endpoint:
    """An endpoint of Starlette from a handler; handlers run one after another, so each is alone with the ledger."""

    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        try:
            if needs_key:
                _check_key(request.headers.get("authorization", ""))
            base_url = f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"
            status, body = handler(Call(request.path_params, request.query_params, _parsed(raw), base_url))
        except ApiError as refusal:
            status, body = refusal.status, refusal.body
        return answer(status, body)

    return endpoint


def answer(status: int, body: object) -> Response:
    if status == 204:
        return Response(status_code=204)
    return Response(json.dumps(body, separators=(",", ":")), status, media_type="application/json")


async def refuse_unhandled(_: Request, error: Exception) -> Response:
    return answer(500, error_body(500, f"The sandbox broke: {type(error).__name__}: {error}"))


def _check_key(header: str) -> None:
    """Bearer, or Basic with the key as user; any key will do. Raises ApiError 401."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            value = ""
    if scheme.lower() not in ("basic", "bearer") or not value.strip():
        raise ApiError(401, "APIKEY.INACTIVE", "Send an API key: Basic with the key as user, or Bearer.")


def _parsed(raw: bytes) -> dict[str, Any]:
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise ApiError(400, "BAD_REQUEST", "The body is no JSON.") from error
    if not isinstance(body, dict):
        raise ApiError(400, "BAD_REQUEST", "The body must be an object.")
    return body
