"""The sandbox's geography and tariffs, without a process."""

import pytest

from sandbox.easypost import addresses, codes, rates
from sandbox.easypost.geo import Place, distance_km, locate, postcode_exists


@pytest.mark.parametrize(
    ("address", "near", "zone"),
    [
        (("US", "94107", "San Francisco", "CA"), (37.76, -122.40), "America/Los_Angeles"),
        (("US", "10118", "New York", "NY"), (40.75, -73.99), "America/New_York"),  # a building's own ZIP: by its area
        (("US", "37902", "Knoxville", "TN"), (35.96, -83.92), "America/New_York"),
        (("US", "37201", "Nashville", "TN"), (36.16, -86.78), "America/Chicago"),
        (("US", "96813", "Honolulu", "HI"), (21.31, -157.86), "Pacific/Honolulu"),
        (("US", "60601", "Chicago", ""), (41.89, -87.62), "America/Chicago"),
        (("DE", "80331", "Muenchen", ""), (48.14, 11.58), "Europe/Berlin"),
        (("DE", "50667", "Köln", ""), (50.94, 6.96), "Europe/Berlin"),
        (("DE", "60311", "Frankfurt", ""), (50.11, 8.68), "Europe/Berlin"),
        (("DE", "15230", "Frankfurt", ""), (52.34, 14.55), "Europe/Berlin"),
        (("FR", "69001", "Lyon", ""), (45.76, 4.84), "Europe/Paris"),
        (("NL", "1012 AB", "Amsterdam", ""), (52.37, 4.89), "Europe/Amsterdam"),
        (("ES", "35001", "Las Palmas", ""), (28.10, -15.41), "Atlantic/Canary"),
        (("IT", "00184", "Roma", ""), (41.89, 12.49), "Europe/Rome"),
        (("PL", "00-001", "Warszawa", ""), (52.23, 21.01), "Europe/Warsaw"),
    ],
)
def test_a_place_is_found_when_postcode_or_city_is_known(
    address: tuple[str, str, str, str], near: tuple[float, float], zone: str
) -> None:
    place = locate(*address)

    assert place is not None
    assert distance_km(place, Place(*near, zone)) < 15
    assert place.time_zone == zone


def test_no_place_is_made_up_when_nothing_is_known() -> None:
    assert locate("GB", "SW1A 1AA", "London") is None
    assert locate("US", "00001", "Nowhere") is None


@pytest.mark.parametrize(
    ("country", "postcode", "exists"),
    [("US", "94107", True), ("US", "94107-1670", True), ("US", "00001", False), ("US", "9410", False),
     ("DE", "10119", True), ("DE", "05123", False), ("FR", "97400", True), ("GB", "anything", True)],
)  # fmt: skip
def test_a_postcode_is_denied_only_when_the_files_know_its_country(country: str, postcode: str, exists: bool) -> None:
    assert postcode_exists(country, postcode) is exists


def test_usps_prices_are_the_real_ones_when_the_parcel_is_the_recorded_one() -> None:
    quotes, refusals = rates.quote(("US", "US"), 15.4, 4, {})

    usps = {q.tariff.service: (q.cents, q.delivery_days) for q in quotes if q.tariff.carrier == "USPS"}
    assert usps == {"GroundAdvantage": (607, 3), "Priority": (742, 2), "Express": (3415, 1)}
    assert not refusals


def test_the_next_ounce_is_paid_when_a_weight_is_not_whole() -> None:
    def cents(weight: float) -> int:
        return rates.quote(("US", "US"), weight, 4, {})[0][0].cents

    assert cents(15.01) == cents(16) < cents(16.01)


def test_a_longer_way_costs_more_when_the_weight_is_the_same() -> None:
    for tariff in rates.ALL:
        prices = [tariff.price(32, zone) for zone in range(1, 9)]
        assert prices == sorted(prices)
        assert list(tariff.days) == sorted(tariff.days)
        assert len(tariff.days) == 8


def test_only_ground_services_quote_when_the_parcel_is_hazmat() -> None:
    quotes, _ = rates.quote(("US", "US"), 16, 4, {"hazmat": "LIMITED_QUANTITY"})

    assert [q.tariff.service for q in quotes] == ["GroundAdvantage", "Ground", "FEDEX_GROUND"]


@pytest.mark.parametrize(
    ("countries", "carriers"),
    [(("DE", "DE"), {"DHLPaket"}), (("FR", "FR"), {"DPD", "DHLExpress"}), (("US", "PR"), {"USPS", "UPSDAP", "FedExDefault"})],
)  # fmt: skip
def test_a_country_s_own_carriers_quote_when_a_parcel_stays_there(
    countries: tuple[str, str], carriers: set[str]
) -> None:
    quotes, _ = rates.quote(countries, 16, 3, {})

    assert {q.tariff.carrier for q in quotes} == carriers
    assert {q.tariff.currency for q in quotes} == {"USD" if "US" in countries else "EUR"}


def test_carriers_say_why_when_they_do_not_quote() -> None:
    for countries, weight in ((("US", "US"), 0), (("US", "DE"), 16), (("US", "US"), 3000)):
        quotes, refusals = rates.quote(countries, weight, 4, {})
        assert not quotes
        assert {"USPS", "UPSDAP", "FedExDefault"} <= {refusal.carrier for refusal in refusals}


def test_zones_follow_the_distance_when_both_places_are_known() -> None:
    here = locate("US", "94107", "")
    zips = ["94107", "95814", "93701", "90277", "98101", "80202", "60601", "10001"]

    zones = [rates.zone_between(here, locate("US", zip_code, "")) for zip_code in zips]

    assert zones == [1, 2, 3, 4, 5, 5, 8, 8]
    assert rates.zone_between(here, None) == 5


def test_a_zip4_stays_when_it_was_given() -> None:
    given = {"street1": "388 Townsend St", "city": "San Francisco", "state": "CA", "zip": "94107-1670"}

    address, errors = addresses.verified(addresses.new_address(given, 0))

    assert not errors
    assert address["zip"] == "94107-1670"


def test_a_usps_code_has_a_right_check_digit_when_it_is_made() -> None:
    code = codes.tracking_code("USPS")

    assert len(code) == 22
    assert sum(int(digit) * (1 if i % 2 == 0 else 3) for i, digit in enumerate(reversed(code))) % 10 == 0
