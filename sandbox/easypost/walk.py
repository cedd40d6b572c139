"""How a parcel goes: statuses, the usual way, what a carrier says at each step, test codes. Pure."""

from collections.abc import Mapping
from typing import Any

from sandbox.easypost.shapes import Json, stamp

STATUSES = (
    "unknown",
    "pre_transit",
    "in_transit",
    "out_for_delivery",
    "delivered",
    "available_for_pickup",
    "return_to_sender",
    "failure",
    "cancelled",
    "error",
)
# a carrier that reports one of these has the parcel
SCANS = frozenset({"in_transit", "out_for_delivery", "delivered", "available_for_pickup", "return_to_sender"})
NEXT: Mapping[str, str] = {
    "unknown": "pre_transit",
    "pre_transit": "in_transit",
    "in_transit": "out_for_delivery",
    "out_for_delivery": "delivered",
    "available_for_pickup": "delivered",
}
TEST_CODES: Mapping[str, str] = {
    "EZ1000000001": "pre_transit",
    "EZ2000000002": "in_transit",
    "EZ3000000003": "out_for_delivery",
    "EZ4000000004": "delivered",
    "EZ5000000005": "return_to_sender",
    "EZ6000000006": "failure",
    "EZ7000000007": "unknown",
}
_SAYS: Mapping[str, tuple[str, str]] = {  # message and status_detail
    "unknown": ("Status unknown", "unknown"),
    "pre_transit": ("Shipping Label Created", "label_created"),
    "in_transit": ("Arrived at Carrier Facility", "arrived_at_facility"),
    "out_for_delivery": ("Out for Delivery", "out_for_delivery"),
    "delivered": ("Delivered, Front Door/Porch", "arrived_at_destination"),
    "available_for_pickup": ("Available for Pickup", "available_for_pickup"),
    "return_to_sender": ("Return to Sender Processed", "return"),
    "failure": ("Undeliverable as Addressed", "address_correction"),
    "cancelled": ("Shipment Cancelled", "cancelled"),
    "error": ("Carrier reported an error", "unknown"),
}
_AT_DESTINATION = frozenset({"out_for_delivery", "delivered", "available_for_pickup", "failure"})


def path_to(status: str) -> list[str]:
    """The usual way from purchase to `status`, that one included."""
    way = ["pre_transit", "in_transit", "out_for_delivery", "delivered"]
    if status in way:
        return way[: way.index(status) + 1]
    return [] if status == "unknown" else [*way[:2], status]


def detail(status: str, at: float, carrier: str, ends: tuple[Json, Json], given: Mapping[str, Any]) -> Json:
    """One TrackingDetail; `ends` are the addresses of origin and destination, `given` overrides what it says."""
    message, status_detail = _SAYS[status]
    place = ends[status in _AT_DESTINATION]
    return {
        "object": "TrackingDetail",
        "message": given.get("message", message),
        "description": given.get("description", ""),
        "status": status,
        "status_detail": given.get("status_detail", status_detail),
        "datetime": stamp(at),
        "source": carrier,
        "carrier_code": given.get("carrier_code", ""),
        "tracking_location": {
            "object": "TrackingLocation",
            **{name: given.get(name, place.get(name)) for name in ("city", "state", "country", "zip")},
        },
    }
