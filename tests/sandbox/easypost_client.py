"""The official client against a sandbox process, and addresses to ship between."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import easypost
from easypost.models import Shipment

from tests.sandbox.processes import SandboxProcess

SAN_FRANCISCO = {
    "name": "Jack Sparrow",
    "street1": "388 Townsend St",
    "street2": "Apt 20",
    "city": "San Francisco",
    "state": "CA",
    "zip": "94107",
    "country": "US",
    "phone": "5555555555",
}
REDONDO_BEACH = {
    "name": "Elizabeth Swan",
    "street1": "179 N Harbor Dr",
    "city": "Redondo Beach",
    "state": "CA",
    "zip": "90277",
    "country": "US",
    "phone": "5555555555",
}
BERLIN = {"name": "Laden Mitte", "street1": "Torstraße 1", "city": "Berlin", "zip": "10119", "country": "DE"}
MUNICH = {"name": "Jürgen Groß", "street1": "Marienplatz 8", "city": "München", "zip": "80331", "country": "DE"}
_numbers = itertools.count(1)
PARCEL = {"length": 10, "width": 8, "height": 4, "weight": 15.4}


@contextmanager
def sandbox_process(ledger: Path, *args: str) -> Iterator[SandboxProcess]:
    process = SandboxProcess("sandbox.easypost", ledger, list(args)).start()
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def client_of(process: SandboxProcess, key: str = "EZTK_test", timeout: int = 10) -> Iterator[easypost.EasyPostClient]:
    client = easypost.EasyPostClient(key, api_base=f"{process.url}/v2", timeout=timeout)
    try:
        yield client
    finally:
        client._requests_session.close()


def create(client: easypost.EasyPostClient, **changes: object) -> Shipment:
    """With a reference of its own, by which a test finds its rows in the ledger."""
    reference = f"ord_{next(_numbers)}:1"
    wanted = {"to_address": REDONDO_BEACH, "from_address": SAN_FRANCISCO, "parcel": PARCEL, "reference": reference}
    return client.shipment.create(**{**wanted, **changes})


def bought(client: easypost.EasyPostClient, **changes: object) -> Shipment:
    shipment = create(client, **changes)
    return client.shipment.buy(shipment.id, rate=shipment.lowest_rate())


def fetch(url: str) -> bytes:
    with urlopen(url, timeout=10) as answer:
        return answer.read()


def ledger_of(process: SandboxProcess, prefix: str = "") -> dict:
    return json.loads(fetch(f"{process.url}/_admin/ledger?reference_prefix={prefix}"))


def advance(process: SandboxProcess, code: str, **asked: object) -> dict:
    answer = process.admin("POST", f"/parcels/{code}/advance", asked)
    assert isinstance(answer, dict)
    return answer
