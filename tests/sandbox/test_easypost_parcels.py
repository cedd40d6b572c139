"""Parcels on their way and refunds of their labels: steps by an admin, by the clock."""

from collections.abc import Iterator

import easypost
import pytest
from easypost.errors import InvalidRequestError

from sandbox.easypost.walk import SCANS, STATUSES
from tests.sandbox.easypost_client import advance, bought, client_of, create, ledger_of, sandbox_process
from tests.sandbox.processes import SandboxProcess, call

DAY = 86400
DEFAULTS = {"tracker_step": 0, "auto_scan_after": 0, "refund_answer": "submitted"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_process(tmp_path_factory.mktemp("easypost") / "ledger.db") as made:
        yield made


@pytest.fixture
def process(running: SandboxProcess) -> SandboxProcess:
    """One process for all tests, with settings as at its start."""
    running.admin("POST", "/settings", DEFAULTS)
    return running


@pytest.fixture
def client(process: SandboxProcess) -> Iterator[easypost.EasyPostClient]:
    with client_of(process) as made:
        yield made


@pytest.mark.parametrize("status", STATUSES)
def test_a_parcel_takes_any_status_when_it_is_named(
    process: SandboxProcess, client: easypost.EasyPostClient, status: str
) -> None:
    label = bought(client)

    tracker = advance(process, label.tracking_code, status=status, datetime="2026-03-01T10:00:00Z")

    assert tracker["status"] == status
    assert tracker["tracking_details"][-1]["datetime"] == "2026-03-01T10:00:00Z"
    assert ledger_of(process, label.reference)["shipments"][0]["scanned"] is (status in SCANS)


def test_a_failure_counts_as_scanned_when_its_details_have_a_scan(
    process: SandboxProcess, client: easypost.EasyPostClient
) -> None:
    label = bought(client)
    details = [{"status": "in_transit", "city": "Fresno"}, {"status": "failure", "message": "Refused"}]

    tracker = advance(process, label.tracking_code, status="failure", details=details)

    assert [(d["status"], d["tracking_location"]["city"]) for d in tracker["tracking_details"]] == [
        ("in_transit", "Fresno"),
        ("failure", "Redondo Beach"),
    ]
    assert ledger_of(process, label.reference)["shipments"][0]["scanned"] is True


def test_nothing_moves_when_the_question_is_wrong(process: SandboxProcess, client: easypost.EasyPostClient) -> None:
    code = bought(client).tracking_code
    advance(process, code, status="delivered")

    for path, body, status in (
        (code, {}, 409),
        (code, {"status": "lost"}, 422),
        (code, {"status": "failure", "details": [{"status": "lost"}]}, 422),
        ("unknown", {}, 404),
    ):
        assert call(process.url, "POST", f"/_admin/parcels/{path}/advance", body)[0] == status
    assert len(client.tracker.all(tracking_code=code)["trackers"][0].tracking_details) == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("EZ1000000001", "pre_transit"),
        ("EZ2000000002", "in_transit"),
        ("EZ3000000003", "out_for_delivery"),
        ("EZ4000000004", "delivered"),
        ("EZ5000000005", "return_to_sender"),
        ("EZ6000000006", "failure"),
        ("EZ7000000007", "unknown"),
    ],
)
def test_a_test_code_has_its_status_when_it_is_tracked(client: easypost.EasyPostClient, code: str, status: str) -> None:
    tracker = client.tracker.create(tracking_code=code)

    assert (tracker.status, tracker.carrier) == (status, "USPS")
    assert client.tracker.create(tracking_code=code, carrier="USPS").id == tracker.id
    assert client.tracker.retrieve(tracker.id).to_dict() == tracker.to_dict()


def test_a_tracker_is_refused_when_its_code_is_unknown(client: easypost.EasyPostClient) -> None:
    with pytest.raises(InvalidRequestError) as error:
        client.tracker.create(tracking_code="1Z999AA10123456784", carrier="UPS")

    assert error.value.code == "TRACKER.CREATE.ERROR"


def test_a_parcel_waits_for_its_first_scan_when_it_walks_by_the_clock(
    process: SandboxProcess, client: easypost.EasyPostClient
) -> None:
    process.admin("POST", "/settings", {"tracker_step": 3600})
    label = bought(client)

    def status_after(seconds: float) -> str:
        process.admin("POST", "/clock", {"advance": seconds})
        return client.shipment.retrieve(label.id).status

    assert status_after(3590) == "unknown"
    assert status_after(20) == "pre_transit"
    assert status_after(30 * DAY) == "pre_transit"
    advance(process, label.tracking_code, datetime="2026-01-01T00:00:00Z")  # a scan reported late
    assert status_after(3500) == "in_transit"
    assert status_after(110) == "out_for_delivery"
    assert status_after(3600) == "delivered"


def test_a_parcel_goes_all_the_way_when_carriers_scan_by_themselves(
    process: SandboxProcess, client: easypost.EasyPostClient
) -> None:
    process.admin("POST", "/settings", {"tracker_step": 3600, "auto_scan_after": 7200})
    label = bought(client)

    process.admin("POST", "/clock", {"advance": 2 * DAY})

    tracker = client.shipment.retrieve(label.id).tracker
    assert tracker.status == "delivered"
    assert [detail.status for detail in tracker.tracking_details][-3:] == [
        "in_transit",
        "out_for_delivery",
        "delivered",
    ]
    times = [detail.datetime for detail in tracker.tracking_details]
    assert times == sorted(times)


def test_a_refund_is_not_applicable_when_the_parcel_was_scanned(
    process: SandboxProcess, client: easypost.EasyPostClient
) -> None:
    label = bought(client)
    advance(process, label.tracking_code, status="in_transit")

    assert client.shipment.refund(label.id).refund_status == "not_applicable"
    assert client.shipment.refund(label.id).refund_status == "not_applicable"


def test_a_refund_may_be_asked_for_again_when_it_was_rejected(
    process: SandboxProcess, client: easypost.EasyPostClient
) -> None:
    process.admin("POST", "/settings", {"refund_answer": "rejected"})
    label = bought(client)
    assert client.shipment.refund(label.id).refund_status == "rejected"
    process.admin("POST", "/settings", {"refund_answer": "submitted"})

    assert client.shipment.refund(label.id).refund_status == "submitted"

    process.admin("POST", f"/refunds/{label.tracking_code}", {"status": "refunded"})
    assert client.shipment.retrieve(label.id).refund_status == "refunded"
    assert ledger_of(process, label.reference)["shipments"][0]["refund_requests"] == 2


def test_a_submitted_refund_is_rejected_when_the_parcel_goes_all_the_same(
    process: SandboxProcess, client: easypost.EasyPostClient
) -> None:
    label = bought(client)
    client.shipment.refund(label.id)
    advance(process, label.tracking_code, status="in_transit")
    process.admin("POST", "/clock", {"advance": 16 * DAY})

    assert client.shipment.retrieve(label.id).refund_status == "rejected"


def test_a_refund_is_rejected_when_the_label_is_too_old(
    process: SandboxProcess, client: easypost.EasyPostClient
) -> None:
    label = bought(client)
    process.admin("POST", "/clock", {"advance": 31 * DAY})

    assert client.shipment.refund(label.id).refund_status == "rejected"


def test_refunds_are_all_or_none_when_asked_for_by_code(client: easypost.EasyPostClient) -> None:
    codes = [bought(client).tracking_code for _ in range(2)]

    with pytest.raises(InvalidRequestError) as error:
        client.refund.create(carrier="USPS", tracking_codes=[codes[0], "9400"])
    assert error.value.code == "REFUND.TRACKING_CODE.NOT_FOUND"
    assert codes[0] not in [refund.tracking_code for refund in client.refund.all()["refunds"]]
    assert [refund.status for refund in client.refund.create(carrier="USPS", tracking_codes=codes)] == ["submitted"] * 2
    with pytest.raises(InvalidRequestError) as error:
        client.shipment.refund(create(client).id)
    assert error.value.code == "SHIPMENT.REFUND.UNAVAILABLE"
