"""The `Idempotency-Key` header, and the answer that is given again. What a key means is `models.stores.requests`."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.deps import CallerDep
from api.errors import IDEMPOTENCY_KEY, PROBLEM_JSON
from models.stores.requests import Recalled, RequestKey, fingerprint

REPLAYED: Final = {"Idempotent-Replayed": "true"}

_Key = Header(
    alias=IDEMPOTENCY_KEY,
    pattern=r"^[!-~]{1,255}$",
    description="Yours, new for each new wish: the same key and body again gives the same answer, and one effect.",
    examples=["5f1c8a52-checkout-1"],
)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request's key before its body is known."""

    caller: str
    key: str
    method: str
    path: str

    def of(self, body: BaseModel | None) -> RequestKey:
        meant = body.model_dump(mode="json") if body is not None else None
        return RequestKey(self.caller, self.key, fingerprint(self.method, self.path, meant))


async def _required(request: Request, caller: CallerDep, key: Annotated[str, _Key]) -> Keyed:
    return Keyed(caller.name, key, request.method, request.url.path)


async def _optional(request: Request, caller: CallerDep, key: Annotated[str | None, _Key] = None) -> Keyed | None:
    return Keyed(caller.name, key, request.method, request.url.path) if key else None


KeyDep = Annotated[Keyed, Depends(_required)]
OptionalKeyDep = Annotated[Keyed | None, Depends(_optional)]


def replay(recalled: Recalled, location: str) -> JSONResponse | None:
    """The final answer that the key has, marked; None while there is none."""
    if recalled.status is None:
        return None
    media_type = PROBLEM_JSON if recalled.status >= 400 else "application/json"
    headers = {**REPLAYED, "Location": location}
    return JSONResponse(recalled.answer, recalled.status, headers, media_type=media_type)
