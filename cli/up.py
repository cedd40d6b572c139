"""`./shelfway up`: brings up the checkout's stack, has one sample order delivered, says where things are, and stays."""

import json
import shlex
import signal
import time
from typing import Any, NoReturn

from cli import env
from cli.accounts import AccountError
from cli.cluster import PostgresError
from cli.env import Places
from cli.http import ApiClient, ApiError, ApiUnreachableError
from cli.ports import PortError
from cli.processes import ProcessError
from cli.sample import SampleError, order_body, run_sample
from cli.say import Say
from cli.stack import StackError, Stopped, running
from cli.temporal import TemporalError
from cli.timeline import Timeline
from models.config import DEMO_KEY

STARTING_ERRORS = (StackError, PostgresError, TemporalError, ProcessError, PortError, AccountError)
ORDERING_ERRORS = (SampleError, ApiError, ApiUnreachableError)


def up(*, once: bool, fresh: bool, reload: bool, sample: bool) -> int:
    """The exit code. With `once` 1 also when the sample order is not delivered."""
    say = Say()
    began = time.monotonic()
    try:
        with running(say, fresh=fresh, reload=reload) as (places, supervisor):
            say(f"{time.monotonic() - began:5.1f} s  ready: {places.api_url}/docs", "bold")
            delivered = place_sample(places, say) if sample else True
            if once:
                return 0 if delivered and not supervisor.given_up else 1
            say("Ctrl-C stops everything; the data stay.", "dim")
            stay()
    except Stopped:
        return 130 if once else 0
    except STARTING_ERRORS as error:
        say(f"shelfway up: {error}", "red")
        return 1


def place_sample(places: Places, say: Say) -> bool:
    """Whether the sample order was delivered; its story is told while it happens, its reason if not."""
    api = ApiClient(places.api_url, env.api_key())
    with Timeline(api, say) as timeline:
        try:
            order = run_sample(api, places, timeline)
        except ORDERING_ERRORS as error:
            timeline.finish()
            say(f"the sample order was not delivered: {error}", "red")
            return False
        timeline.finish()
    say_where(api, places, order, say)
    return True


def say_where(api: ApiClient, places: Places, order: dict[str, Any], say: Say) -> None:
    say("")
    say(f"API docs     {places.api_url}/docs")
    say(f"The order    {places.api_url}/v1/orders/{order['id']}  ({order['number']}, {order['status']})")
    if places.temporal_ui_url:
        say(f"Its run      {places.temporal_ui_url}/workflows/{order['id']}")
    say(f"Logs         {env.LOGS}")
    say_store(api, order, say)
    say("")
    say("The next order:", "bold")
    say(next_order(api))
    say("")


def say_store(api: ApiClient, order: dict[str, Any], say: Say) -> None:
    """The key of a location that ships the order, and what that location sees; for the demo's keys alone."""
    if not (api.key or "").startswith(DEMO_KEY):
        return
    key = env.store_key(order["shipments"][0]["location_id"])
    say(f"A store      curl -sS {api.base_url}/v1/shipments -H 'Authorization: Bearer {key}'")


def next_order(api: ApiClient) -> str:
    """A command for a shell that places the sample order once more."""
    return (
        f"curl -sS {api.base_url}/v1/orders -H 'Authorization: Bearer {api.key}' \\\n"
        f"  -H 'Content-Type: application/json' -H \"Idempotency-Key: $(date +%s)-$$\" \\\n"
        f"  -d {shlex.quote(json.dumps(order_body(api)))}"
    )


def stay() -> NoReturn:
    """Until a signal raises Stopped."""
    while True:
        signal.pause()
