"""Orders whose course is arranged by `shelves.ONLY_AT`: bodies for `POST /v1/orders`."""

from typing import Any, Final

# Ships from a store and a warehouse: the lipstick lies in SoHo alone, the refill in Columbus alone.
SAMPLE_ORDER: Final[dict[str, Any]] = {
    "brand": "brand_aurelle",
    "customer": {"email": "ada@example.com", "name": "Ada Palmer", "phone": "+12125550190"},
    "ship_to": {
        "street": "350 West 18th Street",
        "city": "New York",
        "state": "NY",
        "postcode": "10011",
        "country": "US",
    },
    "lines": [{"sku": "AUR-LIP-VEL-012", "quantity": 2}, {"sku": "AUR-SKN-SER-100", "quantity": 1}],
    "speed": "standard",
    "payment": {"payment_method": "pm_card_visa"},
    "expected_total": 18200,  # 2 x 28.00 + 119.00, free shipping, 4 % tax
}

# The Wicker Park store is nearest and gets the offer; when it stays silent Columbus can send it too.
SILENT_STORE: Final[dict[str, Any]] = {
    "brand": "brand_aurelle",
    "customer": {"email": "june@example.com", "name": "June Okafor", "phone": "+13125550177"},
    "ship_to": {
        "street": "1837 West Division Street",
        "city": "Chicago",
        "state": "IL",
        "postcode": "60622",
        "country": "US",
    },
    "lines": [{"sku": "AUR-EYE-QUA-008", "quantity": 1}],
    "speed": "standard",
    "payment": {"payment_method": "pm_card_visa"},
    "expected_total": 5270,  # 44.00 + 5.95 shipping + 6.25 % tax on the goods
}

# One card that is refused, one that wants its owner, and one cart that no shelf can fill.
DECLINED: Final = SILENT_STORE | {"payment": {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"}}
THREE_D_SECURE: Final = SILENT_STORE | {"payment": {"payment_method": "pm_card_authenticationRequired"}}
OUT_OF_STOCK: Final = SILENT_STORE | {"lines": [{"sku": "AUR-EYE-QUA-008", "quantity": 900}]}
