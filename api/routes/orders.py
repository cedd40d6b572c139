"""Orders over HTTP: place one, read it and its story, ask its run, command it. Thin: stores and flows work."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.checkout import CheckoutsDep
from api.commands import CommandsFlowDep
from api.deps import CallerDep, IntakeDep, ReadersDep, RequestIdDep, RequestsDep, SettingsDep, TemporalDep, permit
from api.errors import ProblemError, cannot_ship_to, problems
from api.etags import etag
from api.idempotency import REPLAYED, KeyDep, OptionalKeyDep, replay
from api.permissions import Caller
from api.schemas.base import Cursor, Id, ListOf, ShortText, Word, list_of
from api.schemas.commands import CommandOut, RunOut, WaitingOut
from api.schemas.orders import CancelIn, EventOut, HoldIn, OrderOut, PlaceOrder, PlanOut, RetryIn
from api.schemas.quotes import QuoteOut
from api.stream import is_stream, stream_events
from models.quotes import CannotShipTo
from models.stores.commands import NewCommand
from models.stores.intake import Accepted, PriceChanged
from models.stores.readers import OrderFilter
from models.words import CommandKind, OrderStatus

router = APIRouter(prefix="/v1/orders")

_HEARD: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": CommandOut, "description": "Recorded; the outcome is not known yet. Look at Location."},
    **problems(400, 404, 409, 422, 503, 504),
}
_PLACED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": OrderOut, "description": "Confirmed, or pending the customer's confirmation (3-D Secure)."},
    202: {"model": OrderOut, "description": "Accepted; the verdict is not known yet. Look at Location."},
    **problems(400, 402, 409, 422, 503, 504),
}
Limit = Annotated[int, Query(ge=1, le=100)]


@router.post(
    "",
    status_code=201,
    response_model=OrderOut,
    responses=_PLACED,
    tags=["storefront"],
    dependencies=[Depends(permit("orders:create"))],
)
async def place_order(
    *,
    body: PlaceOrder,
    keyed: KeyDep,
    caller: CallerDep,
    intake: IntakeDep,
    requests: RequestsDep,
    checkouts: CheckoutsDep,
    request_id: RequestIdDep,
) -> JSONResponse:
    """Check out. The answer is the verdict; with 202 it is not known yet, and the same key and body asks again.

    402 `declined`, 409 `out_of_stock` and `price_changed`, 422 `invalid_address` and `cannot_ship_to`.
    """
    if body.waits is not None and not caller.may("orders:waits"):
        raise ProblemError(403, "forbidden", "This key's role may not orders:waits.")
    key = keyed.of(body)
    placed = await run_in_threadpool(requests.seen, key)
    placed = placed or await run_in_threadpool(intake.place, body.checkout(), key, caller.name)
    match placed:
        case Accepted(order_id):
            return (await checkouts.answer(order_id, key, request_id)).response()
        case PriceChanged(quote, choice):
            raise ProblemError(
                409,
                "price_changed",
                f"The total is {choice.cart.total} now: see quote.",
                members={"quote": QuoteOut.of(quote).model_dump(mode="json")},
            )
        case CannotShipTo():
            raise cannot_ship_to(placed)
        case recalled:
            if answer := replay(recalled, f"/v1/orders/{recalled.resource}"):
                return answer
            return (await checkouts.again(recalled.resource, key, request_id)).response(REPLAYED)


@router.get("", responses=problems(422), tags=["cs"], dependencies=[Depends(permit("orders:read"))])
def list_orders(
    readers: ReadersDep,
    *,
    status: OrderStatus | None = None,
    channel: Word | None = None,
    brand: Id | None = None,
    number: ShortText | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 10,
) -> ListOf[OrderOut]:
    """Newest first; each order comes once, also where many were placed at one instant."""
    page = readers.orders(OrderFilter(status, channel, brand, number), cursor=cursor, limit=limit)
    return list_of([OrderOut.of(record) for record in page.data], page.next_cursor, "/v1/orders")


@router.get(
    "/{order_id}",
    responses=problems(404, 422),
    tags=["storefront", "cs"],
    dependencies=[Depends(permit("orders:read"))],
)
def get_order(
    order_id: Id,
    readers: ReadersDep,
    response: Response,
    expand: Annotated[list[Literal["events", "sourcing"]] | None, Query()] = None,
) -> OrderOut:
    """The order as Postgres has it: also while Temporal is away."""
    record = readers.order(order_id)
    response.headers["ETag"] = etag(record.order.revision)
    order = OrderOut.of(record)
    if "events" in (expand or ()):
        order.events = [EventOut.of(event) for event in readers.events(order_id, after=0, limit=200)]
    if "sourcing" in (expand or ()):
        order.sourcing = [PlanOut.of(plan) for plan in readers.plans(order_id)]
    return order


@router.get(
    "/{order_id}/events",
    response_model=ListOf[EventOut],
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        204: {"description": "A stream that has nothing more to tell: the order is closed."},
        **problems(404, 422),
    },
    tags=["storefront", "cs"],
    dependencies=[Depends(permit("orders:read"))],
)
async def list_order_events(
    *,
    order_id: Id,
    request: Request,
    readers: ReadersDep,
    after: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,9}$")] = None,
) -> Any:
    """The order's story after event number `after`. With `Accept: text/event-stream` it is told as it happens."""
    if is_stream(request):
        start = int(last_event_id) if last_event_id else after
        return await stream_events(readers, order_id, start)
    events = await run_in_threadpool(readers.events, order_id, after=after, limit=limit + 1)
    told = [EventOut.of(event) for event in events[:limit]]
    return ListOf(
        data=told,
        has_more=len(events) > limit,
        next_cursor=str(told[-1].seq) if len(events) > limit else None,
        url=f"/v1/orders/{order_id}/events",
    )


@router.get("/{order_id}/run", responses=problems(404), tags=["ops"], dependencies=[Depends(permit("orders:read"))])
async def get_order_run(order_id: Id, readers: ReadersDep, runs: TemporalDep, settings: SettingsDep) -> RunOut:
    """What the live run waits for, until when, and whose turn it is; with the link to it in Temporal's UI."""
    order = (await run_in_threadpool(readers.order, order_id)).order
    view = None if order.closed_at else await runs.view(order_id)
    ui = settings.temporal_ui_url
    return RunOut(
        order=order_id,
        state="open" if view else "over" if order.closed_at else "away",
        status=view.status if view else order.status,
        waits=[WaitingOut.model_validate(each) for each in view.waits] if view else [],
        temporal_ui=f"{ui.rstrip('/')}/workflows/{order_id}" if ui else None,
    )


@router.get(
    "/{order_id}/sourcing", responses=problems(404), tags=["ops"], dependencies=[Depends(permit("orders:read"))]
)
def list_order_sourcing(order_id: Id, readers: ReadersDep) -> ListOf[PlanOut]:
    """Every sourcing plan of the order as it was decided, oldest first."""
    plans = [PlanOut.of(plan) for plan in readers.plans(order_id)]
    return ListOf(data=plans, has_more=False, url=f"/v1/orders/{order_id}/sourcing")


@router.post(
    "/{order_id}/cancel",
    response_model=CommandOut,
    responses=_HEARD,
    tags=["storefront", "cs"],
    dependencies=[Depends(permit("orders:cancel"))],
)
async def cancel_order(
    order_id: Id, body: CancelIn, keyed: KeyDep, caller: CallerDep, commands: CommandsFlowDep
) -> JSONResponse:
    """Cancel the order or some of its units: answered when label, money and stock are undone, or why it cannot be."""
    payload = {"units": body.units} if body.units else None
    new = _about(order_id, CommandKind.CANCEL, caller, body.reason, body.note, payload=payload)
    return await commands.give(new, keyed.of(body))


@router.post(
    "/{order_id}/holds",
    response_model=CommandOut,
    responses=_HEARD,
    tags=["cs", "ops"],
    dependencies=[Depends(permit("orders:hold"))],
)
async def hold_order(
    order_id: Id, body: HoldIn, keyed: OptionalKeyDep, caller: CallerDep, commands: CommandsFlowDep
) -> JSONResponse:
    """Stop what comes next, for a reason; several holds may stand at once. Deadlines go on."""
    new = _about(order_id, CommandKind.HOLD, caller, body.reason, body.note, shipment=body.shipment)
    return await commands.give(new, keyed.of(body) if keyed else None)


@router.delete(
    "/{order_id}/holds/{hold_id}",
    response_model=CommandOut,
    responses=_HEARD,
    tags=["cs", "ops"],
    dependencies=[Depends(permit("orders:hold"))],
)
async def release_hold(
    order_id: Id, hold_id: Id, keyed: OptionalKeyDep, caller: CallerDep, commands: CommandsFlowDep
) -> JSONResponse:
    """Take one hold away. When none is left the order goes on."""
    new = _about(order_id, CommandKind.RELEASE, caller, "released", payload={"hold": hold_id})
    return await commands.give(new, keyed.of(None) if keyed else None)


@router.post(
    "/{order_id}/retry",
    response_model=CommandOut,
    responses=_HEARD,
    tags=["ops"],
    dependencies=[Depends(permit("orders:retry"))],
)
async def retry_order(
    order_id: Id, body: RetryIn, keyed: OptionalKeyDep, caller: CallerDep, commands: CommandsFlowDep
) -> JSONResponse:
    """Try again what is stuck, once its cause was put right."""
    new = _about(order_id, CommandKind.RETRY, caller, body.reason, body.note, shipment=body.shipment)
    return await commands.give(new, keyed.of(body) if keyed else None)


def _about(
    order_id: str,
    kind: CommandKind,
    caller: Caller,
    reason: str,
    note: str = "",
    *,
    shipment: str | None = None,
    payload: dict[str, Any] | None = None,
) -> NewCommand:
    return NewCommand(
        kind, caller.role, caller.id, reason, order_id=order_id, shipment_id=shipment, note=note, payload=payload or {}
    )
