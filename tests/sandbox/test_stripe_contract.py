"""Our requests fit Stripe's specification, and so do the sandbox's answers and events."""

import pytest
import stripe

from tests.sandbox.processes import SandboxProcess, call
from tests.sandbox.stripe_contract import running_stripe_mock, validate, validate_object
from tests.sandbox.stripe_talk import RecordingHTTPClient, client_of, talk


@pytest.fixture(scope="module")
def conversation(sandbox: SandboxProcess) -> RecordingHTTPClient:
    recorder = RecordingHTTPClient()

    def finish(intent: stripe.PaymentIntent | stripe.SetupIntent) -> None:
        path = f"/_3ds/{intent.id}?client_secret={intent.client_secret}&outcome=succeed"
        status, answer = call(sandbox.url, "POST", path)
        assert status in (200, 303), answer

    talk(client_of(sandbox.url, recorder), finish)
    return recorder


def test_requests_are_accepted_when_stripe_mock_judges_them():
    recorder = RecordingHTTPClient()
    with running_stripe_mock() as mock:
        talk(client_of(mock.url, recorder))
        assert mock.accepts("POST", "/v1/refunds", "payment_intent=pi_1&reason=whim")
    assert [e for e in recorder.exchanges if e.status >= 300] == []


def test_answers_fit_the_specification_when_the_sandbox_gives_them(conversation: RecordingHTTPClient):
    assert len(conversation.exchanges) > 60
    wrong = {
        f"{e.method} {e.path} {e.status}": errors
        for e in conversation.exchanges
        if (errors := validate(e.method, e.path, e.answer, e.status))
    }
    assert wrong == {}


def test_events_fit_the_specification_when_the_sandbox_sends_them(
    sandbox: SandboxProcess, conversation: RecordingHTTPClient
):
    assert conversation
    events = list(client_of(sandbox.url).v1.events.list({"limit": 100}).auto_paging_iter())
    kinds = {event.type for event in events}
    assert {"payment_intent.succeeded", "charge.captured", "refund.created", "setup_intent.succeeded"} <= kinds
    for event in events:
        body = event.to_dict()
        assert validate_object("event", body) == []
        subject = body["data"]["object"]
        assert validate_object(subject["object"], subject) == [], event.type


def test_a_wrong_answer_is_found_when_validated():
    assert validate("GET", "/v1/balance", {"object": "balance"})
    assert validate("GET", "/v1/nowhere", {})
    assert validate_object("customer", {"id": "cus_1", "object": "customer", "created": 1, "livemode": False, "x": 1})
