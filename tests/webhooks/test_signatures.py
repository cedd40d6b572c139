"""Only what a vendor signed is taken in, and each event once."""

import json
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from models.db import Database
from tests.webhooks.conftest import easypost_signed, stripe_signed

PAYMENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.canceled",
    "created": 1_790_000_000,
    "data": {
        "object": {
            "id": "pi_1",
            "object": "payment_intent",
            "status": "canceled",
            "currency": "usd",
            "amount": 4120,
            "amount_received": 0,
            "amount_capturable": 0,
            "cancellation_reason": "expired",
            "metadata": {"order_id": "ord_1", "operation": "ord_1:authorize:1:1"},
            "shipping": {"name": "Ada Example"},
        }
    },
}
# as EasyPost sends it: a decimal that another language would shorten, odd spaces, a raw and an escaped letter
TRACKING = (
    b'{"id": "evt_ep1",  "object":"Event", "description":"tracker.updated","result":{"id":"trk_1","object":"Tracker",'
    b'"status":"in_transit","status_detail":"arrived_at_facility","tracking_code":"9400100000000000000001",'
    b'"weight": 136.0,"signed_by":"Zo\xc3\xab \\u00e9 Example","updated_at":"2026-11-24T10:00:00Z","tracking_details":'
    b'[{"status":"in_transit","datetime":"2026-11-24T09:30:00Z","tracking_location":{"city":"HOUSTON"}}]}}'
)


def rows(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM inbox ORDER BY id")).mappings())


async def send_stripe(http: httpx.AsyncClient, event: dict[str, Any], secret: str = "whsec_new", age: int = 0) -> int:
    body, headers = stripe_signed(event, secret, int(time.time()) - age)
    return (await http.post("/webhooks/stripe", content=body, headers=headers)).status_code


async def test_an_event_is_kept_without_the_person_when_its_signature_fits(
    http: httpx.AsyncClient, database: Database
) -> None:
    assert await send_stripe(http, PAYMENT) == 200
    (row,) = rows(database)
    assert (row["id"], row["source"], row["kind"], row["subject"]) == ("evt_1", "stripe", "payment.canceled", "pi_1")
    assert row["payload"]["reason"] == "expired"
    assert "Ada" not in json.dumps(row["payload"])


async def test_one_row_is_kept_when_an_event_comes_twice(http: httpx.AsyncClient, database: Database) -> None:
    assert [await send_stripe(http, PAYMENT) for _ in range(2)] == [200, 200]
    assert len(rows(database)) == 1


async def test_nothing_is_kept_when_no_order_cares_about_the_type(http: httpx.AsyncClient, database: Database) -> None:
    assert await send_stripe(http, {**PAYMENT, "type": "customer.created"}) == 200
    assert rows(database) == []


@pytest.mark.parametrize(("secret", "status"), [("whsec_old", 200), ("whsec_stolen", 401)])
async def test_the_previous_secret_still_counts_when_it_was_rotated(
    http: httpx.AsyncClient, database: Database, secret: str, status: int
) -> None:
    assert await send_stripe(http, PAYMENT, secret) == status
    assert len(rows(database)) == (1 if status == 200 else 0)


@pytest.mark.parametrize(("age", "status"), [(290, 200), (320, 401), (-290, 200), (-320, 401)])
async def test_a_signature_is_refused_when_it_is_too_old_or_too_new(
    http: httpx.AsyncClient, age: int, status: int
) -> None:
    assert await send_stripe(http, PAYMENT, age=age) == status


async def test_a_body_is_refused_when_one_byte_was_changed(http: httpx.AsyncClient, database: Database) -> None:
    body, headers = stripe_signed(PAYMENT, "whsec_new", int(time.time()))
    answer = await http.post("/webhooks/stripe", content=body.replace(b"pi_1", b"pi_2"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert answer.headers["content-type"] == "application/problem+json"
    assert rows(database) == []


@pytest.mark.parametrize("header", ["", "t=,v1=", "t=now,v1=00", "v1=00", "garbage", "t=1790000000"])
async def test_it_is_refused_when_there_is_no_signature_worth_the_name(http: httpx.AsyncClient, header: str) -> None:
    answer = await http.post("/webhooks/stripe", content=b"{}", headers={"Stripe-Signature": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")


@pytest.mark.parametrize("body", [b"\xff\xfe", b""])
async def test_it_is_refused_when_the_body_is_no_text(http: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Stripe-Signature": f"t={int(time.time())},v1=00"}
    assert (await http.post("/webhooks/stripe", content=body, headers=headers)).status_code == 401


@pytest.mark.parametrize("event", [{"id": "evt_1"}, {**PAYMENT, "data": {"object": {"id": "pi_1"}}}])
async def test_it_is_malformed_when_a_signed_body_is_no_event(http: httpx.AsyncClient, event: dict[str, Any]) -> None:
    assert await send_stripe(http, event) == 400


# EasyPost


async def send_easypost(http: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return await http.post("/webhooks/easypost", content=body, headers=headers)


@pytest.mark.parametrize("secret", ["new", "old"])
async def test_a_scan_is_kept_when_the_raw_bytes_fit_the_signature(
    http: httpx.AsyncClient, database: Database, secret: str
) -> None:
    assert (await send_easypost(http, TRACKING, easypost_signed(TRACKING, secret))).status_code == 200
    (row,) = rows(database)
    assert (row["id"], row["kind"], row["subject"]) == ("evt_ep1", "tracking.in_transit", "9400100000000000000001")
    assert row["payload"] == {
        "status": "in_transit",
        "detail": "arrived_at_facility",
        "scanned": True,
        "tracker": "trk_1",
    }
    assert row["occurred_at"].isoformat() == "2026-11-24T09:30:00+00:00"


async def test_a_scan_is_refused_when_it_was_parsed_and_written_anew(
    http: httpx.AsyncClient, database: Database
) -> None:
    headers = easypost_signed(TRACKING, "new")
    for other in (TRACKING.replace(b"136.0", b"136"), TRACKING.replace(b"  ", b" "), TRACKING + b"\n"):
        answer = await send_easypost(http, other, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert rows(database) == []


@pytest.mark.parametrize("header", ["", "hmac-sha256-hex=00", "hmac-sha256-hex=é"])
async def test_a_scan_is_refused_when_the_signature_is_missing_or_wrong(http: httpx.AsyncClient, header: str) -> None:
    headers = {b"X-Hmac-Signature": header.encode()}
    answer = await http.post("/webhooks/easypost", content=TRACKING, headers=list(headers.items()))
    assert answer.status_code == 401


async def test_nothing_is_kept_when_an_event_is_about_no_tracker(http: httpx.AsyncClient, database: Database) -> None:
    body = b'{"id":"evt_2","description":"refund.successful","result":{"id":"rfnd_1"}}'
    assert (await send_easypost(http, body, easypost_signed(body, "new"))).status_code == 200
    assert rows(database) == []


@pytest.mark.parametrize("body", [b"[]", b"{}", b"not json", b'{"id":"evt_2","description":"tracker.updated"}'])
async def test_a_scan_is_malformed_when_a_signed_body_is_no_event(http: httpx.AsyncClient, body: bytes) -> None:
    assert (await send_easypost(http, body, easypost_signed(body, "new"))).status_code == 400
