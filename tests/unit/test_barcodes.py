"""The check digit of a GTIN, on numbers that are printed in textbooks."""

import pytest

from models.barcodes import check_digit, is_gtin


@pytest.mark.parametrize("code", ["4006381333931", "036000291452", "73513537", "10012345678902"])
def test_textbook_number_is_a_gtin(code: str):
    assert is_gtin(code)
    assert check_digit(code[:-1]) == code[-1]


@pytest.mark.parametrize(
    "code", ["4006381333932", "4006381339331", "400638133393", "", "\uff14006381333931", "40063813339x1"]
)
def test_number_is_no_gtin_when_its_digit_length_or_letters_are_wrong(code: str):
    assert not is_gtin(code)
