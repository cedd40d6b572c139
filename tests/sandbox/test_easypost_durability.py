"""What the sandbox still knows when a process dies or an answer is lost."""

from pathlib import Path

import pytest
from easypost.errors import HttpError, InternalServerError, InvalidRequestError
from easypost.errors import TimeoutError as ClientTimeoutError

from tests.sandbox.easypost_client import bought, client_of, create, fetch, ledger_of, sandbox_process
from tests.sandbox.processes import Receiver, wait_until

BUY = {"method": "POST", "path": "/v2/shipments/[^/]+/buy$"}


def test_the_ledger_is_the_same_when_the_process_was_killed(tmp_path: Path) -> None:
    with sandbox_process(tmp_path / "ledger.db") as process:
        with client_of(process) as client:
            label = bought(client, reference="ord_kill:1")
            client.shipment.refund(label.id)
            process.admin("POST", f"/parcels/{label.tracking_code}/advance", {})
            before = ledger_of(process, label.reference)
        process.kill()
        process.start()

        assert ledger_of(process, label.reference) == before
        with client_of(process) as client:
            again = client.shipment.retrieve(label.id)
            assert (again.tracking_code, again.status) == (label.tracking_code, "pre_transit")
            assert again.postage_label.label_url.startswith(process.url)
            assert label.tracking_code.encode() in fetch(again.postage_label.label_url)


def test_a_webhook_arrives_when_the_process_was_killed_before(tmp_path: Path, receiver: Receiver) -> None:
    hook = ["--webhook-url", receiver.url, "--webhook-secret", "s"]
    with sandbox_process(tmp_path / "ledger.db", *hook) as process:
        process.admin("POST", "/settings", {"webhooks": "hold"})
        with client_of(process) as client:
            bought(client)
        process.kill()
        process.start()
        assert receiver.got == []

        process.admin("POST", "/settings", {"webhooks": "on"})

        wait_until(lambda: len(receiver.got) == 1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "drop_after"}, HttpError),
        ({"kind": "fail_after"}, InternalServerError),
        ({"kind": "hang", "after": True, "seconds": 3}, ClientTimeoutError),
    ],
)
def test_a_label_is_found_when_the_answer_to_its_purchase_was_lost(
    tmp_path: Path, fault: dict, error: type[Exception]
) -> None:
    with sandbox_process(tmp_path / "ledger.db") as process, client_of(process, timeout=1) as client:
        shipment = create(client)
        process.admin("POST", "/faults", {**BUY, **fault})

        with pytest.raises(error):
            client.shipment.buy(shipment.id, rate=shipment.lowest_rate())

        found = client.shipment.retrieve(shipment.id)
        assert found.postage_label.label_url
        assert found.selected_rate.id == shipment.lowest_rate().id
        with pytest.raises(InvalidRequestError, match="Postage already exists"):
            client.shipment.buy(shipment.id, rate=shipment.lowest_rate())
        assert ledger_of(process)["totals"]["USD"]["labels"] == 1


@pytest.mark.parametrize(("kind", "error"), [("drop", HttpError), ("fail_before", InternalServerError)])
def test_no_label_is_bought_when_the_call_did_not_arrive(tmp_path: Path, kind: str, error: type[Exception]) -> None:
    with sandbox_process(tmp_path / "ledger.db") as process, client_of(process) as client:
        shipment = create(client)
        process.admin("POST", "/faults", {**BUY, "kind": kind})

        with pytest.raises(error):
            client.shipment.buy(shipment.id, rate=shipment.lowest_rate())

        assert client.shipment.retrieve(shipment.id).postage_label is None
        assert ledger_of(process)["totals"] == {}
        assert client.shipment.buy(shipment.id, rate=shipment.lowest_rate()).tracking_code
