"""Events and their signed webhooks. It must not know why one is emitted."""

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from typing import Any

from sandbox.clock import Clock
from sandbox.delivery import Deliveries
from sandbox.easypost.shapes import Json, new_id, stamp
from sandbox.easypost.store import Store, dump

USER = "user_5a4d6b0c6e1f4b7f9b3f2a1c0d9e8f70"


def sign(secret: str, body: bytes) -> Mapping[str, str]:
    """EasyPost's header over the raw body; none for a webhook without a secret."""
    if not secret:
        return {}
    key = unicodedata.normalize("NFKD", secret).encode()
    return {"X-Hmac-Signature": "hmac-sha256-hex=" + hmac.new(key, body, hashlib.sha256).hexdigest()}


class Events:
    """`emit` inside the transaction of the effect; `Deliveries.wake` is called here, which delivers after it."""

    def __init__(self, store: Store, clock: Clock, deliveries: Deliveries) -> None:
        self._store = store
        self._clock = clock
        self._deliveries = deliveries

    def emit(self, description: str, result: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> None:
        now = self._clock.now()
        event: Json = {
            "id": new_id("evt"),
            "object": "Event",
            "mode": "test",
            "description": description,
            "previous_attributes": dict(previous or {}),
            "result": result,
            "status": "pending",
            "pending_urls": [],
            "completed_urls": [],
            "user_id": USER,
            "created_at": stamp(now),
            "updated_at": stamp(now),
        }
        document = dump(event)
        self._store.insert("events", {"id": event["id"], "created": now, "document": document})
        self._deliveries.enqueue(event["id"], description, document.encode())
        self._deliveries.wake()
