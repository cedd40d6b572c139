"""Shipments over HTTP: what a store or warehouse sees of its parcels, and what it says about them.

A store's key sees its own location's alone: the rest is 404.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from api.commands import CommandsFlowDep
from api.deps import CallerDep, OrdersDep, ShipmentsDep, permit, scope_of
from api.errors import ProblemError, problems
from api.idempotency import KeyDep, OptionalKeyDep
from api.pages.packing_slip import packing_slip
from api.permissions import Caller
from api.schemas.base import Cursor, Id, ListOf, list_of
from api.schemas.commands import CommandOut
from api.schemas.shipments import AcceptIn, HandOverIn, PackIn, PickIn, RejectIn, ShipmentOut, TakeOutIn
from models.stores.commands import NewCommand
from models.words import CommandKind, Stage

router = APIRouter(prefix="/v1/shipments", tags=["store"])

_READ: Final = [Depends(permit("shipments:read"))]
_WORK: Final = [Depends(permit("shipments:work"))]
_HEARD: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": CommandOut, "description": "Recorded; the outcome is not known yet. Look at Location."},
    **problems(400, 404, 409, 422, 503, 504),
}


@router.get("", responses=problems(422), dependencies=_READ)
def list_shipments(
    shipments: ShipmentsDep,
    caller: CallerDep,
    *,
    stage: Annotated[list[Stage] | None, Query()] = None,
    location: Id | None = None,
    order: Id | None = None,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> ListOf[ShipmentOut]:
    """Oldest first, since those are the most urgent. `stage` may be given several times."""
    page = shipments.shipments(
        scope=scope_of(caller), location_id=location, order_id=order, stages=stage or (), cursor=cursor, limit=limit
    )
    return list_of([ShipmentOut.of(record) for record in page.data], page.next_cursor, "/v1/shipments")


@router.get("/{shipment_id}", responses=problems(404), dependencies=_READ)
def get_shipment(shipment_id: Id, shipments: ShipmentsDep, caller: CallerDep) -> ShipmentOut:
    """One parcel: its units, label and tracking."""
    return ShipmentOut.of(shipments.shipment(shipment_id, scope=scope_of(caller)))


@router.post("/{shipment_id}/accept", response_model=CommandOut, responses=_HEARD, dependencies=_WORK)
async def accept_shipment(
    shipment_id: Id, caller: CallerDep, keyed: OptionalKeyDep, commands: CommandsFlowDep, body: AcceptIn | None = None
) -> JSONResponse:
    """The store takes the shipment that it was offered."""
    new = _about(shipment_id, CommandKind.ACCEPT, caller, note=body.note if body else "")
    return await commands.give(new, keyed.of(body) if keyed else None)


@router.post("/{shipment_id}/reject", response_model=CommandOut, responses=_HEARD, dependencies=_WORK)
async def reject_shipment(
    shipment_id: Id, body: RejectIn, caller: CallerDep, keyed: OptionalKeyDep, commands: CommandsFlowDep
) -> JSONResponse:
    """The store cannot ship it, and says why; it is sourced elsewhere at once."""
    new = _about(shipment_id, CommandKind.REJECT, caller, reason=body.reason, note=body.note)
    return await commands.give(new, keyed.of(body) if keyed else None)


@router.post("/{shipment_id}/pick", responses=problems(404, 409, 422, 503, 504), dependencies=_WORK)
def pick_shipment(
    shipment_id: Id, shipments: ShipmentsDep, orders: OrdersDep, caller: CallerDep, body: PickIn | None = None
) -> ShipmentOut:
    """Units are off the shelf: of the shipment all, or those named. It wakes nobody and may be said again."""
    scope = scope_of(caller)
    orders.pick(shipment_id, caller.name, body.units if body else None, scope=scope)
    return ShipmentOut.of(shipments.shipment(shipment_id, scope=scope))


@router.post("/{shipment_id}/pack", response_model=CommandOut, responses=_HEARD, dependencies=_WORK)
async def pack_shipment(
    shipment_id: Id, caller: CallerDep, keyed: OptionalKeyDep, commands: CommandsFlowDep, body: PackIn | None = None
) -> JSONResponse:
    """The parcel is closed: its label is bought and its amount captured next."""
    body = body or PackIn()
    payload = {"box": body.box, "grams": body.grams}
    new = _about(shipment_id, CommandKind.PACK, caller, note=body.note, payload=payload)
    return await commands.give(new, keyed.of(body) if keyed else None)


@router.post("/{shipment_id}/hand-over", response_model=CommandOut, responses=_HEARD, dependencies=_WORK)
async def hand_over_shipment(
    shipment_id: Id, keyed: KeyDep, caller: CallerDep, commands: CommandsFlowDep, body: HandOverIn | None = None
) -> JSONResponse:
    """The carrier has the parcel: its stock goes down."""
    new = _about(shipment_id, CommandKind.HAND_OVER, caller, note=body.note if body else "")
    return await commands.give(new, keyed.of(body))


@router.post("/{shipment_id}/take-out", response_model=CommandOut, responses=_HEARD, dependencies=_WORK)
async def take_out_cancelled_units(
    shipment_id: Id, keyed: OptionalKeyDep, caller: CallerDep, commands: CommandsFlowDep, body: TakeOutIn | None = None
) -> JSONResponse:
    """The units of the closed parcel that were cancelled are out of it: their stock is free, and it may leave."""
    new = _about(shipment_id, CommandKind.TAKE_OUT, caller, note=body.note if body else "")
    return await commands.give(new, keyed.of(body) if keyed else None)


@router.get(
    "/{shipment_id}/label",
    status_code=307,
    response_class=RedirectResponse,
    responses=problems(404),
    dependencies=_READ,
)
def get_label(shipment_id: Id, shipments: ShipmentsDep, caller: CallerDep) -> RedirectResponse:
    """To the label's file, to print it or print it again."""
    label = shipments.shipment(shipment_id, scope=scope_of(caller)).label
    if label is None or label.url is None:
        raise ProblemError(404, "no_label", "No label was bought for this shipment.")
    return RedirectResponse(label.url)


@router.get("/{shipment_id}/packing-slip", response_class=HTMLResponse, responses=problems(404), dependencies=_READ)
def get_packing_slip(shipment_id: Id, shipments: ShipmentsDep, caller: CallerDep) -> HTMLResponse:
    """A page to print and lay into the parcel."""
    page = packing_slip(shipments.shipment(shipment_id, scope=scope_of(caller)))
    return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})


def _about(
    shipment_id: str,
    kind: CommandKind,
    caller: Caller,
    *,
    reason: str = "",
    note: str = "",
    payload: dict[str, Any] | None = None,
) -> NewCommand:
    return NewCommand(
        kind,
        caller.role,
        caller.id,
        reason or kind.value,
        shipment_id=shipment_id,
        scope=scope_of(caller),
        note=note,
        payload=payload or {},
    )
