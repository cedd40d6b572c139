"""The payment port against the Stripe sandbox, as a process of its own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from activities.gateways import stripe as gateway
from activities.gateways.stripe import StripeGateway
from models.errors import OutcomeUnknownError, RejectedError, VendorUnavailableError
from models.heard import Window
from models.ids import authorize_key, capture_key, customer_key, refund_key, void_key
from models.mint import mint
from models.vendors import Authorization, Authorized, CaptureAsk, IntentView, RefundAsk, VoidAsk
from models.words import IntentState, Outcome

Arm = Callable[..., None]
Settings = Callable[..., None]
T = TypeVar("T")


def asking(method: str = "pm_card_visa", **changes: object) -> Authorization:
    order_id = mint("ord")
    ask = Authorization(
        key=authorize_key(order_id, 1, 1),
        order_id=order_id,
        tender=1,
        amount=4321,
        currency="usd",
        payment_method=method,
        customer_key=customer_key(order_id),
        customer_id=None,
        off_session=False,
    )
    return replace(ask, **changes)


def held(payments: StripeGateway, ask: Authorization) -> IntentView:
    answer = payments.authorize(ask)
    assert answer.outcome is Outcome.SUCCEEDED
    assert answer.intent is not None
    return answer.intent


def taking(
    ask: Authorization, intent: IntentView, amount: int, n: int = 1, *, final: bool = True, before: int = 0
) -> CaptureAsk:
    key = capture_key(ask.order_id, "shp_1", 1, intent.id, n)
    return CaptureAsk(key, intent.id, amount, ask.currency, final, before)


def voiding(ask: Authorization, intent: IntentView, leg: int = 1, *, partly_captured: bool = False) -> VoidAsk:
    return VoidAsk(void_key(ask.order_id, intent.id, leg), intent.id, partly_captured)


def test_the_amount_is_held_when_the_card_is_good(payments: StripeGateway) -> None:
    ask = asking()
    intent = held(payments, ask)
    assert (intent.state, intent.amount, intent.capturable, intent.received) == (IntentState.OPEN, 4321, 4321, 0)
    assert intent.charge_id is not None
    assert intent.capture_before is not None
    assert intent.capture_before > datetime.now(UTC)
    assert intent.client_secret is None
    assert payments.look(intent.id) == intent


def test_the_first_answer_comes_back_when_the_same_key_is_sent_again(payments: StripeGateway) -> None:
    ask = asking()
    assert payments.authorize(ask) == payments.authorize(ask)


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_nonsense", "resource_missing"),
    ],
)
def test_the_reason_comes_back_when_the_card_is_declined(payments: StripeGateway, method: str, reason: str) -> None:
    ask = asking(method)
    answer = payments.authorize(ask)
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, reason)
    assert answer.customer_id.startswith("cus_")
    if answer.intent is not None:
        assert answer.intent.state is IntentState.REFUSED
        assert payments.find_authorization(ask) == answer


def test_the_client_secret_comes_back_when_the_bank_asks_for_3d_secure(payments: StripeGateway) -> None:
    answer = payments.authorize(asking("pm_card_authenticationRequired"))
    assert answer.outcome is Outcome.REQUIRES_ACTION
    assert answer.intent is not None
    assert answer.intent.client_secret is not None
    assert answer.intent.client_secret.startswith(answer.intent.id)


def test_it_is_a_refusal_when_nobody_is_there_to_answer_3d_secure(payments: StripeGateway) -> None:
    answer = payments.authorize(asking("pm_card_authenticationRequired", off_session=True))
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "authentication_required")


def test_the_whole_is_taken_when_the_capture_is_final(payments: StripeGateway) -> None:
    ask = asking()
    intent = held(payments, ask)
    moved = payments.capture(taking(ask, intent, 1000))
    assert moved.outcome is Outcome.SUCCEEDED
    assert (moved.intent.state, moved.intent.received, moved.intent.capturable) == (IntentState.CAPTURED, 1000, 0)


def test_the_rest_stays_held_when_the_card_allows_several_captures(payments: StripeGateway, settings: Settings) -> None:
    settings(multicapture=True)
    ask = asking()
    intent = held(payments, ask)
    assert intent.multicapture
    first = payments.capture(taking(ask, intent, 1000, final=False))
    assert (first.intent.state, first.intent.received, first.intent.capturable) == (IntentState.OPEN, 1000, 3321)
    last = payments.capture(taking(ask, intent, 3321, 2))
    assert (last.intent.state, last.intent.received) == (IntentState.CAPTURED, 4321)


def test_one_capture_is_all_when_the_account_has_no_multicapture(payments: StripeGateway) -> None:
    assert not held(payments, asking()).multicapture


def test_a_capture_is_refused_when_it_is_more_than_is_held(payments: StripeGateway) -> None:
    ask = asking()
    intent = held(payments, ask)
    moved = payments.capture(taking(ask, intent, 9999))
    assert (moved.outcome, moved.reason) == (Outcome.REFUSED, "amount_too_large")
    assert moved.intent == intent


def test_a_capture_is_refused_when_the_intent_is_canceled(payments: StripeGateway) -> None:
    ask = asking()
    intent = held(payments, ask)
    payments.void(voiding(ask, intent))
    moved = payments.capture(taking(ask, intent, 1000))
    assert (moved.outcome, moved.reason) == (Outcome.REFUSED, "payment_intent_unexpected_state")
    assert moved.intent.state is IntentState.VOIDED


def test_nothing_stays_held_when_it_is_voided_once_or_twice(payments: StripeGateway) -> None:
    ask = asking()
    intent = held(payments, ask)
    for leg in (1, 2):
        moved = payments.void(voiding(ask, intent, leg))
        assert (moved.outcome, moved.intent.state) == (Outcome.SUCCEEDED, IntentState.VOIDED)
        assert moved.intent.capturable == 0


def test_a_void_is_refused_when_the_money_was_taken(payments: StripeGateway) -> None:
    ask = asking()
    intent = held(payments, ask)
    payments.capture(taking(ask, intent, 4321))
    moved = payments.void(voiding(ask, intent))
    assert (moved.outcome, moved.reason) == (Outcome.REFUSED, "payment_intent_unexpected_state")
    assert moved.intent.state is IntentState.CAPTURED


def test_the_rest_is_freed_once_when_a_part_was_captured(payments: StripeGateway, settings: Settings) -> None:
    settings(multicapture=True)
    ask = asking()
    intent = held(payments, ask)
    payments.capture(taking(ask, intent, 1000, final=False))
    assert payments.void(voiding(ask, intent)).outcome is Outcome.REFUSED
    for leg in (2, 3):
        moved = payments.void(voiding(ask, intent, leg, partly_captured=True))
        assert moved.outcome is Outcome.SUCCEEDED
        assert (moved.intent.state, moved.intent.received, moved.intent.capturable) == (IntentState.CAPTURED, 1000, 0)


def test_amounts_are_ours_when_stripe_counts_the_currency_otherwise(payments: StripeGateway) -> None:
    ask = asking(amount=500, currency="isk")
    intent = held(payments, ask)
    assert (intent.amount, intent.capturable) == (500, 500)
    moved = payments.capture(taking(ask, intent, 500))
    assert moved.intent.received == 500


# The wire fails


@pytest.mark.parametrize("kind", ["drop_after", "fail_after", "garbage"])
def test_the_authorization_is_found_when_its_answer_was_lost(
    payments: StripeGateway, stripe_fault: Arm, kind: str
) -> None:
    ask = asking()
    stripe_fault(kind, "/payment_intents$", method="POST", **({"after": True} if kind == "garbage" else {}))
    with pytest.raises(OutcomeUnknownError):
        payments.authorize(ask)
    found = payments.find_authorization(ask)
    assert found is not None
    assert (found.outcome, found.intent and found.intent.capturable) == (Outcome.SUCCEEDED, 4321)


def test_the_outcome_is_unknown_when_stripe_answers_too_late(
    stripe_url: str, stripe_fault: Arm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.gateways.stripe.TIMEOUT", 0.2)
    payments, ask = StripeGateway("sk_test_sandbox", base=stripe_url), asking()
    stripe_fault("hang", "/payment_intents$", method="POST", seconds=1, after=True)
    with pytest.raises(OutcomeUnknownError):
        payments.authorize(ask)
    assert payments.find_authorization(ask) is not None


def test_no_authorization_is_found_when_the_call_had_no_effect(payments: StripeGateway, stripe_fault: Arm) -> None:
    ask = asking()
    stripe_fault("drop", "/payment_intents$", method="POST")
    with pytest.raises(OutcomeUnknownError):
        payments.authorize(ask)
    assert payments.find_authorization(ask) is None
    assert payments.authorize(ask).outcome is Outcome.SUCCEEDED


def test_one_customer_is_made_when_the_answer_to_making_it_was_lost(payments: StripeGateway, stripe_fault: Arm) -> None:
    ask = asking()
    stripe_fault("drop_after", "/customers$")
    with pytest.raises(OutcomeUnknownError):
        payments.authorize(ask)
    assert payments.find_authorization(ask) is None
    first = payments.authorize(ask)
    assert payments.find_authorization(ask) == Authorized(Outcome.SUCCEEDED, first.customer_id, first.intent)


def test_the_authorization_is_made_and_found_when_stripe_has_stored_a_failure_of_making_its_customer(
    payments: StripeGateway, stripe_fault: Arm
) -> None:
    ask = asking()
    stripe_fault("fail_after", "/customers$", method="POST")
    with pytest.raises(OutcomeUnknownError):
        payments.authorize(ask)
    made = payments.authorize(ask)
    assert (made.outcome, payments.find_authorization(ask)) == (Outcome.SUCCEEDED, made)


def second(call: Callable[[], T]) -> T:
    """What the second try comes to, the first having failed."""
    with pytest.raises(OutcomeUnknownError):
        call()
    return call()


@pytest.mark.parametrize("fault", [{"kind": "fail_after"}, {"kind": "fail_before", "stored": True}], ids=str)
def test_each_effect_is_there_once_when_stripe_has_stored_a_failure_under_its_key(
    payments: StripeGateway, stripe_fault: Arm, fault: dict[str, Any]
) -> None:
    ask = asking()
    stripe_fault(path="/payment_intents$", method="POST", **fault)
    authorized = second(lambda: payments.authorize(ask))
    intent = authorized.intent
    assert intent is not None
    assert payments.find_authorization(ask) == authorized
    stripe_fault(path="/capture$", **fault)
    assert second(lambda: payments.capture(taking(ask, intent, 1000))).intent.received == 1000
    back = RefundAsk(refund_key(ask.order_id, "clm_1", intent.id, 1), ask.order_id, intent.id, 300, "usd")
    stripe_fault(path="/refunds$", method="POST", **fault)
    assert second(lambda: payments.refund(back)).outcome is Outcome.SUCCEEDED
    assert payments.find_refund(back) == payments.refund(back)
    given_up = asking()
    other = held(payments, given_up)
    stripe_fault(path="/cancel$", **fault)
    assert second(lambda: payments.void(voiding(given_up, other))).outcome is Outcome.SUCCEEDED
    assert payments.look(other.id).state is IntentState.VOIDED


def test_the_call_is_given_up_when_stripe_has_stored_a_failure_under_every_key(
    payments: StripeGateway, stripe_fault: Arm
) -> None:
    ask = asking()
    stripe_fault("fail_before", "/payment_intents$", method="POST", stored=True, times=None)
    for _ in range(8):
        with pytest.raises(OutcomeUnknownError):
            payments.authorize(ask)
    assert payments.find_authorization(ask) is None


@pytest.mark.parametrize("kind", ["drop_after", "fail_after"])
def test_the_capture_shows_when_its_answer_was_lost(payments: StripeGateway, stripe_fault: Arm, kind: str) -> None:
    ask = asking()
    intent = held(payments, ask)
    stripe_fault(kind, "/capture$")
    with pytest.raises(OutcomeUnknownError):
        payments.capture(taking(ask, intent, 1000))
    assert payments.look(intent.id).received == 1000


def test_stripe_is_unavailable_for_a_while_when_it_says_how_long(payments: StripeGateway, stripe_fault: Arm) -> None:
    stripe_fault("error", "/payment_intents$", status=429, headers={"Retry-After": "7"})
    with pytest.raises(VendorUnavailableError) as caught:
        payments.authorize(asking())
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [401, 409])
def test_stripe_is_unavailable_when_it_surely_did_nothing(
    payments: StripeGateway, stripe_fault: Arm, status: int
) -> None:
    stripe_fault("error", "/payment_intents$", status=status)
    with pytest.raises(VendorUnavailableError):
        payments.authorize(asking())


def test_stripe_is_unavailable_when_nobody_listens(unused_tcp_port: int) -> None:
    with pytest.raises(VendorUnavailableError):
        StripeGateway("sk_test_1", base=f"http://127.0.0.1:{unused_tcp_port}").look("pi_1")


def test_the_call_is_rejected_when_a_key_was_used_for_something_else(payments: StripeGateway) -> None:
    ask = asking()
    payments.authorize(ask)
    with pytest.raises(RejectedError, match="idempotency_error"):
        payments.authorize(replace(ask, amount=1))


def test_no_person_stands_in_the_error_when_stripe_rejects(payments: StripeGateway, stripe_fault: Arm) -> None:
    told = {"error": {"type": "invalid_request_error", "code": "odd", "message": "Ada Example", "param": "amount"}}
    stripe_fault("error", "/payment_intents$", status=400, response=told)
    with pytest.raises(RejectedError) as caught:
        payments.authorize(asking())
    assert str(caught.value) == "stripe: 400 invalid_request_error odd amount"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
def test_a_live_key_is_refused_when_nobody_said_live(key: str) -> None:
    with pytest.raises(ValueError, match="live Stripe key"):
        StripeGateway(key)
    StripeGateway(key, live=True)


# What happened, as it is read when no webhook came


def test_each_event_comes_once_when_a_window_is_read_in_pages(
    payments: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = datetime.now(UTC)
    ids = [held(payments, asking()).id for _ in range(3)]
    monkeypatch.setattr(gateway, "PAGE", 2)
    window, pages, after = Window(began, datetime.now(UTC) + timedelta(seconds=1)), [], None
    while not pages or after:
        page = payments.events(window, after)
        after = page.after
        pages.append([each.subject for each in page.heard if each.subject in ids])
    assert [subject for page in reversed(pages) for subject in page] == ids  # the newest page comes first
    assert len(pages) > 1


def test_no_event_comes_when_it_happened_after_the_window(payments: StripeGateway) -> None:
    made = held(payments, asking())
    ended = datetime.now(UTC) - timedelta(minutes=1)
    page = payments.events(Window(ended - timedelta(hours=1), ended), None)
    assert made.id not in [each.subject for each in page.heard]
