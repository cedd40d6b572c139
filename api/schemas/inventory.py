"""The public shape of stock: rows, products by location, cart holds, receipts, counts, the ledger."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from api.schemas.base import Count, Country, Id, In, Out, Quantity, Sku, Storable, example
from models.stores.counts import CountView
from models.stores.inventory import ProductStock, StockRow, VariantStock
from models.stores.stock_desk import Arrival, HoldView, ReceiptView, StockChange, Wish
from models.tables.stock import Movement
from models.words import MovementReason

LotCode = Annotated[str, StringConstraints(max_length=60, strip_whitespace=True), Storable]
_Delta = Annotated[int, Field(strict=True, ge=-1_000_000, le=1_000_000)]
_Received = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]

_ROW: Final[dict[str, Any]] = {
    "object": "stock",
    "sku": "AUR-LIP-VEL-012",
    "title": "Velvet Lipstick, 012 Mercer Rouge",
    "product": "prod_velvet_lipstick",
    "category": "lipstick",
    "location_id": "loc_store_soho",
    "location_name": "Aurelle SoHo",
    "on_hand": 48,
    "reserved": 2,
    "available": 45,
    "safety_stock": 1,
    "reorder_point": 6,
    "low": False,
    "counted_at": None,
    "updated_at": "2026-11-25T09:00:00Z",
    "revision": 3,
}


class StockOut(Out):
    """One SKU at one location. `available` may be sold online now; `revision` is the row's ETag."""

    model_config = example(_ROW)
    object: Literal["stock"] = "stock"
    sku: str
    title: str
    product: str
    category: str
    location_id: str
    location_name: str
    on_hand: int
    reserved: int
    available: int
    safety_stock: int
    reorder_point: int
    low: bool = Field(description="Available has come down to the reorder point.")
    counted_at: datetime | None
    updated_at: datetime
    revision: int

    @classmethod
    def of(cls, row: StockRow) -> Self:
        stock = row.stock
        return cls(
            sku=stock.sku,
            title=row.title,
            product=row.product_id,
            category=row.category,
            location_id=stock.location_id,
            location_name=row.location_name,
            on_hand=stock.on_hand,
            reserved=stock.reserved,
            available=row.available,
            safety_stock=stock.safety_stock,
            reorder_point=stock.reorder_point,
            low=row.low,
            counted_at=stock.counted_at,
            updated_at=stock.updated_at,
            revision=stock.revision,
        )


class BundleAtOut(Out):
    """How many whole bundles a location's pieces make."""

    location_id: str
    available: int


class VariantStockOut(Out):
    """A variant's stock in total and by location; a bundle's is that of its components."""

    sku: str
    title: str
    shade: str | None
    size: str | None
    bundle: bool
    on_hand: int
    reserved: int
    available: int
    locations: list[StockOut]
    bundles: list[BundleAtOut]

    @classmethod
    def of(cls, found: VariantStock) -> Self:
        variant, rows = found.variant, found.rows
        whole = [BundleAtOut(location_id=place, available=count) for place, count in found.bundles]
        return cls(
            sku=variant.sku,
            title=variant.title,
            shade=variant.shade,
            size=variant.size,
            bundle=variant.bundle,
            on_hand=sum(row.stock.on_hand for row in rows),
            reserved=sum(row.stock.reserved for row in rows),
            available=sum(row.available for row in rows) + sum(each.available for each in whole),
            locations=[StockOut.of(row) for row in rows],
            bundles=whole,
        )


class ProductStockOut(Out):
    model_config = example(
        {
            "object": "inventory",
            "product": "prod_velvet_lipstick",
            "title": "Velvet Lipstick",
            "variants": [
                {
                    "sku": "AUR-LIP-VEL-012",
                    "title": "Velvet Lipstick, 012 Mercer Rouge",
                    "shade": "Mercer Rouge",
                    "size": "3.5 g",
                    "bundle": False,
                    "on_hand": 48,
                    "reserved": 2,
                    "available": 45,
                    "locations": [_ROW],
                    "bundles": [],
                }
            ],
        }
    )
    object: Literal["inventory"] = "inventory"
    product: str
    title: str
    variants: list[VariantStockOut]

    @classmethod
    def of(cls, found: ProductStock) -> Self:
        variants = [VariantStockOut.of(variant) for variant in found.variants]
        return cls(product=found.product.id, title=found.product.title, variants=variants)


class StockChangeIn(In):
    """`adjust_by` pieces more or fewer, or the new `on_hand`; and the levels. What is left out stays."""

    model_config = example({"adjust_by": -2, "reason": "damage"})
    adjust_by: _Delta | None = None
    on_hand: Count | None = None
    reason: Literal["adjustment", "damage", "found"] = "adjustment"
    lot: LotCode | None = None
    safety_stock: Count | None = None
    reorder_point: Count | None = None

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if self.adjust_by is not None and self.on_hand is not None:
            raise ValueError("send adjust_by or on_hand, not both")
        if (self.adjust_by, self.on_hand, self.safety_stock, self.reorder_point) == (None,) * 4:
            raise ValueError("nothing is to be changed")
        return self

    def change(self) -> StockChange:
        return StockChange(**self.model_dump(exclude={"reason"}), reason=MovementReason(self.reason))


class ReceiptItemIn(In):
    sku: Sku
    quantity: _Received
    lot: LotCode = Field("", description="As printed; dated pieces without one get their date as the code.")
    expires_on: date | None = None


class ReceiptIn(In):
    model_config = example(
        {
            "location_id": "loc_wh_columbus",
            "items": [{"sku": "AUR-SKN-SER-030", "quantity": 240, "lot": "L2611", "expires_on": "2029-04-30"}],
        }
    )
    location_id: Id
    items: Annotated[list[ReceiptItemIn], Field(min_length=1, max_length=500)]

    def arrivals(self) -> list[Arrival]:
        return [Arrival(**item.model_dump()) for item in self.items]


class ReceiptItemOut(Out):
    sku: str
    quantity: int
    lot: str
    expires_on: date | None


class ReceiptOut(Out):
    """What was booked, one item a lot."""

    model_config = example(
        {
            "object": "receipt",
            "id": "rcpt_06h1d0",
            "location_id": "loc_wh_columbus",
            "received_at": "2026-11-25T09:00:00Z",
            "items": [{"sku": "AUR-SKN-SER-030", "quantity": 240, "lot": "L2611", "expires_on": "2029-04-30"}],
        }
    )
    object: Literal["receipt"] = "receipt"
    id: str
    location_id: str
    received_at: datetime
    items: list[ReceiptItemOut]

    @classmethod
    def of(cls, view: ReceiptView) -> Self:
        return cls.model_validate(view)


class CountItemIn(In):
    sku: Sku
    quantity: Count


class CountIn(In):
    """What lies on the shelf: picked, packed and waiting parcels are not on it, and are not counted."""

    model_config = example({"location_id": "loc_store_soho", "items": [{"sku": "AUR-LIP-VEL-012", "quantity": 46}]})
    location_id: Id
    items: Annotated[list[CountItemIn], Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(self.counts()) < len(self.items):
            raise ValueError("a SKU is counted twice: send the sum")
        return self

    def counts(self) -> dict[str, int]:
        return {item.sku: item.quantity for item in self.items}


class DifferenceOut(Out):
    sku: str
    quantity: int


class CountOut(Out):
    """What the count changed: pieces more, or fewer, than were known. Who loses by it is sourced elsewhere."""

    model_config = example(
        {
            "object": "count",
            "id": "cnt_06h1g0",
            "location_id": "loc_store_soho",
            "differences": [{"sku": "AUR-LIP-VEL-012", "quantity": -2}],
        }
    )
    object: Literal["count"] = "count"
    id: str
    location_id: str
    differences: list[DifferenceOut]

    @classmethod
    def of(cls, view: CountView) -> Self:
        return cls.model_validate(view)


class HoldItemIn(In):
    sku: Sku
    quantity: Quantity
    location_id: Id | None = Field(None, description="Left out: anywhere in `country`.")


class ReserveIn(In):
    """Hold a cart's pieces for a while, all or nothing. `POST /v1/orders` takes the hold by its id."""

    model_config = example({"country": "US", "items": [{"sku": "AUR-LIP-VEL-012", "quantity": 1}]})
    country: Country | None = None
    items: Annotated[list[HoldItemIn], Field(min_length=1, max_length=100)]
    expires_in: Annotated[int, Field(strict=True, ge=60, le=3600, description="Seconds.")] = 900

    def wishes(self) -> list[Wish]:
        return [Wish(item.sku, item.quantity, item.location_id) for item in self.items]

    @property
    def lasts(self) -> timedelta:
        return timedelta(seconds=self.expires_in)


class HoldItemOut(Out):
    sku: str
    location_id: str
    quantity: int


class ReservationOut(Out):
    """From `expires_at` on its pieces count as available. Items are empty once an order uses it."""

    model_config = example(
        {
            "object": "reservation",
            "id": "rsv_06h1e0",
            "expires_at": "2026-11-25T09:15:00Z",
            "released_at": None,
            "order": None,
            "items": [{"sku": "AUR-LIP-VEL-012", "location_id": "loc_store_soho", "quantity": 1}],
            "url": "/v1/inventory/reserve/rsv_06h1e0",
        }
    )
    object: Literal["reservation"] = "reservation"
    id: str
    expires_at: datetime
    released_at: datetime | None
    order: str | None
    items: list[HoldItemOut]
    url: str

    @classmethod
    def of(cls, view: HoldView) -> Self:
        hold = view.hold
        return cls(
            id=hold.id,
            expires_at=hold.expires_at,
            released_at=hold.released_at,
            order=hold.adopted_by,
            items=[HoldItemOut.model_validate(item) for item in view.items],
            url=f"/v1/inventory/reserve/{hold.id}",
        )


class MovementOut(Out):
    """One row of the ledger: on hand is the sum of these."""

    model_config = example(
        {
            "object": "movement",
            "id": 51233,
            "sku": "AUR-LIP-VEL-012",
            "location_id": "loc_store_soho",
            "lot": "lot_06h1f0",
            "quantity": -1,
            "reason": "hand_over",
            "operation": "shp_06h1a5:hand_over",
            "order": "ord_06h19z",
            "actor": "store:demo-store-soho",
            "occurred_at": "2026-11-25T11:40:00Z",
            "recorded_at": "2026-11-25T11:40:00Z",
        }
    )
    object: Literal["movement"] = "movement"
    id: int
    sku: str
    location_id: str
    lot: str
    quantity: int
    reason: MovementReason
    operation: str
    order: str | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime

    @classmethod
    def of(cls, row: Movement) -> Self:
        return cls(
            id=row.id,
            sku=row.sku,
            location_id=row.location_id,
            lot=row.lot_id,
            quantity=row.quantity,
            reason=row.reason,
            operation=row.operation,
            order=row.order_id,
            actor=row.actor,
            occurred_at=row.occurred_at,
            recorded_at=row.recorded_at,
        )
