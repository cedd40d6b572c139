"""The public shape of what is sold: brands, products, prices, shipping, tax, boxes."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints

from api.schemas.base import Amount, Country, CurrencyCode, Id, In, LongText, Out, ShortText, Sku, State, Word, example
from models.barcodes import is_gtin
from models.stores.catalogue import NewBox, NewProduct, NewShippingRate, NewVariant, ProductView, VariantView

_Small = Annotated[int, Field(strict=True, gt=0, le=100_000)]


def _gtin(code: str) -> str:
    if not is_gtin(code):
        raise ValueError("is no GTIN-8, -12, -13 or -14 with its check digit")
    return code


Barcode = Annotated[str, StringConstraints(max_length=14), AfterValidator(_gtin)]
Zone = Annotated[Literal["*"] | State, Field(description="A state or region; `*` is every other.")]

_BRAND = {"id": "brand_aurelle", "name": "Aurelle"}
_VARIANT: Final[dict[str, Any]] = {
    "sku": "AUR-LIP-VEL-012",
    "title": "Velvet Lipstick, 012 Mercer Rouge",
    "shade": "Mercer Rouge",
    "size": "3.5 g",
    "barcode": "2004700001112",
    "grams": 24,
    "length_mm": 22,
    "width_mm": 22,
    "height_mm": 82,
    "hazmat": False,
    "min_shelf_life_days": 60,
    "components": [],
}
_PRODUCT: Final[dict[str, Any]] = {
    "id": "prod_velvet_lipstick",
    "title": "Velvet Lipstick",
    "description": "Soft-matte colour that stays comfortable from the first coffee to the last train.",
    "category": "lipstick",
    "variants": [_VARIANT],
}
_LIST = {
    "id": "pl_aurelle_us",
    "brand": "brand_aurelle",
    "country": "US",
    "currency": "usd",
    "includes_tax": False,
}
_RATE = {
    "id": "rate_us_standard",
    "zone": "*",
    "speed": "standard",
    "title": "Standard, 4 working days",
    "amount": 595,
    "free_from": 5000,
    "transit_days": 4,
}
_TAX = {"country": "US", "state": "NY", "basis_points": 400, "shipping_taxed": True}
_BOX = {
    "id": "box_aurelle_small",
    "brand": "brand_aurelle",
    "title": "Small carton",
    "length_mm": 200,
    "width_mm": 150,
    "height_mm": 90,
    "grams": 90,
}


class BrandIn(In):
    model_config = example(_BRAND)
    id: Id
    name: ShortText


class BrandOut(Out):
    model_config = example({"object": "brand", **_BRAND})
    object: Literal["brand"] = "brand"
    id: str
    name: str


class ComponentIn(In):
    sku: Sku
    quantity: Annotated[int, Field(strict=True, ge=1, le=50)]


class ComponentOut(Out):
    sku: str
    quantity: int


class VariantIn(In):
    """A SKU: one shade and size. With components it is a bundle, which has no stock of its own."""

    sku: Sku
    title: ShortText
    shade: ShortText | None = None
    size: ShortText | None = None
    barcode: Barcode | None = None
    grams: _Small | None = None
    length_mm: _Small | None = None
    width_mm: _Small | None = None
    height_mm: _Small | None = None
    hazmat: Annotated[bool, Field(strict=True, description="Goes on the ground alone: perfume, polish.")] = False
    min_shelf_life_days: Annotated[int, Field(strict=True, ge=0, le=3650)] = 0
    components: Annotated[list[ComponentIn], Field(max_length=20)] = Field(default_factory=list[ComponentIn])

    def new(self) -> NewVariant:
        components = tuple({part.sku: part.quantity for part in self.components}.items())
        return NewVariant(**self.model_dump(exclude={"components"}), components=components)


class ProductIn(In):
    model_config = example({"brand": "brand_aurelle", **_PRODUCT})
    id: Id | None = Field(None, description="Yours, or left out for one of ours.")
    brand: Id
    title: ShortText
    description: LongText = ""
    category: Word
    variants: Annotated[list[VariantIn], Field(min_length=1, max_length=100)]

    def new(self, product_id: str) -> NewProduct:
        variants = tuple(variant.new() for variant in self.variants)
        return NewProduct(product_id, self.brand, self.title, self.category, variants, self.description)


class VariantOut(Out):
    object: Literal["variant"] = "variant"
    sku: str
    title: str
    shade: str | None
    size: str | None
    barcode: str | None
    grams: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    hazmat: bool
    bundle: bool
    active: bool
    min_shelf_life_days: int
    components: list[ComponentOut] = Field(default_factory=list[ComponentOut])

    @classmethod
    def of(cls, view: VariantView) -> Self:
        shown = cls.model_validate(view.variant)
        shown.components = [ComponentOut(sku=sku, quantity=quantity) for sku, quantity in view.components]
        return shown


class ProductOut(Out):
    model_config = example(
        {
            "object": "product",
            "brand": "brand_aurelle",
            **_PRODUCT,
            "variants": [{"object": "variant", **_VARIANT, "bundle": False, "active": True}],
            "created_at": "2026-11-01T00:00:00Z",
            "revision": 1,
            "url": "/v1/products/prod_velvet_lipstick",
        }
    )
    object: Literal["product"] = "product"
    id: str
    brand: str
    title: str
    description: str
    category: str
    variants: list[VariantOut]
    created_at: datetime
    revision: int
    url: str

    @classmethod
    def of(cls, view: ProductView) -> Self:
        product = view.product
        return cls(
            id=product.id,
            brand=product.brand_id,
            title=product.title,
            description=product.description,
            category=product.category,
            variants=[VariantOut.of(variant) for variant in view.variants],
            created_at=product.created_at,
            revision=product.revision,
            url=f"/v1/products/{product.id}",
        )


class PriceListIn(In):
    """Prices of a brand for one country; a brand has one list a country."""

    model_config = example(_LIST)
    id: Id | None = None
    brand: Id
    country: Country
    currency: CurrencyCode
    includes_tax: Annotated[bool, Field(strict=True, description="Whether the prices contain tax: EU yes, US no.")]


class PriceListOut(Out):
    model_config = example({"object": "price_list", **_LIST})
    object: Literal["price_list"] = "price_list"
    id: str
    brand: str = Field(validation_alias="brand_id")
    country: str
    currency: str
    includes_tax: bool


class PriceIn(In):
    sku: Sku
    amount: Amount


class PricesIn(In):
    """Prices to add or replace; those of other SKUs stay."""

    model_config = example({"prices": [{"sku": "AUR-LIP-VEL-012", "amount": 2800}]})
    prices: Annotated[list[PriceIn], Field(min_length=1, max_length=1000)]


class PriceOut(Out):
    model_config = example({"object": "price", "sku": "AUR-LIP-VEL-012", "amount": 2800})
    object: Literal["price"] = "price"
    sku: str
    amount: int


class ShippingRateIn(In):
    """What the customer pays for a speed, free from `free_from` of goods after discount."""

    model_config = example(_RATE)
    id: Id | None = None
    zone: Zone = "*"
    speed: Word
    title: ShortText
    amount: Amount
    free_from: Amount | None = None
    transit_days: Annotated[int, Field(strict=True, ge=1, le=60)]

    def new(self, rate_id: str, list_id: str) -> NewShippingRate:
        return NewShippingRate(id=rate_id, price_list_id=list_id, **self.model_dump(exclude={"id"}))


class ShippingRateOut(Out):
    model_config = example({"object": "shipping_rate", **_RATE})
    object: Literal["shipping_rate"] = "shipping_rate"
    id: str
    zone: str
    speed: str
    title: str
    amount: int
    free_from: int | None
    transit_days: int


class TaxRateIn(In):
    """1900 basis points are 19 %."""

    model_config = example(_TAX)
    country: Country
    state: Zone = "*"
    basis_points: Annotated[int, Field(strict=True, ge=0, le=10_000)]
    shipping_taxed: Annotated[bool, Field(strict=True)]


class TaxRateOut(Out):
    model_config = example({"object": "tax_rate", **_TAX})
    object: Literal["tax_rate"] = "tax_rate"
    country: str
    state: str
    basis_points: int
    shipping_taxed: bool


class BoxIn(In):
    model_config = example(_BOX)
    id: Id | None = None
    brand: Id
    title: ShortText
    length_mm: _Small
    width_mm: _Small
    height_mm: _Small
    grams: Annotated[int, Field(strict=True, ge=0, le=100_000)]

    def new(self, box_id: str) -> NewBox:
        return NewBox(id=box_id, brand_id=self.brand, **self.model_dump(exclude={"id", "brand"}))


class BoxOut(Out):
    model_config = example({"object": "box", **_BOX})
    object: Literal["box"] = "box"
    id: str
    brand: str = Field(validation_alias="brand_id")
    title: str
    length_mm: int
    width_mm: int
    height_mm: int
    grams: int
