"""The process: its ledger outlives it, its answers are honest about what it has not, its keys are checked."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe.operations import OPERATIONS
from tests.sandbox.processes import SandboxProcess
from tests.sandbox.stripe_talk import client_of

KEY = {"Authorization": "Bearer sk_test_x"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path):
    process = SandboxProcess("sandbox.stripe", tmp_path / "ledger.sqlite").start()
    try:
        made: dict[str, str] = {}
        params: Any = {
            "amount": 1000,
            "currency": "usd",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
        }
        for n in range(5):
            key: Any = {"idempotency_key": f"k{n}"}
            made[f"k{n}"] = client_of(process.url).v1.payment_intents.create(params, key).id
            process.kill()
            process.start()
            v1 = client_of(process.url).v1
            assert v1.payment_intents.create(params, key).id == made[f"k{n}"]
            assert v1.payment_intents.capture(made[f"k{n}"]).status == "succeeded"
        ledger: Any = process.admin("GET", "/ledger")
        assert [(i["idempotency_key"], i["id"]) for i in ledger["intents"]] == list(made.items())
        assert [[c["amount"] for c in i["captures"]] for i in ledger["intents"]] == [[1000]] * 5
    finally:
        process.stop()


def test_the_ledger_tells_an_oracle_all_when_filtered_by_metadata(sandbox: SandboxProcess):
    v1 = client_of(sandbox.url).v1
    for order in ("ord_1", "ord_2"):
        intent = v1.payment_intents.create(
            {
                "amount": 900,
                "currency": "usd",
                "confirm": True,
                "payment_method": "pm_card_visa",
                "metadata": {"order_id": order},
            },
            {"idempotency_key": f"{order}:authorize"},
        )
        v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": f"{order}:refund"})
    ledger: Any = sandbox.admin("GET", "/ledger?metadata[order_id]=ord_2")
    [found] = ledger["intents"]
    assert (found["status"], found["amount_received"], found["metadata"]) == ("succeeded", 900, {"order_id": "ord_2"})
    assert [(r["amount"], r["idempotency_key"]) for r in found["refunds"]] == [(100, "ord_2:refund")]
    assert [(c["amount"], c["final"]) for c in found["captures"]] == [(900, True)]


@pytest.mark.parametrize(
    ("request_line", "body", "status", "code", "says"),
    [
        ("GET /v1/nowhere", "", 404, None, "Unrecognized request URL (GET: /v1/nowhere)"),
        ("DELETE /v1/payment_intents/pi_1", "", 404, None, "Unrecognized request URL"),
        ("GET /v1/payment_intents/pi_none", "", 404, "resource_missing", "No such payment_intent: 'pi_none'"),
        ("GET /v1/payment_intents/search?query=x", "", 400, None, "sandbox does not implement"),
        ("POST /v1/charges", "amount=1&currency=usd", 400, None, "sandbox does not implement"),
        ("POST /v1/payment_intents", "currency=usd", 400, "parameter_missing", "amount"),
        ("POST /v1/payment_intents", "amount=1&currency=usd&colour=red", 400, "parameter_unknown", "colour"),
        ("POST /v1/payment_intents", "amount=1&currency=usd&hooks[a]=b", 400, None, "sandbox does not implement"),
        ("POST /v1/payment_intents", "amount=1.5&currency=usd", 400, "parameter_invalid_integer", "1.5"),
        ("POST /v1/payment_intents", "amount=1&currency=usd&confirm=yes", 400, None, "Invalid boolean"),
        ("POST /v1/payment_intents", "amount=1&currency=usd&customer=", 400, "parameter_invalid_empty", "customer"),
        ("POST /v1/payment_intents", "amount=1&currency=usd&customer=cus_no", 404, "resource_missing", "cus_no"),
        ("POST /v1/payment_intents", "amount=1&currency=usd&capture_method=later", 400, None, "must be one of"),
        ("POST /v1/payment_intents", "amount=1&currency=usd&off_session=true", 400, None, "confirm=true"),
        (
            "POST /v1/payment_intents",
            "amount=1&currency=usd&metadata=x",
            400,
            "parameter_invalid_object",
            "metadata",
        ),
        ("POST /v1/payment_intents", "amount=1&currency=usd&a[b=1", 400, None, "parameter name"),
        ("GET /v1/payment_intents?limit=0", "", 400, None, "limit"),
        ("GET /v1/payment_intents?starting_after=pi_none", "", 404, "resource_missing", "pi_none"),
        ("GET /v1/payment_intents?expand[]=data.charges", "", 400, None, "cannot be expanded"),
        ("POST /v1/customers", "expand[]=charges", 400, None, "cannot be expanded"),
        ("POST /v1/payment_methods", "type=sepa_debit", 400, None, "sandbox does not implement"),
        ("POST /v1/refunds", "amount=1", 400, "parameter_missing", "payment_intent or charge"),
    ],
)
def test_the_error_is_stripes_when_a_request_makes_no_sense(  # noqa: PLR0917
    sandbox: SandboxProcess, request_line: str, body: str, status: int, code: str | None, says: str
):
    method, path = request_line.split()
    if "data.charges" in path:
        client_of(sandbox.url).v1.payment_intents.create({"amount": 1, "currency": "usd"})
    answer = httpx.request(method, sandbox.url + path, content=body, headers={**KEY, **FORM})
    error = answer.json()["error"]
    assert (answer.status_code, error.get("code"), error["type"]) == (status, code, "invalid_request_error"), error
    assert says in error["message"] or says == error.get("param"), error
    assert answer.headers["request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer sk_live_x"}, 401),
        ({"Authorization": "Bearer pk_test_x"}, 403),
        ({"Authorization": "Basic !!"}, 401),
        ({"Authorization": "Basic c2tfdGVzdF94Og=="}, 200),
        ({"Authorization": "Bearer rk_test_x"}, 200),
    ],
)
def test_the_key_decides_when_calling(sandbox: SandboxProcess, headers: dict[str, str], status: int):
    answer = httpx.get(f"{sandbox.url}/v1/customers", headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_metadata_merges_and_unsets_when_updated(sandbox: SandboxProcess):
    v1 = client_of(sandbox.url).v1
    customer = v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    merged = v1.customers.update(customer.id, {"metadata": {"a": "", "c": "3"}})
    assert merged.to_dict()["metadata"] == {"b": "2", "c": "3"}
    assert v1.customers.update(customer.id, {"metadata": ""}).to_dict()["metadata"] == {}
    with pytest.raises(stripe.InvalidRequestError):
        v1.customers.update(customer.id, {"metadata": {f"k{n}": "v" for n in range(51)}})


def test_every_operation_stands_once_when_listed():
    names = [(operation.method, operation.path) for operation in OPERATIONS]
    assert len(set(names)) == len(names) > 50
