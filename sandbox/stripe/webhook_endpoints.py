"""Webhook endpoints over the API, and Stripe's signature. Delivery itself is sandbox/delivery.py."""

import hashlib
import hmac
import time
from collections.abc import Mapping

from sandbox.delivery import Endpoint
from sandbox.stripe.context import API_VERSION, Context
from sandbox.stripe.errors import Obj, bad_request
from sandbox.stripe.params import (
    EXPAND,
    Parse,
    boolean,
    clearable,
    list_of,
    merge_metadata,
    metadata,
    missing_here,
    text,
)
from sandbox.stripe.store import Record, new_id

_FIELDS: dict[str, Parse] = {
    **EXPAND,
    "description": clearable(text),
    "enabled_events": list_of(text),
    "metadata": metadata,
    "url": text,
}
CREATE: dict[str, Parse] = {**_FIELDS, "api_version": text, **missing_here("connect")}
UPDATE: dict[str, Parse] = {**_FIELDS, "disabled": boolean}


def sign(secret: str, body: bytes) -> Mapping[str, str]:
    """Stripe-Signature as of now, in real time: the receiver's tolerance is real too."""
    at = int(time.time())
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={digest}", "User-Agent": "Stripe/1.0 (shelfway sandbox)"}


def create(ctx: Context, params: Obj) -> Obj:
    if params.get("api_version", API_VERSION) != API_VERSION:
        raise bad_request(f"The sandbox sends events of {API_VERSION} only.", None, "api_version")
    secret = new_id("whsec", 32)
    body: Obj = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": ctx.now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": merge_metadata({}, params.get("metadata", {})),
        "status": "enabled",
        "url": params["url"],
    }
    record = ctx.store.insert(Record(body, {"secret": secret}))
    _route(ctx, record)
    return {**body, "secret": secret}


def retrieve(ctx: Context, _: Obj, endpoint: str) -> Obj:
    return ctx.store.get("webhook_endpoint", endpoint).body


def list_all(ctx: Context, params: Obj) -> Obj:
    return ctx.store.page("webhook_endpoint", "/v1/webhook_endpoints", params)


def update(ctx: Context, params: Obj, endpoint: str) -> Obj:
    record = ctx.store.get("webhook_endpoint", endpoint)
    body = record.body
    if "metadata" in params:
        body["metadata"] = merge_metadata(body["metadata"], params["metadata"])
    body.update({name: params[name] for name in ("description", "enabled_events", "url") if name in params})
    if "disabled" in params:
        body["status"] = "disabled" if params["disabled"] else "enabled"
    ctx.store.save(record)
    _route(ctx, record)
    return body


def delete(ctx: Context, _: Obj, endpoint: str) -> Obj:
    ctx.store.get("webhook_endpoint", endpoint)
    ctx.store.delete(endpoint)
    ctx.sandbox.deliveries.remove_endpoint(endpoint)
    return {"id": endpoint, "object": "webhook_endpoint", "deleted": True}


def _route(ctx: Context, record: Record) -> None:
    body = record.body
    events = tuple(body["enabled_events"])
    enabled = body["status"] == "enabled"
    endpoint = Endpoint(body["id"], body["url"], record.private["secret"], events, enabled, body["created"])
    ctx.sandbox.deliveries.put_endpoint(endpoint)
