"""The one guarded wait of attendants and handlers: a woken condition ends it or the timer, never a cancellation."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow

_AT_LEAST: Final = timedelta(milliseconds=1)  # a timer of zero is none


async def sleep(woken: Callable[[], bool], until: datetime | None = None, words: str = "") -> bool:
    """True when woken, False when the timer says so (never the clock). `words` label the timer in Temporal's UI.

    Temporal's Cancel of a run raises in every wait: it is an order's cancel, and no end of what is under way.
    """
    while True:
        timeout = max(until - workflow.now(), _AT_LEAST) if until else None
        try:
            await workflow.wait_condition(woken, timeout=timeout, timeout_summary=words if until else None)
        except TimeoutError:
            return False
        except asyncio.CancelledError:
            if not woken():
                continue
        return True
