"""Trackers: made at purchase or for a test code, moved by an admin or by the clock; each move is a webhook.

It must not judge refunds: it only remembers that a carrier scanned the parcel.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.clock import Clock
from sandbox.easypost import walk
from sandbox.easypost.errors import ApiError, field_error, not_found, required
from sandbox.easypost.events import Events
from sandbox.easypost.shapes import Json, epoch, fee, new_id, stamp
from sandbox.easypost.store import Page, Store, dump
from sandbox.settings import Settings

DAY = 86400.0
HOUSTON = {"city": "HOUSTON", "state": "TX", "country": None, "zip": "77063"}
CHARLESTON = {"city": "CHARLESTON", "state": "SC", "country": None, "zip": "29401"}
PLACE_FIELDS = ("city", "state", "country", "zip")


class Trackers:
    def __init__(self, store: Store, clock: Clock, settings: Settings, events: Events) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._events = events

    def create_for(self, shipment: Mapping[str, Any], base_url: str) -> Json:
        """The tracker of a label bought just now: nobody has seen the parcel. In the buyer's transaction."""
        rate = shipment["selected_rate"]
        ends = [{name: shipment[end][name] for name in PLACE_FIELDS} for end in ("from_address", "to_address")]
        if shipment["is_return"]:
            ends.reverse()
        now = self._clock.now()
        document = self._document(shipment["tracking_code"], rate["carrier"], rate["service"], now, base_url)
        document["shipment_id"] = shipment["id"]
        document["is_return"] = shipment["is_return"]
        document["est_delivery_date"] = stamp(now + rate["delivery_days"] * DAY)
        document["weight"] = shipment["parcel"]["weight"]
        self._insert(document, ends, "unknown", now)
        return document

    def create(self, tracking_code: str | None, carrier: str | None, base_url: str) -> Json:
        """One for a test code, or the existing one of a label bought here; raises ApiError."""
        if not tracking_code:
            raise required("tracking_code")
        existing = [t for t in self._store.trackers_with(tracking_code) if carrier in (None, "", t["carrier"])]
        if existing:
            return body(existing[0])
        status = walk.TEST_CODES.get(tracking_code)
        if status is None:
            message = "The sandbox knows the codes of labels bought here and EZ1000000001 to EZ7000000007."
            raise ApiError(422, "TRACKER.CREATE.ERROR", message, [field_error("tracking_code", "unknown")])
        now = self._clock.now()
        document = self._document(tracking_code, carrier or "USPS", "First-Class Package Service", now, base_url)
        document["fees"] = [fee("TrackerFee", 2)]
        ends = (HOUSTON, CHARLESTON)
        way = walk.path_to(status)
        document["tracking_details"] = [
            walk.detail(step, now - DAY * (len(way) - i), document["carrier"], ends, {}) for i, step in enumerate(way)
        ]
        _take_status(document, status, now)
        with self._store.ledger.transaction():
            self._insert(document, ends, status, now)
        return document

    def retrieve(self, tracker_id: str) -> Json:
        return body(self._store.row("trackers", tracker_id))

    def page(self, page: Page) -> tuple[list[Json], bool]:
        rows, more = self._store.page("trackers", page)
        return [body(row) for row in rows], more

    def advance(self, tracking_code: str, asked: Mapping[str, Any]) -> Json:
        """One step on, or to `asked["status"]`; `datetime` and `details` as given. Raises ApiError."""
        rows = self._store.trackers_with(tracking_code)
        if not rows:
            raise not_found()
        row = rows[0]
        status = asked.get("status") or walk.NEXT.get(row["status"])
        if status is None:
            raise ApiError(409, "SANDBOX.NO_NEXT_STEP", f"{row['status']} is the end; name a status.")
        if status not in walk.STATUSES:
            raise ApiError(422, "PARAMETER.INVALID", f"status is one of {', '.join(walk.STATUSES)}")
        at = epoch(asked["datetime"]) if asked.get("datetime") else self._clock.now()
        details = asked.get("details") or [{}]
        if not isinstance(details, list) or not all(isinstance(entry, dict) for entry in details):
            raise ApiError(422, "PARAMETER.INVALID", "details is a list of objects")
        return self._step(row, status, at, details, changed=self._clock.now())

    def tick(self) -> None:
        """Moves what is due by the sandbox's clock, as often as it is due."""
        while self._tick_once():
            pass

    def _tick_once(self) -> bool:
        now = self._clock.now()
        moved = False
        step, scan_after = float(self._settings["tracker_step"]), float(self._settings["auto_scan_after"])
        if scan_after > 0:
            for row in self._store.due_trackers(("unknown", "pre_transit"), "created", now - scan_after):
                at = row["created"] + scan_after
                self._step(row, "in_transit", at, [{}], changed=at)
                moved = True
        if step > 0:
            for row in self._store.due_trackers(("unknown", "in_transit", "out_for_delivery"), "changed", now - step):
                at = row["changed"] + step
                self._step(row, walk.NEXT[row["status"]], at, [{}], changed=at)
                moved = True
        return moved

    def _step(self, row: Json, status: str, at: float, details: Sequence[Mapping[str, Any]], *, changed: float) -> Json:
        """`at` is when the carrier says it was; `changed` is what the next step of the walk counts from."""
        document, previous = row["document"], row["status"]
        ends = (document["_ends"][0], document["_ends"][1])
        scanned = bool(row["scanned"]) or status in walk.SCANS
        for given in details:
            reported = given.get("status", status)
            if reported not in walk.STATUSES:
                raise ApiError(422, "PARAMETER.INVALID", f"status is one of {', '.join(walk.STATUSES)}")
            scanned = scanned or reported in walk.SCANS
            when = epoch(given["datetime"]) if given.get("datetime") else at
            document["tracking_details"].append(walk.detail(reported, when, row["carrier"], ends, given))
        _take_status(document, status, at)
        values = {"status": status, "scanned": scanned, "changed": changed, "document": dump(document)}
        result = body(row)
        with self._store.ledger.transaction():
            self._store.update("trackers", row["id"], values)
            self._events.emit("tracker.updated", result, {"status": previous})
        return result

    def _document(self, code: str, carrier: str, service: str, now: float, base_url: str) -> Json:
        tracker_id = new_id("trk")
        return {
            "id": tracker_id,
            "object": "Tracker",
            "mode": "test",
            "tracking_code": code,
            "status": "unknown",
            "status_detail": "unknown",
            "created_at": stamp(now),
            "updated_at": stamp(now),
            "signed_by": None,
            "weight": None,
            "est_delivery_date": None,
            "shipment_id": None,
            "carrier": carrier,
            "tracking_details": [],
            "fees": [],
            "carrier_detail": {"object": "CarrierDetail", "service": service, "container_type": None},
            "finalized": True,
            "is_return": False,
            "public_url": f"{base_url}/track/{tracker_id}",
        }

    def _insert(self, document: Json, ends: Sequence[Json], status: str, now: float) -> None:
        self._store.insert(
            "trackers",
            {
                "id": document["id"],
                "tracking_code": document["tracking_code"],
                "carrier": document["carrier"],
                "shipment_id": document["shipment_id"],
                "status": status,
                "scanned": status in walk.SCANS,
                "created": now,
                "changed": now,
                "document": dump({**document, "_ends": list(ends)}),
            },
        )
        if self._settings["tracker_created_events"]:
            self._events.emit("tracker.created", document)


def body(row: Mapping[str, Any]) -> Json:
    """The Tracker as EasyPost shows it."""
    return {name: value for name, value in row["document"].items() if not name.startswith("_")}


def _take_status(document: Json, status: str, at: float) -> None:
    document["status"] = status
    document["status_detail"] = (
        document["tracking_details"][-1]["status_detail"] if document["tracking_details"] else "unknown"
    )
    document["updated_at"] = stamp(at)
    if status == "delivered":
        document["signed_by"] = "SANDBOX"
