"""Refunds, disputes and the books."""

from typing import Any

import pytest
import stripe

from tests.sandbox.processes import SandboxProcess
from tests.sandbox.stripe_talk import client_of


@pytest.fixture(scope="module")
def client(sandbox: SandboxProcess) -> stripe.StripeClient:
    return client_of(sandbox.url)


def paid(client: stripe.StripeClient, token: str = "visa", amount: int = 1000) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {"amount": amount, "currency": "usd", "confirm": True, "payment_method": f"pm_card_{token}"}
    )


def charge_of(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> Any:
    return client.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds"]})


def test_refunds_stop_at_what_was_captured_when_asked_for_more(client: stripe.StripeClient):
    intent = paid(client)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 400, "reason": "duplicate"})
    assert (refund.status, refund.amount, refund.charge) == ("succeeded", 400, intent.latest_charge)
    for too_much in (601, 1001):
        with pytest.raises(stripe.InvalidRequestError, match="greater than"):
            client.v1.refunds.create({"payment_intent": intent.id, "amount": too_much})
    client.v1.refunds.create({"charge": str(intent.latest_charge)})
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded, len(charge.refunds.data)) == (1000, True, 2)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert caught.value.code == "charge_already_refunded"


def test_nothing_is_refunded_when_nothing_was_captured(client: stripe.StripeClient):
    intent = client.v1.payment_intents.create(
        {"amount": 10, "currency": "usd", "capture_method": "manual", "confirm": True, "payment_method": "pm_card_visa"}
    )
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent.id})


def test_a_pending_refund_counts_and_settles_when_its_time_comes(sandbox: SandboxProcess, client: stripe.StripeClient):
    sandbox.admin("POST", "/settings", {"refund_settles_after": 3600})
    intent = paid(client, "pendingRefund")
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 900})
    assert refund.status == "pending"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 101})
    sandbox.admin("POST", "/clock", {"advance": 3601})
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert charge_of(client, intent).amount_refunded == 900


def test_the_amount_may_be_refunded_again_when_a_refund_fails(sandbox: SandboxProcess, client: stripe.StripeClient):
    sandbox.admin("POST", "/settings", {"refund_settles_after": 3600})
    intent = paid(client, "refundFail")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert (refund.status, charge_of(client, intent).refunded) == ("succeeded", True)
    sandbox.admin("POST", "/clock", {"advance": 3601})
    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert client.v1.refunds.create({"payment_intent": intent.id}).amount == 1000


@pytest.mark.parametrize(
    ("token", "reason"),
    [("createDispute", "fraudulent"), ("createDisputeProductNotReceived", "product_not_received")],
)
@pytest.mark.parametrize(("evidence", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_a_dispute_ends_by_its_evidence_when_submitted(
    client: stripe.StripeClient, token: str, reason: str, evidence: str, status: str
):
    intent = paid(client, token)
    [dispute] = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", reason, 1000)
    assert charge_of(client, intent).disputed
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert caught.value.code == "charge_disputed"
    assert client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}}).status == status
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}})
    if status == "won":
        assert client.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_an_inquiry_freezes_nothing_when_opened(client: stripe.StripeClient):
    intent = paid(client, "createDisputeInquiry")
    [inquiry] = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert (inquiry.status, charge_of(client, intent).disputed) == ("warning_needs_response", False)
    assert client.v1.refunds.create({"payment_intent": intent.id, "amount": 1}).status == "succeeded"
    escalated = client.v1.disputes.update(inquiry.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}})
    assert (escalated.status, charge_of(client, intent).disputed) == ("needs_response", True)
    assert client.v1.disputes.close(inquiry.id).status == "lost"


def test_an_early_warning_comes_when_the_issuer_reports_fraud(client: stripe.StripeClient):
    intent = paid(client, "createIssuerFraudRecord")
    [warning] = client.v1.radar.early_fraud_warnings.list({"payment_intent": intent.id}).data
    assert warning.charge == intent.latest_charge
    assert client.v1.disputes.list({"payment_intent": intent.id}).data == []


def test_the_books_balance_when_money_moves(client: stripe.StripeClient):
    before = sum(b.net for b in client.v1.balance_transactions.list({"limit": 100}).auto_paging_iter())
    intent = paid(client, "bypassPending")
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 250})
    [capture] = client.v1.balance_transactions.list({"source": str(intent.latest_charge)}).data
    assert (capture.amount, capture.fee, capture.net, capture.status) == (1000, 59, 941, "available")
    after = sum(b.net for b in client.v1.balance_transactions.list({"limit": 100}).auto_paging_iter())
    assert after - before == 941 - 250
    balance = client.v1.balance.retrieve()
    assert sum(m.amount for m in [*balance.available, *balance.pending]) == after
