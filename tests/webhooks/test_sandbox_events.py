"""What the sandboxes really send is understood: each step of a payment and of a parcel gives the kind that it should."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from activities.gateways.easypost import EasyPostGateway
from activities.gateways.stripe import StripeGateway
from cli.sandboxes import Sandboxes
from models import heard_easypost, heard_stripe
from models.heard import Heard
from models.ids import authorize_key, capture_key, customer_key, label_key, void_key
from models.vendors import Address, Authorization, BoughtLabel, CaptureAsk, Parcel, VoidAsk


@pytest.fixture(scope="module")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxes]:
    folder: Path = tmp_path_factory.mktemp("sandboxes")
    with Sandboxes(folder) as both:
        yield both


@pytest.fixture
def payments(sandboxes: Sandboxes) -> StripeGateway:
    return StripeGateway("sk_test_sandbox", base=sandboxes.stripe_url)


def authorization(order_id: str, method: str = "pm_card_visa") -> Authorization:
    return Authorization(
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


def of_stripe(sandboxes: Sandboxes, subject: str) -> list[Heard]:
    """All that we hear about an intent, oldest first."""
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    events = httpx.get(f"{sandboxes.stripe_url}/v1/events?limit=100", headers=headers).json()["data"]
    heard = [heard_stripe.heard_of(event) for event in reversed(events)]
    return [each for each in heard if each is not None and each.subject == subject]


def held(payments: StripeGateway, order_id: str) -> str:
    intent = payments.authorize(authorization(order_id)).intent
    assert intent is not None
    return intent.id


def test_the_amounts_are_told_when_a_payment_is_authorized_and_captured(
    sandboxes: Sandboxes, payments: StripeGateway
) -> None:
    intent_id = held(payments, "ord_1")
    key = capture_key("ord_1", "shp_1", 1, intent_id, 1)
    payments.capture(CaptureAsk(key, intent_id, 4000, "usd", final=True, received_before=0))
    heard = of_stripe(sandboxes, intent_id)
    assert (heard[0].kind, heard[-1].kind) == ("payment.authorized", "payment.captured")
    assert heard[0].payload == {
        "order": "ord_1",
        "operation": "ord_1:authorize:1:1",
        "key": "ord_1:authorize:1:1",
        "customer": heard[0].payload["customer"],
        "status": "requires_capture",
        "amount": 4321,
        "received": 0,
        "capturable": 4321,
    }
    assert heard[-1].payload["received"] == 4000


def test_the_reason_is_told_when_a_payment_is_declined(sandboxes: Sandboxes, payments: StripeGateway) -> None:
    refused = payments.authorize(authorization("ord_2", "pm_card_chargeDeclinedInsufficientFunds")).intent
    assert refused is not None
    (heard,) = of_stripe(sandboxes, refused.id)
    assert (heard.kind, heard.payload["reason"]) == ("payment.failed", "insufficient_funds")


def test_the_cancellation_is_told_when_a_payment_is_voided(sandboxes: Sandboxes, payments: StripeGateway) -> None:
    intent_id = held(payments, "ord_3")
    payments.void(VoidAsk(void_key("ord_3", intent_id, 1), intent_id, partly_captured=False))
    assert [each.kind for each in of_stripe(sandboxes, intent_id)] == ["payment.authorized", "payment.canceled"]


def test_refunds_and_disputes_are_told_by_their_intent_when_they_happen(
    sandboxes: Sandboxes, payments: StripeGateway
) -> None:
    disputed = payments.authorize(authorization("ord_4", "pm_card_createDispute")).intent
    assert disputed is not None
    for intent_id in (disputed.id, refunded := held(payments, "ord_5")):
        key = capture_key("ord_4", "shp_1", 1, intent_id, 1)
        payments.capture(CaptureAsk(key, intent_id, 4321, "usd", final=True, received_before=0))
    httpx.post(
        f"{sandboxes.stripe_url}/v1/refunds",
        data={"payment_intent": refunded, "amount": "100", "metadata[operation]": "ord_5:refund:clm_1"},
        headers={"Authorization": "Bearer sk_test_sandbox"},
    ).raise_for_status()
    assert "dispute.created" in [each.kind for each in of_stripe(sandboxes, disputed.id)]
    refund = next(each for each in of_stripe(sandboxes, refunded) if each.kind.startswith("refund."))
    assert (refund.kind, refund.payload["amount"]) == ("refund.succeeded", 100)
    assert refund.payload["operation"] == "ord_5:refund:clm_1"
    assert refund.payload["refund"].startswith("re_")


# EasyPost


def label(sandboxes: Sandboxes) -> BoughtLabel:
    carrier = EasyPostGateway("EZTKsandbox", base=sandboxes.easypost_url)
    store = Address("Market Street", "388 Market St", "San Francisco", "94111", "US", state="CA")
    home = Address("Ada Example", "179 N Harbor Dr", "Redondo Beach", "90277", "US", state="CA")
    reference = label_key("ord_1", "shp_1", 1)
    sizes = {"grams": 400, "length_mm": 200, "width_mm": 150, "height_mm": 80}
    prepared = carrier.prepare(Parcel(reference=reference, origin=store, destination=home, hazmat=False, **sizes))
    return carrier.buy(prepared.carrier_shipment_id, prepared.rates[0])


def test_each_scan_is_told_without_the_person_when_a_parcel_moves(sandboxes: Sandboxes) -> None:
    bought = label(sandboxes)
    for status in ("in_transit", "out_for_delivery", "delivered", "failure"):
        step = {"status": status}
        url = f"{sandboxes.easypost.url}/_admin/parcels/{bought.tracking_code}/advance"
        httpx.post(url, json=step).raise_for_status()
    headers = {"Authorization": "Bearer EZTKsandbox"}
    events = httpx.get(f"{sandboxes.easypost_url}/events", headers=headers).json()["events"]
    heard = [
        each for each in map(heard_easypost.heard_of, reversed(events)) if each and each.subject == bought.tracking_code
    ]
    kinds = [each.kind for each in heard if each.payload["status"] not in ("unknown", "pre_transit")]
    assert kinds == [
        "tracking.in_transit",
        "tracking.out_for_delivery",
        "tracking.delivered",
        "tracking.failure",
    ]
    assert heard[-1].payload["scanned"] is True
    assert "REDONDO" not in repr(heard).upper()
