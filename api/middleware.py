"""Around every request: its id, a body's limit of size, the NUL byte's refusal, the last catch for what broke."""

import logging
import re
import time
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ProblemError, unexpected
from models.mint import mint

log = logging.getLogger("shelfway.api")

BODY_LIMIT: Final = 1024 * 1024
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{8,64}")


class Envelope:
    """Pure ASGI. A caller's own `X-Request-Id` is kept when it is plain (8 to 64 letters, digits, `_.-`)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = _request_id(scope)
        scope["arrived_at"] = time.monotonic()
        started = False

        async def labelled(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                if scope["path"].startswith("/v1"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._admit(scope, receive, labelled)
        except ProblemError as problem:
            await problem.response(request_id)(scope, receive, labelled)
        except Exception:
            log.exception("request %s broke", request_id)
            if started:
                raise
            await unexpected().response(request_id)(scope, receive, labelled)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            raise ProblemError(422, "invalid", "A NUL character cannot be meant.")
        body = await _read(receive)
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


def _request_id(scope: Scope) -> str:
    sent = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return sent.decode() if _REQUEST_ID.fullmatch(sent) else mint("req")


async def _read(receive: Receive) -> bytes:
    """The whole body, or the refusal of one that is longer than BODY_LIMIT, however it is sent."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            raise ProblemError(413, "body_too_large", f"A body may have {BODY_LIMIT} bytes.")
        if not message.get("more_body", False):
            return b"".join(parts)
