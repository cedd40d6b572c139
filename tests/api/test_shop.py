"""A shop is set up over HTTP and quoted from: what it sells, where it lies, and what cannot be meant."""

import json
from typing import Any

import pytest

from api.deps import callers
from tests.api.conftest import KEYS, Api

VARIANT = {"sku": " fig-1 ", "title": "Figuier, 50 ml", "barcode": "2004700001112", "grams": 236, "hazmat": True}
PRODUCT = {"id": "prod_fig", "brand": "brand_b", "title": "Figuier", "category": "perfume", "variants": [VARIANT]}
STORE = {
    "id": "loc_b",
    "name": "B Store",
    "kind": "store",
    "street": "Neuer Wall 41",
    "city": "Hamburg",
    "postcode": "20354",
    "country": "DE",
    "latitude": 53.552,
    "longitude": 9.99,
    "timezone": "Europe/Berlin",
    "opening_hours": [{"weekday": 0, "opens": "10:00", "closes": "20:00"}],
}


@pytest.fixture
def admin(api: Api) -> Api:
    api.app.state.callers = callers({**KEYS, "root": {"role": "admin", "id": "root"}})
    return api


async def post(api: Api, path: str, body: dict[str, Any], by: str = "root"):
    return await api.call("POST", path, by=by, json=body)


async def open_shop(api: Api) -> None:
    steps: list[tuple[str, dict[str, Any]]] = [
        ("/v1/brands", {"id": "brand_b", "name": "B"}),
        ("/v1/products", PRODUCT),
        (
            "/v1/price_lists",
            {"id": "pl_b", "brand": "brand_b", "country": "DE", "currency": "eur", "includes_tax": True},
        ),
        ("/v1/price_lists/pl_b/prices", {"prices": [{"sku": "fig-1", "amount": 10500}]}),
        (
            "/v1/price_lists/pl_b/shipping_rates",
            {"speed": "standard", "title": "Standard", "amount": 495, "free_from": 20000, "transit_days": 2},
        ),
        (
            "/v1/price_lists/pl_b/shipping_rates",
            {"speed": "express", "title": "Express", "amount": 995, "transit_days": 1},
        ),
        ("/v1/tax_rates", {"country": "DE", "basis_points": 1900, "shipping_taxed": True}),
        ("/v1/locations", STORE),
        (
            "/v1/boxes",
            {"brand": "brand_b", "title": "Small", "length_mm": 200, "width_mm": 150, "height_mm": 90, "grams": 90},
        ),
    ]
    for path, body in steps:
        answer = await post(api, path, body)
        assert answer.status_code in (201, 204), answer.text


async def test_shop_set_up_over_http_can_be_quoted(admin: Api):
    await open_shop(admin)
    cart = {"brand": "brand_b", "country": "DE", "lines": [{"sku": " FIG-1", "quantity": 1}]}
    answer = await post(admin, "/v1/quotes", cart, by="shop")
    assert answer.status_code == 200
    quote = answer.json()
    assert (quote["currency"], quote["includes_tax"]) == ("eur", True)
    (choice,) = quote["choices"]  # perfume does not fly
    assert choice["speed"] == "standard"
    assert choice["total"] == {"amount": 10995, "currency": "eur"}
    assert (choice["tax"]["amount"], choice["shipping_tax"]["amount"]) == (1676, 79)
    assert choice["lines"][0]["sku"] == "FIG-1"


async def test_what_was_set_up_is_listed(admin: Api):
    await open_shop(admin)
    for path, field, wanted in (
        ("/v1/brands", "id", ["brand_aurelle", "brand_b"]),
        ("/v1/products?brand=brand_b&category=perfume", "id", ["prod_fig"]),
        ("/v1/price_lists?brand=brand_b", "currency", ["eur"]),
        ("/v1/price_lists/pl_b/prices", "amount", [10500]),
        ("/v1/price_lists/pl_b/shipping_rates", "speed", ["standard", "express"]),
        ("/v1/tax_rates?country=DE", "basis_points", [1900]),
        ("/v1/boxes?brand=brand_b", "title", ["Small"]),
        ("/v1/locations?country=DE&kind=store", "id", ["loc_b"]),
    ):
        shown = (await admin.call("GET", path, by="shop")).json()
        assert (shown["object"], [row[field] for row in shown["data"]]) == ("list", wanted), path
    product = (await admin.call("GET", "/v1/products/prod_fig", by="shop")).json()
    assert [variant["sku"] for variant in product["variants"]] == ["FIG-1"]
    assert (await admin.call("GET", "/v1/products/prod_none")).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "a\u0000b"}, "title"),
        ({"description": "\ud800"}, "description"),
        ({"colour": "red"}, "colour"),
        ({"variants": []}, "variants"),
        ({"variants": [{**VARIANT, "sku": "  "}]}, "variants.0.sku"),
        ({"variants": [{**VARIANT, "barcode": "2004700001113"}]}, "variants.0.barcode"),
        ({"variants": [{**VARIANT, "grams": 1.5}]}, "variants.0.grams"),
        (
            {"variants": [{**VARIANT, "components": [{"sku": "LIP-1", "quantity": 0}]}]},
            "variants.0.components.0.quantity",
        ),
    ],
)
async def test_product_is_refused_naming_the_field(admin: Api, change: dict[str, Any], field: str):
    await post(admin, "/v1/brands", {"id": "brand_b", "name": "B"})
    # As bytes, since a client that is well-behaved would not send half a surrogate pair.
    answer = await admin.call(
        "POST",
        "/v1/products",
        by="root",
        content=json.dumps({**PRODUCT, **change}),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("amount", [1e20, 100_000_000, -1, 10.5, True, "100"])
async def test_price_is_refused_when_it_is_no_amount(admin: Api, amount: object):
    answer = await post(admin, "/v1/price_lists/pl_us/prices", {"prices": [{"sku": "LIP-1", "amount": amount}]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "prices.0.amount")


async def test_price_is_refused_when_cards_cannot_pay_it(admin: Api):
    lists = {"id": "pl_kw", "brand": "brand_aurelle", "country": "KW", "currency": "kwd", "includes_tax": True}
    assert (await post(admin, "/v1/price_lists", lists)).status_code == 201
    answer = await post(admin, "/v1/price_lists/pl_kw/prices", {"prices": [{"sku": "LIP-1", "amount": 1505}]})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_chargeable")
    unknown = await post(admin, "/v1/price_lists", {**lists, "id": "pl_x", "country": "FR", "currency": "xxx"})
    assert unknown.status_code == 422


async def test_second_of_an_id_is_a_conflict(admin: Api):
    await open_shop(admin)
    for path, body in (
        ("/v1/brands", {"id": "brand_b", "name": "B"}),
        ("/v1/products", PRODUCT),
        ("/v1/locations", STORE),
    ):
        answer = await post(admin, path, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "exists")


async def test_catalogue_is_set_up_by_those_alone_who_may(api: Api):
    for key in ("shop", "agent", "soho"):
        assert (await post(api, "/v1/brands", {"id": "brand_c", "name": "C"}, by=key)).status_code == 403
    assert (await post(api, "/v1/brands", {"id": "brand_c", "name": "C"}, by="nobody")).status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lines": [{"sku": "LIP-1", "quantity": 1}, {"sku": "LIP-1", "quantity": -1}]}, "lines.1.quantity"),
        ({"lines": [{"sku": "LIP-1", "quantity": 1.5}]}, "lines.0.quantity"),
        ({"lines": [{"sku": "LIP-1", "quantity": True}]}, "lines.0.quantity"),
        ({"lines": [{"sku": "LIP-1", "quantity": 200_000_000}]}, "lines.0.quantity"),
        ({"lines": [{"sku": "NONE", "quantity": 1}]}, "lines.0.sku"),
        ({"lines": []}, "lines"),
        ({"brand": "brand_none"}, "brand_id"),
        ({"speed": "rocket"}, "speed"),
        ({"country": "us"}, "country"),
    ],
)
async def test_quote_is_refused_naming_the_field(api: Api, change: dict[str, Any], field: str):
    cart = {"brand": "brand_aurelle", "country": "US", "state": "NY", "lines": [{"sku": "LIP-1", "quantity": 1}]}
    answer = await post(api, "/v1/quotes", {**cart, **change}, by="shop")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_quote_is_refused_where_nothing_is_sold(api: Api):
    cart = {"brand": "brand_aurelle", "country": "FR", "lines": [{"sku": "LIP-1", "quantity": 1}]}
    answer = await post(api, "/v1/quotes", cart, by="shop")
    assert (answer.status_code, answer.json()["code"]) == (422, "cannot_ship_to")
    assert (answer.json()["country"], answer.json()["reason"]) == ("FR", "no_price_list")


async def test_discount_is_quoted_to_those_who_may_give_one(api: Api):
    cart = {"brand": "brand_aurelle", "country": "US", "lines": [{"sku": "LIP-1", "quantity": 1}], "discount": 800}
    given = await post(api, "/v1/quotes", cart, by="agent")
    assert given.json()["choices"][0]["tax"]["amount"] == 178  # 8.88 % of 20.00
    assert (await post(api, "/v1/quotes", cart, by="shop")).json()["code"] == "discount_forbidden"


async def patch(api: Api, body: dict[str, Any], if_match: str | None):
    headers = {} if if_match is None else {"If-Match": if_match}
    return await api.call("PATCH", "/v1/locations/loc_b", json=body, headers=headers)


async def test_location_is_changed_by_revision(api: Api):
    made = await post(api, "/v1/locations", STORE, by="ops")
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    week = [{"weekday": 6, "opens": "11:00", "closes": "00:00"}]
    changed = await patch(api, {"paused": True, "capacity_per_day": 5, "opening_hours": week}, '"1"')
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert changed.json()["opening_hours"] == [{"weekday": 6, "opens": "11:00:00", "closes": "00:00:00"}]
    freed = await patch(api, {"capacity_per_day": None}, 'W/"2"')
    assert (freed.json()["capacity_per_day"], freed.json()["paused"]) == (None, True)
    for if_match, code in (('"2"', 412), (None, 428), ("soon", 412)):
        assert (await patch(api, {"paused": False}, if_match)).status_code == code
    assert (await api.call("GET", "/v1/locations/loc_b")).headers["ETag"] == '"3"'


@pytest.mark.parametrize(
    "change",
    [
        {"timezone": "Mars/Olympus"},
        {"latitude": None},
        {"latitude": 91.0},
        {"opening_hours": [{"weekday": 7, "opens": "10:00", "closes": "20:00"}]},
        {"opening_hours": [{"weekday": 0, "opens": "20:00", "closes": "10:00"}]},
        {"opening_hours": [{"weekday": 0, "opens": "10:00+02:00", "closes": "20:00+02:00"}]},
        {"kind": "van"},
        {"priority": 2**63},
    ],
)
async def test_location_is_refused_when_it_cannot_be_meant(api: Api, change: dict[str, Any]):
    assert (await post(api, "/v1/locations", {**STORE, **change}, by="ops")).status_code == 422


async def test_null_empties_nothing_that_must_be_there(api: Api):
    await post(api, "/v1/locations", STORE, by="ops")
    for name in ("name", "priority", "paused", "opening_hours"):
        assert (await patch(api, {name: None}, '"1"')).status_code == 422
