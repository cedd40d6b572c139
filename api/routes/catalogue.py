"""What is sold and for how much: set up by admins, read by everyone with a key."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, status

from api.deps import CatalogueDep, permit
from api.errors import problems
from api.schemas.base import Country, Cursor, Id, ListOf, Word, list_of
from api.schemas.catalogue import (
    BoxIn,
    BoxOut,
    BrandIn,
    BrandOut,
    PriceListIn,
    PriceListOut,
    PriceOut,
    PricesIn,
    ProductIn,
    ProductOut,
    ShippingRateIn,
    ShippingRateOut,
    TaxRateIn,
    TaxRateOut,
)
from models.mint import mint
from models.stores.pages import MAX_PAGE

router = APIRouter(prefix="/v1", tags=["setup"], responses=problems(401, 403, 422))

_READ: Final = [Depends(permit("catalogue:read"))]
_WRITE: Final = [Depends(permit("catalogue:write"))]
_EXISTS: Final = problems(409)

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


@router.post("/brands", status_code=status.HTTP_201_CREATED, dependencies=_WRITE, responses=_EXISTS)
def add_brand(body: BrandIn, catalogue: CatalogueDep) -> BrandOut:
    """Add a brand: a filter on catalogue and orders."""
    return BrandOut.model_validate(catalogue.add_brand(body.id, body.name))


@router.get("/brands", dependencies=_READ)
def list_brands(catalogue: CatalogueDep) -> ListOf[BrandOut]:
    """All brands."""
    return list_of([BrandOut.model_validate(row) for row in catalogue.brands()], None, "/v1/brands")


@router.post("/products", status_code=status.HTTP_201_CREATED, dependencies=_WRITE, responses=_EXISTS)
def add_product(body: ProductIn, catalogue: CatalogueDep) -> ProductOut:
    """Add a product with its variants: all of them or none."""
    return ProductOut.of(catalogue.add_product(body.new(body.id or mint("prod"))))


@router.get("/products", dependencies=_READ)
def list_products(
    catalogue: CatalogueDep,
    brand: Annotated[Id | None, Query()] = None,
    category: Annotated[Word | None, Query()] = None,
    cursor: Annotated[Cursor | None, Query()] = None,
    limit: Limit = 50,
) -> ListOf[ProductOut]:
    """Products by id, with their variants."""
    page = catalogue.products(brand_id=brand, category=category, cursor=cursor, limit=limit)
    return list_of([ProductOut.of(view) for view in page.data], page.next_cursor, "/v1/products")


@router.get("/products/{product_id}", dependencies=_READ, responses=problems(404))
def get_product(product_id: Id, catalogue: CatalogueDep) -> ProductOut:
    """One product with its variants."""
    return ProductOut.of(catalogue.product(product_id))


@router.post("/price_lists", status_code=status.HTTP_201_CREATED, dependencies=_WRITE, responses=_EXISTS)
def add_price_list(body: PriceListIn, catalogue: CatalogueDep) -> PriceListOut:
    """Open a country to a brand: its currency, and whether prices contain tax."""
    row = catalogue.add_price_list(
        body.id or mint("pl"), body.brand, body.country, body.currency, includes_tax=body.includes_tax
    )
    return PriceListOut.model_validate(row)


@router.get("/price_lists", dependencies=_READ)
def list_price_lists(catalogue: CatalogueDep, brand: Annotated[Id | None, Query()] = None) -> ListOf[PriceListOut]:
    """Price lists, of all brands or one."""
    rows = catalogue.price_lists(brand)
    return list_of([PriceListOut.model_validate(row) for row in rows], None, "/v1/price_lists")


@router.post(
    "/price_lists/{list_id}/prices",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=_WRITE,
    responses=problems(404),
)
def set_prices(list_id: Id, body: PricesIn, catalogue: CatalogueDep) -> None:
    """Add or replace prices. Orders keep the prices they were placed at."""
    catalogue.set_prices(list_id, [(price.sku, price.amount) for price in body.prices])


@router.get("/price_lists/{list_id}/prices", dependencies=_READ, responses=problems(404))
def list_prices(
    list_id: Id,
    catalogue: CatalogueDep,
    cursor: Annotated[Cursor | None, Query()] = None,
    limit: Limit = 100,
) -> ListOf[PriceOut]:
    """A list's prices by SKU, in its currency's smallest unit."""
    page = catalogue.prices(list_id, cursor=cursor, limit=limit)
    data = [PriceOut.model_validate(row) for row in page.data]
    return list_of(data, page.next_cursor, f"/v1/price_lists/{list_id}/prices")


@router.post(
    "/price_lists/{list_id}/shipping_rates",
    status_code=status.HTTP_201_CREATED,
    dependencies=_WRITE,
    responses=problems(404, 409),
)
def add_shipping_rate(list_id: Id, body: ShippingRateIn, catalogue: CatalogueDep) -> ShippingRateOut:
    """Offer a speed to a zone. `express` and `overnight` go by air, so hazardous goods are not offered them."""
    return ShippingRateOut.model_validate(catalogue.add_shipping_rate(body.new(body.id or mint("rate"), list_id)))


@router.get("/price_lists/{list_id}/shipping_rates", dependencies=_READ)
def list_shipping_rates(list_id: Id, catalogue: CatalogueDep) -> ListOf[ShippingRateOut]:
    """A list's shipping rates."""
    data = [ShippingRateOut.model_validate(row) for row in catalogue.shipping_rates(list_id)]
    return list_of(data, None, f"/v1/price_lists/{list_id}/shipping_rates")


@router.post("/tax_rates", status_code=status.HTTP_204_NO_CONTENT, dependencies=_WRITE)
def set_tax_rate(body: TaxRateIn, catalogue: CatalogueDep) -> None:
    """Add or replace a state's rate, or that of every other state of the country."""
    catalogue.set_tax_rate(body.country, body.state, body.basis_points, shipping_taxed=body.shipping_taxed)


@router.get("/tax_rates", dependencies=_READ)
def list_tax_rates(catalogue: CatalogueDep, country: Annotated[Country | None, Query()] = None) -> ListOf[TaxRateOut]:
    """Tax rates, of all countries or one."""
    data = [TaxRateOut.model_validate(row) for row in catalogue.tax_rates(country)]
    return list_of(data, None, "/v1/tax_rates")


@router.post("/boxes", status_code=status.HTTP_201_CREATED, dependencies=_WRITE, responses=_EXISTS)
def add_box(body: BoxIn, catalogue: CatalogueDep) -> BoxOut:
    """Add a box that nodes pack in."""
    return BoxOut.model_validate(catalogue.add_box(body.new(body.id or mint("box"))))


@router.get("/boxes", dependencies=_READ)
def list_boxes(catalogue: CatalogueDep, brand: Annotated[Id | None, Query()] = None) -> ListOf[BoxOut]:
    """Boxes, smallest first."""
    return list_of([BoxOut.model_validate(row) for row in catalogue.boxes(brand)], None, "/v1/boxes")
