"""Customers, saved cards, 3-D Secure and payments without the customer present."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe

from tests.sandbox.processes import SandboxProcess
from tests.sandbox.stripe_talk import client_of


@pytest.fixture(scope="module")
def client(sandbox: SandboxProcess) -> stripe.StripeClient:
    return client_of(sandbox.url)


@pytest.fixture
def customer(client: stripe.StripeClient) -> str:
    return client.v1.customers.create({"metadata": {"customer_id": "cus_x"}}).id


def pay(client: stripe.StripeClient, token: str, **more: Any) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "usd",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": token,
            **more,
        }
    )


def finish(intent: Any, outcome: str) -> httpx.Response:
    action = intent.next_action
    url = action.redirect_to_url.url if action.type == "redirect_to_url" else action.use_stripe_sdk["stripe_js"]
    page = httpx.get(url)
    assert "Complete authentication" in page.text
    return httpx.post(url, data={"outcome": outcome})


def save(client: stripe.StripeClient, token: str, customer: str) -> str:
    """A card set up for off-session use, its challenge passed; the payment method's id."""
    setup = client.v1.setup_intents.create({"customer": customer, "payment_method": token, "confirm": True})
    if setup.status == "requires_action":
        assert finish(setup, "succeed").json()["status"] == "succeeded"
    return str(setup.payment_method)


@pytest.mark.parametrize(
    "token",
    [
        "authenticationRequired",
        "authenticationRequiredOnSetup",
        "authenticationRequiredSetupForOffSession",
        "threeDSecure2Required",
    ],
)
def test_the_payment_goes_on_when_the_customer_authenticates(client: stripe.StripeClient, token: str):
    intent = pay(client, f"pm_card_{token}")
    assert (intent.status, intent.latest_charge, intent.amount_capturable) == ("requires_action", None, 0)
    assert intent.client_secret
    assert finish(intent, "succeed").json()["status"] == "requires_capture"
    done = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    charge: Any = done.latest_charge
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"
    assert httpx.post(f"{intent.next_action.use_stripe_sdk['stripe_js']}", data={"outcome": "fail"}).status_code == 409


def test_the_payment_needs_another_card_when_authentication_fails(client: stripe.StripeClient):
    intent = pay(client, "pm_card_authenticationRequired", return_url="https://shop.example/done?order=1")
    answer = finish(intent, "fail")
    back = urlsplit(answer.headers["location"])
    query = parse_qs(back.query)
    assert answer.status_code == 303
    assert (back.netloc, query["order"], query["payment_intent"]) == ("shop.example", ["1"], [intent.id])
    assert query["redirect_status"] == ["failed"]
    failed = client.v1.payment_intents.retrieve(intent.id)
    assert (failed.status, failed.latest_charge, failed.payment_method) == ("requires_payment_method", None, None)
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"


@pytest.mark.parametrize(
    ("token", "decline_code"),
    [
        ("authenticationRequiredChargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("threeDSecureRequiredChargeDeclined", "generic_decline"),
    ],
)
def test_the_decline_comes_after_authentication_when_the_card_says_so(
    client: stripe.StripeClient, token: str, decline_code: str
):
    intent = pay(client, f"pm_card_{token}")
    assert intent.status == "requires_action"
    answer = finish(intent, "succeed").json()
    assert answer["status"] == "requires_payment_method"
    assert answer["last_payment_error"]["decline_code"] == decline_code


def test_a_challenge_is_made_when_asked_for_with_an_optional_card(client: stripe.StripeClient):
    options: Any = {"card": {"request_three_d_secure": "any"}}
    assert pay(client, "pm_card_threeDSecureOptional").status == "requires_capture"
    assert pay(client, "pm_card_threeDSecureOptional", payment_method_options=options).status == "requires_action"


def test_an_error_comes_when_action_is_excluded(client: stripe.StripeClient):
    with pytest.raises(stripe.CardError) as caught:
        pay(client, "pm_card_authenticationRequired", error_on_requires_action=True)
    assert caught.value.code == "authentication_required"


@pytest.mark.parametrize(
    ("token", "refusal"),
    [
        ("visa", None),
        ("authenticationRequired", "authentication_required"),
        ("authenticationRequiredOnSetup", None),
        ("authenticationRequiredSetupForOffSession", None),
        ("authenticationRequiredChargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
def test_off_session_follows_the_table_when_the_card_was_set_up(
    client: stripe.StripeClient, customer: str, token: str, refusal: str | None
):
    saved = save(client, f"pm_card_{token}", customer)
    if refusal is None:
        assert pay(client, saved, customer=customer, off_session=True).status == "requires_capture"
        return
    with pytest.raises(stripe.CardError) as caught:
        pay(client, saved, customer=customer, off_session=True)
    error: Any = caught.value.error
    assert (error.decline_code, error.payment_method.id) == (refusal, saved)
    assert error.payment_intent.status == "requires_payment_method"


def test_off_session_is_refused_when_the_card_was_never_set_up(client: stripe.StripeClient, customer: str):
    method = client.v1.payment_methods.attach("pm_card_authenticationRequiredOnSetup", {"customer": customer})
    with pytest.raises(stripe.CardError) as caught:
        pay(client, method.id, customer=customer, off_session=True)
    assert caught.value.code == "authentication_required"


def test_off_session_passes_when_a_payment_with_setup_future_usage_set_it_up(
    client: stripe.StripeClient, customer: str
):
    token = "pm_card_authenticationRequiredOnSetup"
    intent = pay(client, token, customer=customer, setup_future_usage="off_session")
    assert client.v1.customers.payment_methods.list(customer).data == []
    finish(intent, "succeed")
    [saved] = client.v1.customers.payment_methods.list(customer).data
    assert pay(client, saved.id, customer=customer, off_session=True).status == "requires_capture"


def test_a_guests_card_is_saved_when_asked_and_spent_when_not(client: stripe.StripeClient, customer: str):
    kept = pay(client, "pm_card_visa", customer=customer, setup_future_usage="off_session")
    assert [m.id for m in client.v1.customers.payment_methods.list(customer).data] == [kept.payment_method]
    once = pay(client, "pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        pay(client, str(once.payment_method))
    with pytest.raises(stripe.InvalidRequestError, match="belongs to the Customer"):
        pay(client, str(kept.payment_method))


@pytest.mark.parametrize("token", ["chargeDeclined", "visa_chargeDeclinedLostCard", "chargeDeclinedExpiredCard"])
def test_a_declining_card_is_not_attached_when_saved(client: stripe.StripeClient, customer: str, token: str):
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach(f"pm_card_{token}", {"customer": customer})
    with pytest.raises(stripe.CardError):
        client.v1.setup_intents.create({"customer": customer, "payment_method": f"pm_card_{token}", "confirm": True})
    assert client.v1.customers.payment_methods.list(customer).data == []


def test_charges_fail_when_a_card_that_attaches_is_bad(client: stripe.StripeClient, customer: str):
    method = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    with pytest.raises(stripe.CardError):
        pay(client, method.id, customer=customer)


def test_a_setup_fails_when_authentication_fails(client: stripe.StripeClient, customer: str):
    setup = client.v1.setup_intents.create(
        {"customer": customer, "payment_method": "pm_card_authenticationRequired", "confirm": True}
    )
    assert setup.status == "requires_action"
    assert finish(setup, "fail").json()["last_setup_error"]["code"] == "setup_intent_authentication_failure"
    assert client.v1.setup_intents.retrieve(setup.id).status == "requires_payment_method"


def test_nothing_is_left_behind_when_a_call_fails_half_way(client: stripe.StripeClient, customer: str):
    owned = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        client.v1.customers.create({"email": "half@example.com", "payment_method": owned.id})
    assert client.v1.customers.list({"email": "half@example.com"}).data == []


def test_a_deleted_customer_cannot_pay_when_named(client: stripe.StripeClient, customer: str):
    client.v1.customers.delete(customer)
    assert client.v1.customers.retrieve(customer).deleted
    with pytest.raises(stripe.InvalidRequestError) as caught:
        pay(client, "pm_card_visa", customer=customer)
    assert caught.value.code == "resource_missing"


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"number": "4242424242424242", "exp_year": 2020}, "invalid_expiry_year"),
        ({"number": "4242424242424242", "exp_month": 13}, "invalid_expiry_month"),
        ({"number": "4242424242424242", "cvc": "1"}, "invalid_cvc"),
    ],
)
def test_card_details_are_refused_when_they_make_no_sense(client: stripe.StripeClient, card: dict[str, Any], code: str):
    details: Any = {"exp_month": 12, "exp_year": 2040, "cvc": "123", **card}
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_methods.create({"type": "card", "card": details})
    assert caught.value.code == code
