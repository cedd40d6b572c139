"""`POST /v1/orders`: RULINGS.md's verdicts as HTTP answers, and what each leaves behind."""

import json
import time
from typing import Any

import pytest
from sqlalchemy import select, update

from models.stores.intake import IntakeStore
from models.tables.catalogue import Price
from models.tables.messages import Event, IdempotencyKey
from models.tables.orders import Order, OrderLine, OrderUnit
from models.tables.payments import Intent, Tender
from models.words import IntentState, Verdict
from tests.api.conftest import CART, Api


async def test_an_order_is_created_when_it_is_confirmed(api: Api):
    answer = await api.place(metadata={"cart": "c-1"}, note="Ring twice")
    order = answer.json()
    assert (answer.status_code, order["status"], order["verdict"]) == (201, "confirmed", "confirmed")
    assert answer.headers["location"] == order["url"] == f"/v1/orders/{order['id']}"
    assert order["number"].startswith("SW-1")
    assert order["total"] == {"amount": 6595, "currency": "usd"}
    assert [line["quantity"] for line in order["lines"]] == [2]
    assert sum(unit["amount"]["amount"] for unit in order["lines"][0]["units"]) + 498 == 6595
    assert (order["metadata"], order["note"]) == ({"cart": "c-1"}, "Ring twice")


async def test_an_order_leaves_lines_units_tender_and_story_when_it_is_placed(api: Api):
    order = (await api.place()).json()
    assert [api.count(t) for t in (Order, OrderLine, OrderUnit, Tender, Event)] == [1, 1, 2, 1, 1]
    tender = api.database.transaction(lambda s: s.scalars(select(Tender)).one())
    assert (tender.order_id, tender.amount, tender.payment_method) == (order["id"], 6595, "pm_card_visa")
    event = api.database.transaction(lambda s: s.scalars(select(Event)).one())
    assert (event.type, event.seq, event.actor) == ("order.placed", 1, "storefront:shop")
    assert "mara" not in json.dumps(event.data).lower()


async def test_the_run_gets_the_orders_own_waits_when_they_are_shortened(api: Api):
    await api.place()
    (order,) = api.runs.asked
    assert order.timings.confirm_within.total_seconds() == 900
    assert order.number.startswith("SW-")


async def test_the_client_secret_goes_back_when_the_bank_wants_3d_secure(api: Api):
    api.runs.verdict = Verdict.REQUIRES_ACTION
    first = await api.place()
    order_id = first.json()["id"]
    row = Intent(
        id="pi_1",
        order_id=order_id,
        tender=1,
        state=IntentState.REQUIRES_ACTION,
        amount=6595,
        capturable=0,
        client_secret="pi_1_secret",
        created_at=api.clock.now(),
    )
    api.database.transaction(lambda s: s.add(row))
    assert (first.status_code, first.json()["status"]) == (201, "pending")
    shown = (await api.call("GET", f"/v1/orders/{order_id}")).json()
    assert shown["payment"]["client_secret"] == "pi_1_secret"


@pytest.mark.parametrize(
    ("verdict", "status", "detail"),
    [
        (Verdict.DECLINED, 402, {"reason": "insufficient_funds"}),
        (Verdict.OUT_OF_STOCK, 409, {"lines": [{"sku": "LIP-1", "wanted": 2, "available": 1}]}),
        (Verdict.INVALID_ADDRESS, 422, {"reason": "no_such_street"}),
        (Verdict.EXPIRED, 409, {}),
    ],
)
async def test_a_problem_names_the_verdict_and_the_order_when_checkout_fails(api: Api, verdict, status, detail):
    api.runs.verdict, api.runs.detail = verdict, detail
    answer = await api.place()
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == verdict.value
    assert {name: problem[name] for name in detail} == detail
    assert answer.headers["location"] == f"/v1/orders/{problem['order']}"
    assert (await api.call("GET", f"/v1/orders/{problem['order']}")).json()["status"] == "failed"


async def test_the_answer_is_202_and_the_order_stands_when_no_run_answers(api: Api):
    api.runs.verdict = None
    answer = await api.place()
    order = answer.json()
    assert (answer.status_code, order["status"], order["verdict"]) == (202, "pending", None)
    assert answer.headers["location"] == f"/v1/orders/{order['id']}"
    assert api.count(Order) == 1


async def test_price_changed_brings_the_new_quote_and_leaves_no_row_when_the_total_differs(api: Api):
    answer = await api.place(expected_total=6594)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "price_changed")
    assert problem["quote"]["choices"][0]["total"]["amount"] == 6595
    assert (api.count(Order), api.count(IdempotencyKey), api.runs.asked) == (0, 0, [])


async def test_cannot_ship_to_leaves_no_row_when_nothing_is_sold_there(api: Api):
    answer = await api.place(ship_to={**CART["ship_to"], "country": "FR", "state": None})
    assert (answer.status_code, answer.json()["code"]) == (422, "cannot_ship_to")
    assert api.count(Order) == 0


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"currency": "eur"}, "currency_unavailable", "currency"),
        ({"payment": None}, "payment_required", "payment"),
        ({"reservation": "rsv_none"}, "unknown_reservation", "reservation"),
        ({"speed": "teleport"}, "speed_unavailable", "speed"),
        ({"lines": [{"sku": "NOPE", "quantity": 1}]}, "unknown_sku", "lines.0.sku"),
        ({"customer": {**CART["customer"], "customer_id": "cus_0"}}, "unknown_customer", "customer.customer_id"),
        ({"on_shortage": "backorder"}, "literal_error", "on_shortage"),
        ({"status": "delivered"}, "extra_forbidden", "status"),
        ({"lines": []}, "too_short", "lines"),
    ],
)
async def test_422_names_the_field_when_it_cannot_be_meant(api: Api, changes, code, field):
    answer = await api.place(**changes)
    assert answer.status_code == 422
    assert (code, field) in [(each["code"], each["field"]) for each in answer.json()["errors"]]
    assert (api.count(Order), api.count(IdempotencyKey)) == (0, 0)


@pytest.mark.parametrize("quantity", [-1, 0, 1.5, True, "1"])
async def test_k03_422_names_the_line_when_a_quantity_is_no_whole_positive_number(api: Api, quantity):
    answer = await api.place(lines=[{"sku": "LIP-1", "quantity": 1}, {"sku": "LIP-1", "quantity": quantity}])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "lines.1.quantity"
    assert (api.count(Order), api.runs.asked) == (0, [])


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
@pytest.mark.parametrize(
    "place",
    [
        lambda bad: {"note": bad},
        lambda bad: {"customer": {**CART["customer"], "name": bad}},
        lambda bad: {"ship_to": {**CART["ship_to"], "street": bad}},
        lambda bad: {"ship_to": {**CART["ship_to"], "state": bad}},
        lambda bad: {"lines": [{"sku": bad, "quantity": 1}]},
        lambda bad: {"metadata": {bad: "x"}},
        lambda bad: {"metadata": {"x": bad}},
        lambda bad: {"payment": {"payment_method": bad}},
        lambda bad: {"brand": bad},
    ],
)
async def test_k05_422_when_any_text_holds_what_cannot_be_stored(api: Api, place, bad):
    body = json.dumps({**CART, **place(bad)})
    answer = await api.call("POST", "/v1/orders", by="shop", key="k", content=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/orders?channel=%00",
        "/v1/orders?number=a%00",
        "/v1/orders?cursor=%00",
        "/v1/orders/ord_%00",
        "/v1/orders/ord_%ED%A0%80",
        "/v1/shipments?location=%00",
        "/v1/cases?order=%00",
        "/healthz?anything=%00",
    ],
)
async def test_k05_422_when_a_filter_or_path_holds_a_nul(api: Api, path):
    answer = await api.call("GET", path)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": [{"sku": "LIP-1", "quantity": 200_000_000}]},
        {"lines": [{"sku": "LIP-1", "quantity": 2**63}]},
        {"expected_total": 10**20},
        {"expected_total": 1e20},
        {"lines": [{"sku": "LIP-1", "quantity": 999}] * 100},
    ],
)
async def test_k06_422_when_a_number_is_beyond_what_an_order_can_be(api: Api, changes):
    answer = await api.place(**changes)
    assert answer.status_code == 422
    assert api.count(Order) == 0


async def test_a_line_total_is_exact_when_a_price_is_the_greatest_that_can_be(api: Api):

    api.database.transaction(lambda s: s.execute(update(Price).values(amount=99_999_999)))
    answer = await api.place()
    assert answer.status_code == 422
    assert answer.json()["code"] == "too_large"


async def test_the_run_is_waited_for_less_when_postgres_took_its_time(api: Api, monkeypatch: pytest.MonkeyPatch):
    await api.place()
    place = IntakeStore.place

    def slow(self: IntakeStore, *arguments: Any) -> Any:
        time.sleep(1)
        return place(self, *arguments)

    monkeypatch.setattr(IntakeStore, "place", slow)
    await api.place(key="key-2")
    usual, less = api.runs.waits
    assert 1.5 < usual <= 2
    assert 0.2 <= less <= 1.2
