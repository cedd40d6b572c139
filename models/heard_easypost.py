"""EasyPost's trackers in our words: codes and times, never a place or a person. Pure.

A tracker without the shape that EasyPost describes raises KeyError, TypeError, ValueError or AttributeError.
"""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final

from models.heard import Heard
from models.news import SCANS
from models.vendors import BoughtLabel

LABEL_SOLD: Final = "label.sold"


def heard_of(event: dict[str, Any]) -> Heard | None:
    """A tracker's event in our words; None for any other."""
    if not str(event["description"]).startswith("tracker."):
        return None
    return _of_tracker(event["result"], str(event["id"]))


def read_anew(tracker: dict[str, Any]) -> Heard:
    """A tracker that was read because nothing was heard of it, as the event that should have come."""
    return _of_tracker(tracker, f"read:{tracker['id']}:{tracker['status']}:{tracker['updated_at']}")


def _of_tracker(tracker: dict[str, Any], said: str) -> Heard:
    details: list[dict[str, Any]] = tracker.get("tracking_details") or []
    payload = {
        "status": tracker["status"],
        "detail": tracker.get("status_detail"),
        "scanned": any(detail.get("status") in SCANS for detail in details),
        "tracker": tracker["id"],
        "expected": tracker.get("est_delivery_date"),
    }
    return Heard(
        id=said,
        source="easypost",
        kind=f"tracking.{tracker['status']}",
        subject=str(tracker["tracking_code"]),
        occurred_at=_when(details[-1]["datetime"] if details else tracker["updated_at"]),
        payload={name: value for name, value in payload.items() if value is not None},
    )


def purchase_of(reference: str, label: BoughtLabel, refund_status: str | None, at: str) -> Heard:
    """A label that the carrier sold: its subject is our key. Nobody tells us of one, so it is read from the list."""
    payload = {**asdict(label), "refund_status": refund_status}
    return Heard(f"sold:{label.carrier_shipment_id}", "easypost", LABEL_SOLD, reference, _when(at), payload)


def sold_label(payload: dict[str, Any]) -> BoughtLabel:
    """The label of such a message."""
    return BoughtLabel(**{field.name: payload[field.name] for field in fields(BoughtLabel)})


def _when(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at
