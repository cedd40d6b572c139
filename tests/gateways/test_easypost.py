"""The carrier's port against the EasyPost sandbox, as a process of its own."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from activities.gateways import easypost as gateway
from activities.gateways.easypost import EasyPostGateway
from activities.ports import CarrierGateway
from models.errors import OutcomeUnknownError, RejectedError, VendorUnavailableError
from models.heard import Window
from models.heard_easypost import sold_label
from models.ids import label_key
from models.mint import mint
from models.shipping import choose_rate
from models.vendors import Address, BoughtLabel, NoLabelError, Parcel, Prepared

STORE = Address("Shelfway Market Street", "388 Market St", "San Francisco", "94111", "US", state="CA")
HOME = Address("Ada Example", "179 N Harbor Dr", "Redondo Beach", "90277", "US", state="CA", phone="4155550100")
WARSAW = Address("Sklep", "Marszałkowska 1", "Warszawa", "00-624", "PL")
LODZ = Address("Michał Żółć", "Piotrkowska 104", "Łódź", "90-926", "PL")

Arm = Callable[..., None]


def parcel(destination: Address = HOME, **changes: object) -> Parcel:
    made = Parcel(
        reference=label_key(mint("ord"), mint("shp"), 1),
        origin=STORE,
        destination=destination,
        grams=437,
        length_mm=200,
        width_mm=150,
        height_mm=80,
        hazmat=False,
    )
    return replace(made, **changes)


def bought(carrier: CarrierGateway, made: Parcel) -> BoughtLabel:
    prepared = carrier.prepare(made)
    rate = choose_rate(prepared.rates, transit_days=5, hazmat=made.hazmat)
    assert rate is not None
    return carrier.buy(prepared.carrier_shipment_id, rate)


def sent(url: str, carrier_shipment_id: str) -> dict[str, object]:
    return httpx.get(f"{url}/v2/shipments/{carrier_shipment_id}", headers={"Authorization": "Bearer EZTK"}).json()


def test_coordinates_come_back_when_the_address_is_known(carrier: EasyPostGateway) -> None:
    verdict = carrier.verify(HOME)
    assert verdict.deliverable
    assert verdict.latitude == pytest.approx(33.8, abs=0.3)
    assert verdict.longitude == pytest.approx(-118.4, abs=0.3)


def test_a_reason_code_comes_back_when_the_address_is_unknown(carrier: EasyPostGateway) -> None:
    verdict = carrier.verify(replace(HOME, street="1 Undeliverable Way"))
    assert not verdict.deliverable
    assert verdict.reason == "E.ADDRESS.NOT_FOUND"


def test_rates_are_minor_units_when_a_parcel_is_prepared(carrier: EasyPostGateway) -> None:
    prepared = carrier.prepare(parcel())
    rates = {rate.service: rate for rate in prepared.rates}
    assert (rates["GroundAdvantage"].amount, rates["GroundAdvantage"].currency) == (607, "usd")
    assert rates["Express"].days is not None


def test_the_label_is_found_when_it_was_bought(carrier: EasyPostGateway) -> None:
    prepared = carrier.prepare(parcel())
    looked = carrier.look(prepared.carrier_shipment_id)
    assert looked == prepared
    label = carrier.buy(prepared.carrier_shipment_id, prepared.rates[0])
    assert label.url.endswith(".pdf")
    assert label.rate == prepared.rates[0].amount
    assert carrier.look(prepared.carrier_shipment_id) == label


def test_the_first_label_comes_back_when_it_is_bought_twice(carrier: EasyPostGateway) -> None:
    prepared = carrier.prepare(parcel())
    first = carrier.buy(prepared.carrier_shipment_id, prepared.rates[0])
    assert carrier.buy(prepared.carrier_shipment_id, prepared.rates[0]) == first


def test_only_ground_services_are_offered_when_the_parcel_is_dangerous(carrier: EasyPostGateway) -> None:
    prepared = carrier.prepare(parcel(hazmat=True))
    assert {rate.service for rate in prepared.rates} == {"GroundAdvantage", "Ground", "FEDEX_GROUND"}


def test_letters_are_transliterated_when_the_carrier_cannot_print_them(
    carrier: EasyPostGateway, easypost_url: str
) -> None:
    label = bought(carrier, parcel(LODZ, origin=WARSAW))
    shipment = json.dumps(sent(easypost_url, label.carrier_shipment_id))
    for printed in ("Michal Zolc", "Lodz", "Marszalkowska 1"):
        assert printed in shipment
    assert "?" not in json.dumps(sent(easypost_url, label.carrier_shipment_id)["to_address"])


def test_the_field_is_named_when_nothing_printable_is_left(carrier: EasyPostGateway) -> None:
    with pytest.raises(NoLabelError) as caught:
        carrier.prepare(parcel(replace(HOME, name="김민준")))
    assert caught.value.what == "destination name"


def test_the_weight_is_named_when_it_is_missing(carrier: EasyPostGateway) -> None:
    with pytest.raises(NoLabelError, match="weight"):
        carrier.prepare(parcel(grams=0))


def test_a_refund_stands_as_it_stood_when_it_is_asked_for_twice(carrier: EasyPostGateway) -> None:
    label = bought(carrier, parcel())
    assert carrier.refund(label.carrier_shipment_id) == "submitted"
    assert carrier.refund(label.carrier_shipment_id) == "submitted"


def test_the_label_is_found_when_the_answer_to_buying_was_lost(
    carrier: EasyPostGateway, easypost_fault: Arm, easypost_url: str
) -> None:
    prepared = carrier.prepare(parcel())
    easypost_fault("drop_after", "/buy$")
    with pytest.raises(OutcomeUnknownError):
        carrier.buy(prepared.carrier_shipment_id, prepared.rates[0])
    found = carrier.look(prepared.carrier_shipment_id)
    assert isinstance(found, BoughtLabel)
    assert carrier.buy(prepared.carrier_shipment_id, prepared.rates[0]) == found


def test_the_label_is_found_when_the_carrier_answers_too_late(
    easypost_url: str, easypost_fault: Arm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.gateways.easypost.TIMEOUT", 0.2)
    carrier = EasyPostGateway("EZTKsandbox", base=easypost_url)
    prepared = carrier.prepare(parcel())
    easypost_fault("hang", "/buy$", seconds=1, after=True)
    with pytest.raises(OutcomeUnknownError):
        carrier.buy(prepared.carrier_shipment_id, prepared.rates[0])
    assert isinstance(carrier.look(prepared.carrier_shipment_id), BoughtLabel)


@pytest.mark.parametrize("kind", ["garbage", "fail_after", "fail_before"])
def test_the_outcome_is_unknown_when_the_answer_says_nothing(
    carrier: EasyPostGateway, easypost_fault: Arm, kind: str
) -> None:
    prepared = carrier.prepare(parcel())
    easypost_fault(kind, "/buy$")
    with pytest.raises(OutcomeUnknownError):
        carrier.buy(prepared.carrier_shipment_id, prepared.rates[0])
    assert isinstance(carrier.look(prepared.carrier_shipment_id), BoughtLabel if kind == "fail_after" else Prepared)


def test_the_outcome_is_unknown_when_an_error_is_text_instead_of_an_object(
    carrier: EasyPostGateway, easypost_fault: Arm
) -> None:
    easypost_fault("error", "/shipments$", status=502, response={"error": "bad gateway"})
    with pytest.raises(OutcomeUnknownError):
        carrier.prepare(parcel())


@pytest.mark.parametrize("status", [429, 401, 402])
def test_the_carrier_is_unavailable_when_it_surely_did_nothing(
    carrier: EasyPostGateway, easypost_fault: Arm, status: int
) -> None:
    easypost_fault("error", "/shipments$", status=status)
    with pytest.raises(VendorUnavailableError):
        carrier.prepare(parcel())


def test_the_carrier_is_unavailable_when_nobody_listens(unused_tcp_port: int) -> None:
    with pytest.raises(VendorUnavailableError):
        EasyPostGateway("EZTK", base=f"http://127.0.0.1:{unused_tcp_port}").prepare(parcel())


def test_no_person_stands_in_the_error_when_the_carrier_refuses(carrier: EasyPostGateway, easypost_fault: Arm) -> None:
    told = {"error": {"code": "SHIPMENT.INVALID", "message": "Ada Example does not live there", "errors": []}}
    easypost_fault("error", "/shipments$", status=422, response=told)
    with pytest.raises(RejectedError) as caught:
        carrier.prepare(parcel())
    assert str(caught.value) == "easypost: 422 SHIPMENT.INVALID"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_sentence_is_not_repeated_when_it_stands_where_a_code_should(
    carrier: EasyPostGateway, easypost_fault: Arm
) -> None:
    problem = {"field": "to_address.name", "message": "Ada Example"}
    told = {"error": {"code": "no such person: Ada Example", "message": "no", "errors": [problem]}}
    easypost_fault("error", "/shipments$", status=422, response=told)
    with pytest.raises(RejectedError) as caught:
        carrier.prepare(parcel())
    assert str(caught.value) == "easypost: 422 unreadable to_address.name"


def test_the_outcome_is_unknown_when_what_was_bought_cannot_be_read(
    carrier: EasyPostGateway, easypost_fault: Arm
) -> None:
    prepared = carrier.prepare(parcel())
    carrier.buy(prepared.carrier_shipment_id, prepared.rates[0])
    easypost_fault("error", "/v2/shipments/", method="GET", status=404)
    with pytest.raises(OutcomeUnknownError):
        carrier.buy(prepared.carrier_shipment_id, prepared.rates[0])


def test_only_sold_labels_come_by_our_keys_when_a_window_is_read_in_pages(
    carrier: EasyPostGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = datetime.now(UTC)
    made = [parcel(reference=label_key(mint("ord"), mint("shp"), 1)) for _ in range(3)]
    labels = [bought(carrier, each) for each in made]
    carrier.prepare(parcel(reference=label_key(mint("ord"), mint("shp"), 1)))
    monkeypatch.setattr(gateway, "PAGE", 2)
    window, sold, after = Window(began, datetime.now(UTC) + timedelta(seconds=1)), [], None
    while not sold or after:
        page = carrier.purchases(window, after)
        sold, after = [*page.heard, *sold], page.after
    assert [each.subject for each in sold] == [each.reference for each in made]
    assert [sold_label(each.payload) for each in sold] == labels


def test_the_status_is_told_when_a_tracker_is_read(carrier: EasyPostGateway, easypost_url: str) -> None:
    label = bought(carrier, parcel())
    step = {"status": "in_transit"}
    httpx.post(f"{easypost_url}/_admin/parcels/{label.tracking_code}/advance", json=step).raise_for_status()
    heard = carrier.track(label.tracker_id or "")
    assert (heard.kind, heard.subject, heard.payload["scanned"]) == ("tracking.in_transit", label.tracking_code, True)
    assert carrier.track(label.tracker_id or "") == heard


def test_it_is_told_where_a_refund_stands_when_one_was_asked_for(carrier: EasyPostGateway) -> None:
    label = bought(carrier, parcel())
    assert carrier.refund_status(label.carrier_shipment_id) is None
    asked = carrier.refund(label.carrier_shipment_id)
    assert carrier.refund_status(label.carrier_shipment_id) == asked
