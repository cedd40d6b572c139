"""Webhooks: what the official library makes of them. A process of its own for each test, hooked at its start."""

import json
from collections.abc import Iterator
from pathlib import Path

import easypost
import pytest
from easypost.errors import InvalidRequestError, SignatureVerificationError
from easypost.util import receive_event, validate_webhook

from tests.sandbox.easypost_client import advance, bought, client_of, fetch, ledger_of, sandbox_process
from tests.sandbox.processes import Receiver, SandboxProcess, wait_until

SECRET = "s\u00e9cret"
DAY = 86400


@pytest.fixture
def process(tmp_path: Path, receiver: Receiver) -> Iterator[SandboxProcess]:
    hook = ["--webhook-url", receiver.url, "--webhook-secret", SECRET]
    with sandbox_process(tmp_path / "ledger.db", *hook, "--tracker-step", "0") as running:
        yield running


@pytest.fixture
def client(process: SandboxProcess) -> Iterator[easypost.EasyPostClient]:
    with client_of(process) as made:
        yield made


def events(receiver: Receiver, count: int) -> list[dict]:
    """The first `count` webhooks, each with a valid signature."""
    wait_until(lambda: len(receiver.got) >= count)
    return [validate_webhook(body, headers, SECRET) for headers, body in receiver.got]


def test_each_step_is_a_signed_webhook_when_a_parcel_is_advanced(
    process: SandboxProcess, client: easypost.EasyPostClient, receiver: Receiver
) -> None:
    label = bought(client)
    way = [advance(process, label.tracking_code)["status"] for _ in range(4)]

    assert way == ["pre_transit", "in_transit", "out_for_delivery", "delivered"]
    # several are under way at once: they may arrive in another order
    created, *updates = sorted(events(receiver, 5), key=lambda event: len(event["result"]["tracking_details"]))
    assert created["description"] == "tracker.created"
    assert [event["description"] for event in updates] == ["tracker.updated"] * 4
    assert [event["result"]["status"] for event in updates] == way
    assert [event["previous_attributes"]["status"] for event in updates] == ["unknown", *way[:-1]]
    last = receive_event(json.dumps(updates[-1]))
    assert last.result.tracking_code == label.tracking_code
    assert [d.tracking_location.city for d in last.result.tracking_details] == [
        "San Francisco", "San Francisco", "Redondo Beach", "Redondo Beach",
    ]  # fmt: skip
    shipment = client.shipment.retrieve(label.id)
    assert (shipment.status, shipment.tracker.status) == ("delivered", "delivered")
    assert client.event.retrieve(last.id).result.status == "delivered"
    assert label.tracking_code.encode() in fetch(shipment.tracker.public_url)


def test_a_signature_is_refused_when_the_secret_differs(client: easypost.EasyPostClient, receiver: Receiver) -> None:
    bought(client)
    events(receiver, 1)
    headers, body = receiver.got[0]

    with pytest.raises(SignatureVerificationError):
        validate_webhook(body, headers, "another")


def test_postage_comes_back_when_a_refund_s_time_has_passed(
    process: SandboxProcess, client: easypost.EasyPostClient, receiver: Receiver
) -> None:
    process.admin("POST", "/settings", {"tracker_created_events": False})
    label = bought(client)

    assert client.shipment.refund(label.id).refund_status == "submitted"
    assert client.shipment.refund(label.id).refund_status == "submitted"
    totals = ledger_of(process, label.reference)["totals"]["USD"]
    assert (totals["refunded"], totals["refund_pending"], totals["net"]) == (0, 607, 607)
    process.admin("POST", "/clock", {"advance": 15 * DAY + 1})

    shipment = client.shipment.retrieve(label.id)
    assert shipment.refund_status == "refunded"
    assert {fee.type: fee.refunded for fee in shipment.fees}["PostageFee"] is True
    totals = ledger_of(process, label.reference)["totals"]["USD"]
    assert (totals["refunded"], totals["refund_pending"], totals["net"]) == (607, 0, 0)
    (event,) = (event for event in events(receiver, 1) if event["result"]["shipment_id"] == label.id)
    assert event["description"] == "refund.successful"
    assert client.refund.retrieve(event["result"]["id"]).to_dict() == event["result"]


def test_webhooks_go_where_they_are_told_when_a_client_manages_them(
    process: SandboxProcess, client: easypost.EasyPostClient, receiver: Receiver
) -> None:
    (given,) = client.webhook.all()["webhooks"]
    assert given.url == receiver.url
    made = client.webhook.create(url="http://127.0.0.1:9/", webhook_secret="x")
    changed = client.webhook.update(made.id, url=receiver.url, webhook_secret=SECRET)
    assert client.webhook.retrieve(made.id).url == changed.url == receiver.url
    client.webhook.delete(given.id)
    bought(client)

    events(receiver, 1)
    assert [hook.id for hook in client.webhook.all()["webhooks"]] == [made.id]
    with pytest.raises(InvalidRequestError):
        client.webhook.create(url="https://example.com")


def test_a_webhook_is_the_raw_body_when_it_has_letters_of_any_kind(
    client: easypost.EasyPostClient, receiver: Receiver
) -> None:
    bought(client, from_address={"street1": "Rua São João 1", "city": "Mönchen", "zip": "10119", "country": "DE"},
           to_address={"street1": "Torstraße 1", "city": "Köln", "zip": "50667", "country": "DE"})  # fmt: skip

    assert events(receiver, 1)[0] == json.loads(receiver.got[0][1])
