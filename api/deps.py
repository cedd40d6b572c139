"""What a route asks for, as Annotated aliases; each is read from `app.state`, which `api.app` fills."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import ProblemError, request_id_of
from api.permissions import Caller, Permission
from api.runs import Runs
from models.clock import Clock
from models.config import Settings
from models.db import Database
from models.words import Role

_bearer = HTTPBearer(auto_error=False, description="A named key, as `Authorization: Bearer demo-storefront`.")


def _settings(request: Request) -> Settings:
    return request.app.state.settings


def _database(request: Request) -> Database:
    return request.app.state.database


def _clock(request: Request) -> Clock:
    return request.app.state.clock


def _runs(request: Request) -> Runs:
    return request.app.state.runs


SettingsDep = Annotated[Settings, Depends(_settings)]
DatabaseDep = Annotated[Database, Depends(_database)]
ClockDep = Annotated[Clock, Depends(_clock)]
TemporalDep = Annotated[Runs, Depends(_runs)]
RequestIdDep = Annotated[str, Depends(request_id_of)]


def callers(keys: Mapping[str, Mapping[str, Any]]) -> dict[str, Caller]:
    """The configured keys, by their hash, so that a look-up tells nothing by its time."""
    return {
        _digest(key): Caller(role=Role(entry["role"]), id=str(entry["id"]), location_id=entry.get("location_id"))
        for key, entry in keys.items()
    }


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _caller(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    known: dict[str, Caller] = request.app.state.callers
    caller = known.get(_digest(credentials.credentials)) if credentials else None
    if caller is None:
        raise ProblemError(
            401, "unauthenticated", "Send a known key as a bearer token.", headers={"WWW-Authenticate": "Bearer"}
        )
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]


class Permit:
    """A route's declared permission: `dependencies=[Depends(permit("orders:read"))]`, answering the caller."""

    def __init__(self, permission: Permission) -> None:
        self.permission: Permission = permission

    def __call__(self, caller: CallerDep) -> Caller:
        if not caller.may(self.permission):
            raise ProblemError(403, "forbidden", f"This key's role may not {self.permission}.")
        return caller


def permit(permission: Permission) -> Permit:
    return Permit(permission)
