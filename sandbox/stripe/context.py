"""What one API call works with: the store, the clock, the switches, and the way events leave. One per request."""

import json
from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.delivery import Deliveries
from sandbox.ledger import Ledger
from sandbox.settings import Settings
from sandbox.stripe.authorization import WINDOW
from sandbox.stripe.errors import Obj
from sandbox.stripe.store import Record, Store, new_id

API_VERSION = "2026-10-28.endive"

STRIPE_SETTINGS = {
    "multicapture": False,  # as for most accounts
    "discover_window": WINDOW,  # seconds that a customer's authorization on a Discover card stands
    "refund_settles_after": 5.0,  # seconds of the sandbox's clock until a pending refund succeeds, a failing one fails
}


@dataclass(frozen=True)
class Sandbox:
    """The parts that live as long as the process."""

    ledger: Ledger
    store: Store
    clock: Clock
    settings: Settings
    deliveries: Deliveries


@dataclass(frozen=True)
class Context:
    """One request, or one thing that happens by itself (then without id and key)."""

    sandbox: Sandbox
    request_id: str | None = None
    idempotency_key: str | None = None
    base_url: str = ""

    @property
    def store(self) -> Store:
        return self.sandbox.store

    @property
    def settings(self) -> Settings:
        return self.sandbox.settings

    def now(self) -> int:
        return int(self.sandbox.clock.now())

    def emit(self, kind: str, subject: Obj, previous: Obj | None = None) -> None:
        """An event with the object as it is now, in the caller's transaction."""
        data: Obj = {"object": subject}
        if previous:
            data["previous_attributes"] = previous
        event: Obj = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": sum(endpoint.wants(kind) for endpoint in self.sandbox.deliveries.endpoints()),
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": kind,
        }
        self.store.insert(Record(event))
        if event["pending_webhooks"]:
            self.sandbox.deliveries.enqueue(event["id"], kind, json.dumps(event, separators=(",", ":")).encode())

    def change(self, record: Record, **fields: object) -> None:
        """Sets fields of the body and saves."""
        record.body.update(fields)
        self.store.save(record)
