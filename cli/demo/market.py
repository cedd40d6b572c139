"""What the demo's brand charges beside its goods, and what it packs in: price lists, tax, shipping, boxes."""

from typing import Any, Final

BRAND: Final = {"id": "brand_aurelle", "name": "Aurelle"}

_PRICE_LIST_KEYS: Final = ("id", "brand_id", "country", "currency", "includes_tax")
PRICE_LISTS: Final[list[dict[str, Any]]] = [
    dict(zip(_PRICE_LIST_KEYS, row, strict=True))
    for row in (
        ("pl_aurelle_us", "brand_aurelle", "US", "usd", False),
        ("pl_aurelle_de", "brand_aurelle", "DE", "eur", True),
    )
]

# The states' own base rates in basis points (counties and cities add theirs), rounded to a whole one.
_US_RATES: Final = (
    "AL 400 AK 0 AZ 560 AR 650 CA 725 CO 290 CT 635 DC 600 DE 0 FL 600 GA 400 HI 400 ID 600 IL 625 IN 700 IA 600 KS 650"
    " KY 600 LA 500 ME 550 MD 600 MA 625 MI 600 MN 688 MS 700 MO 423 MT 0 NE 550 NV 685 NH 0 NJ 663 NM 488 NY 400"
    " NC 475 ND 500 OH 575 OK 450 OR 0 PA 600 RI 700 SC 600 SD 420 TN 700 TX 625 UT 485 VT 600 VA 430 WA 650 WV 600"
    " WI 500 WY 400"
)
_SHIPPING_TAXED: Final = "AR CT DC GA HI IN KY MN MS NE NJ NM NY NC ND OH PA RI SC SD TN TX VT WA WV WI"


def tax_rates() -> list[dict[str, Any]]:
    """Every US state, and Germany's one rate."""
    words = iter(_US_RATES.split())
    taxed = _SHIPPING_TAXED.split()
    states = [
        {"country": "US", "state": state, "basis_points": int(rate), "shipping_taxed": state in taxed}
        for state, rate in zip(words, words, strict=True)
    ]
    return [*states, {"country": "DE", "state": "*", "basis_points": 1900, "shipping_taxed": True}]


_RATE_KEYS: Final = ("id", "price_list_id", "zone", "speed", "title", "amount", "free_from", "transit_days")
SHIPPING_RATES: Final[list[dict[str, Any]]] = [
    dict(zip(_RATE_KEYS, row, strict=True))
    for row in (
        ("rate_us_standard", "pl_aurelle_us", "*", "standard", "Standard, 4 working days", 595, 5000, 4),
        ("rate_us_express", "pl_aurelle_us", "*", "express", "Express, 2 working days", 1495, None, 2),
        ("rate_ak_standard", "pl_aurelle_us", "AK", "standard", "Alaska, 7 working days", 1295, None, 7),
        ("rate_hi_standard", "pl_aurelle_us", "HI", "standard", "Hawaii, 7 working days", 1295, None, 7),
        ("rate_de_standard", "pl_aurelle_de", "*", "standard", "Standard, 2 Werktage", 495, 4900, 2),
        ("rate_de_express", "pl_aurelle_de", "*", "express", "Express, nächster Werktag", 995, None, 1),
    )
]

_BOX_KEYS: Final = ("id", "brand_id", "title", "length_mm", "width_mm", "height_mm", "grams")
BOXES: Final[list[dict[str, Any]]] = [
    dict(zip(_BOX_KEYS, row, strict=True))
    for row in (
        ("box_aurelle_mailer", "brand_aurelle", "Padded mailer", 240, 160, 30, 35),
        ("box_aurelle_small", "brand_aurelle", "Small carton", 200, 150, 90, 90),
        ("box_aurelle_medium", "brand_aurelle", "Medium carton", 300, 220, 120, 180),
        ("box_aurelle_large", "brand_aurelle", "Large carton", 400, 300, 200, 340),
    )
]
