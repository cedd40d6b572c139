"""The oracle as a test's last line: wait until everything rests, then nothing may be wrong."""

import asyncio
import time
from collections.abc import Sequence

from cli.check import check
from tests.stack import Stack

PATIENCE = 30.0  # until rest; for hangs, since it is there in well under a second
LAST_WORDS = 15.0  # a webhook on its way, or the next try of a task that timed out, may still set things right


async def assert_conserved(stack: Stack, orders: Sequence[str] | None = None, *, patience: float = PATIENCE) -> None:
    """Fails with everything that is wrong: about these orders and the shelves they touched, or about all there is.

    An order that does not come to rest is wrong too, and named with what it waits for.
    """
    client = await stack.client()
    began = rested = time.monotonic()
    while True:
        findings = await check(
            stack.urls.app, stack.stripe.url, stack.easypost.url, client, orders=orders, now=stack.clock.now()
        )
        if not findings:
            return
        instant = time.monotonic()
        if any(finding.code == "REST" for finding in findings):
            rested = instant
        if instant - rested > LAST_WORDS or instant - began > patience:
            raise AssertionError(f"{len(findings)} wrong:\n" + "\n".join(map(str, findings)))
        await asyncio.sleep(0.05)
