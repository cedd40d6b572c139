"""EasyPost's Webhook objects over the shared endpoints. It must not deliver anything itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.clock import Clock
from sandbox.delivery import Deliveries, Endpoint
from sandbox.easypost.errors import ApiError, field_error, not_found, not_implemented, required
from sandbox.easypost.shapes import Json, new_id, stamp


class Webhooks:
    def __init__(self, deliveries: Deliveries, clock: Clock) -> None:
        self._deliveries = deliveries
        self._clock = clock

    def create(self, given: Mapping[str, Any]) -> Json:
        """Raises ApiError; `webhook_secret` may be missing, then nothing is signed."""
        if not given.get("url"):
            raise required("url")
        endpoint = Endpoint(new_id("hook"), "", "", created=self._clock.now())
        return self._put(endpoint, given)

    def update(self, webhook_id: str, given: Mapping[str, Any]) -> Json:
        return self._put(self._find(webhook_id), given)

    def retrieve(self, webhook_id: str) -> Json:
        return _shown(self._find(webhook_id))

    def all(self) -> list[Json]:
        return [_shown(endpoint) for endpoint in self._deliveries.endpoints()]

    def delete(self, webhook_id: str) -> None:
        if not self._deliveries.remove_endpoint(webhook_id):
            raise not_found()

    def _put(self, endpoint: Endpoint, given: Mapping[str, Any]) -> Json:
        if given.get("custom_headers"):
            raise not_implemented("custom_headers of webhooks")
        url = given.get("url") or endpoint.url
        if not isinstance(url, str) or not url.startswith("http://"):
            errors = [field_error("url", "the sandbox delivers to http:// only")]
            raise ApiError(422, "WEBHOOK.INVALID", "The webhook is invalid.", errors)
        secret = str(given.get("webhook_secret") or endpoint.secret)
        self._deliveries.put_endpoint(replace(endpoint, url=url, secret=secret))
        return self.retrieve(endpoint.id)

    def _find(self, webhook_id: str) -> Endpoint:
        for endpoint in self._deliveries.endpoints():
            if endpoint.id == webhook_id:
                return endpoint
        raise not_found()


def _shown(endpoint: Endpoint) -> Json:
    return {
        "id": endpoint.id,
        "object": "Webhook",
        "mode": "test",
        "url": endpoint.url,
        "created_at": stamp(endpoint.created),
        "disabled_at": None if endpoint.enabled else stamp(endpoint.created),
        "custom_headers": [],
    }
