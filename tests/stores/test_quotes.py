"""A quote from the demo's shop: every speed that is possible, priced to the cent, or why there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from cli.demo.scenarios import SAMPLE_ORDER, SILENT_STORE
from cli.postgres import Postgres
from cli.seed import seed
from models.db import Database
from models.errors import InvalidError
from models.quotes import CannotShipTo, Quote, QuoteRequest, Wanted, promise
from models.stores.catalogue import CatalogueStore
from models.tables.catalogue import TaxRate, Variant
from models.tables.stock import Location
from tests.conftest import fresh_database


@pytest.fixture(scope="module")
def shop(postgres: Postgres) -> Iterator[Database]:
    """The demo's shop for all tests here: a quote writes nothing."""
    with fresh_database(postgres) as urls:
        seed(urls.app, lambda _: None, date(2026, 11, 1))
        database = Database(urls.app)
        yield database
        database.dispose()


@pytest.fixture
def catalogue(shop: Database, clock) -> CatalogueStore:
    return CatalogueStore(shop, clock)


@contextmanager
def changed(shop: Database, table, where, **values: object) -> Iterator[None]:
    """While it lasts these columns are others."""
    before = {name: getattr(table, name) for name in values}
    kept = shop.transaction(lambda session: session.execute(select(*before.values()).where(where)).first())
    assert kept is not None
    shop.transaction(lambda session: session.execute(update(table).where(where).values(**values)))
    try:
        yield
    finally:
        shop.transaction(lambda session: session.execute(update(table).where(where).values(**kept._mapping)))


def ask(*lines: tuple[str, int], country: str = "US", state: str | None = "NY", **more) -> QuoteRequest:
    return QuoteRequest("brand_aurelle", country, state, tuple(Wanted(*line) for line in lines), **more)


def quoted(catalogue: CatalogueStore, request: QuoteRequest) -> Quote:
    answer = catalogue.quote(request)
    assert isinstance(answer, Quote)
    return answer


def test_us_quote_adds_the_states_tax_and_offers_every_speed(catalogue: CatalogueStore):
    answer = quoted(catalogue, ask(("aur-lip-vel-001 ", 1)))
    assert (answer.currency, answer.includes_tax) == ("usd", False)
    assert [choice.speed for choice in answer.choices] == ["standard", "express"]
    cart = answer.choices[0].cart
    # New York: 4 % on goods and shipping.
    assert (cart.subtotal, cart.shipping, cart.tax, cart.shipping_tax, cart.total) == (2800, 595, 112, 24, 3531)
    assert cart.lines[0].sku == "AUR-LIP-VEL-001"


def test_german_quote_contains_its_tax(catalogue: CatalogueStore):
    answer = quoted(catalogue, ask(("AUR-LIP-VEL-001", 2), country="DE", state=None))
    cart = answer.choices[0].cart
    assert (answer.currency, cart.subtotal, cart.shipping, cart.tax, cart.total) == ("eur", 5980, 0, 955, 5980)


def test_bundle_is_priced_by_its_pieces_and_hazard_bars_the_air(catalogue: CatalogueStore):
    answer = quoted(catalogue, ask(("AUR-SET-NAI", 1)))
    units = answer.choices[0].cart.lines[0].units
    assert sorted(unit.sku for unit in units) == ["AUR-NAI-COA-001", "AUR-NAI-COA-002", "AUR-NAI-LAC-008"]
    assert sum(unit.price for unit in units) == 3900
    assert [choice.speed for choice in answer.choices] == ["standard"]
    with pytest.raises(InvalidError) as refused:
        catalogue.quote(ask(("AUR-SET-NAI", 1), speed="express"))
    assert refused.value.code == "speed_unavailable"


def test_asked_speed_alone_is_quoted(catalogue: CatalogueStore):
    answer = quoted(catalogue, ask(("AUR-LIP-VEL-001", 1), speed="express"))
    assert [choice.speed for choice in answer.choices] == ["express"]


def test_states_own_rate_counts_before_that_of_the_others(catalogue: CatalogueStore):
    alaska = quoted(catalogue, ask(("AUR-LIP-VEL-001", 3), state="ak"))
    assert {choice.speed: choice.cart.shipping for choice in alaska.choices} == {"standard": 1295, "express": 1495}


def test_states_own_tax_counts_before_that_of_the_others(catalogue: CatalogueStore):
    catalogue.set_tax_rate("DE", "HH", 700, shipping_taxed=False)
    hamburg = quoted(catalogue, ask(("AUR-LIP-VEL-001", 1), country="DE", state="hh")).choices[0].cart
    others = quoted(catalogue, ask(("AUR-LIP-VEL-001", 1), country="DE", state="BY")).choices[0].cart
    assert (hamburg.tax, hamburg.shipping_tax) == (196, 0)
    assert (others.tax, others.shipping_tax) == (477, 79)


def test_discount_is_shared_and_lowers_the_tax(catalogue: CatalogueStore):
    cart = quoted(catalogue, ask(("AUR-LIP-VEL-001", 2), ("AUR-LIP-LIN-001", 1), discount=740)).choices[0].cart
    assert [line.discount for line in cart.lines] == [560, 180]
    assert (cart.tax, cart.shipping) == (266, 0)


@pytest.mark.parametrize(
    ("lines", "field", "code"),
    [
        ([("AUR-LIP-VEL-001", 1), ("NO-SUCH", 1)], "lines.1.sku", "unknown_sku"),
        ([("AUR-LIP-VEL-002", 1)], "lines.0.sku", "unknown_sku"),
        ([("AUR-LIP-VEL-001", 0)], "lines.0.quantity", "invalid"),
    ],
)
def test_line_is_named_when_it_cannot_be_sold(catalogue: CatalogueStore, shop: Database, lines, field, code):
    with changed(shop, Variant, Variant.sku == "AUR-LIP-VEL-002", active=False), pytest.raises(InvalidError) as refused:
        catalogue.quote(ask(*lines))
    assert (refused.value.field, refused.value.code) == (field, code)


@pytest.mark.parametrize(
    ("country", "state", "reason"),
    [("FR", None, "no_price_list"), ("US", "PR", "no_tax_rate"), ("US", None, "no_tax_rate")],
)
def test_place_is_refused_when_nothing_is_sold_there(catalogue: CatalogueStore, country, state, reason):
    answer = catalogue.quote(ask(("AUR-LIP-VEL-001", 1), country=country, state=state))
    assert answer == CannotShipTo(country, reason)


def test_place_is_refused_when_no_node_of_its_country_ships(catalogue: CatalogueStore, shop: Database):
    request = ask(("AUR-LIP-VEL-001", 1), country="DE", state=None)
    with changed(shop, Location, Location.country == "DE", paused=True):
        assert catalogue.quote(request) == CannotShipTo("DE", "no_node")
    assert isinstance(catalogue.quote(request), Quote)


def test_place_is_refused_when_its_country_has_no_tax_rate(catalogue: CatalogueStore, shop: Database):
    request = ask(("AUR-LIP-VEL-001", 1), country="DE", state=None)
    with changed(shop, TaxRate, TaxRate.state == "*", country="FR"):
        assert catalogue.quote(request) == CannotShipTo("DE", "no_tax_rate")
    assert isinstance(catalogue.quote(request), Quote)


def test_unknown_brand_is_refused(catalogue: CatalogueStore):
    with pytest.raises(InvalidError) as refused:
        catalogue.quote(QuoteRequest("brand_none", "US", "NY", (Wanted("AUR-LIP-VEL-001", 1),)))
    assert refused.value.code == "unknown_brand"


def test_promise_counts_working_days_when_a_weekend_lies_between():
    friday = datetime(2026, 11, 27, 9, tzinfo=UTC)
    assert promise(friday, 2) == datetime(2026, 12, 2, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("body", [SAMPLE_ORDER, SILENT_STORE])
def test_sample_orders_expect_what_is_quoted(catalogue: CatalogueStore, body):
    place, lines = body["ship_to"], [(line["sku"], line["quantity"]) for line in body["lines"]]
    answer = quoted(catalogue, ask(*lines, country=place["country"], state=place["state"], speed=body["speed"]))
    assert answer.choice(body["speed"]).cart.total == body["expected_total"]
