"""Payment intents against the official client: declines, captures, cancellation, lapse, currencies."""

from typing import Any

import pytest
import stripe

from tests.sandbox.processes import SandboxProcess
from tests.sandbox.stripe_talk import client_of

DAY = 86_400

DECLINES = [
    ("visa_chargeDeclined", "card_declined", "generic_decline"),
    ("chargeDeclined", "card_declined", "generic_decline"),
    ("chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"),
    ("chargeDeclinedExpiredCard", "expired_card", None),
    ("chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ("chargeDeclinedProcessingError", "processing_error", None),
    ("chargeCustomerFail", "card_declined", "generic_decline"),
    ("radarBlock", "card_declined", "fraudulent"),
    ("threeDSecureRequiredProcessingError", "card_declined", "generic_decline"),
]
NUMBERS = {
    "4000000000000002": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"),
    "4000000000009987": ("card_declined", "lost_card"),
    "4000000000009979": ("card_declined", "stolen_card"),
    "4000000000006975": ("card_declined", "card_velocity_exceeded"),
    "4000000000000069": ("expired_card", None),
    "4000000000000127": ("incorrect_cvc", None),
    "4000000000000119": ("processing_error", None),
    "4100000000000019": ("card_declined", "fraudulent"),
    "4000000000000341": ("card_declined", "generic_decline"),
    "4111111111111111": ("card_declined", "test_mode_live_card"),
}
SUCCEEDS = (
    "visa visa_debit mastercard mastercard_debit mastercard_prepaid amex discover diners jcb unionpay bypassPending"
    " cvcCheckFail avsZipFail threeDSecureOptional amex_threeDSecureNotSupported pendingRefund refundFail"
)


@pytest.fixture(scope="module")
def client(sandbox: SandboxProcess) -> stripe.StripeClient:
    return client_of(sandbox.url)


@pytest.fixture
def multicapture(sandbox: SandboxProcess):
    sandbox.admin("POST", "/settings", {"multicapture": True})
    yield
    sandbox.admin("POST", "/settings", {"multicapture": False})


def hold(client: stripe.StripeClient, amount: int = 1000, **more: Any) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "usd",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "payment_method_options": {"card": {"request_multicapture": "if_available"}},
            "expand": ["latest_charge"],
            **more,
        }
    )


def card(intent: stripe.PaymentIntent) -> Any:
    charge: Any = intent.latest_charge
    return charge.payment_method_details.card


@pytest.mark.parametrize(("token", "code", "decline_code"), DECLINES)
def test_the_documented_decline_comes_back_when_a_declining_card_pays(
    client: stripe.StripeClient, token: str, code: str, decline_code: str | None
):
    with pytest.raises(stripe.CardError) as caught:
        hold(client, payment_method=f"pm_card_{token}")
    error: Any = caught.value.error
    assert (caught.value.http_status, error.code, error.decline_code, error.type) == (
        402,
        code,
        decline_code,
        "card_error",
    )
    intent = client.v1.payment_intents.retrieve(error.payment_intent.id, {"expand": ["latest_charge"]})
    assert (intent.status, intent.amount_capturable, intent.payment_method) == ("requires_payment_method", 0, None)
    charge: Any = intent.latest_charge
    assert (charge.id, charge.status, charge.failure_code, charge.paid) == (error.charge, "failed", code, False)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == code


@pytest.mark.parametrize(("number", "expected"), NUMBERS.items())
def test_the_same_decline_comes_back_when_the_number_is_given(
    client: stripe.StripeClient, number: str, expected: tuple[str, str | None]
):
    method = client.v1.payment_methods.create(
        {"type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}}
    )
    with pytest.raises(stripe.CardError) as caught:
        hold(client, payment_method=method.id)
    error: Any = caught.value.error
    assert (error.code, error.decline_code) == expected


@pytest.mark.parametrize("token", SUCCEEDS.split())
def test_the_payment_is_captured_when_a_good_card_pays(client: stripe.StripeClient, token: str):
    intent = client.v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "usd",
            "confirm": True,
            "payment_method": f"pm_card_{token}",
            "expand": ["latest_charge"],
        }
    )
    charge: Any = intent.latest_charge
    assert (intent.status, intent.amount_received, charge.captured, charge.paid) == ("succeeded", 1000, True, True)


def test_another_card_pays_when_the_first_was_declined(client: stripe.StripeClient):
    with pytest.raises(stripe.CardError) as caught:
        hold(client, payment_method="pm_card_chargeDeclined")
    intent_id = caught.value.error.payment_intent.id
    intent = client.v1.payment_intents.confirm(intent_id, {"payment_method": "pm_card_mastercard"})
    assert (intent.status, intent.last_payment_error) == ("requires_capture", None)


def test_the_rest_is_released_without_refund_when_captured_once(client: stripe.StripeClient):
    intent = hold(client)
    assert card(intent).multicapture.status == "unavailable"
    done = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 600, "expand": ["latest_charge.refunds"]})
    charge: Any = done.latest_charge
    assert (done.status, done.amount_capturable, done.amount_received) == ("succeeded", 0, 600)
    assert (charge.amount, charge.amount_captured, charge.amount_refunded, charge.captured) == (1000, 600, 0, True)
    assert charge.refunds.data == []
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.capture(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"


def test_captures_are_refused_when_they_do_not_fit(client: stripe.StripeClient):
    intent = hold(client)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1001})
    assert caught.value.code == "amount_too_large"
    for wrong in ({"amount_to_capture": 0}, {"amount_to_capture": -1}, {"final_capture": False}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.capture(intent.id, wrong)
    assert client.v1.payment_intents.retrieve(intent.id).amount_capturable == 1000


def test_one_hold_serves_many_captures_when_multicapture_is_on(client: stripe.StripeClient, multicapture: None):
    intent = hold(client)
    assert card(intent).multicapture.status == "available"
    first = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 700, "final_capture": False})
    assert (first.status, first.amount_capturable, first.amount_received) == ("requires_capture", 300, 700)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 700})
    assert refund.status == "succeeded"
    last = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 200, "expand": ["latest_charge"]})
    charge: Any = last.latest_charge
    assert (last.status, last.amount_capturable, last.amount_received) == ("succeeded", 0, 900)
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (900, 700, False)


def test_multicapture_is_unavailable_when_not_asked_for_or_not_possible(
    client: stripe.StripeClient, multicapture: None
):
    never: Any = {"card": {"request_multicapture": "never"}}
    assert card(hold(client, payment_method_options=never)).multicapture.status == "unavailable"
    without = hold(client, payment_method="pm_card_credit_disableEnterpriseCardFeatures")
    assert card(without).multicapture.status == "unavailable"


def test_the_rest_is_released_when_nothing_is_captured_as_final(client: stripe.StripeClient, multicapture: None):
    intent = hold(client)
    client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 100, "final_capture": False})
    with pytest.raises(stripe.InvalidRequestError, match="amount_to_capture=0"):
        client.v1.payment_intents.cancel(intent.id)
    done = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 0, "final_capture": True})
    assert (done.status, done.amount_capturable, done.amount_received) == ("succeeded", 0, 100)


def test_a_charge_counts_as_refunded_only_when_its_last_capture_is_done(
    client: stripe.StripeClient, multicapture: None
):
    intent = hold(client)
    client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 300, "final_capture": False})
    refund = client.v1.refunds.create({"payment_intent": intent.id, "expand": ["charge"]})
    charge: Any = refund.charge
    assert (refund.amount, charge.refunded) == (300, False)
    done = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 0, "expand": ["latest_charge"]})
    last: Any = done.latest_charge
    assert (last.captured, last.refunded, last.amount_refunded) == (True, True, 300)


def test_the_fifty_first_capture_is_refused_when_multicapture_is_on(client: stripe.StripeClient, multicapture: None):
    intent = hold(client)
    for _ in range(50):
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1, "final_capture": False})
    with pytest.raises(stripe.InvalidRequestError, match="50"):
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1, "final_capture": False})
    assert client.v1.payment_intents.retrieve(intent.id).amount_received == 50


def test_nothing_can_be_captured_when_canceled(client: stripe.StripeClient):
    intent = hold(client)
    canceled = client.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "abandoned", "expand": ["latest_charge"]}
    )
    charge: Any = canceled.latest_charge
    assert (canceled.status, canceled.cancellation_reason, canceled.amount_capturable) == ("canceled", "abandoned", 0)
    assert canceled.canceled_at is not None
    assert (charge.captured, charge.refunded, charge.amount_captured, charge.amount_refunded) == (False, False, 0, 0)
    for call in (
        client.v1.payment_intents.capture,
        client.v1.payment_intents.cancel,
        client.v1.payment_intents.confirm,
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            call(intent.id)
        assert caught.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent.id})


@pytest.mark.parametrize(
    ("token", "off_session", "seconds"),
    [
        ("visa", False, 7 * DAY),
        ("visa", True, 4 * DAY + 18 * 3600),
        ("mastercard", True, 7 * DAY),
    ],
)
def test_capture_before_says_when_the_hold_ends(
    client: stripe.StripeClient, token: str, off_session: bool, seconds: int
):
    intent = hold(client, payment_method=f"pm_card_{token}", off_session=off_session)
    charge: Any = intent.latest_charge
    assert card(intent).capture_before - charge.created == seconds


def test_a_hold_lapses_when_the_clock_passes_its_end(
    sandbox: SandboxProcess, client: stripe.StripeClient, multicapture: None
):
    uncaptured, partly = hold(client), hold(client)
    client.v1.payment_intents.capture(partly.id, {"amount_to_capture": 400, "final_capture": False})
    sandbox.admin("POST", "/clock", {"advance": 7 * DAY - 60})
    assert client.v1.payment_intents.retrieve(uncaptured.id).status == "requires_capture"
    sandbox.admin("POST", "/clock", {"advance": 61})
    lapsed = client.v1.payment_intents.retrieve(uncaptured.id)
    assert (lapsed.status, lapsed.cancellation_reason, lapsed.amount_capturable) == ("canceled", "expired", 0)
    kept = client.v1.payment_intents.retrieve(partly.id)
    assert (kept.status, kept.amount_capturable, kept.amount_received) == ("succeeded", 0, 400)


@pytest.mark.parametrize(
    ("currency", "amount", "fits"),
    [
        ("jpy", 501, True),
        ("kwd", 5120, True),
        ("kwd", 5123, False),
        ("isk", 500, True),
        ("isk", 550, False),
        ("ugx", 500, True),
        ("ugx", 501, False),
        ("usd", 99_999_999, True),
        ("usd", 100_000_000, False),
        ("usd", 0, False),
        ("USD", 100, True),
        ("xyz", 100, False),
    ],
)
def test_amounts_follow_the_currency_when_created(client: stripe.StripeClient, currency: str, amount: int, fits: bool):
    def create() -> stripe.PaymentIntent:
        return client.v1.payment_intents.create({"amount": amount, "currency": currency})

    if fits:
        assert create().currency == currency.lower()
    else:
        with pytest.raises(stripe.InvalidRequestError):
            create()


def test_risky_payments_open_a_review_when_the_card_is_elevated(client: stripe.StripeClient):
    intent = hold(client, payment_method="pm_card_riskLevelElevated")
    review = client.v1.reviews.retrieve(str(intent.review))
    assert review.open
    client.v1.payment_intents.cancel(intent.id)
    closed = client.v1.reviews.retrieve(review.id)
    assert (closed.open, closed.closed_reason) == (False, "canceled")


def test_intents_of_a_customer_come_in_pages_when_listed(client: stripe.StripeClient):
    customer = client.v1.customers.create({})
    made = [
        client.v1.payment_intents.create({"amount": n, "currency": "usd", "customer": customer.id}).id
        for n in range(1, 8)
    ]
    hold(client)
    first = client.v1.payment_intents.list({"customer": customer.id, "limit": 3})
    assert ([i.id for i in first.data], first.has_more) == (made[:3:-1], True)
    rest = client.v1.payment_intents.list({"customer": customer.id, "limit": 10, "starting_after": first.data[-1].id})
    assert ([i.id for i in rest.data], rest.has_more) == (made[3::-1], False)
    back = client.v1.payment_intents.list({"customer": customer.id, "limit": 2, "ending_before": rest.data[0].id})
    assert [i.id for i in back.data] == [made[5], made[4]]
    assert [i.id for i in first.auto_paging_iter()] == made[::-1]
