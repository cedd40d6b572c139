"""`python -m sandbox.easypost`: the EasyPost sandbox as a process."""

import argparse
from pathlib import Path

from sandbox.easypost.app import create_app
from sandbox.serve import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.easypost", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 finds a free one")
    parser.add_argument("--ledger", type=Path, required=True, help="a SQLite file, made if missing")
    parser.add_argument("--webhook-url", help="where events go, http:// only")
    parser.add_argument("--webhook-secret", default="", help="signs them")
    parser.add_argument("--tracker-step", type=float, help="seconds for one step of a parcel; 0: only by an admin")
    args = parser.parse_args()
    app = create_app(
        args.ledger,
        webhook_url=args.webhook_url,
        webhook_secret=args.webhook_secret,
        tracker_step=args.tracker_step,
    )
    serve(app, args.host, args.port)


if __name__ == "__main__":
    main()
