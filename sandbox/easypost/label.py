"""Labels of 4 by 6 inches that a person can print: PDF, and ZPL for label printers.

It must not decide what is printable: that was refused before the label was bought, so nothing turns into '?'.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from sandbox.easypost import code128

NOTICE = "SANDBOX – NOT VALID FOR POSTAGE"  # noqa: RUF001
WIDTH, HEIGHT, MARGIN = 288, 432, 14  # points
INNER = WIDTH - 2 * MARGIN


@dataclass(frozen=True)
class Label:
    """What stands on a label. Weight in ounces."""

    sender: Sequence[str]
    recipient: Sequence[str]
    carrier: str
    service: str
    tracking_code: str
    weight: float
    date: str
    reference: str
    is_return: bool
    hazmat: bool


def label_of(shipment: Mapping[str, Any]) -> Label:
    """The label of a bought shipment; a return goes the other way round."""
    ends = [shipment["from_address"], shipment["to_address"]]
    if shipment["is_return"]:
        ends.reverse()
    rate = shipment["selected_rate"]
    return Label(
        sender=address_lines(ends[0]),
        recipient=address_lines(ends[1]),
        carrier=rate["carrier"],
        service=rate["service"],
        tracking_code=shipment["tracking_code"],
        weight=shipment["parcel"]["weight"],
        date=shipment["postage_label"]["label_date"][:10],
        reference=shipment["reference"] or "",
        is_return=shipment["is_return"],
        hazmat=bool(shipment["options"].get("hazmat")),
    )


def address_lines(address: Mapping[str, Any]) -> list[str]:
    """As envelopes have them: the US town before the ZIP, elsewhere the postcode first."""
    town = (address["city"] or "", address["state"] or "", address["zip"] or "")
    last = f"{town[0]}, {town[1]} {town[2]}" if address["country"] == "US" else f"{town[2]} {town[0]}"
    lines = [address["name"], address["company"], address["street1"], address["street2"], last.strip(" ,")]
    return [line for line in (*lines, address["country"]) if line]


def render(label: Label, file_format: str) -> bytes:
    """The file; `file_format` is one of LABEL_FORMATS."""
    renderers: Mapping[str, Callable[[Label], bytes]] = {"PDF": _pdf, "ZPL": _zpl}
    return renderers[file_format](label)


def _pdf(label: Label) -> bytes:
    pdf = FPDF(unit="pt", format=(WIDTH, HEIGHT))
    pdf.core_fonts_encoding = "cp1252"  # the core fonts' own; Latin-1 lacks the dash of the notice
    pdf.set_compression(False)  # a label is small, and its text stays searchable in the file
    pdf.set_auto_page_break(False)
    pdf.set_margin(MARGIN)
    pdf.c_margin = 0
    pdf.set_title(f"Label {label.tracking_code}")
    pdf.add_page()
    pdf.set_line_width(1.2)
    pdf.rect(6, 6, WIDTH - 12, HEIGHT - 12)
    _banner(pdf, label)
    _addresses(pdf, label)
    _barcode(pdf, label.tracking_code, top=262, height=84)
    _foot(pdf, label)
    return bytes(pdf.output())


def _banner(pdf: FPDF, label: Label) -> None:
    _text(pdf, 30, label.carrier, 22, "B", width=INNER)
    _text(pdf, 48, label.service, 12, "B", width=INNER - 80)
    _text(pdf, 48, f"{label.weight:g} oz   {label.date}", 9, width=INNER, align="R")
    pdf.line(6, 56, WIDTH - 6, 56)


def _addresses(pdf: FPDF, label: Label) -> None:
    _text(pdf, 68, "FROM", 7, "B")
    y = 78
    for line in label.sender:
        _text(pdf, y, line, 8)
        y += 9
    pdf.line(6, 136, WIDTH - 6, 136)
    _text(pdf, 149, "RETURN TO" if label.is_return else "SHIP TO", 8, "B")
    y = 165
    for line in label.recipient:
        _text(pdf, y, line, 13, "B")
        y += 15
    pdf.line(6, 252, WIDTH - 6, 252)


def _barcode(pdf: FPDF, code: str, *, top: float, height: float) -> None:
    bars = code128.widths(code)
    module = INNER / (sum(bars) + 2 * code128.QUIET)
    x = MARGIN + code128.QUIET * module
    pdf.set_fill_color(0)
    for i, width in enumerate(bars):
        if i % 2 == 0:
            pdf.rect(x, top, width * module, height, style="F")
        x += width * module
    _text(pdf, top + height + 16, code, 13, "B", align="C")


def _foot(pdf: FPDF, label: Label) -> None:
    pdf.line(6, 372, WIDTH - 6, 372)
    if label.reference:
        _text(pdf, 385, f"Ref: {label.reference}", 8, width=INNER / 2)
    if label.hazmat:
        _text(pdf, 385, "HAZMAT: GROUND ONLY", 8, "B", align="R")
    pdf.set_fill_color(0)
    pdf.rect(6, 392, WIDTH - 12, HEIGHT - 12 - 386, style="F")
    pdf.set_text_color(255)
    _text(pdf, 413, NOTICE, 13, "B", align="C")


def _text(
    pdf: FPDF, baseline: float, text: str, size: float, style: str = "", *, width: float = INNER, align: str = "L"
) -> None:
    """One line, made smaller where it is too long; never cut."""
    pdf.set_font("helvetica", style, size)
    needed = pdf.get_string_width(text)
    if needed > width:
        pdf.set_font_size(size * width / needed)
    pdf.set_xy(MARGIN, baseline - size)
    pdf.cell(width, size * 1.2, text, align=align, new_x=XPos.LEFT, new_y=YPos.NEXT)


def _zpl(label: Label) -> bytes:
    """For 203 dpi: 812 by 1218 dots, UTF-8 (^CI28)."""
    fields = [(30, 50, label.carrier), (90, 34, f"{label.service}  {label.weight:g} oz  {label.date}")]
    fields += [(180 + 28 * i, 24, line) for i, line in enumerate(label.sender)]
    fields += [(420 + 46 * i, 40, line) for i, line in enumerate(label.recipient)]
    fields += [(1060, 28, f"Ref: {label.reference}"), (1120, 38, NOTICE)]
    if label.hazmat:
        fields.append((1090, 28, "HAZMAT: GROUND ONLY"))
    lines = [
        f"^FO40,{y}^A0N,{size},{min(size, 1460 // max(len(text), 1))}^FH_^FD{_zpl_text(text)}^FS"
        for y, size, text in fields
    ]
    barcode = f"^FO40,760^BY2^BCN,200,Y,N,N,A^FD{label.tracking_code}^FS"
    return "\n".join(("^XA", "^CI28", "^PW812", "^LL1218", *lines, barcode, "^XZ", "")).encode()


def _zpl_text(text: str) -> str:
    """The printer's command signs and the escape sign itself as hexadecimal."""
    return "".join(f"_{ord(char):02X}" if char in "^~_" else char for char in text)
