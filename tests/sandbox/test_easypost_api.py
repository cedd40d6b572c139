"""The sandbox through the official client: addresses, shipments, labels, money, refusals."""

import base64
from collections.abc import Iterator
from http.client import HTTPConnection

import easypost
import pytest
from easypost.errors import InvalidRequestError, NotFoundError, UnauthorizedError, UnknownApiError

from tests.sandbox.easypost_client import (
    BERLIN,
    MUNICH,
    PARCEL,
    REDONDO_BEACH,
    SAN_FRANCISCO,
    bought,
    client_of,
    create,
    fetch,
    ledger_of,
    sandbox_process,
)
from tests.sandbox.processes import SandboxProcess


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with sandbox_process(tmp_path_factory.mktemp("easypost") / "ledger.db") as running:
        yield running


@pytest.fixture(scope="module")
def client(process: SandboxProcess) -> Iterator[easypost.EasyPostClient]:
    with client_of(process) as made:
        yield made


def refusal(error: pytest.ExceptionInfo) -> tuple[int, str]:
    return error.value.http_status, error.value.code


def test_an_address_has_coordinates_when_it_is_verified(client: easypost.EasyPostClient) -> None:
    address = client.address.create(verify=True, **SAN_FRANCISCO)

    delivery = address.verifications.delivery
    assert delivery.success is True
    assert delivery.details.to_dict() == {
        "latitude": 37.759,
        "longitude": -122.4,
        "time_zone": "America/Los_Angeles",
    }
    assert (address.street1, address.street2) == ("388 TOWNSEND ST APT 20", "")
    assert address.zip.startswith("94107-")
    assert len(address.zip) == 10
    assert client.address.retrieve(address.id).to_dict() == address.to_dict()


def test_an_address_stays_as_typed_when_it_is_not_verified(client: easypost.EasyPostClient) -> None:
    address = client.address.create(**MUNICH)

    assert address.name == "Jürgen Groß"
    assert address.verifications.to_dict() == {}
    assert client.address.verify(address.id).city == "MÜNCHEN"


def test_details_are_null_when_the_place_is_unknown(client: easypost.EasyPostClient) -> None:
    address = client.address.create_and_verify(street1="10 Downing St", city="London", zip="SW1A 2AA", country="GB")

    assert address.verifications.delivery.success is True
    assert address.verifications.delivery.details is None


@pytest.mark.parametrize("change", [{"street1": "1 Undeliverable Way"}, {"zip": "00001"}, {"street1": None}])
def test_an_address_is_not_found_when_it_is_undeliverable(client: easypost.EasyPostClient, change: dict) -> None:
    wrong = {**SAN_FRANCISCO, "street2": None, **change}

    delivery = client.address.create(verify=True, **wrong).verifications.delivery

    assert delivery.success is False
    assert delivery.errors[0].code == "E.ADDRESS.NOT_FOUND"
    for call in (
        lambda: client.address.create(verify_strict=True, **wrong),
        lambda: client.address.create_and_verify(**wrong),
        lambda: client.address.verify(client.address.create(**wrong).id),
    ):
        with pytest.raises(InvalidRequestError) as error:
            call()
        assert refusal(error) == (422, "ADDRESS.VERIFY.FAILURE")
        assert error.value.errors[0]["code"] == "E.ADDRESS.NOT_FOUND"


def test_a_shipment_has_rates_of_three_carriers_when_it_stays_in_the_us(client: easypost.EasyPostClient) -> None:
    shipment = create(client, reference="ord_rates:1")

    assert {rate.carrier for rate in shipment.rates} == {"USPS", "UPSDAP", "FedExDefault"}
    assert (shipment.lowest_rate().service, shipment.lowest_rate().rate) == ("GroundAdvantage", "6.07")
    assert shipment.lowest_rate(["UPSDAP"]).service == "Ground"
    assert shipment.usps_zone == 4
    assert all(rate.delivery_days >= 1 and rate.currency == "USD" for rate in shipment.rates)
    found = client.shipment.all(page_size=5)["shipments"]
    assert "ord_rates:1" in [listed.reference for listed in found]


def test_rates_are_in_euro_when_a_parcel_stays_in_germany(client: easypost.EasyPostClient) -> None:
    shipment = create(client, from_address=BERLIN, to_address=MUNICH)

    assert {(rate.carrier, rate.service, rate.currency) for rate in shipment.rates} == {
        ("DHLPaket", "Paket", "EUR"),
        ("DHLPaket", "DHLPaketExpress", "EUR"),
    }


@pytest.mark.parametrize("parcel", [{}, {"weight": 0}, {"length": 1, "width": 1, "height": 1}])
def test_there_are_messages_and_no_rates_when_the_weight_is_missing(
    client: easypost.EasyPostClient, parcel: dict
) -> None:
    shipment = create(client, parcel=parcel)

    assert shipment.rates == []
    assert {message.carrier for message in shipment.messages} == {"USPS", "UPSDAP", "FedExDefault"}
    assert "weight" in shipment.messages[0].message


def test_parts_are_taken_by_id_when_they_exist(client: easypost.EasyPostClient) -> None:
    to_address, from_address = client.address.create(**REDONDO_BEACH), client.address.create(**SAN_FRANCISCO)
    parcel = client.parcel.create(**PARCEL)

    shipment = create(client, to_address=to_address, from_address=from_address, parcel=parcel)

    assert (shipment.to_address.id, shipment.parcel.id) == (to_address.id, parcel.id)
    assert client.parcel.retrieve(shipment.parcel.id).weight == 15.4


def test_a_label_costs_money_once_when_it_is_bought(process: SandboxProcess, client: easypost.EasyPostClient) -> None:
    shipment = create(client, reference="ord_buy:1")

    label = client.shipment.buy(shipment.id, rate=shipment.lowest_rate(), insurance="100.00")

    assert label.selected_rate.id == shipment.lowest_rate().id
    assert label.insurance == "100.00"
    assert label.tracker.status == "unknown"
    assert label.tracker.tracking_code == label.tracking_code
    assert {fee.type: fee.amount for fee in label.fees} == {
        "LabelFee": "0.00000",
        "PostageFee": "6.07000",
        "InsuranceFee": "1.00000",
    }
    with pytest.raises(InvalidRequestError) as error:
        client.shipment.buy(shipment.id, rate=shipment.lowest_rate())
    assert refusal(error) == (422, "SHIPMENT.POSTAGE.EXISTS")
    ledger = ledger_of(process, "ord_buy:")
    assert [len(row["labels"]) for row in ledger["shipments"]] == [1]
    assert ledger["totals"]["USD"]["postage"] == 607
    assert ledger["totals"]["USD"]["net"] == 707


def test_a_rate_is_refused_when_it_belongs_to_another_shipment(client: easypost.EasyPostClient) -> None:
    with pytest.raises(InvalidRequestError) as error:
        client.shipment.buy(create(client).id, rate=create(client).lowest_rate())

    assert refusal(error) == (422, "SHIPMENT.MISSING_RATE")


def test_the_label_is_a_pdf_with_the_tracking_code_when_it_is_fetched(client: easypost.EasyPostClient) -> None:
    label = bought(client, from_address=BERLIN, to_address=MUNICH, reference="ord_label:1")

    pdf = fetch(label.postage_label.label_url)

    assert pdf.startswith(b"%PDF-")
    for text in (label.tracking_code, "Jürgen Groß", "10119 Berlin", "DHLPaket", "ord_label:1"):
        assert text.encode("cp1252") in pdf
    zpl = client.shipment.label(label.id, file_format="ZPL").postage_label.label_zpl_url
    assert f"^FD{label.tracking_code}^FS".encode() in fetch(zpl)


def test_a_return_is_addressed_the_other_way_round_when_it_is_printed(client: easypost.EasyPostClient) -> None:
    label = bought(client, is_return=True)

    pdf = fetch(label.postage_label.label_url)

    assert label.is_return is True
    assert pdf.index(b"Elizabeth Swan") < pdf.index(b"RETURN TO") < pdf.index(b"Jack Sparrow")


def test_ground_alone_is_offered_when_a_parcel_is_hazmat(client: easypost.EasyPostClient) -> None:
    shipment = create(client, options={"hazmat": "LIMITED_QUANTITY"})

    assert {rate.service for rate in shipment.rates} == {"GroundAdvantage", "Ground", "FEDEX_GROUND"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"options": {"label_format": "PNG"}}, "SHIPMENT.POSTAGE.FORMAT_UNAVAILABLE"),
        ({"to_address": {**REDONDO_BEACH, "name": "Łukasz Żółć"}}, "SHIPMENT.POSTAGE.ASCII"),
        ({"reference": "注文"}, "SHIPMENT.POSTAGE.ASCII"),
        ({"to_address": None}, "PARAMETER.REQUIRED"),
        ({"parcel": {"weight": "heavy"}}, "PARCEL.PARAMETERS.INVALID"),
        ({"parcel": {"weight": -1}}, "PARCEL.PARAMETERS.INVALID"),
        ({"to_address": "adr_1"}, "PARAMETER.INVALID"),
    ],
)
def test_a_shipment_is_refused_when_a_carrier_could_not_take_it(
    client: easypost.EasyPostClient, change: dict, code: str
) -> None:
    with pytest.raises(InvalidRequestError) as error:
        create(client, **change)

    assert refusal(error) == (422, code)


def test_a_carrier_refuses_when_the_street_says_so(client: easypost.EasyPostClient) -> None:
    assert create(client, to_address={**REDONDO_BEACH, "street1": "1 No Rates Rd"}).rates == []
    with pytest.raises(InvalidRequestError) as error:
        bought(client, to_address={**REDONDO_BEACH, "street1": "1 No Label Ln"})
    assert refusal(error) == (422, "SHIPMENT.POSTAGE.FAILURE")


def test_rates_are_new_when_a_shipment_is_rated_again(client: easypost.EasyPostClient) -> None:
    shipment = create(client)

    again = client.shipment.regenerate_rates(shipment.id).rates

    assert [rate.rate for rate in again] == [rate.rate for rate in shipment.rates]
    assert client.shipment.buy(shipment.id, rate=again[0]).selected_rate.id == again[0].id
    assert client.shipment.lowest_smart_rate(shipment.id, 5, "percentile_90").carrier == "USPS"


def test_insurance_is_sold_once_when_a_shipment_is_insured_later(client: easypost.EasyPostClient) -> None:
    label = bought(client)

    assert client.shipment.insure(label.id, amount="50.50").insurance == "50.50"
    with pytest.raises(InvalidRequestError) as error:
        client.shipment.insure(label.id, amount="50.50")
    assert refusal(error) == (422, "SHIPMENT.INSURANCE.ALREADY_PURCHASED")


def test_pages_follow_each_other_when_there_are_more_shipments(client: easypost.EasyPostClient) -> None:
    made = [create(client, reference=f"ord_page:{i}").id for i in range(5)]

    first = client.shipment.all(page_size=3)
    second = client.shipment.get_next_page(first, 2)

    assert first["has_more"] is True
    assert [s.id for s in (*first["shipments"], *second["shipments"])] == made[::-1]
    unbought = client.shipment.all(page_size=3, purchased=False)["shipments"]
    assert [s.id for s in unbought] == made[:1:-1]


def test_what_is_not_there_says_so_when_it_is_called(client: easypost.EasyPostClient) -> None:
    with pytest.raises(UnknownApiError, match="sandbox of Shelfway does not implement /v2/batches") as error:
        client.batch.create(shipments=[])
    assert error.value.http_status == 501
    with pytest.raises(UnknownApiError, match="buying in the call"):
        create(client, service="GroundAdvantage")
    with pytest.raises(NotFoundError):
        client.shipment.retrieve("shp_none")
    with pytest.raises(NotFoundError):
        client.address.retrieve(create(client).parcel.id)


def test_a_call_is_refused_when_it_has_no_key(process: SandboxProcess) -> None:
    with client_of(process, key=" ") as nobody, pytest.raises(UnauthorizedError):
        nobody.shipment.all()


@pytest.mark.parametrize(("header", "status"), [("Basic " + base64.b64encode(b"EZTK_1:").decode(), 200), ("Basic !", 401)])  # fmt: skip
def test_the_key_is_taken_when_it_is_the_basic_user(process: SandboxProcess, header: str, status: int) -> None:
    connection = HTTPConnection(process.url.removeprefix("http://"), timeout=10)
    connection.request("GET", "/v2/shipments?page_size=1", headers={"Authorization": header})
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert answer.status == status
