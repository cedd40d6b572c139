"""EasyPost's trackers in our words: codes and times, never a place or a person. Pure.

A tracker without the shape that EasyPost describes raises KeyError, TypeError, ValueError or AttributeError.
"""

from datetime import datetime
from typing import Any

from models.heard import Heard
from models.news import SCANS


def heard_of(event: dict[str, Any]) -> Heard | None:
    """A tracker's event in our words; None for any other."""
    if not str(event["description"]).startswith("tracker."):
        return None
    return _of_tracker(event["result"], str(event["id"]))


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


def _when(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at
