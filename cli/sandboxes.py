"""The two vendors' sandboxes as child processes, each with its ledger in a file that outlives it.

They are reached over HTTP alone, as the vendors are; nothing of `sandbox` is imported here.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cli import ports
from cli.processes import Process

STRIPE = "stripe"
EASYPOST = "easypost"

_SECRETS = {STRIPE: "whsec_sandbox", EASYPOST: "sandbox"}  # as models.config has them by default
_START_SECONDS = 30.0

# What an endpoint at Stripe is to be subscribed to: what `api.webhooks.stripe` understands.
STRIPE_EVENTS = (
    "payment_intent.amount_capturable_updated",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.succeeded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
)


@dataclass
class Sandbox:
    """One vendor: `python -m sandbox.<vendor>`. A context manager.

    Without a `webhook_url` it sends no webhooks until `POST /_admin/endpoints` names one.
    """

    vendor: str
    folder: Path
    port: int = 0
    webhook_url: str | None = None
    webhook_secret: str | None = None
    log: Path | None = None
    url: str = field(default="", init=False)
    _process: Process | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def name(self) -> str:
        return f"sandbox-{self.vendor}"

    @property
    def ledger(self) -> Path:
        return self.folder / f"{self.vendor}.db"

    @property
    def process(self) -> Process:
        assert self._process is not None, "the sandbox is not running"
        return self._process

    def start(self) -> Self:
        """Returns when it listens, at `url`; after a crash at the same one. Raises ProcessError."""
        self.launch()
        self.await_ready()
        return self

    def launch(self) -> None:
        """The first half of `start`: everything but waiting."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or ports.find()
        command = [
            sys.executable,
            "-m",
            f"sandbox.{self.vendor}",
            "--port",
            str(self.port),
            "--ledger",
            str(self.ledger),
        ]
        command += ["--webhook-secret", self.webhook_secret or _SECRETS[self.vendor]]
        if self.webhook_url:
            command += ["--webhook-url", self.webhook_url]
        if self.vendor == STRIPE:
            command += ["--webhook-events", ",".join(STRIPE_EVENTS)]
        self._process = Process(self.name, command, log=self.log or self.folder / f"{self.vendor}.log")
        self._process.start()

    def await_ready(self) -> None:
        """The second half. Has stopped it when it raises."""
        try:
            self.process.wait_for(self._said_url, _START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(5)
            self._process = None

    def _said_url(self) -> bool:
        for line in self.process.output().splitlines():
            if line.startswith("{") and '"ready"' in line:
                self.url = json.loads(line)["url"]
                return True
        return False


def erase(folder: Path) -> None:
    """Removes the ledgers of stopped sandboxes."""
    for vendor in (STRIPE, EASYPOST):
        for file in folder.glob(f"{vendor}.db*"):
            file.unlink()


class Sandboxes:
    """Both, as a test wants them. A context manager; each can be stopped and started by itself.

    `api_url` is where webhooks go, if anywhere.
    """

    def __init__(self, folder: Path, api_url: str | None = None) -> None:
        self.stripe = Sandbox(STRIPE, folder, webhook_url=api_url and f"{api_url}/webhooks/stripe")
        self.easypost = Sandbox(EASYPOST, folder, webhook_url=api_url and f"{api_url}/webhooks/easypost")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def stripe_url(self) -> str:
        """What `SHELFWAY_STRIPE_API_BASE` takes."""
        return self.stripe.url

    @property
    def easypost_url(self) -> str:
        """What `SHELFWAY_EASYPOST_API_BASE` takes."""
        return f"{self.easypost.url}/v2"

    def start(self) -> Self:
        try:
            self.stripe.start()
            self.easypost.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        self.easypost.stop()
        self.stripe.stop()
