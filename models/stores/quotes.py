"""Reads what a cart needs to be priced: its country's price list, its variants, shipping and tax. Writes nothing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from models.errors import InvalidError
from models.ids import tidy_sku
from models.pricing import CartLine, Component, PricedCart, ShippingOffer, TaxRule, price_cart
from models.quotes import AIR_SPEEDS, CannotShipTo, Choice, Quote, QuoteRequest, promise
from models.tables.catalogue import Brand, BundleComponent, Price, PriceList, Product, ShippingRate, TaxRate, Variant
from models.tables.stock import Location


@dataclass(frozen=True, slots=True)
class _Market:
    price_list: PriceList
    tax: TaxRule


def quote(session: Session, request: QuoteRequest, now: datetime) -> Quote | CannotShipTo:
    """Every speed's price and promise (or the asked one's alone). InvalidError names the line of an unknown SKU."""
    market = _market(session, request)
    if isinstance(market, CannotShipTo):
        return market
    listed = market.price_list
    lines, hazmat = _lines(session, request, listed.id)
    offers = [
        offer
        for offer in _offers(session, listed.id, request.state)
        if not (hazmat and offer.speed in AIR_SPEEDS) and request.speed in (None, offer.speed)
    ]
    if not offers and request.speed is None:
        return CannotShipTo(request.country, "no_shipping")

    def priced(offer: ShippingOffer) -> PricedCart:
        return price_cart(
            lines,
            currency_code=listed.currency,
            includes_tax=listed.includes_tax,
            tax=market.tax,
            shipping=offer,
            discount=request.discount,
        )

    choices = [
        Choice(offer.speed, offer.title, offer.transit_days, promise(now, offer.transit_days), priced(offer))
        for offer in offers
    ]
    choices.sort(key=lambda choice: (choice.cart.total, choice.transit_days, choice.speed))
    answer = Quote(listed.currency, listed.includes_tax, tuple(choices))
    answer.choice(request.speed)
    return answer


def _market(session: Session, request: QuoteRequest) -> _Market | CannotShipTo:
    """Where this brand sells there: a price list, a tax rate (the state's before '*') and a node in the country."""
    node = exists().where(Location.country == request.country, Location.paused.is_(False))
    rows = session.execute(
        select(PriceList, TaxRate, node.label("node"))
        .outerjoin(
            TaxRate,
            and_(TaxRate.country == PriceList.country, TaxRate.state.in_(_places(request.state))),
        )
        .where(PriceList.brand_id == request.brand_id, PriceList.country == request.country)
    ).all()
    if not rows:
        if not session.scalar(select(exists().where(Brand.id == request.brand_id))):
            raise InvalidError("No such brand.", code="unknown_brand", field="brand_id")
        return CannotShipTo(request.country, "no_price_list")
    rates = {rate.state: rate for _, rate, _ in rows if rate}
    rate = next((rates[place] for place in _places(request.state) if place in rates), None)
    price_list, _, has_node = rows[0]
    if rate is None:
        return CannotShipTo(request.country, "no_tax_rate")
    if not has_node:
        return CannotShipTo(request.country, "no_node")
    return _Market(price_list, TaxRule(rate.basis_points, rate.shipping_taxed))


def _places(state: str | None) -> tuple[str, ...]:
    """A state's own row counts before that of every other state."""
    return (state.strip().upper(), "*") if state else ("*",)


def _lines(session: Session, request: QuoteRequest, price_list_id: str) -> tuple[list[CartLine], bool]:
    """The cart with today's prices, and whether anything in it is hazardous."""
    skus = [tidy_sku(line.sku) for line in request.lines]
    found = {
        variant.sku: (variant, price)
        for variant, price in session.execute(
            select(Variant, Price.amount)
            .join(Product, Product.id == Variant.product_id)
            .outerjoin(Price, and_(Price.sku == Variant.sku, Price.price_list_id == price_list_id))
            .where(Variant.sku.in_(skus), Variant.active, Product.brand_id == request.brand_id)
        )
    }
    bundles = [variant.sku for variant, _ in found.values() if variant.bundle]
    parts, risky = _components(session, bundles, price_list_id) if bundles else ({}, set[str]())
    lines: list[CartLine] = []
    for place, (sku, wanted) in enumerate(zip(skus, request.lines, strict=True)):
        variant, price = found.get(sku, (None, None))
        if variant is None:
            raise InvalidError("No such SKU.", code="unknown_sku", field=f"lines.{place}.sku")
        if price is None or (variant.bundle and sku not in parts):
            raise InvalidError("This SKU is not sold here.", code="not_sold_here", field=f"lines.{place}.sku")
        hazmat = variant.hazmat or sku in risky
        lines.append(CartLine(sku, variant.title, wanted.quantity, price, hazmat, parts.get(sku, ())))
    return lines, any(line.hazmat for line in lines)


def _components(
    session: Session, bundles: Sequence[str], price_list_id: str
) -> tuple[dict[str, tuple[Component, ...]], set[str]]:
    """Each bundle's components with their list prices, and which bundles hold something hazardous."""
    part = aliased(Variant)
    parts: defaultdict[str, list[Component]] = defaultdict(list)
    risky: set[str] = set()
    for component, hazmat, price in session.execute(
        select(BundleComponent, part.hazmat, Price.amount)
        .join(part, part.sku == BundleComponent.component_sku)
        .outerjoin(Price, and_(Price.sku == part.sku, Price.price_list_id == price_list_id))
        .where(BundleComponent.bundle_sku.in_(bundles))
        .order_by(BundleComponent.bundle_sku, BundleComponent.component_sku)
    ):
        parts[component.bundle_sku].append(Component(component.component_sku, component.quantity, price))
        if hazmat:
            risky.add(component.bundle_sku)
    return {sku: tuple(found) for sku, found in parts.items()}, risky


def _offers(session: Session, price_list_id: str, state: str | None) -> list[ShippingOffer]:
    """By speed the state's own rate, or that of every other state."""
    places = _places(state)
    rates = session.scalars(
        select(ShippingRate).where(
            ShippingRate.price_list_id == price_list_id, or_(*(ShippingRate.zone == place for place in places))
        )
    ).all()
    best = {rate.speed: rate for place in reversed(places) for rate in rates if rate.zone == place}
    return [
        ShippingOffer(rate.speed, rate.title, rate.amount, rate.transit_days, rate.free_from) for rate in best.values()
    ]
