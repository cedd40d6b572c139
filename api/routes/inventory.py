"""Stock over HTTP: what lies where, what is low, corrections, receipts, carts' holds, the ledger. Thin: stores work."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response, status
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.deps import ClockDep, DatabaseDep, RequestsDep, permit
from api.errors import ProblemError, problems
from api.etags import IfMatchDep, etag
from api.idempotency import KeyDep, replay
from api.permissions import Caller
from api.schemas.base import Cursor, Id, ListOf, ShortText, Sku, Word, list_of
from api.schemas.inventory import (
    CountIn,
    CountOut,
    MovementOut,
    ProductStockOut,
    ReceiptIn,
    ReceiptOut,
    ReservationOut,
    ReserveIn,
    StockChangeIn,
    StockOut,
)
from models.errors import InvalidError, NotFoundError
from models.stores.counts import CountStore
from models.stores.inventory import InventoryReader, Sort, StockFilter
from models.stores.pages import MAX_PAGE
from models.stores.requests import Recalled, RequestKey
from models.stores.stock import StockStore
from models.stores.stock_desk import OutOfStockError, StockDesk

router = APIRouter(prefix="/v1/inventory", responses=problems(401, 403, 422))

_READ: Final = [Depends(permit("stock:read"))]
_MAX_OFFSET: Final = 100_000


async def _reader(database: DatabaseDep, clock: ClockDep) -> InventoryReader:
    return InventoryReader(database, clock)


async def _desk(database: DatabaseDep, clock: ClockDep, requests: RequestsDep) -> StockDesk:
    return StockDesk(database, clock, requests, StockStore())


async def _counts(database: DatabaseDep, clock: ClockDep, requests: RequestsDep) -> CountStore:
    return CountStore(database, clock, requests, StockStore())


ReaderDep = Annotated[InventoryReader, Depends(_reader)]
DeskDep = Annotated[StockDesk, Depends(_desk)]
CountsDep = Annotated[CountStore, Depends(_counts)]
WriterDep = Annotated[Caller, Depends(permit("stock:write"))]
HolderDep = Annotated[Caller, Depends(permit("stock:reserve"))]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


@router.get("", dependencies=_READ, tags=["store", "ops"])
def list_inventory(
    reader: ReaderDep,
    *,
    location: Annotated[Id | None, Query()] = None,
    product_category: Annotated[Word | None, Query()] = None,
    low: Annotated[bool, Query(description="Only what has come down to its reorder point.")] = False,
    sort: Annotated[Sort, Query()] = "sku",
    cursor: Annotated[Cursor | None, Query()] = None,
    limit: Limit = 50,
    page: Annotated[int | None, Query(ge=1, le=_MAX_OFFSET, description="By number instead of by cursor.")] = None,
    page_size: Annotated[int | None, Query(ge=1, le=MAX_PAGE)] = None,
) -> ListOf[StockOut]:
    """Stock by SKU and location, by cursor or by `page` and `page_size`. A cursor misses nothing while rows change."""
    if cursor is not None and page is not None:
        raise InvalidError("Send cursor or page, not both.", field="page")
    size = page_size or limit
    offset = (page - 1) * size if page else 0
    if offset > _MAX_OFFSET:
        raise InvalidError("So far on use the cursor.", field="page")
    found = reader.page(StockFilter(location, product_category, low, sort), cursor=cursor, limit=size, offset=offset)
    return list_of([StockOut.of(row) for row in found.data], found.next_cursor, "/v1/inventory")


@router.get("/alerts", dependencies=_READ, tags=["store", "ops"])
def list_alerts(
    reader: ReaderDep,
    location: Annotated[Id | None, Query()] = None,
    cursor: Annotated[Cursor | None, Query()] = None,
    limit: Limit = 50,
) -> ListOf[StockOut]:
    """What has come down to its reorder point, the emptiest first."""
    wanted = StockFilter(location, low=True, sort="available")
    found = reader.page(wanted, cursor=cursor, limit=limit)
    return list_of([StockOut.of(row) for row in found.data], found.next_cursor, "/v1/inventory/alerts")


@router.get("/movements", dependencies=_READ, tags=["store", "ops"])
def list_movements(
    reader: ReaderDep,
    sku: Annotated[Sku | None, Query()] = None,
    location: Annotated[Id | None, Query()] = None,
    cursor: Annotated[Cursor | None, Query()] = None,
    limit: Limit = 50,
) -> ListOf[MovementOut]:
    """The stock ledger, newest first."""
    found = reader.movements(sku=sku, location_id=location, cursor=cursor, limit=limit)
    return list_of([MovementOut.of(row) for row in found.data], found.next_cursor, "/v1/inventory/movements")


@router.post(
    "/receipts",
    status_code=status.HTTP_201_CREATED,
    response_model=ReceiptOut,
    responses=problems(400, 404, 409),
    tags=["store", "setup"],
)
def receive(body: ReceiptIn, keyed: KeyDep, desk: DeskDep, requests: RequestsDep, caller: WriterDep) -> JSONResponse:
    """Book what came in, by lot: all of it or nothing."""
    _only_own(caller, body.location_id)
    key = keyed.of(body)
    done = desk.receive(body.location_id, body.arrivals(), key=key, actor=caller.name)
    if isinstance(done, Recalled):
        if again := replay(done, "/v1/inventory/movements"):
            return again
        done = desk.receipt(done.resource)
    return _answer(requests, key, status.HTTP_201_CREATED, ReceiptOut.of(done), {"Location": "/v1/inventory/movements"})


@router.post(
    "/counts",
    status_code=status.HTTP_201_CREATED,
    response_model=CountOut,
    responses=problems(400, 404, 409),
    tags=["store", "ops"],
)
def count(body: CountIn, keyed: KeyDep, counts: CountsDep, requests: RequestsDep, caller: WriterDep) -> JSONResponse:
    """Say what lies on the shelf. So it is, whatever was promised: orders that lose by it are sourced elsewhere."""
    _only_own(caller, body.location_id)
    key = keyed.of(body)
    done = counts.count(body.location_id, body.counts(), key=key, actor=caller.name)
    if isinstance(done, Recalled):
        if again := replay(done, "/v1/inventory/movements"):
            return again
        done = counts.made(done.resource, body.location_id)
    return _answer(requests, key, status.HTTP_201_CREATED, CountOut.of(done), {"Location": "/v1/inventory/movements"})


@router.post(
    "/reserve",
    status_code=status.HTTP_201_CREATED,
    response_model=ReservationOut,
    responses=problems(400, 409),
    tags=["storefront"],
)
def reserve(body: ReserveIn, keyed: KeyDep, desk: DeskDep, requests: RequestsDep, caller: HolderDep) -> JSONResponse:
    """Hold a cart's pieces. 409 `out_of_stock` names the lines that are short; then nothing is held."""
    key = keyed.of(body)
    try:
        done = desk.hold(body.wishes(), country=body.country, lasts=body.lasts, key=key, caller=caller.name)
    except OutOfStockError as error:
        lines = [{"sku": each.sku, "wanted": each.wanted, "available": each.available} for each in error.shortages]
        raise ProblemError(409, error.code, str(error), members={"lines": lines}) from None
    if isinstance(done, Recalled):
        if again := replay(done, f"/v1/inventory/reserve/{done.resource}"):
            return again
        done = desk.held(done.resource, caller.name)
    shown = ReservationOut.of(done)
    return _answer(requests, key, status.HTTP_201_CREATED, shown, {"Location": shown.url})


@router.get("/reserve/{reservation_id}", responses=problems(404), tags=["storefront"])
def get_reservation(reservation_id: Id, desk: DeskDep, caller: HolderDep) -> ReservationOut:
    """A hold of yours, and what it holds now."""
    return ReservationOut.of(desk.held(reservation_id, caller.name))


@router.delete(
    "/reserve/{reservation_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404), tags=["storefront"]
)
def release_reservation(reservation_id: Id, desk: DeskDep, caller: HolderDep) -> None:
    """Let go of a hold of yours; doing it twice does it once."""
    desk.release(reservation_id, caller.name)


@router.get("/{product_id}", dependencies=_READ, responses=problems(404), tags=["storefront", "store"])
def get_inventory(product_id: ShortText, reader: ReaderDep) -> ProductStockOut:
    """A product's stock, or one variant's by its SKU: by variant, then by location."""
    return ProductStockOut.of(reader.product(product_id))


@router.get("/{product_id}/{location_id}", dependencies=_READ, responses=problems(404), tags=["store"])
def get_stock(product_id: ShortText, location_id: Id, reader: ReaderDep, response: Response) -> StockOut:
    """One stock row; its ETag is what `PATCH` wants as If-Match."""
    row = reader.row(reader.sku_of(product_id), location_id)
    response.headers["ETag"] = etag(row.stock.revision)
    return StockOut.of(row)


@router.patch(
    "/{product_id}/{location_id}",
    response_model=StockOut,
    responses=problems(400, 404, 409, 412, 428),
    tags=["store", "ops"],
)
def change_stock(
    *,
    product_id: ShortText,
    location_id: Id,
    body: StockChangeIn,
    revision: IfMatchDep,
    keyed: KeyDep,
    reader: ReaderDep,
    desk: DeskDep,
    requests: RequestsDep,
    caller: WriterDep,
) -> JSONResponse:
    """Correct a row or set its levels. A product of several variants is 422 `variant_required`: name the SKU."""
    _only_own(caller, location_id)
    sku = reader.sku_of(product_id)
    key = keyed.of(body)
    done = desk.change(sku, location_id, body.change(), revision=revision, key=key, actor=caller.name)
    if done and (again := replay(done, f"/v1/inventory/{sku}/{location_id}")):
        return again
    shown = StockOut.of(reader.row(sku, location_id))
    return _answer(requests, key, status.HTTP_200_OK, shown, {"ETag": etag(shown.revision)})


def _only_own(caller: Caller, location_id: str) -> None:
    """A store's key changes its own shelf alone."""
    if caller.location_id not in (None, location_id):
        raise NotFoundError("No such location.")


def _answer(
    requests: RequestsDep, key: RequestKey, code: int, shown: BaseModel, headers: dict[str, str]
) -> JSONResponse:
    body = shown.model_dump(mode="json")
    requests.answered(key, code, body)
    return JSONResponse(body, code, headers)
