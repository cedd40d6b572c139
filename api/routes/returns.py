"""Returns over HTTP: asked for by the customer or CS, received by whoever has the goods."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.checkout import Answer
from api.commands import CommandsFlowDep
from api.deps import CallerDep, RequestsDep, ReturnReaderDep, ReturnsDep, TemporalDep, permit, scope_of
from api.errors import ProblemError, problems
from api.idempotency import REPLAYED, KeyDep, replay
from api.schemas.base import Cursor, Id, ListOf, list_of
from api.schemas.commands import CommandOut
from api.schemas.returns import ReceiveIn, ReturnIn, ReturnOut
from models.messages.commands import CommandOutcome
from models.stores.commands import NewCommand
from models.stores.failures import DATABASE_ERRORS
from models.stores.requests import Recalled, RequestKey
from models.stores.returns import NewReturn
from models.words import CommandKind, RefundOn, ReturnStage

router = APIRouter()

LABEL_WITHIN: Final = 2.0  # seconds
_READ: Final = [Depends(permit("returns:read"))]
_ASKED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": ReturnOut, "description": "Accepted; its label is not bought yet. Look at Location."},
    **problems(403, 404, 409, 422, 503, 504),
}
_HEARD: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": CommandOut, "description": "Recorded; the outcome is not known yet. Look at Location."},
    **problems(400, 404, 409, 422, 503, 504),
}


@router.post(
    "/v1/orders/{order_id}/return",
    status_code=201,
    response_model=ReturnOut,
    responses=_ASKED,
    tags=["storefront", "cs"],
    dependencies=[Depends(permit("returns:create"))],
)
async def request_return(
    *,
    order_id: Id,
    body: ReturnIn,
    keyed: KeyDep,
    caller: CallerDep,
    returns: ReturnsDep,
    requests: RequestsDep,
    reader: ReturnReaderDep,
    runs: TemporalDep,
) -> JSONResponse:
    """Send units back: answered with the label, or with 202 while that is being bought.

    409 `not_delivered`, `window_over`, and `claimed_already` with the claim that has the unit.
    """
    if body.refund_on is not RefundOn.RECEIPT and not caller.may("returns:policy"):
        raise ProblemError(403, "forbidden", "This key's role may not returns:policy.")
    key = keyed.of(body)
    seen = await run_in_threadpool(requests.seen, key)
    if seen and (answer := replay(seen, f"/v1/returns/{seen.resource}")):
        return answer
    asked = seen or await run_in_threadpool(
        returns.request,
        NewReturn(order_id, body.units, body.reason, caller.name, body.note, body.refund_on, body.label, body.location),
        key,
    )
    match asked:
        case CommandOutcome():
            raise ProblemError(409, asked.code, asked.message, members={**asked.detail, "order": order_id})
        case Recalled(resource=return_id):
            if answer := replay(asked, f"/v1/returns/{return_id}"):
                return answer
        case return_id:
            pass
    headers = REPLAYED if isinstance(asked, Recalled) else None
    try:
        facts = await runs.begin_return(await run_in_threadpool(returns.run_input, return_id), LABEL_WITHIN)
        if facts is not None:
            await run_in_threadpool(returns.started, return_id)
        return (await run_in_threadpool(_known, reader, requests, return_id, key)).response(headers)
    except DATABASE_ERRORS:
        location = f"/v1/returns/{return_id}"
        return Answer(202, {"object": "return", "id": return_id, "url": location}, location).response(headers)


def _known(reader: ReturnReaderDep, requests: RequestsDep, return_id: str, key: RequestKey) -> Answer:
    record = reader.one(return_id)
    bought = record.label is not None and record.label.bought_at is not None
    status = 201 if bought or not record.row.wants_label else 202
    answer = Answer(status, ReturnOut.of(record).model_dump(mode="json"), f"/v1/returns/{return_id}")
    if answer.final:
        requests.answered(key, answer.status, answer.body)
    else:
        requests.not_known_yet(key)
    return answer


@router.get("/v1/returns", responses=problems(422), tags=["cs", "store"], dependencies=_READ)
def list_returns(
    reader: ReturnReaderDep,
    caller: CallerDep,
    *,
    order: Id | None = None,
    location: Id | None = None,
    stage: Annotated[list[ReturnStage] | None, Query()] = None,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> ListOf[ReturnOut]:
    """Oldest first. A store's key sees those that come to it."""
    place = scope_of(caller) if scope_of(caller) is not None else location
    page = reader.many(order_id=order, location_id=place, stages=stage or (), cursor=cursor, limit=limit)
    return list_of([ReturnOut.of(record) for record in page.data], page.next_cursor, "/v1/returns")


@router.get("/v1/returns/{return_id}", responses=problems(404), tags=["cs", "store"], dependencies=_READ)
def get_return(return_id: Id, reader: ReturnReaderDep) -> ReturnOut:
    """One return: its units and what became of them, and its label. Any store may look: goods come back anywhere."""
    return ReturnOut.of(reader.one(return_id))


@router.post(
    "/v1/returns/{return_id}/receive",
    response_model=CommandOut,
    responses=_HEARD,
    tags=["store", "cs"],
    dependencies=[Depends(permit("returns:receive"))],
)
async def receive_return(
    *, return_id: Id, body: ReceiveIn, keyed: KeyDep, caller: CallerDep, commands: CommandsFlowDep
) -> JSONResponse:
    """Units of it are here, with or without a scan: restocked where they are or scrapped, and their money goes back."""
    scope = scope_of(caller)
    if scope is not None and body.location not in (None, scope):
        raise ProblemError(403, "forbidden", "A store receives at its own location.")
    payload = {
        "units": {received.unit: received.disposition.value for received in body.units},
        "location": scope or body.location,
    }
    new = NewCommand(
        CommandKind.RECEIVE, caller.role, caller.id, "received", return_id=return_id, note=body.note, payload=payload
    )
    return await commands.give(new, keyed.of(body))
