"""What a vendor's ledger has and our books do not, and what Temporal runs that is no order's: found, and said in words."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from cli.conservation import money, parcels
from cli.temporal import Temporal
from models.conservation import Finding
from models.ids import label_key
from tests.check.conftest import Copy
from tests.check.spoiled import a_return
from tests.journey import eventually
from workflows.search import REGISTERED

HOME = {"street1": "350 West 18th Street", "city": "New York", "state": "NY", "zip": "10011", "country": "US"}


def stripe(copy: Copy, path: str, key: str, **form: Any) -> dict[str, Any]:
    headers = {"Authorization": "Bearer sk_test_sandbox", "Idempotency-Key": key}
    answer = httpx.post(f"{copy.stack.stripe.url}/v1/{path}", data=form, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def easypost(copy: Copy, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(f"{copy.stack.easypost.url}/v2/{path}", json=body, auth=("any", ""))
    assert answer.status_code < 300, answer.text
    return answer.json()


def authorized(copy: Copy, key: str, **more: Any) -> str:
    """An intent of 50.00 that nobody of ours asked for."""
    asked = {"amount": 5000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    kept = {"capture_method": "manual", "automatic_payment_methods[enabled]": "true"}
    kept["automatic_payment_methods[allow_redirects]"] = "never"
    return stripe(copy, "payment_intents", key, **asked, **kept, **more)["id"]


def buy_label(copy: Copy, reference: str) -> None:
    parcel = {"weight": 10, "length": 8, "width": 6, "height": 4}
    asked = {"reference": reference, "to_address": HOME, "from_address": HOME, "parcel": parcel}
    made = easypost(copy, "shipments", {"shipment": asked})
    easypost(copy, f"shipments/{made['id']}/buy", {"rate": {"id": made["rates"][0]["id"]}})


def says(findings: list[Finding], *fragments: str) -> bool:
    return any(all(fragment in str(finding) for fragment in fragments) for finding in findings)


async def test_captures_are_found_when_one_shipment_was_captured_twice(copy: Copy) -> None:
    copy.own_sandbox("stripe").post("/_admin/settings", {"multicapture": True})
    order = copy.orders["waiting"]
    more = {"payment_method_options[card][request_multicapture]": "if_available", "metadata[order_id]": order}
    intent = authorized(copy, "a", **more)
    for n in (1, 2):
        key = f"{order}:shp_1:capture:1:{intent}:{n}"
        stripe(copy, f"payment_intents/{intent}/capture", key, amount_to_capture=1000, final_capture="false")
    findings = await copy.findings()
    assert says(findings, f"{order}:shp_1:capture:1:{intent} was captured 2 times: $10.00, $10.00")
    assert says(findings, "Stripe did capture of $10.00", "which our books never planned")
    assert says(findings, "$20.00 was kept; 0 units paid for and shipping are $0.00")
    assert says(await copy.findings(settled=False), "was captured 2 times")


async def test_an_authorization_is_found_when_nobody_planned_it(copy: Copy) -> None:
    copy.own_sandbox("stripe")
    authorized(copy, "a", **{"metadata[order_id]": copy.orders["cancelled"], "metadata[operation]": "made-up"})
    findings = await copy.findings()
    assert says(findings, "made-up: Stripe did authorize of $50.00", "never planned")
    assert says(findings, "the order is cancelled, yet Stripe holds $50.00")


async def test_an_intent_is_found_when_it_is_of_no_order(copy: Copy) -> None:
    copy.own_sandbox("stripe")
    authorized(copy, "a")
    assert says(await copy.findings(), "Stripe has it for no order")


async def test_a_refund_is_found_when_nobody_planned_it(copy: Copy) -> None:
    copy.own_sandbox("stripe")
    intent = copy.one(
        "SELECT min(intent_id) FROM payment_operations WHERE order_id = :sold AND amount = 2500 AND kind = 'capture'"
    )
    stripe(copy, "refunds", "made-up", payment_intent=intent, amount=1500)
    findings = await copy.findings()
    assert says(findings, "made-up: Stripe did refund of $15.00", "never planned")
    assert says(findings, "$65.95 was kept; 3 units paid for and shipping are $80.95")


async def test_an_intent_is_found_when_stripe_let_it_go(copy: Copy) -> None:
    copy.own_sandbox("stripe")
    intent = copy.one("SELECT id FROM intents WHERE order_id = :waiting")
    stripe(copy, f"payment_intents/{intent}/cancel", "c")
    assert says(await copy.findings(), intent, "('canceled', 5595, 0, 0) at Stripe")


def test_more_taken_than_authorized_or_given_back_than_taken_is_found() -> None:
    """No sandbox lets this happen, so the ledger is made up."""
    common = {"amount_capturable": 0, "amount_received": 0, "currency": "usd", "status": "succeeded"}
    capture = {"amount": 300, "idempotency_key": "k:1"}
    over = {**common, "id": "pi_1", "amount": 200, "captures": [capture], "refunds": []}
    refunds = [{"id": f"re_{n}", "amount": 200, "status": "pending"} for n in (1, 2)]
    back = {**common, "id": "pi_2", "amount": 300, "captures": [capture], "refunds": refunds}
    failed = {**back, "id": "pi_3", "refunds": [refunds[0], {**refunds[1], "status": "failed"}]}
    findings = [f for each in money.compare({}, [over, back, failed]) for f in each.findings if not each.at_rest]
    assert [str(finding) for finding in findings] == [
        "O4 pi_1: $3.00 taken of $2.00 authorized",
        "O4 pi_2: $4.00 given back of $3.00 taken",
    ]


async def test_labels_are_found_when_a_parcel_has_two(copy: Copy) -> None:
    copy.own_sandbox("easypost")
    shipment = copy.one("SELECT min(id) FROM shipments WHERE order_id = :sold")
    buy_label(copy, label_key(copy.orders["sold"], shipment, 2))
    for settled in (True, False):
        assert says(await copy.findings(settled=settled), f"{copy.orders['sold']}:{shipment}", "2 live labels")


async def test_a_label_is_found_when_its_order_was_cancelled(copy: Copy) -> None:
    copy.own_sandbox("easypost")
    shipment = copy.one("SELECT id FROM shipments WHERE order_id = :cancelled")
    buy_label(copy, label_key(copy.orders["cancelled"], shipment, 1))
    findings = await copy.findings()
    assert says(findings, "is live, yet the order is cancelled and the parcel cancelled")
    assert says(findings, "the carrier sold label", "our books do not have it")


async def test_a_label_is_found_when_only_the_carrier_knows_of_its_refund(copy: Copy) -> None:
    copy.own_sandbox("easypost")
    bought = copy.one("SELECT min(carrier_shipment_id) FROM labels WHERE refund_requested_at IS NULL")
    easypost(copy, f"shipments/{bought}/refund", {})
    assert says(await copy.findings(), bought, "True) at the carrier", "False) in our books")


def test_a_refunded_label_is_not_live() -> None:
    sold = {"id": "shp_1", "labels": [{}], "tracking_code": "9400", "postage": 500}
    key = "ord_1:shp_1:label:"
    ledger = [{**sold, "reference": f"{key}1", "refund_status": "submitted"}, {**sold, "reference": f"{key}2"}]
    assert parcels.compare({}, ledger)[0].findings == ()


@workflow.defn(name="OrderWorkflow", sandboxed=False)
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("a bug")


@pytest.fixture
async def other_temporal(copy: Copy) -> AsyncIterator[Client]:
    """A Temporal of the test's own, that knows no order's run; the first failed workflow task is a problem."""
    first = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=1"
    with Temporal(
        copy.folder / "temporal", REGISTERED, durable=False, extra=["--dynamic-config-value", first]
    ) as server:
        copy.stack.temporal = server
        yield await copy.stack.client()


async def test_runs_are_found_when_they_are_missing_ended_badly_or_strangers(
    copy: Copy, other_temporal: Client
) -> None:
    begun = [
        await other_temporal.start_workflow("OrderWorkflow", id=i, task_queue="none") for i in copy.orders.values()
    ]
    await other_temporal.start_workflow("OrderWorkflow", id="ord_stranger", task_queue="none")
    for handle in begun[1:]:
        await handle.terminate()

    async def listed() -> bool:
        return says(await copy.findings(), "ord_stranger: this OrderWorkflow runs or ran for no order of ours")

    await eventually(listed)
    findings = await copy.findings()
    assert says(findings, copy.orders["waiting"], "the order is open (confirmed), but its run is terminated")
    assert says(findings, copy.orders["cancelled"], "the order is closed, but its run was terminated")
    assert {finding.code for finding in findings} == {"O6"}


async def test_returns_runs_are_found_when_they_ended_badly_outlived_theirs_or_are_strangers(
    copy: Copy, other_temporal: Client
) -> None:
    ids = ("ret_ended", "ret_outlived", "ret_stranger")
    copy.plant(a_return("ret_ended"), a_return("ret_outlived", closed=True))
    ended, *_ = [await other_temporal.start_workflow("ReturnWorkflow", id=i, task_queue="none") for i in ids]
    await ended.terminate()

    async def listed() -> bool:
        return says(await copy.findings(), "ret_stranger: this ReturnWorkflow runs or ran for no return of ours")

    await eventually(listed)
    findings = await copy.findings()
    assert says(findings, "ret_ended", "the return is open (requested), but its run is terminated")
    assert says(findings, "ret_outlived", "the return is closed (requested), but its run goes on")
    assert {finding.code for finding in findings} == {"O6"}


async def test_a_run_is_found_when_its_workflow_task_keeps_failing(copy: Copy, other_temporal: Client) -> None:
    for order_id in (copy.orders["waiting"], copy.orders["sold"]):
        await other_temporal.start_workflow("OrderWorkflow", id=order_id, task_queue="broken")
    async with Worker(other_temporal, task_queue="broken", workflows=[Broken]):

        async def ill() -> bool:
            return says(await copy.findings(), copy.orders["waiting"], "its workflow task keeps failing: ")

        await eventually(ill)
