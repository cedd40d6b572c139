"""Price a cart before there is an order. It holds nothing and writes nothing."""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.deps import CatalogueDep, permit
from api.errors import ProblemError, cannot_ship_to, problems
from api.permissions import Caller
from api.schemas.quotes import QuoteIn, QuoteOut
from models.quotes import CannotShipTo
from models.words import Role

router = APIRouter(prefix="/v1", tags=["storefront"], responses=problems(401, 403, 422))

_MAY_DISCOUNT = frozenset({Role.CS, Role.OPS, Role.ADMIN})


@router.post("/quotes")
def quote(
    body: QuoteIn, catalogue: CatalogueDep, caller: Annotated[Caller, Depends(permit("quotes:create"))]
) -> QuoteOut:
    """What a cart costs by speed, with its tax, its shipping and the day by which it is promised."""
    if body.discount and caller.role not in _MAY_DISCOUNT:
        raise ProblemError(403, "discount_forbidden", "This key's role may not give a discount.")
    answer = catalogue.quote(body.request())
    if isinstance(answer, CannotShipTo):
        raise cannot_ship_to(answer)
    return QuoteOut.of(answer)
