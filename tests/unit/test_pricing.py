"""A cart's price adds up to the piece, in every currency, with and without tax in the prices."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.errors import InvalidError
from models.money import MAX_AMOUNT, currency
from models.pricing import CartLine, Component, PricedCart, ShippingOffer, TaxRule, price_cart

NO_TAX = TaxRule(0, shipping_taxed=False)


def cart(*lines: CartLine, code: str = "usd", included: bool = False, rate: int = 0, discount: int = 0) -> PricedCart:
    tax = TaxRule(rate, shipping_taxed=True)
    return price_cart(lines, currency_code=code, includes_tax=included, tax=tax, shipping=None, discount=discount)


def line(price: int, quantity: int = 1, sku: str = "A", components: tuple[Component, ...] = ()) -> CartLine:
    return CartLine(sku, sku, quantity, price, components=components)


def test_k66_yen_are_priced_and_split_whole():
    priced = cart(line(9899), code="jpy", included=True, rate=1000)
    assert (priced.total, priced.tax) == (9899, 900)


def test_k68_discount_is_taxed_once_when_prices_exclude_tax():
    priced = cart(line(10000, 2), rate=1000, discount=2000)
    assert priced.total == 19800
    assert [unit.amount for unit in priced.lines[0].units] == [9900, 9900]


def test_k69_net_and_tax_make_the_price_when_half_a_cent_is_left():
    priced = cart(line(999), included=True, rate=2000)
    unit = priced.lines[0].units[0]
    assert (priced.total, unit.amount, unit.tax) == (999, 999, 167)


def test_k72_an_orders_discount_is_shared_and_fixed():
    priced = cart(line(600, sku="A"), line(400, sku="B"), discount=100)
    assert [each.units[0].amount for each in priced.lines] == [540, 360]
    assert [each.discount for each in priced.lines] == [60, 40]


def test_bundle_price_goes_to_its_pieces_by_list_price():
    parts = (Component("LIP", 1, 2000), Component("NAIL", 2, 1000))
    priced = cart(line(3001, 2, "SET", parts), rate=825, discount=101)
    units = priced.lines[0].units
    assert [unit.sku for unit in units] == ["LIP", "NAIL", "NAIL"] * 2
    assert [unit.price for unit in units] == [1501, 750, 750] * 2
    assert sum(unit.amount for unit in units) == priced.total


def test_bundle_pieces_weigh_alike_when_one_has_no_price():
    parts = (Component("LIP", 1, 2000), Component("NAIL", 1, None))
    assert [unit.price for unit in cart(line(3000, 1, "SET", parts)).lines[0].units] == [1500, 1500]


@pytest.mark.parametrize(("discount", "charge"), [(0, 0), (1, 599)])
def test_shipping_is_free_when_goods_after_discount_reach_the_limit(discount: int, charge: int):
    offer = ShippingOffer("standard", "Standard", 599, 5, free_from=5000)
    priced = price_cart(
        [line(5000)], currency_code="usd", includes_tax=False, tax=NO_TAX, shipping=offer, discount=discount
    )
    assert priced.shipping == charge


def test_shipping_bears_tax_only_when_the_state_says_so():
    offer = ShippingOffer("standard", "Standard", 1000, 5)
    for taxed, tax in ((True, 80), (False, 0)):
        priced = price_cart(
            [line(5000)], currency_code="usd", includes_tax=False, tax=TaxRule(800, taxed), shipping=offer
        )
        assert (priced.shipping_tax, priced.total) == (tax, 5000 + 400 + 1000 + tax)


@pytest.mark.parametrize(
    ("lines", "discount", "field"),
    [
        ([], 0, "lines"),
        ([line(1)] * 101, 0, "lines"),
        ([line(1), line(1, 0)], 0, "lines.1.quantity"),
        ([line(1, -1)], 0, "lines.0.quantity"),
        ([line(1, 200_000_000)], 0, "lines.0.quantity"),
        ([line(1, 600), line(1, 600)], 0, "lines"),
        ([line(MAX_AMOUNT + 1)], 0, "lines.0.unit_price"),
        ([line(MAX_AMOUNT, 2)], 0, "total"),
        ([line(100)], 101, "discount"),
        ([line(100)], -1, "discount"),
    ],
)
def test_cart_is_refused_naming_the_field_when_it_passes_a_limit(lines: list[CartLine], discount: int, field: str):
    with pytest.raises(InvalidError) as refused:
        cart(*lines, discount=discount)
    assert refused.value.field == field


def test_price_is_refused_when_the_currency_cannot_be_charged_it():
    with pytest.raises(InvalidError) as refused:
        cart(line(1005), code="kwd")
    assert refused.value.field == "lines.0.unit_price"


@st.composite
def carts(draw: st.DrawFn) -> PricedCart:
    code = draw(st.sampled_from(["usd", "eur", "jpy", "kwd", "isk"]))
    step = currency(code).step
    price = st.integers(0, 20_000).map(lambda steps: steps * step)
    components = st.lists(
        st.builds(Component, st.sampled_from("XYZ"), st.integers(1, 3), st.none() | price), max_size=3
    ).map(tuple)
    lines = draw(
        st.lists(
            st.builds(CartLine, st.just("A"), st.just("A"), st.integers(1, 20), price, components=components),
            min_size=1,
            max_size=5,
        )
    )
    subtotal = sum(each.unit_price * each.quantity for each in lines)
    discount = draw(st.integers(0, subtotal // step)) * step
    offer = draw(st.none() | st.builds(ShippingOffer, st.just("s"), st.just("S"), price, st.just(3), st.none() | price))
    rule = TaxRule(draw(st.integers(0, 3000)), draw(st.booleans()))
    try:
        return price_cart(
            lines,
            currency_code=code,
            includes_tax=draw(st.booleans()),
            tax=rule,
            shipping=offer,
            discount=discount,
        )
    except InvalidError as refused:
        assume(refused.field not in {"lines", "total"})
        raise


@given(carts())
def test_every_identity_holds_for_any_cart(priced: PricedCart):
    units = [unit for each in priced.lines for unit in each.units]
    on_top = 0 if priced.includes_tax else priced.tax + priced.shipping_tax
    assert priced.subtotal == sum(unit.price for unit in units)
    assert priced.discount == sum(unit.discount for unit in units) == sum(each.discount for each in priced.lines)
    assert priced.tax == sum(unit.tax for unit in units) == sum(each.tax for each in priced.lines)
    assert priced.total == priced.subtotal - priced.discount + priced.shipping + on_top
    freight = priced.shipping + (0 if priced.includes_tax else priced.shipping_tax)
    assert sum(unit.amount for unit in units) + freight == priced.total
    step = currency(priced.currency).step
    for unit in units:
        assert 0 <= unit.discount <= unit.price
        assert unit.tax >= 0
        assert unit.amount == unit.price - unit.discount + (0 if priced.includes_tax else unit.tax)
        assert not any(value % step for value in (unit.price, unit.discount, unit.tax, unit.amount))
        if priced.includes_tax:
            assert unit.tax <= unit.amount
