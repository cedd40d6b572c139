"""Labels: what a printer gets."""

import re
from dataclasses import replace

import pytest

from sandbox.easypost import code128
from sandbox.easypost.label import NOTICE, Label, render

LABEL = Label(
    sender=["Shelfway Köln", "Schildergasse 12", "50667 Köln", "DE"],
    recipient=["Jürgen Groß", "Marienplatz 8", "80331 München", "DE"],
    carrier="USPS",
    service="GroundAdvantage",
    tracking_code="9400100208303109505657",
    weight=15.4,
    date="2026-11-25",
    reference="ord_1:shp_1",
    is_return=False,
    hazmat=False,
)


def decoded(widths: list[int]) -> str:
    """Reads bars back, as a scanner does."""
    patterns = ["".join(map(str, widths[i : i + 6])) for i in range(0, len(widths) - 7, 6)]
    values = [code128.PATTERNS.index(pattern) for pattern in patterns]
    assert "".join(map(str, widths[-7:])) == code128.PATTERNS[code128.STOP]
    start, *data, check = values
    assert check == (start + sum(i * value for i, value in enumerate(data, 1))) % 103
    if start == code128.START_C:
        return "".join(f"{value:02d}" for value in data)
    return "".join(chr(value + 32) for value in data)


@pytest.mark.parametrize("code", ["9400100208303109505657", "1ZSBX1234567890123", "771234567890", "ABC~1"])
def test_the_code_is_read_back_when_its_bars_are_scanned(code: str) -> None:
    assert decoded(code128.widths(code)) == code


def test_every_pattern_has_its_width_when_the_table_is_right() -> None:
    assert len(set(code128.PATTERNS)) == 107
    assert {sum(map(int, pattern)) for pattern in code128.PATTERNS[:-1]} == {11}


def test_bars_are_refused_when_a_code_is_not_ascii() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        code128.widths("é")


def test_the_pdf_says_everything_when_it_is_rendered() -> None:
    pdf = render(LABEL, "PDF")

    assert pdf.startswith(b"%PDF-")
    assert b"/MediaBox [0 0 288 432]" in pdf.replace(b".00", b"")
    for text in ("9400100208303109505657", "Jürgen Groß", "80331 München", "Shelfway Köln", "Ref: ord_1:shp_1",
                 "USPS", "GroundAdvantage", "15.4 oz", NOTICE):  # fmt: skip
        assert text.encode("cp1252") in pdf, text
    assert pdf.count(b" re f") >= len(code128.widths(LABEL.tracking_code)) // 2


def test_a_line_is_made_smaller_when_it_is_too_long() -> None:
    street = "179 N Harbor Dr, Building with a very long name, Suite 4711, Rear Entrance behind the Loading Dock"

    before, found, _ = render(replace(LABEL, recipient=[street]), "PDF").partition(street.encode())

    assert found
    assert 4 < float(re.findall(rb"([\d.]+) Tf", before)[-1]) < 6


def test_a_return_says_so_when_it_is_printed() -> None:
    assert b"RETURN TO" in render(replace(LABEL, is_return=True), "PDF")
    assert b"HAZMAT" in render(replace(LABEL, hazmat=True), "PDF")


def test_the_printer_s_command_signs_are_escaped_when_an_address_has_them() -> None:
    zpl = render(replace(LABEL, recipient=["A^B~C_D"]), "ZPL").decode()

    assert zpl.startswith("^XA")
    assert "^FDA_5EB_7EC_5FD^FS" in zpl
    assert "^BCN,200,Y,N,N,A^FD9400100208303109505657^FS" in zpl
