"""What a route asks for, as Annotated aliases; each is read from `app.state`, which `api.app` fills.

All that a request depends on is `async`, though none of it waits: FastAPI runs each plain function in a thread.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import ProblemError, request_id_of
from api.permissions import Caller, Permission
from api.runs import InTime, Runs
from models.clock import Clock
from models.config import Settings
from models.db import Database
from models.stores.cases import CaseStore
from models.stores.catalogue import CatalogueStore
from models.stores.commands import CommandStore
from models.stores.intake import IntakeStore
from models.stores.locations import LocationsStore
from models.stores.orders import OrderStore
from models.stores.readers import OrderReader
from models.stores.requests import RequestStore
from models.stores.return_reader import ReturnReader
from models.stores.returns import ReturnStore
from models.stores.shipment_reader import ShipmentReader
from models.stores.stock import StockStore
from models.words import Role

_bearer = HTTPBearer(auto_error=False, description="A named key, as `Authorization: Bearer demo-storefront`.")


async def _request_id(request: Request) -> str:
    return request_id_of(request)


async def _settings(request: Request) -> Settings:
    return request.app.state.settings


async def _database(request: Request) -> Database:
    return request.app.state.database


async def _clock(request: Request) -> Clock:
    return request.app.state.clock


async def _runs(request: Request) -> Runs:
    return InTime(request.app.state.runs, request.scope["arrived_at"])


async def _catalogue(request: Request) -> CatalogueStore:
    return request.app.state.catalogue


async def _locations(request: Request) -> LocationsStore:
    return request.app.state.locations


async def _orders(request: Request) -> OrderStore:
    return request.app.state.orders


async def _readers(request: Request) -> OrderReader:
    return request.app.state.readers


async def _stock(request: Request) -> StockStore:
    return request.app.state.stock


async def _shipments(request: Request) -> ShipmentReader:
    return request.app.state.shipments


async def _cases(request: Request) -> CaseStore:
    return request.app.state.cases


async def _intake(request: Request) -> IntakeStore:
    return request.app.state.intake


async def _commands(request: Request) -> CommandStore:
    return request.app.state.commands


async def _requests(request: Request) -> RequestStore:
    return request.app.state.requests


async def _returns(request: Request) -> ReturnStore:
    return request.app.state.returns


async def _return_reader(request: Request) -> ReturnReader:
    return request.app.state.return_reader


SettingsDep = Annotated[Settings, Depends(_settings)]
DatabaseDep = Annotated[Database, Depends(_database)]
ClockDep = Annotated[Clock, Depends(_clock)]
TemporalDep = Annotated[Runs, Depends(_runs)]
CatalogueDep = Annotated[CatalogueStore, Depends(_catalogue)]
LocationsDep = Annotated[LocationsStore, Depends(_locations)]
OrdersDep = Annotated[OrderStore, Depends(_orders)]
ReadersDep = Annotated[OrderReader, Depends(_readers)]
StockDep = Annotated[StockStore, Depends(_stock)]
ShipmentsDep = Annotated[ShipmentReader, Depends(_shipments)]
CasesDep = Annotated[CaseStore, Depends(_cases)]
IntakeDep = Annotated[IntakeStore, Depends(_intake)]
CommandsDep = Annotated[CommandStore, Depends(_commands)]
ReturnsDep = Annotated[ReturnStore, Depends(_returns)]
ReturnReaderDep = Annotated[ReturnReader, Depends(_return_reader)]
RequestsDep = Annotated[RequestStore, Depends(_requests)]
RequestIdDep = Annotated[str, Depends(_request_id)]


def callers(keys: Mapping[str, Mapping[str, Any]]) -> dict[str, Caller]:
    """The configured keys, by their hash, so that a look-up tells nothing by its time."""
    return {
        _digest(key): Caller(role=Role(entry["role"]), id=str(entry["id"]), location_id=entry.get("location_id"))
        for key, entry in keys.items()
    }


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


async def known_caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Whose key it is, or a 401: asked before anything else of every route under /v1."""
    known: dict[str, Caller] = request.app.state.callers
    caller = known.get(_digest(credentials.credentials)) if credentials else None
    if caller is None:
        raise ProblemError(
            401, "unauthenticated", "Send a known key as a bearer token.", headers={"WWW-Authenticate": "Bearer"}
        )
    return caller


CallerDep = Annotated[Caller, Depends(known_caller)]


def scope_of(caller: Caller) -> str | None:
    """The one location that this caller's world ends at; None for those who see all."""
    return caller.location_id or "" if caller.role is Role.STORE else caller.location_id


class Permit:
    """A route's declared permission: `dependencies=[Depends(permit("orders:read"))]`, answering the caller."""

    def __init__(self, permission: Permission) -> None:
        self.permission: Permission = permission

    async def __call__(self, caller: CallerDep) -> Caller:
        if not caller.may(self.permission):
            raise ProblemError(403, "forbidden", f"This key's role may not {self.permission}.")
        return caller


def permit(permission: Permission) -> Permit:
    return Permit(permission)
