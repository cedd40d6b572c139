"""`python -m sandbox.stripe`: the Stripe sandbox as a process."""

import argparse

from sandbox.delivery import Endpoint
from sandbox.serve import serve
from sandbox.stripe.app import create_app, open_sandbox


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 finds a free one")
    parser.add_argument("--ledger", default="stripe-sandbox.sqlite", help="SQLite file; survives restarts")
    parser.add_argument("--webhook-url", help="where events go; replaces the endpoint of an earlier start")
    parser.add_argument("--webhook-secret", default="whsec_sandbox")
    parser.add_argument("--webhook-events", default="*", help="comma-separated event types; default all")
    multicapture = "default: as it was, at first off"
    parser.add_argument("--multicapture", action=argparse.BooleanOptionalAction, help=multicapture)
    args = parser.parse_args()
    sandbox = open_sandbox(args.ledger)
    if args.multicapture is not None:
        sandbox.settings.update({"multicapture": args.multicapture})
    if args.webhook_url:
        events = tuple(args.webhook_events.split(","))
        endpoint = Endpoint("we_command_line", args.webhook_url, args.webhook_secret, events)
        sandbox.deliveries.put_endpoint(endpoint)
    serve(create_app(sandbox), args.host, args.port)


if __name__ == "__main__":
    main()
