"""The examples that the API's description shows for orders, shipments and commands: one story, told throughout."""

from typing import Any, Final

_USD: Final = "usd"


def _money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": _USD}


PLACE_ORDER: Final[dict[str, Any]] = {
    "brand": "brand_aurelle",
    "channel": "web",
    "customer": {"email": "mara@example.com", "name": "Mara Lindqvist", "phone": "+1 212 555 0148"},
    "ship_to": {
        "street": "388 Greenwich St",
        "city": "New York",
        "state": "NY",
        "postcode": "10013",
        "country": "US",
    },
    "lines": [{"sku": "LIP-VELVET-ROSEWOOD", "quantity": 2}],
    "speed": "standard",
    "payment": {"payment_method": "pm_card_visa"},
    "expected_total": 6595,
    "metadata": {"cart": "c-20931"},
}

_UNITS: Final = ("unit_06h1a0", "unit_06h1a1")

PLAN: Final[dict[str, Any]] = {
    "object": "sourcing_plan",
    "cause": "checkout",
    "created_at": "2026-11-25T09:00:00.41Z",
    "plan": {"shipments": [{"node": "loc_newark", "units": list(_UNITS)}], "candidates": []},
}

ORDER: Final[dict[str, Any]] = {
    "object": "order",
    "id": "ord_06h19z",
    "number": "SW-1001",
    "brand": "brand_aurelle",
    "channel": "web",
    "status": "confirmed",
    "verdict": "confirmed",
    "refusal": None,
    "currency": _USD,
    "includes_tax": False,
    "subtotal": _money(5600),
    "discount": _money(0),
    "tax": _money(497),
    "shipping": _money(498),
    "shipping_tax": _money(0),
    "total": _money(6595),
    "speed": "standard",
    "promised_by": "2026-11-30T23:59:59Z",
    "customer": {**PLACE_ORDER["customer"], "customer_id": None},
    "ship_to": {**PLACE_ORDER["ship_to"], "street2": None},
    "lines": [
        {
            "id": "line_06h1a2",
            "sku": "LIP-VELVET-ROSEWOOD",
            "title": "Velvet Lipstick, Rosewood",
            "quantity": 2,
            "unit_price": _money(2800),
            "discount": _money(0),
            "tax": _money(497),
            "units": [
                {
                    "id": unit,
                    "sku": "LIP-VELVET-ROSEWOOD",
                    "state": "reserved",
                    "shipment": "shp_06h1a5",
                    "amount": _money(amount),
                }
                for unit, amount in zip(_UNITS, (3049, 3048), strict=True)
            ],
        }
    ],
    "shipments": [
        {
            "id": "shp_06h1a5",
            "position": 1,
            "location_id": "loc_newark",
            "stage": "accepted",
            "deadline": "2026-11-26T09:00:01Z",
            "leaving": False,
            "end_reason": None,
            "units": list(_UNITS),
            "tracking": None,
            "handed_over_at": None,
            "delivered_at": None,
        }
    ],
    "payment": {
        "held": _money(6595),
        "captured": _money(0),
        "refunded": _money(0),
        "client_secret": None,
        "intents": [{"id": "pi_3Qx", "state": "open", "held": _money(6595), "captured": _money(0)}],
    },
    "holds": [],
    "reservation": None,
    "note": "",
    "metadata": {"cart": "c-20931"},
    "created_at": "2026-11-25T09:00:00Z",
    "expires_at": "2026-11-25T09:15:00Z",
    "confirmed_at": "2026-11-25T09:00:01Z",
    "delivered_at": None,
    "customer_until": None,
    "closed_at": None,
    "revision": 5,
    "url": "/v1/orders/ord_06h19z",
    "events": None,
    "sourcing": None,
}

SHIPMENT: Final[dict[str, Any]] = {
    "object": "shipment",
    "id": "shp_06h1a5",
    "order": "ord_06h19z",
    "order_number": "SW-1001",
    "position": 1,
    "location_id": "loc_newark",
    "location_name": "Newark warehouse",
    "stage": "labelled",
    "deadline": "2026-11-27T10:12:00Z",
    "leaving": False,
    "end_reason": None,
    "units": [
        {
            "id": unit,
            "sku": "LIP-VELVET-ROSEWOOD",
            "title": "Velvet Lipstick, Rosewood",
            "shade": "Rosewood",
            "size": "3.5 g",
            "barcode": "0810000000017",
            "hazmat": False,
            "state": "packed",
        }
        for unit in _UNITS
    ],
    "box": "box_s",
    "grams": 310,
    "label": {
        "carrier": "USPS",
        "service": "GroundAdvantage",
        "tracking_code": "9400100000000000000001",
        "url": "http://127.0.0.1:8002/labels/shp_1.pdf",
        "bought_at": "2026-11-25T10:12:02Z",
    },
    "tracking": [],
    "created_at": "2026-11-25T09:00:00.5Z",
    "offered_at": None,
    "accepted_at": "2026-11-25T09:00:01Z",
    "packed_at": "2026-11-25T10:12:00Z",
    "captured_at": None,
    "handed_over_at": None,
    "delivered_at": None,
    "url": "/v1/shipments/shp_06h1a5",
}

COMMAND: Final[dict[str, Any]] = {
    "object": "command",
    "id": "cmd_06h1b1",
    "kind": "pack",
    "state": "done",
    "outcome": {"done": True, "code": "packed", "message": "", "detail": {}},
    "order": None,
    "shipment": SHIPMENT,
}

CASE: Final[dict[str, Any]] = {
    "object": "case",
    "id": "case_06h1c1",
    "type": "overdue_pack",
    "order": "ord_06h19z",
    "subject": "shp_06h1a5",
    "owner": "ops",
    "detail": {"node": "loc_newark"},
    "opened_at": "2026-11-26T09:00:01Z",
    "reminded_at": None,
    "closed_at": None,
    "closed_by": None,
    "resolution": None,
}

RUN: Final[dict[str, Any]] = {
    "object": "run",
    "order": "ord_06h19z",
    "state": "open",
    "status": "packing",
    "waits": [
        {
            "on": "shp_06h1a5",
            "what": "the parcel to be packed",
            "until": "2026-11-26T09:00:01Z",
            "turn": "node",
        }
    ],
    "temporal_ui": "http://127.0.0.1:8233/namespaces/default/workflows/ord_06h19z",
}

RETURN: Final[dict[str, Any]] = {
    "object": "return",
    "id": "ret_06h1b2",
    "order": "ord_06h1a0",
    "order_number": "SW-1001",
    "stage": "labelled",
    "reason": "wrong_shade",
    "location_id": "loc_newark",
    "refund_on": "receipt",
    "units": [
        {
            "id": "unit_06h1a0",
            "sku": "AUR-LIP-VEL-012",
            "state": "delivered",
            "amount": _money(2800),
            "received_at": None,
            "location_id": None,
            "disposition": None,
        }
    ],
    "label": {
        "carrier": "USPS",
        "service": "GroundAdvantage",
        "tracking_code": "9400100331123473236912",
        "url": "https://easypost-files.example/label.pdf",
        "bought_at": "2026-11-25T09:00:02Z",
    },
    "deadline": "2026-12-11T09:00:00Z",
    "expires_at": "2026-12-25T09:00:00Z",
    "created_at": "2026-11-25T09:00:00Z",
    "scanned_at": None,
    "closed_at": None,
    "url": "/v1/returns/ret_06h1b2",
}
