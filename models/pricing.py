"""What a cart costs, to the piece: prices, discount shares and tax shares that are fixed at checkout. Pure.

Identities (tests and the tables' CHECKs hold them): subtotal is the sum of the units' prices; total = subtotal -
discount + shipping, plus tax and shipping_tax where prices exclude tax; the units' amounts and shipping (with its tax
where excluded) sum to total; where prices include tax, net + tax = price.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from models.errors import InvalidError
from models.money import MAX_AMOUNT, chargeable, currency, portion, share

MAX_LINES: Final = 100
MAX_QUANTITY: Final = 1000  # of one line
MAX_UNITS: Final = 1000  # pieces of one order, a bundle's components counted


@dataclass(frozen=True, slots=True)
class Component:
    """Part of one bundle; its list price weighs its share of the bundle's price."""

    sku: str
    quantity: int
    list_price: int | None


@dataclass(frozen=True, slots=True)
class CartLine:
    """A SKU, how many, and the price of one; a bundle has components."""

    sku: str
    title: str
    quantity: int
    unit_price: int
    hazmat: bool = False
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxRule:
    """Basis points (1900 is 19 %), and whether shipping is taxed like goods."""

    basis_points: int
    shipping_taxed: bool


@dataclass(frozen=True, slots=True)
class ShippingOffer:
    """A speed and its price, free from `free_from` of goods after discount."""

    speed: str
    title: str
    amount: int
    transit_days: int
    free_from: int | None = None


@dataclass(frozen=True, slots=True)
class PricedUnit:
    """One piece; `amount` is what the customer pays for it: price - discount, plus tax where prices exclude it."""

    sku: str
    price: int
    discount: int
    tax: int
    amount: int


@dataclass(frozen=True, slots=True)
class PricedLine:
    sku: str
    title: str
    quantity: int
    unit_price: int
    discount: int
    tax: int
    units: tuple[PricedUnit, ...]


@dataclass(frozen=True, slots=True)
class PricedCart:
    currency: str
    includes_tax: bool
    lines: tuple[PricedLine, ...]
    subtotal: int
    discount: int
    tax: int
    shipping: int
    shipping_tax: int
    total: int = field(init=False)

    def __post_init__(self) -> None:
        on_top = 0 if self.includes_tax else self.tax + self.shipping_tax
        object.__setattr__(self, "total", self.subtotal - self.discount + self.shipping + on_top)


def price_cart(
    lines: Sequence[CartLine],
    *,
    currency_code: str,
    includes_tax: bool,
    tax: TaxRule,
    shipping: ShippingOffer | None,
    discount: int = 0,
) -> PricedCart:
    """Price a cart, or InvalidError naming the field (`lines.0.quantity`, `discount`, `total`) that cannot be meant.

    Discount and tax are computed once for the whole cart and go by largest remainder to lines, then to their pieces.
    """
    _refuse_senseless(lines, currency_code, discount)
    step = currency(currency_code).step
    totals = [line.unit_price * line.quantity for line in lines]
    subtotal = sum(totals)
    if discount > subtotal:
        raise InvalidError("The discount is more than the goods.", field="discount")
    discounts = share(discount, totals, step)
    taxable = [total - off for total, off in zip(totals, discounts, strict=True)]
    goods_tax = _tax_of(sum(taxable), tax.basis_points, includes_tax=includes_tax, step=step)
    taxes = share(goods_tax, taxable, step)
    charge = _shipping_charge(shipping, subtotal - discount)
    cart = PricedCart(
        currency=currency_code,
        includes_tax=includes_tax,
        lines=tuple(
            _price_line(line, off, line_tax, includes_tax=includes_tax, step=step)
            for line, off, line_tax in zip(lines, discounts, taxes, strict=True)
        ),
        subtotal=subtotal,
        discount=discount,
        tax=goods_tax,
        shipping=charge,
        shipping_tax=_tax_of(charge, tax.basis_points, includes_tax=includes_tax, step=step) * tax.shipping_taxed,
    )
    if cart.total > MAX_AMOUNT:
        raise InvalidError(f"An order's total is at most {MAX_AMOUNT}.", code="too_large", field="total")
    return cart


def _refuse_senseless(lines: Sequence[CartLine], code: str, discount: int) -> None:
    if not 0 < len(lines) <= MAX_LINES:
        raise InvalidError(f"A cart has 1 to {MAX_LINES} lines.", field="lines")
    pieces = 0
    for place, line in enumerate(lines):
        if not 0 < line.quantity <= MAX_QUANTITY:
            raise InvalidError(f"A quantity is 1 to {MAX_QUANTITY}.", field=f"lines.{place}.quantity")
        if not (0 <= line.unit_price <= MAX_AMOUNT and chargeable(line.unit_price, code)):
            raise InvalidError("This price cannot be charged.", field=f"lines.{place}.unit_price")
        pieces += line.quantity * (sum(part.quantity for part in line.components) or 1)
    if pieces > MAX_UNITS:
        raise InvalidError(f"An order has at most {MAX_UNITS} pieces.", code="too_large", field="lines")
    if discount < 0 or not chargeable(discount, code):
        raise InvalidError("This discount cannot be given.", field="discount")


def _price_line(line: CartLine, discount: int, tax: int, *, includes_tax: bool, step: int) -> PricedLine:
    pieces = _pieces(line, step)
    discounts = share(discount, [price for _, price in pieces], step)
    taxables = [price - off for (_, price), off in zip(pieces, discounts, strict=True)]
    taxes = share(tax, taxables, step)
    units = tuple(
        PricedUnit(sku, price, off, unit_tax, taxable if includes_tax else taxable + unit_tax)
        for (sku, price), off, taxable, unit_tax in zip(pieces, discounts, taxables, taxes, strict=True)
    )
    return PricedLine(line.sku, line.title, line.quantity, line.unit_price, discount, tax, units)


def _pieces(line: CartLine, step: int) -> list[tuple[str, int]]:
    """Each piece with its price: of a bundle, the component pieces, one bundle after the other.

    Where a component has no price of its own all weigh alike, since a piece of price 0 could never be refunded.
    """
    if not line.components:
        return [(line.sku, line.unit_price)] * line.quantity
    parts = [part for part in line.components for _ in range(part.quantity)]
    weights = [part.list_price or 0 for part in parts]
    prices = share(line.unit_price, weights if all(weights) else [1] * len(parts), step)
    return [(part.sku, price) for part, price in zip(parts, prices, strict=True)] * line.quantity


def _tax_of(amount: int, basis_points: int, *, includes_tax: bool, step: int) -> int:
    return portion(amount, basis_points, 10_000 + basis_points if includes_tax else 10_000, step)


def _shipping_charge(offer: ShippingOffer | None, goods: int) -> int:
    if offer is None or (offer.free_from is not None and goods >= offer.free_from):
        return 0
    return offer.amount
