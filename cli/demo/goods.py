"""The product lines as rows of the catalogue: products, variants, bundles and prices. Pure, and always the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cli.demo.lines import LINES, SETS, Line, Size
from models.barcodes import check_digit

PREFIX: Final = "AUR-"
_MIN_SHELF_LIFE_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class Good:
    """One SKU with its prices in US and euro cents; a set has pieces (SKU, quantity) and no box of its own."""

    sku: str
    product_id: str
    product_title: str
    description: str
    category: str
    title: str
    shade: str | None
    size: str | None
    barcode: str
    usd: int
    eur: int
    shelf_months: int | None
    hazmat: bool
    grams: int | None = None
    box: tuple[int, int, int] | tuple[None, None, None] = (None, None, None)
    pieces: tuple[tuple[str, int], ...] = ()

    @property
    def min_shelf_life_days(self) -> int:
        return _MIN_SHELF_LIFE_DAYS if self.shelf_months else 0


def goods() -> tuple[Good, ...]:
    """Every SKU in the order of the lines; barcodes are numbered on, in the range kept for use inside a company."""
    numbers = iter(range(100, 100_000))
    singles = tuple(_good(line, size, place, shade, next(numbers)) for line, size, place, shade in _variants())
    hazmat = {good.sku for good in singles if good.hazmat}
    sets = tuple(
        Good(
            sku=f"{PREFIX}{each.code}",
            product_id=_product_id(each.title),
            product_title=each.title,
            description=each.description,
            category="sets",
            title=each.title,
            shade=None,
            size=None,
            barcode=_barcode(next(numbers)),
            usd=each.usd,
            eur=each.eur,
            shelf_months=None,
            hazmat=any(PREFIX + piece in hazmat for piece, _ in each.pieces),
            pieces=tuple((PREFIX + piece, quantity) for piece, quantity in each.pieces),
        )
        for each in SETS
    )
    return singles + sets


def _variants() -> Iterator[tuple[Line, Size, int, str | None]]:
    for line in LINES:
        for size in line.sizes:
            if line.shades:
                yield from ((line, size, place, shade) for place, shade in enumerate(line.shades, start=1))
            else:
                yield line, size, size.number, None


def _good(line: Line, size: Size, number: int, shade: str | None, serial: int) -> Good:
    return Good(
        sku=f"{PREFIX}{line.code}-{number:03}",
        product_id=_product_id(line.title),
        product_title=line.title,
        description=line.description,
        category=line.category,
        title=f"{line.title}, {number:03} {shade}" if shade else f"{line.title}, {size.label}",
        shade=shade,
        size=size.label,
        barcode=_barcode(serial),
        usd=size.usd,
        eur=size.eur,
        shelf_months=line.shelf_months,
        hazmat=line.hazmat,
        grams=size.grams,
        box=size.box,
    )


def _product_id(title: str) -> str:
    plain = title.lower().replace("é", "e").replace("%", "")
    return "prod_" + "_".join(plain.split())


def _barcode(serial: int) -> str:
    body = f"20047{serial:07}"
    return body + check_digit(body)
