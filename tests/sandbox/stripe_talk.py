"""Every kind of request that our client makes, as one conversation with whoever answers; and a client that records."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import stripe


@dataclass(frozen=True)
class Exchange:
    """One request as it went over the wire and its answer."""

    method: str
    path: str  # with the query
    body: str
    status: int
    answer: Any


class RecordingHTTPClient(stripe.RequestsClient):
    """The official client's transport, with a memory."""

    def __init__(self) -> None:
        super().__init__(timeout=10)
        self.exchanges: list[Exchange] = []

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        answer = super().request(method, url, headers, post_data)
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        body = post_data.decode() if isinstance(post_data, bytes) else post_data or ""
        text = answer[0].decode() if isinstance(answer[0], bytes) else str(answer[0])
        self.exchanges.append(Exchange(method.upper(), path, body, int(answer[1]), json.loads(text)))
        return answer


def client_of(url: str, http_client: stripe.HTTPClient | None = None) -> stripe.StripeClient:
    http_client = http_client or stripe.RequestsClient(timeout=10)
    return stripe.StripeClient("sk_test_x", base_addresses={"api": url}, http_client=http_client, max_network_retries=0)


def refused(call: Callable[[], object]) -> None:
    """Runs a call that a stateful server refuses and a stateless one accepts."""
    with contextlib.suppress(stripe.CardError, stripe.InvalidRequestError):
        call()


def talk(client: stripe.StripeClient, finish_3ds: Callable[[Any], None] = lambda _: None) -> None:
    """The whole conversation."""
    v1 = client.v1
    customer = v1.customers.create({"email": "a@example.com", "name": "A", "metadata": {"customer_id": "cus_1"}})
    v1.customers.update(customer.id, {"phone": "+15550100", "metadata": {"customer_id": ""}})
    v1.customers.retrieve(customer.id)
    v1.customers.list({"email": "a@example.com", "limit": 1})
    _authorize_capture_refund(client, customer.id)
    _multicapture(client, customer.id)
    _decline_and_cancel(client)
    _challenge(client, customer.id, finish_3ds)
    _off_session_after_setup(client, customer.id, finish_3ds)
    _disputes(client)
    _books_and_events(client)
    v1.customers.delete(customer.id)


def _authorization(customer: str, **more: Any) -> Any:
    return {
        "amount": 4120,
        "currency": "usd",
        "capture_method": "manual",
        "confirm": True,
        "customer": customer,
        "description": "order 1",
        "metadata": {"order_id": "ord_1", "key": "ord_1:authorize:1:1"},
        "payment_method": "pm_card_visa",
        "payment_method_options": {"card": {"request_multicapture": "if_available"}},
        "setup_future_usage": "off_session",
        "shipping": {
            "name": "A",
            "address": {"line1": "1 Main St", "city": "Reno", "country": "US", "postal_code": "89501"},
        },
        "expand": ["latest_charge"],
        **more,
    }


def _authorize_capture_refund(client: stripe.StripeClient, customer: str) -> None:
    v1 = client.v1
    intent = v1.payment_intents.create(_authorization(customer), {"idempotency_key": "ord_1:authorize:1:1"})
    v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge", "payment_method", "customer"]})
    v1.payment_intents.update(intent.id, {"metadata": {"number": "S-1"}})
    v1.payment_intents.list({"customer": customer, "limit": 100, "expand": ["data.latest_charge"]})
    v1.payment_intents.list({"customer": customer, "limit": 1, "starting_after": intent.id})
    v1.payment_intents.list({"customer": customer, "created": {"gte": 1}, "ending_before": intent.id})
    v1.payment_intents.capture(intent.id, {"amount_to_capture": 4000, "metadata": {"capture": "1"}})
    refund = v1.refunds.create(
        {"payment_intent": intent.id, "amount": 5, "reason": "requested_by_customer", "metadata": {"claim": "clm_1"}}
    )
    v1.refunds.retrieve(refund.id, {"expand": ["charge"]})
    v1.refunds.update(refund.id, {"metadata": {"seen": "yes"}})
    v1.refunds.list({"payment_intent": intent.id, "limit": 100})
    charge = str(refund.charge)
    v1.charges.retrieve(charge, {"expand": ["refunds", "balance_transaction"]})
    v1.charges.list({"payment_intent": intent.id})
    v1.charges.update(charge, {"metadata": {"a": "b"}})
    refused(lambda: v1.refunds.create({"charge": charge, "amount": 99999}))
    refused(lambda: v1.payment_intents.cancel(intent.id))


def _multicapture(client: stripe.StripeClient, customer: str) -> None:
    v1 = client.v1
    intent = v1.payment_intents.create(_authorization(customer))
    refused(lambda: v1.payment_intents.capture(intent.id, {"amount_to_capture": 1000, "final_capture": False}))
    refused(lambda: v1.payment_intents.capture(intent.id, {"amount_to_capture": 0, "final_capture": True}))


def _decline_and_cancel(client: stripe.StripeClient) -> None:
    v1 = client.v1
    declined: Any = {"amount": 500, "currency": "eur", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    refused(lambda: v1.payment_intents.create(declined))
    intent = v1.payment_intents.create({"amount": 500, "currency": "eur", "payment_method_types": ["card"]})
    v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    held = v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "jpy",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_amex",
        }
    )
    v1.payment_intents.cancel(held.id, {"cancellation_reason": "requested_by_customer", "expand": ["latest_charge"]})


def _challenge(client: stripe.StripeClient, customer: str, finish_3ds: Callable[[Any], None]) -> None:
    v1 = client.v1
    asks = "pm_card_authenticationRequired"
    intent = v1.payment_intents.create(
        _authorization(customer, payment_method=asks, return_url="https://shop.example/done")
    )
    finish_3ds(intent)
    v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    other = v1.payment_intents.create(
        {"amount": 700, "currency": "usd", "customer": customer, "automatic_payment_methods": {"enabled": True}}
    )
    v1.payment_intents.confirm(other.id, {"payment_method": asks, "return_url": "https://shop.example/done"})


def _off_session_after_setup(client: stripe.StripeClient, customer: str, finish_3ds: Callable[[Any], None]) -> None:
    v1 = client.v1
    setup = v1.setup_intents.create(
        {
            "customer": customer,
            "payment_method_types": ["card"],
            "usage": "off_session",
            "metadata": {"order_id": "ord_2"},
        }
    )
    setup = v1.setup_intents.confirm(
        setup.id, {"payment_method": "pm_card_authenticationRequiredOnSetup", "return_url": "https://shop.example/done"}
    )
    finish_3ds(setup)
    setup = v1.setup_intents.retrieve(setup.id)
    v1.setup_intents.list({"customer": customer})
    v1.setup_intents.cancel(v1.setup_intents.create({"payment_method": "pm_card_visa"}).id)
    methods = v1.customers.payment_methods.list(customer, {"type": "card"})
    v1.payment_methods.list({"customer": customer, "type": "card"})
    saved = methods.data[0].id
    v1.payment_methods.retrieve(saved)
    v1.payment_methods.update(saved, {"metadata": {"a": "b"}, "billing_details": {"name": "A"}})
    v1.payment_intents.create(_authorization(customer, payment_method=saved, off_session=True))
    again: Any = _authorization(customer, payment_method="pm_card_authenticationRequired", off_session=True)
    refused(lambda: v1.payment_intents.create(again))
    card: Any = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 8, "exp_year": 2040, "cvc": "314"}}
    created = v1.payment_methods.create(card)
    v1.payment_methods.attach(created.id, {"customer": customer})
    v1.payment_methods.detach(created.id)


def _disputes(client: stripe.StripeClient) -> None:
    v1 = client.v1
    for token in ("pm_card_createDispute", "pm_card_createDisputeInquiry", "pm_card_createIssuerFraudRecord"):
        intent = v1.payment_intents.create({"amount": 900, "currency": "usd", "confirm": True, "payment_method": token})
        disputes = v1.disputes.list({"payment_intent": intent.id})
        v1.radar.early_fraud_warnings.list({"payment_intent": intent.id})
        for dispute in disputes.data:
            v1.disputes.retrieve(dispute.id)
            v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})


def _books_and_events(client: stripe.StripeClient) -> None:
    v1 = client.v1
    transaction = v1.balance_transactions.list({"limit": 3}).data[0]
    v1.balance_transactions.retrieve(transaction.id)
    v1.balance.retrieve()
    event = v1.events.list({"limit": 100}).data[0]
    v1.events.retrieve(event.id)
    v1.events.list({"type": "payment_intent.succeeded", "created": {"gte": 1}})
    endpoint = v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"]})
    v1.webhook_endpoints.list()
    v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    v1.webhook_endpoints.delete(endpoint.id)
