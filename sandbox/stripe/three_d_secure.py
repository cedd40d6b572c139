"""The page on which a customer authenticates, standing in for the bank's: two buttons, or a POST by a program."""

from html import escape
from string import Template
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe import payment_intents, setup_intents
from sandbox.stripe.context import Context, Sandbox
from sandbox.stripe.errors import Obj
from sandbox.stripe.money import shown
from sandbox.stripe.store import Record

PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>3-D Secure (sandbox)</title>
<style>body{font:16px/1.5 system-ui;max-width:26rem;margin:4rem auto;padding:0 1rem}
button{font:inherit;padding:.6rem 1rem;margin:0 .5rem .5rem 0}</style></head>
<body><h1>3-D Secure</h1><p>$text</p>
<form method="post"><input type="hidden" name="client_secret" value="$secret">
<button name="outcome" value="succeed">Complete authentication</button>
<button name="outcome" value="fail">Fail authentication</button></form></body></html>
""")


class ThreeDSecure:
    """`/_3ds/{intent}?client_secret=...` for payment and setup intents."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def route(self) -> Route:
        return Route("/_3ds/{intent}", self._handle, methods=["GET", "POST"])

    async def _handle(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        given = {**request.query_params, **form}
        record = self._sandbox.store.find(request.path_params["intent"])
        if record is None or record.body.get("client_secret") != given.get("client_secret"):
            return JSONResponse({"error": "no such intent, or another client_secret"}, 404)
        if record.body["status"] != "requires_action":
            return JSONResponse({"error": f"the intent has a status of {record.body['status']}"}, 409)
        if request.method == "GET":
            page = PAGE.substitute(text=escape(_summary(record.body)), secret=record.body["client_secret"])
            return HTMLResponse(page)
        if given.get("outcome") not in ("succeed", "fail"):
            return JSONResponse({"error": "send outcome=succeed or outcome=fail"}, 400)
        return self._finish(request, record, passed=given["outcome"] == "succeed")

    def _finish(self, request: Request, record: Record, *, passed: bool) -> Response:
        back = (record.body["next_action"].get("redirect_to_url") or {}).get("return_url")
        ctx = Context(self._sandbox, base_url=str(request.base_url).rstrip("/"))
        end = payment_intents if record.kind == "payment_intent" else setup_intents
        with self._sandbox.ledger.transaction():
            end.authenticate(ctx, record, passed=passed)
        self._sandbox.deliveries.wake()
        if back and "application/json" not in request.headers.get("accept", ""):
            return RedirectResponse(_with_outcome(back, record.body), 303)
        return JSONResponse(record.body)


def _summary(intent: Obj) -> str:
    if "amount" in intent:
        return f"Your bank asks you to confirm a payment of {shown(intent['amount'], intent['currency'])}."
    return "Your bank asks you to confirm that your card is saved for later payments."


def _with_outcome(url: str, intent: Obj) -> str:
    name = intent["object"]
    outcome = "succeeded" if intent["status"] in ("succeeded", "requires_capture") else "failed"
    parts = urlsplit(url)
    added = {name: intent["id"], f"{name}_client_secret": intent["client_secret"], "redirect_status": outcome}
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *added.items()])))
