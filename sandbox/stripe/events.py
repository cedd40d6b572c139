"""Events: read and list what was sent or would have been. Context.emit writes them."""

from sandbox.stripe.context import Context
from sandbox.stripe.errors import Obj
from sandbox.stripe.params import PAGE, Parse, list_of, missing_here, text

LIST: dict[str, Parse] = {**PAGE, "type": text, "types": list_of(text), **missing_here("delivery_success")}


def retrieve(ctx: Context, _: Obj, event: str) -> Obj:
    return _as_of_now(ctx, ctx.store.get("event", event).body)


def list_all(ctx: Context, params: Obj) -> Obj:
    page = ctx.store.page("event", "/v1/events", params, type=params.get("types") or params.get("type"))
    page["data"] = [_as_of_now(ctx, body) for body in page["data"]]
    return page


def _as_of_now(ctx: Context, body: Obj) -> Obj:
    return {**body, "pending_webhooks": ctx.sandbox.deliveries.pending(body["id"])}
