"""A small JSON client on the standard library for our own HTTP API and the sandboxes' admin."""

import http.client
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class ApiError(RuntimeError):
    """The server refused: `status`, `code` and the whole problem as it came."""

    def __init__(self, method: str, path: str, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = dict(problem)
        self.code = str(problem.get("code", ""))
        detail = problem.get("detail") or problem.get("title") or ""
        super().__init__(f"{method} {path} answered {status} {self.code}: {detail}".rstrip(": "))


class ApiUnreachableError(RuntimeError):
    """No answer came: nobody listens, or not within `timeout`."""


@dataclass(frozen=True)
class Reply:
    """A status below 400. `body` is the decoded JSON, None where there was none; header names are lower case."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class ApiClient:
    """Calls under one base URL. Immutable, so threads may share it."""

    base_url: str
    key: str | None = None
    timeout: float = 30.0

    def get(self, path: str, **query: object) -> Any:
        """The decoded body."""
        asked = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
        return self.request("GET", f"{path}?{asked}" if asked else path).body

    def post(self, path: str, body: object = None, *, idempotency_key: str | None = None) -> Any:
        """The decoded body. Without a key of the caller's a new one is sent: two calls are two requests."""
        return self.request("POST", path, body or {}, idempotency_key or secrets.token_hex(12)).body

    def request(self, method: str, path: str, body: object = None, idempotency_key: str | None = None) -> Reply:
        """One call. Raises ApiError for 400 and above, ApiUnreachableError without an answer."""
        headers = {"Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        url = self.base_url.rstrip("/") + path
        asked = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310 (http of ours)
        try:
            with urllib.request.urlopen(asked, timeout=self.timeout) as answer:  # noqa: S310
                kept = {name.lower(): value for name, value in answer.headers.items()}
                return Reply(answer.status, _decoded(answer.read()), kept)
        except urllib.error.HTTPError as error:
            with error:
                problem = _decoded(error.read())
            problem = problem if isinstance(problem, dict) else {"detail": str(problem)}
            raise ApiError(method, path, error.code, problem) from None
        except (OSError, http.client.HTTPException) as error:  # the second: it was cut off in the middle
            raise ApiUnreachableError(f"{method} {url}: {error}") from error


def _decoded(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
