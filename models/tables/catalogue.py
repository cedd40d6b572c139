"""What is sold, for how much, and how it may be sent: brands, products, variants, prices, shipping, tax, boxes."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Id, Money


class Brand(Base):
    """A filter on one company's catalogue and orders. `settings` holds what ops may change per brand."""

    __tablename__ = "brands"
    id: Mapped[Id]
    name: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class Product(Base):
    __tablename__ = "products"
    id: Mapped[Id]
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    category: Mapped[str]
    created_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(server_default="1")
    __table_args__ = (Index(None, "brand_id", "category", "id"),)


class Variant(Base):
    """A SKU: one shade and size. A bundle is a variant that has components and no stock of its own."""

    __tablename__ = "variants"
    sku: Mapped[Id]
    product_id: Mapped[str] = mapped_column(ForeignKey("products.id"), index=True)
    title: Mapped[str]
    shade: Mapped[str | None]
    size: Mapped[str | None]
    barcode: Mapped[str | None] = mapped_column(unique=True)
    grams: Mapped[int | None]
    length_mm: Mapped[int | None]
    width_mm: Mapped[int | None]
    height_mm: Mapped[int | None]
    hazmat: Mapped[bool] = mapped_column(server_default="false")
    bundle: Mapped[bool] = mapped_column(server_default="false")
    min_shelf_life_days: Mapped[int] = mapped_column(server_default="0")
    active: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("sku = upper(btrim(sku)) AND sku <> ''", name="sku_tidy"),
        CheckConstraint("grams > 0", name="grams_positive"),
        CheckConstraint("length_mm > 0 AND width_mm > 0 AND height_mm > 0", name="size_positive"),
        CheckConstraint("min_shelf_life_days >= 0", name="shelf_life"),
    )


class BundleComponent(Base):
    __tablename__ = "bundle_components"
    bundle_sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"), primary_key=True)
    component_sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"), primary_key=True)
    quantity: Mapped[int]
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("bundle_sku <> component_sku", name="not_itself"),
    )


class PriceList(Base):
    """Prices of one brand in one currency for one country; it says whether they include tax."""

    __tablename__ = "price_lists"
    id: Mapped[Id]
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    country: Mapped[str]
    currency: Mapped[str]
    includes_tax: Mapped[bool]
    __table_args__ = (
        UniqueConstraint("brand_id", "country"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_iso"),
        CheckConstraint("currency ~ '^[a-z]{3}$'", name="currency_iso"),
    )


class Price(Base):
    __tablename__ = "prices"
    price_list_id: Mapped[str] = mapped_column(ForeignKey("price_lists.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"), primary_key=True)
    amount: Mapped[Money]
    __table_args__ = (CheckConstraint("amount >= 0", name="amount"),)


class ShippingRate(Base):
    """What the customer pays for sending, by destination zone and speed, in the price list's currency and tax sense."""

    __tablename__ = "shipping_rates"
    id: Mapped[Id]
    price_list_id: Mapped[str] = mapped_column(ForeignKey("price_lists.id"))
    zone: Mapped[str]  # a state or region; '*' is every other
    speed: Mapped[str]
    title: Mapped[str]
    amount: Mapped[Money]
    free_from: Mapped[int | None]
    transit_days: Mapped[int]
    __table_args__ = (
        UniqueConstraint("price_list_id", "zone", "speed"),
        CheckConstraint("amount >= 0 AND transit_days > 0", name="sane"),
    )


class TaxRate(Base):
    """Basis points of a hundredth percent: 1900 is 19 %. State '*' is every other state of the country."""

    __tablename__ = "tax_rates"
    country: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    basis_points: Mapped[int]
    shipping_taxed: Mapped[bool]
    __table_args__ = (CheckConstraint("basis_points BETWEEN 0 AND 10000", name="rate"),)


class Box(Base):
    __tablename__ = "boxes"
    id: Mapped[Id]
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    title: Mapped[str]
    length_mm: Mapped[int]
    width_mm: Mapped[int]
    height_mm: Mapped[int]
    grams: Mapped[int]
    __table_args__ = (
        CheckConstraint("length_mm > 0 AND width_mm > 0 AND height_mm > 0 AND grams >= 0", name="positive"),
    )


class Customer(Base):
    """A registered customer. A guest's contact data stands on the order alone."""

    __tablename__ = "customers"
    id: Mapped[Id]
    brand_id: Mapped[str] = mapped_column(ForeignKey("brands.id"))
    email: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None]
    created_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(server_default="1")
    __table_args__ = (UniqueConstraint("brand_id", "email"),)
