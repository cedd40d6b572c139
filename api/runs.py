"""The orders' runs as the api sees them: asked with a limit of time, and never an exception for Temporal being away."""

import asyncio
import logging
import time
from typing import Final, Protocol

from temporalio.client import Client

from models.messages.commands import Asked, CommandOutcome
from models.messages.order import CheckoutAnswer, OrderInput, RunView
from models.messages.returns import ReturnFacts, ReturnInput
from workflows import client as temporal

log = logging.getLogger("shelfway.api")

_CONNECT: Final = 1.0  # seconds


class Runs(Protocol):
    """None means "not heard in time", and for `view` that the run is over or Temporal is away. Waits are seconds."""

    async def check_out(self, order: OrderInput, wait: float) -> CheckoutAnswer | None: ...

    async def command(self, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None: ...

    async def begin_return(self, order: ReturnInput, wait: float) -> ReturnFacts | None: ...

    async def view(self, order_id: str) -> RunView | None: ...

    async def answers(self) -> bool:
        """Whether Temporal answers, as of at most a second ago."""
        ...


class TemporalRuns:
    """The real one. It connects at the first need, so that the api starts and reads while Temporal is away."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._pulse: temporal.Pulse | None = None
        self._connecting = asyncio.Lock()
        self._away_until = 0.0

    async def _connected(self) -> Client | None:
        """The client; None within a second of a connection that failed, so that callers do not queue for the next."""
        async with self._connecting:
            if self._client is None and time.monotonic() >= self._away_until:
                try:
                    async with asyncio.timeout(_CONNECT):
                        self._client = await temporal.connect()
                except (RuntimeError, OSError, TimeoutError) as error:  # what the SDK raises where nobody listens
                    log.warning("Temporal cannot be reached: %s", type(error).__name__)
                    self._away_until = time.monotonic() + _CONNECT
                else:
                    self._pulse = temporal.Pulse(self._client)
            return self._client

    async def check_out(self, order: OrderInput, wait: float) -> CheckoutAnswer | None:
        client = await self._connected()
        return await temporal.check_out(client, order, wait) if client else None

    async def command(self, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None:
        client = await self._connected()
        return await temporal.command(client, order_id, asked, wait) if client else None

    async def begin_return(self, order: ReturnInput, wait: float) -> ReturnFacts | None:
        client = await self._connected()
        return await temporal.begin_return(client, order, wait) if client else None

    async def view(self, order_id: str) -> RunView | None:
        client = await self._connected()
        return await temporal.view(client, order_id) if client else None

    async def answers(self) -> bool:
        await self._connected()
        return self._pulse is not None and await self._pulse.answers()
