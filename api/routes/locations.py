"""Warehouses and stores: where they are, when they are open, whether they ship."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response, status

from api.deps import LocationsDep, permit
from api.errors import problems
from api.etags import IfMatchDep, etag
from api.schemas.base import Country, Cursor, Id, ListOf, list_of
from api.schemas.locations import LocationChange, LocationIn, LocationOut
from models.stores.pages import MAX_PAGE
from models.words import LocationKind

router = APIRouter(prefix="/v1/locations", tags=["setup"], responses=problems(401, 403, 422))

_READ: Final = [Depends(permit("locations:read"))]
_WRITE: Final = [Depends(permit("locations:write"))]


@router.post("", status_code=status.HTTP_201_CREATED, dependencies=_WRITE, responses=problems(409))
def add_location(body: LocationIn, locations: LocationsDep, response: Response) -> LocationOut:
    """Add a warehouse or a store. It is a node from now on."""
    view = locations.add(body.new(), [spell.spell() for spell in body.opening_hours])
    response.headers["ETag"] = etag(view.location.revision)
    return LocationOut.of(view)


@router.get("", dependencies=_READ)
def list_locations(
    locations: LocationsDep,
    country: Annotated[Country | None, Query()] = None,
    kind: Annotated[LocationKind | None, Query()] = None,
    cursor: Annotated[Cursor | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> ListOf[LocationOut]:
    """Locations by id."""
    page = locations.page(country=country, kind=kind, cursor=cursor, limit=limit)
    return list_of([LocationOut.of(view) for view in page.data], page.next_cursor, "/v1/locations")


@router.get("/{location_id}", dependencies=_READ, responses=problems(404))
def get_location(location_id: Id, locations: LocationsDep, response: Response) -> LocationOut:
    """One location; its ETag is what `PATCH` wants as If-Match."""
    view = locations.get(location_id)
    response.headers["ETag"] = etag(view.location.revision)
    return LocationOut.of(view)


@router.patch("/{location_id}", dependencies=_WRITE, responses=problems(404, 412, 428))
def change_location(
    location_id: Id, body: LocationChange, revision: IfMatchDep, locations: LocationsDep, response: Response
) -> LocationOut:
    """Change what is named: pause it, set its capacity, replace its week."""
    hours = None if body.opening_hours is None else [spell.spell() for spell in body.opening_hours]
    view = locations.change(location_id, revision, body.changes(), hours)
    response.headers["ETag"] = etag(view.location.revision)
    return LocationOut.of(view)
