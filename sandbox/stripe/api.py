"""The HTTP face of the API: key, parameters, idempotency, one transaction for a call, Stripe's headers and errors.

It must not know any object: operations.py says what there is.
"""

import base64
import json
import logging
from dataclasses import dataclass
from typing import Any

from sandbox.asgi import Answer, Receive, Scope, Send, read_body
from sandbox.faults import PlannedAnswer
from sandbox.stripe.context import API_VERSION, Context, Sandbox
from sandbox.stripe.errors import Obj, StripeError, unrecognized_url
from sandbox.stripe.expand import expand
from sandbox.stripe.form import decode
from sandbox.stripe.idempotency import Keyed, store_answer, stored_answer
from sandbox.stripe.lapses import lapse_due
from sandbox.stripe.operations import Operation, find
from sandbox.stripe.params import check
from sandbox.stripe.store import new_id

log = logging.getLogger(__name__)

HELP = "You can obtain your API keys from the Stripe Dashboard; the sandbox takes any that starts with sk_test_."


class Api:
    """An ASGI app for /v1."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = new_id("req", 14)
        try:
            answer = self._answer(scope, headers, body, request_id)
        except StripeError as error:
            answer = _error_answer(error)
        except Exception:
            log.exception("%s %s", scope["method"], scope["path"])
            answer = _error_answer(StripeError(500, "The sandbox has a bug; its log says more.", kind="api_error"))
        self._sandbox.deliveries.wake()
        key = headers.get("idempotency-key")
        extra = {"Request-Id": request_id, "Stripe-Version": API_VERSION, **({"Idempotency-Key": key} if key else {})}
        await Answer(answer.status, answer.body, {**extra, **answer.headers}).send(send)

    def _answer(self, scope: Scope, headers: dict[str, str], body: bytes, request_id: str) -> Answer:
        method, path = scope["method"], scope["path"]
        _authenticate(headers.get("authorization"))
        found = find(method, path)
        if found is None:
            raise unrecognized_url(method, path)
        operation, ids = found
        encoded = body if method == "POST" else scope["query_string"]
        raw = decode(encoded.decode("utf-8", "replace"))
        params = check(operation.spec, raw, operation.required)
        lapse_due(self._sandbox)
        ctx = Context(self._sandbox, request_id, headers.get("idempotency-key"), f"http://{headers.get('host', '')}")
        call = _Call(ctx, operation, ids, params)
        if method == "GET":
            return call.execute()
        keyed = Keyed.of(ctx.idempotency_key, path, raw) if ctx.idempotency_key and method == "POST" else None
        return self._write(call, keyed, scope.get("fault_answer"))

    def _write(self, call: "_Call", keyed: Keyed | None, planned: PlannedAnswer | None) -> Answer:
        """A call that may change something: answer and effect in one transaction."""
        ledger, now = self._sandbox.ledger, self._sandbox.clock.now()
        if keyed and (known := stored_answer(ledger, keyed, now)):
            return known
        with ledger.transaction():
            answer = planned.answer if planned and not planned.effect else self._effect(call)
            if keyed:
                kept = planned.answer if planned else answer
                store_answer(ledger, keyed, kept, call.ctx.request_id or "", now)
        return answer

    def _effect(self, call: "_Call") -> Answer:
        ledger = self._sandbox.ledger
        ledger.execute("SAVEPOINT effect")
        try:
            answer = call.execute()
        except StripeError as error:
            if not error.keeps_effects:
                ledger.execute("ROLLBACK TO effect")
            answer = _error_answer(error)
        ledger.execute("RELEASE effect")
        return answer


@dataclass(frozen=True)
class _Call:
    ctx: Context
    operation: Operation
    ids: tuple[str, ...]
    params: Obj

    def execute(self) -> Answer:
        paths = self.params.pop("expand", [])
        body = self.operation.handler(self.ctx, self.params, *self.ids)
        if paths:
            body = expand(self.ctx.store, body, paths)
        return Answer(200, _encode(body))


def _encode(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _error_answer(error: StripeError) -> Answer:
    return Answer(error.status, _encode(error.body()))


def _authenticate(header: str | None) -> None:
    if not header:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            f"Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). {HELP}"
        )
        raise StripeError(401, message)
    scheme, _, value = header.partition(" ")
    key = value.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key).decode().partition(":")[0]
        except ValueError:
            key = ""
    if key.startswith("pk_"):
        message = "This API call cannot be made with a publishable API key. Please use a secret API key."
        raise StripeError(403, message, code="secret_key_required")
    if not key.startswith(("sk_test_", "rk_test_")):
        raise StripeError(401, f"Invalid API Key provided: {key[:7]}****. {HELP}")
