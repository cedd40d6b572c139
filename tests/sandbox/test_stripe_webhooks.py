"""Events: which ones, in what state, signed so that the official library accepts them, and not lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import stripe

from tests.sandbox.processes import Receiver, SandboxProcess, wait_until
from tests.sandbox.stripe_talk import client_of

SECRET = "whsec_test"


@pytest.fixture
def own(sandbox: SandboxProcess, receiver: Receiver) -> Iterator[SandboxProcess]:
    """The module's sandbox, sending to `receiver`."""
    sandbox.admin("POST", "/settings", {"multicapture": True, "refund_settles_after": 0})
    sandbox.admin("POST", "/endpoints", {"id": "test", "url": receiver.url, "secret": SECRET})
    yield sandbox
    sandbox.admin("DELETE", "/endpoints/test")


def settle(own: SandboxProcess) -> None:
    def done() -> bool:
        answer: Any = own.admin("GET", "/webhooks")
        return answer["pending"] == 0

    wait_until(done)


def events(receiver: Receiver) -> list[Any]:
    """What came, signature checked, in the order in which it happened."""
    return [
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET).to_dict()
        for headers, body in receiver.got
    ]


def kinds(receiver: Receiver) -> list[str]:
    return sorted(event["type"] for event in events(receiver))


def pay(own: SandboxProcess, token: str = "visa", **more: Any) -> stripe.PaymentIntent:
    return client_of(own.url).v1.payment_intents.create(
        {"amount": 1000, "currency": "usd", "confirm": True, "payment_method": f"pm_card_{token}", **more},
        {"idempotency_key": f"pay-{uuid4()}"},
    )


def test_a_payment_is_told_in_events_when_captured_twice(own: SandboxProcess, receiver: Receiver):
    v1 = client_of(own.url).v1
    options: Any = {"card": {"request_multicapture": "if_available"}}
    intent = pay(own, capture_method="manual", payment_method_options=options)
    settle(own)
    held = ["charge.succeeded", "payment_intent.amount_capturable_updated", "payment_intent.created"]
    assert kinds(receiver) == held
    receiver.got.clear()
    v1.payment_intents.capture(intent.id, {"amount_to_capture": 300, "final_capture": False})
    settle(own)
    assert kinds(receiver) == ["charge.updated", "payment_intent.amount_capturable_updated"]
    receiver.got.clear()
    v1.payment_intents.capture(intent.id, {"amount_to_capture": 200})
    settle(own)
    assert kinds(receiver) == [
        "charge.captured",
        "charge.updated",
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
    ]
    final = next(e for e in events(receiver) if e["type"] == "payment_intent.succeeded")["data"]["object"]
    assert (final["status"], final["amount_received"], final["amount_capturable"]) == ("succeeded", 500, 0)


@pytest.mark.parametrize(
    ("token", "act", "expected"),
    [
        ("chargeDeclined", None, ["charge.failed", "payment_intent.created", "payment_intent.payment_failed"]),
        ("authenticationRequired", None, ["payment_intent.created", "payment_intent.requires_action"]),
        ("createDispute", None, ["charge.dispute.created", "charge.dispute.funds_withdrawn"]),
        ("createIssuerFraudRecord", None, ["radar.early_fraud_warning.created"]),
        ("riskLevelElevated", None, ["review.opened"]),
        ("visa", "refund", ["charge.refunded", "refund.created"]),
        ("pendingRefund", "refund", ["charge.refunded", "refund.created", "refund.updated"]),
        ("refundFail", "refund", ["refund.created", "refund.failed"]),
    ],
)
def test_the_documented_events_come_when_something_happens(
    own: SandboxProcess, receiver: Receiver, token: str, act: str | None, expected: list[str]
):
    try:
        intent = pay(own, token)
    except stripe.CardError:
        pass
    else:
        if act == "refund":
            client_of(own.url).v1.refunds.create({"payment_intent": intent.id})
    wait_until(lambda: set(expected) <= set(kinds(receiver)))


def test_a_lapsed_hold_is_told_when_the_clock_moves(own: SandboxProcess, receiver: Receiver):
    intent = pay(own, capture_method="manual")
    settle(own)
    receiver.got.clear()
    own.admin("POST", "/clock", {"advance": 8 * 86_400})
    settle(own)
    assert kinds(receiver) == ["charge.expired", "payment_intent.canceled"]
    canceled = next(e for e in events(receiver) if e["type"] == "payment_intent.canceled")
    assert canceled["data"]["object"]["id"] == intent.id
    assert canceled["data"]["object"]["cancellation_reason"] == "expired"


def test_an_event_is_whole_when_delivered(own: SandboxProcess, receiver: Receiver):
    pay(own)
    settle(own)
    event = next(e for e in events(receiver) if e["type"] == "payment_intent.succeeded")
    assert (event["object"], event["api_version"], event["livemode"]) == ("event", "2026-10-28.endive", False)
    assert event["request"]["idempotency_key"].startswith("pay-")
    assert event["request"]["id"].startswith("req_")
    fetched = client_of(own.url).v1.events.retrieve(event["id"])
    assert (fetched.type, fetched.pending_webhooks) == ("payment_intent.succeeded", 0)


def test_a_forged_body_is_refused_when_checked(own: SandboxProcess, receiver: Receiver):
    pay(own)
    settle(own)
    headers, body = receiver.got[0]
    signature = headers["Stripe-Signature"]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body.replace(b"1000", b"9000"), signature, SECRET)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature, "whsec_other")


def test_events_come_later_when_the_receiver_was_down(own: SandboxProcess, receiver: Receiver):
    receiver.answers = [500, 503, 500]
    pay(own)
    settle(own)
    assert {"payment_intent.created", "charge.succeeded", "payment_intent.succeeded"} <= set(kinds(receiver))
    assert len(receiver.got) == len({event["id"] for event in events(receiver)}) + 3


def test_undelivered_events_come_when_the_process_was_killed(own: SandboxProcess, receiver: Receiver):
    own.admin("POST", "/settings", {"webhooks": "hold"})
    pay(own)
    own.kill()
    own.start()
    assert receiver.got == []
    own.admin("POST", "/settings", {"webhooks": "on"})
    settle(own)
    assert "payment_intent.succeeded" in kinds(receiver)


def test_an_event_comes_again_when_redelivered(own: SandboxProcess, receiver: Receiver):
    pay(own)
    settle(own)
    event = events(receiver)[0]
    receiver.got.clear()
    assert own.admin("POST", "/webhooks/redeliver", {"event": event["id"]}) == {"redelivered": 1}
    settle(own)
    assert [again["id"] for again in events(receiver)] == [event["id"]]


def test_events_go_to_the_command_lines_endpoint_when_it_names_one(tmp_path: Path, receiver: Receiver):
    args = ["--webhook-url", receiver.url, "--webhook-secret", SECRET, "--webhook-events", "charge.succeeded"]
    process = SandboxProcess("sandbox.stripe", tmp_path / "ledger.sqlite", args).start()
    try:
        pay(process)
        wait_until(lambda: receiver.got)
        assert kinds(receiver) == ["charge.succeeded"]
    finally:
        process.stop()


def test_an_endpoint_gets_what_it_asked_for_when_made_over_the_api(sandbox: SandboxProcess, receiver: Receiver):
    v1 = client_of(sandbox.url).v1
    wanted: Any = ["customer.created"]
    endpoint = v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": wanted})
    customer = v1.customers.create({})
    v1.customers.update(customer.id, {"name": "x"})
    wait_until(lambda: receiver.got)
    [(headers, body)] = receiver.got
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], str(endpoint.secret))
    assert event.type == "customer.created"
    v1.webhook_endpoints.delete(endpoint.id)
    v1.customers.create({})
    assert json.loads(body)["data"]["object"]["id"] == customer.id
    assert len(receiver.got) == 1
