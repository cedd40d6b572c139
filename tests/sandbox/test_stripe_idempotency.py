"""Idempotency keys as Stripe defines them, and what a client sees when something breaks after the effect."""

import threading
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import stripe

from tests.sandbox.processes import SandboxProcess, wait_until
from tests.sandbox.stripe_talk import client_of

PAY = {"amount": 1000, "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"}


@pytest.fixture
def sandbox(sandbox: SandboxProcess):
    yield sandbox
    sandbox.admin("DELETE", "/faults")


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"key-{request.node.name}"


def post(sandbox: SandboxProcess, path: str, params: dict[str, Any], key: str, timeout: float = 5) -> httpx.Response:
    headers = {"Authorization": "Bearer sk_test_x", "Idempotency-Key": key}
    body = urlencode({name: str(value) for name, value in params.items()})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return httpx.post(f"{sandbox.url}{path}", content=body, headers={**headers, **form}, timeout=timeout)


def intents(sandbox: SandboxProcess, key: str) -> list[Any]:
    ledger: Any = sandbox.admin("GET", f"/ledger?metadata[key]={key}")
    return ledger["intents"]


def tagged(key: str, **more: Any) -> dict[str, Any]:
    return {**PAY, "metadata[key]": key, **more}


def test_the_first_answer_comes_again_when_the_request_is_repeated(sandbox: SandboxProcess, key: str):
    first = post(sandbox, "/v1/payment_intents", tagged(key), key)
    again = post(sandbox, "/v1/payment_intents", tagged(key), key)
    assert "idempotent-replayed" not in first.headers
    assert (again.headers["idempotent-replayed"], again.content) == ("true", first.content)
    assert again.headers["original-request"] == first.headers["request-id"] != again.headers["request-id"]
    assert len(intents(sandbox, key)) == 1


def test_the_order_of_parameters_does_not_matter_when_repeated(sandbox: SandboxProcess, key: str):
    params = tagged(key)
    post(sandbox, "/v1/payment_intents", params, key)
    again = post(sandbox, "/v1/payment_intents", dict(reversed(params.items())), key)
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(("path", "change"), [("/v1/payment_intents", {"amount": 1001}), ("/v1/customers", None)])
def test_the_request_is_refused_when_the_key_was_used_for_another(
    sandbox: SandboxProcess, key: str, path: str, change: dict[str, Any] | None
):
    post(sandbox, "/v1/payment_intents", tagged(key), key)
    other = {"name": "x"} if change is None else tagged(key, **change)
    refused = post(sandbox, path, other, key)
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "idempotency_error")
    assert len(intents(sandbox, key)) == 1


def test_the_request_is_refused_when_only_its_path_differs(sandbox: SandboxProcess, key: str):
    post(sandbox, "/v1/customers", {}, key)
    refused = post(sandbox, "/v1/setup_intents", {}, key)
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "idempotency_error")
    assert "'/v1/setup_intents' vs '/v1/customers'" in refused.json()["error"]["message"]


def test_a_decline_comes_again_when_repeated(sandbox: SandboxProcess, key: str):
    declined = tagged(key, payment_method="pm_card_chargeDeclined")
    first, again = (post(sandbox, "/v1/payment_intents", declined, key) for _ in range(2))
    assert (first.status_code, again.content) == (402, first.content)
    [intent] = intents(sandbox, key)
    assert len(intent["attempts"]) == 1


def test_a_refusal_during_execution_is_kept_when_the_state_has_changed(sandbox: SandboxProcess, key: str):
    created = post(sandbox, "/v1/payment_intents", tagged(key, capture_method="manual", confirm="false"), f"{key}-0")
    capture = f"/v1/payment_intents/{created.json()['id']}/capture"
    refused = post(sandbox, capture, {}, key)
    post(sandbox, f"/v1/payment_intents/{created.json()['id']}/confirm", {}, f"{key}-1")
    assert post(sandbox, capture, {}, key).content == refused.content
    assert post(sandbox, capture, {}, f"{key}-2").json()["status"] == "succeeded"


def test_nothing_is_kept_when_parameters_fail_validation(sandbox: SandboxProcess, key: str):
    assert post(sandbox, "/v1/payment_intents", tagged(key, amount="ten"), key).status_code == 400
    assert post(sandbox, "/v1/payment_intents", tagged(key), key).status_code == 200


def test_the_key_is_free_again_when_a_day_has_passed(sandbox: SandboxProcess, key: str):
    post(sandbox, "/v1/payment_intents", tagged(key), key)
    sandbox.admin("POST", "/clock", {"advance": 23 * 3600})
    assert "idempotent-replayed" in post(sandbox, "/v1/payment_intents", tagged(key), key).headers
    sandbox.admin("POST", "/clock", {"advance": 3601})
    assert "idempotent-replayed" not in post(sandbox, "/v1/payment_intents", tagged(key), key).headers
    assert len(intents(sandbox, key)) == 2


def test_a_500_after_the_effect_is_what_the_key_remembers(sandbox: SandboxProcess, key: str):
    sandbox.admin("POST", "/faults", {"kind": "fail_after", "method": "POST", "path": "/payment_intents$"})
    first = post(sandbox, "/v1/payment_intents", tagged(key), key)
    again = post(sandbox, "/v1/payment_intents", tagged(key), key)
    assert (first.status_code, first.json()["error"]["type"]) == (500, "api_error")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (500, "true")
    assert [intent["status"] for intent in intents(sandbox, key)] == ["succeeded"]


def test_a_500_without_effect_is_forgotten_or_kept_as_armed(sandbox: SandboxProcess, key: str):
    sandbox.admin("POST", "/faults", {"kind": "fail_before"})
    assert post(sandbox, "/v1/payment_intents", tagged(key), key).status_code == 500
    assert post(sandbox, "/v1/payment_intents", tagged(key), key).status_code == 200
    sandbox.admin("POST", "/faults", {"kind": "fail_before", "stored": True})
    for _ in range(2):
        assert post(sandbox, "/v1/payment_intents", tagged(key), f"{key}-2").status_code == 500
    assert len(intents(sandbox, key)) == 1


def test_a_429_is_not_kept_when_limited(sandbox: SandboxProcess, key: str):
    fault = {"kind": "error", "status": 429, "headers": {"Retry-After": "1"}}
    sandbox.admin("POST", "/faults", fault)
    limited = post(sandbox, "/v1/payment_intents", tagged(key), key)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    assert limited.json()["error"]["code"] == "rate_limit"
    assert post(sandbox, "/v1/payment_intents", tagged(key), key).status_code == 200


def test_the_effect_is_there_once_when_the_connection_drops_after_it(sandbox: SandboxProcess, key: str):
    sandbox.admin("POST", "/faults", {"kind": "drop_after", "body": f"metadata[key]={key}"})
    client = client_of(sandbox.url)
    params: Any = {
        "amount": 700,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "metadata": {"key": key},
    }
    with pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.create(params, {"idempotency_key": key})
    assert len(intents(sandbox, key)) == 1
    created = client.v1.payment_intents.create(params, {"idempotency_key": key})
    assert [intent["id"] for intent in intents(sandbox, key)] == [created.id]


def test_a_second_request_gets_409_when_the_first_is_in_flight(sandbox: SandboxProcess, key: str):
    sandbox.admin("POST", "/faults", {"kind": "hang", "seconds": 1.0, "after": True})
    answers: list[httpx.Response] = []
    first = threading.Thread(target=lambda: answers.append(post(sandbox, "/v1/payment_intents", tagged(key), key)))
    first.start()
    wait_until(lambda: intents(sandbox, key))
    busy = post(sandbox, "/v1/payment_intents", tagged(key), key)
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    first.join()
    assert answers[0].status_code == 200
    assert post(sandbox, "/v1/payment_intents", tagged(key), key).content == answers[0].content


def test_the_client_gives_up_in_time_when_an_answer_is_late(sandbox: SandboxProcess, key: str):
    sandbox.admin("POST", "/faults", {"kind": "hang", "seconds": 1.0, "after": True})
    with pytest.raises(httpx.ReadTimeout):
        post(sandbox, "/v1/payment_intents", tagged(key), key, timeout=0.2)
    assert len(intents(sandbox, key)) == 1


def test_nonsense_is_a_clean_error_when_the_client_reads_it(sandbox: SandboxProcess, key: str):
    sandbox.admin("POST", "/faults", {"kind": "garbage", "after": True, "body": key})
    params: Any = {"amount": 700, "currency": "usd", "metadata": {"key": key}}
    with pytest.raises(stripe.APIError):
        client_of(sandbox.url).v1.payment_intents.create(params)
    assert len(intents(sandbox, key)) == 1
