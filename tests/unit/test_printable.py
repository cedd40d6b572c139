"""What of a typed text a carrier's printer gets."""

import pytest

from activities.gateways.printable import printable
from models.vendors import NoLabelError


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Łódź", "Lodz"),
        ("Straße 5", "Strasse 5"),
        ("Ærøskøbing", "AEroskobing"),
        ("  12\tRue de l\u2019Église ", "12 Rue de l'Eglise"),
        ("김민준 Kim", "Kim"),
        ("10115", "10115"),
        ("①②③ Plaza", "123 Plaza"),
    ],
)
def test_latin_letters_stay_readable_when_they_are_printed(typed: str, printed: str) -> None:
    assert printable(typed, "name") == printed


@pytest.mark.parametrize("typed", ["김민준", "서울로 12", "東京都", "☂☂", "", "   "])
def test_the_field_is_named_when_nothing_that_identifies_is_left(typed: str) -> None:
    with pytest.raises(NoLabelError) as caught:
        printable(typed, "destination city")
    assert caught.value.what == "destination city"
