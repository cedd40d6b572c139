"""One key is one order: RULINGS.md's "the same key and body again", over HTTP on a real database."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from models.stores.requests import BUSY_FOR
from models.tables.messages import Event, IdempotencyKey
from models.tables.orders import Order
from models.words import Verdict
from tests.api.conftest import CART, Api, decide


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/ord_1/cancel", "/v1/shipments/shp_1/hand-over"])
async def test_400_when_a_key_is_missing_where_money_or_stock_moves(api: Api, path):
    answer = await api.call("POST", path, json=CART if path == "/v1/orders" else {})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
async def test_400_when_a_key_is_malformed(api: Api, key):
    answer = await api.place(key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


async def test_the_same_answer_comes_again_marked_when_a_request_is_repeated(api: Api):
    first = await api.place()
    api.runs.asked.clear()
    again = await api.place()
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert (api.count(Order), api.runs.asked) == (1, [])


async def test_a_refusal_comes_again_when_a_declined_request_is_repeated(api: Api):
    api.runs.verdict, api.runs.detail = Verdict.DECLINED, {"reason": "insufficient_funds"}
    first = await api.place()
    api.runs.verdict = Verdict.CONFIRMED
    again = await api.place()
    assert (again.status_code, again.json()) == (402, first.json())
    assert again.headers["content-type"] == "application/problem+json"
    assert api.count(Order) == 1


async def test_422_when_a_key_is_used_for_another_body(api: Api):
    await api.place()
    other = await api.place(note="another")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert api.count(Order) == 1


async def test_422_when_a_key_is_used_on_another_route(api: Api):
    order = (await api.place(by="agent")).json()
    other = await api.call("POST", f"{order['url']}/cancel", by="agent", key="key-1", json={})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_body_is_the_same_when_only_its_writing_differs(api: Api):
    await api.place()
    again = await api.place(lines=[{"quantity": 2, "sku": " lip-1 "}], channel="web")
    assert again.headers["idempotent-replayed"] == "true"


async def test_two_orders_when_two_callers_use_one_key(api: Api):
    first, second = await api.place(by="shop"), await api.place(by="shop-2")
    assert first.json()["id"] != second.json()["id"]
    assert (second.status_code, api.count(Order)) == (201, 2)


async def test_k02_one_order_when_the_same_key_comes_while_the_first_still_runs(api: Api, monkeypatch):
    running, let_go = asyncio.Event(), asyncio.Event()
    answer_at_once = api.runs.check_out

    async def slow(order, wait):
        running.set()
        await let_go.wait()
        return await answer_at_once(order, wait)

    monkeypatch.setattr(api.runs, "check_out", slow)
    first = asyncio.create_task(api.place())
    await running.wait()
    second = await api.place()
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_key_in_flight")
    assert int(second.headers["retry-after"]) >= 1
    let_go.set()
    done = await first
    later = await api.place()
    assert (later.status_code, later.json()) == (201, done.json())
    assert (api.count(Order), api.count(IdempotencyKey), api.count(Event)) == (1, 1, 1)


async def test_one_order_when_a_hundred_equal_requests_come_at_once(api: Api):
    answers = await asyncio.gather(*(api.place() for _ in range(100)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"idempotency_key_in_flight"}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert (api.count(Order), len(api.runs.asked)) == (1, 1)


async def test_the_verdict_as_it_now_is_when_a_202_is_asked_again(api: Api):
    api.runs.verdict = None
    first = await api.place()
    still = await api.place()
    assert (still.status_code, still.json()["id"]) == (202, first.json()["id"])
    decide(api.database, first.json()["id"], Verdict.OUT_OF_STOCK, {"lines": []})
    asked = len(api.runs.asked)
    known = await api.place()
    assert (known.status_code, known.json()["code"]) == (409, "out_of_stock")
    assert known.headers["idempotent-replayed"] == "true"
    assert (len(api.runs.asked), api.count(Order)) == (asked, 1)


async def test_the_run_is_asked_again_when_the_verdict_of_a_202_is_still_unknown(api: Api):
    api.runs.verdict = None
    first = await api.place()
    api.runs.verdict = Verdict.CONFIRMED
    again = await api.place()
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


async def test_the_key_is_free_again_when_the_first_call_died(api: Api):
    first = await api.place()
    died = update(IdempotencyKey).values(status=None, answer=None, busy_until=api.clock.now() + BUSY_FOR)
    api.database.transaction(lambda s: s.execute(died))
    assert (await api.place()).status_code == 409
    api.clock.advance(BUSY_FOR + timedelta(seconds=1))
    again = await api.place()
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert api.count(Order) == 1


async def test_the_key_stays_new_when_nothing_was_recorded(api: Api):
    refused = await api.place(expected_total=1)
    assert refused.status_code == 409
    assert (await api.place()).status_code == 201
