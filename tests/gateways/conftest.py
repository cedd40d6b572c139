"""Both sandboxes as real processes, the gateways that talk to them, and a way to make a call fail."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from activities.gateways.easypost import EasyPostGateway
from activities.gateways.stripe import StripeGateway
from cli.sandboxes import EASYPOST, STRIPE, Sandbox

Arm = Callable[..., None]


@pytest.fixture(scope="session")
def stripe_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _running(STRIPE, tmp_path_factory.mktemp("stripe"))


@pytest.fixture(scope="session")
def easypost_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _running(EASYPOST, tmp_path_factory.mktemp("easypost"))


def _running(vendor: str, folder: Path) -> Iterator[str]:
    with Sandbox(vendor, folder) as sandbox:
        yield sandbox.url


@pytest.fixture
def payments(stripe_url: str) -> StripeGateway:
    return StripeGateway("sk_test_sandbox", base=stripe_url)


@pytest.fixture
def carrier(easypost_url: str) -> EasyPostGateway:
    return EasyPostGateway("EZTKsandbox", base=f"{easypost_url}/v2")


@pytest.fixture
def stripe_fault(stripe_url: str) -> Iterator[Arm]:
    yield from _arming(stripe_url)


@pytest.fixture
def easypost_fault(easypost_url: str) -> Iterator[Arm]:
    yield from _arming(easypost_url)


def _arming(url: str) -> Iterator[Arm]:
    def arm(kind: str, path: str, **more: Any) -> None:
        httpx.post(f"{url}/_admin/faults", json={"kind": kind, "path": path, **more}).raise_for_status()

    yield arm
    httpx.delete(f"{url}/_admin/faults").raise_for_status()


@pytest.fixture
def settings(stripe_url: str) -> Iterator[Callable[..., None]]:
    """Changes the Stripe sandbox's settings for one test."""
    before = httpx.get(f"{stripe_url}/_admin/settings").json()

    def change(**changes: object) -> None:
        httpx.post(f"{stripe_url}/_admin/settings", json=changes).raise_for_status()

    yield change
    change(**before)
