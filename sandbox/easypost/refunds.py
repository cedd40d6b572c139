"""Refunds of labels: asked for, answered at once or later by the clock. It must not touch tracking."""

from collections.abc import Mapping
from typing import Any

from sandbox.clock import Clock
from sandbox.easypost.errors import ApiError, field_error, not_found, required
from sandbox.easypost.events import Events
from sandbox.easypost.shapes import Json, head, stamp
from sandbox.easypost.store import Page, Store, dump
from sandbox.settings import Settings

DAY = 86400.0
ANSWERS = ("submitted", "refunded", "rejected", "not_applicable")
WINDOW_DAYS: Mapping[str, float] = {"USPS": 30}
OTHER_WINDOW_DAYS = 90.0


class Refunds:
    def __init__(self, store: Store, clock: Clock, settings: Settings, events: Events) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._events = events

    def request(self, shipment: Mapping[str, Any]) -> Json:
        """Asks for the refund of a shipment's label (a row); the newest Refund. Raises ApiError.

        Only a rejected one is asked for again; what is open or settled stays as it is.
        """
        if shipment["bought"] is None:
            raise ApiError(422, "SHIPMENT.REFUND.UNAVAILABLE", "Unable to request refund. No postage was purchased.")
        if shipment["refund_status"] not in (None, "rejected"):
            return self._newest(shipment["id"])
        now = self._clock.now()
        status = self._answer(shipment, now)
        refund = head("Refund", "rfnd", now) | {
            "tracking_code": shipment["tracking_code"],
            "confirmation_number": None,
            "status": status,
            "carrier": shipment["carrier"],
            "shipment_id": shipment["id"],
        }
        del refund["mode"]
        with self._store.ledger.transaction():
            row = {"id": refund["id"], "shipment_id": shipment["id"], "status": status, "created": now}
            self._store.insert("refunds", {**row, "document": dump(refund)})
            self._store.update("shipments", shipment["id"], {"refund_status": status})
            if status == "refunded":
                self._events.emit("refund.successful", refund)
        return refund

    def create(self, carrier: object, tracking_codes: object) -> list[Json]:
        """Asks for several, all or none; codes as a list or a comma-separated text. Raises ApiError."""
        codes = tracking_codes.split(",") if isinstance(tracking_codes, str) else tracking_codes
        if not isinstance(codes, list) or not codes:
            raise required("tracking_codes")
        shipments: list[Json] = []
        for code in codes:
            trackers = [t for t in self._store.trackers_with(str(code).strip()) if carrier in (None, t["carrier"])]
            if not trackers or trackers[0]["shipment_id"] is None:
                errors = [field_error("tracking_codes", f"{code} is no label bought here")]
                raise ApiError(422, "REFUND.TRACKING_CODE.NOT_FOUND", "Tracking code not found.", errors)
            shipments.append(self._store.row("shipments", trackers[0]["shipment_id"]))
        with self._store.ledger.transaction():
            return [self.request(shipment) for shipment in shipments]

    def retrieve(self, refund_id: str) -> Json:
        return self._store.row("refunds", refund_id)["document"]

    def page(self, page: Page) -> tuple[list[Json], bool]:
        rows, more = self._store.page("refunds", page)
        return [row["document"] for row in rows], more

    def settle(self, tracking_code: str, status: str) -> Json:
        """An admin decides the open refund of a label; raises ApiError."""
        if status not in ("refunded", "rejected"):
            raise ApiError(422, "PARAMETER.INVALID", "status is refunded or rejected")
        for tracker in self._store.trackers_with(tracking_code):
            row = tracker["shipment_id"] and self._newest_row(tracker["shipment_id"])
            if row and row["status"] == "submitted":
                return self._settle(row, status)
        raise not_found()

    def tick(self) -> None:
        """Settles what was submitted `refund_seconds` ago; a parcel scanned meanwhile is rejected."""
        due = self._store.due_refunds(self._clock.now() - float(self._settings["refund_seconds"]))
        for row in due:
            rejected = self._settings["refund_result"] == "rejected" or self._scanned(row["shipment_id"])
            self._settle(row, "rejected" if rejected else "refunded")

    def _answer(self, shipment: Mapping[str, Any], now: float) -> str:
        if self._scanned(shipment["id"]):
            return "not_applicable"
        if now - shipment["bought"] > DAY * WINDOW_DAYS.get(shipment["carrier"], OTHER_WINDOW_DAYS):
            return "rejected"
        answer = str(self._settings["refund_answer"])
        if answer not in ANSWERS:
            raise ApiError(500, "SANDBOX.SETTING", f"refund_answer is one of {', '.join(ANSWERS)}")
        return answer

    def _settle(self, row: Json, status: str) -> Json:
        refund = {**row["document"], "status": status, "updated_at": stamp(self._clock.now())}
        with self._store.ledger.transaction():
            self._store.update("refunds", row["id"], {"status": status, "document": dump(refund)})
            self._store.update("shipments", row["shipment_id"], {"refund_status": status})
            if status == "refunded":  # the real service tells nobody of a rejection
                self._events.emit("refund.successful", refund)
        return refund

    def _scanned(self, shipment_id: str) -> bool:
        tracker = self._store.tracker_of(shipment_id)
        return tracker is not None and bool(tracker["scanned"])

    def _newest(self, shipment_id: str) -> Json:
        return self._newest_row(shipment_id)["document"]

    def _newest_row(self, shipment_id: str) -> Json:
        rows, _ = self._store.page("refunds", Page(size=1, equal={"shipment_id": shipment_id}))
        if not rows:
            raise not_found()
        return rows[0]
