"""The orders' runs as the api sees them: asked with a limit of time, and never an exception for Temporal being away."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final, Protocol

from temporalio.client import Client

from models.messages.commands import Asked, CommandOutcome
from models.messages.order import CheckoutAnswer, OrderInput, RunView
from models.messages.returns import ReturnFacts, ReturnInput
from workflows import client as temporal

log = logging.getLogger("shelfway.api")

_CONNECT: Final = 1.0  # seconds
_ANSWER: Final = 2.2  # seconds after a request has come by which a run was heard, or it is a 202
_LEAST: Final = 0.2  # that a run is given all the same


class Runs(Protocol):
    """None means "not heard in time", and for `view` that the run is over or Temporal is away. Waits are seconds."""

    async def check_out(self, order: OrderInput, wait: float) -> CheckoutAnswer | None: ...

    async def command(self, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None: ...

    async def begin_return(self, order: ReturnInput, wait: float) -> ReturnFacts | None: ...

    async def view(self, order_id: str) -> RunView | None: ...

    async def answers(self) -> bool:
        """Whether Temporal answers, as of at most a second ago."""
        ...


@dataclass(frozen=True, slots=True)
class InTime:
    """The runs for one request: what Postgres took of its time since it `arrived` is not waited once more."""

    runs: Runs
    arrived: float

    def _left(self, wait: float) -> float:
        return max(_LEAST, min(wait, self.arrived + _ANSWER - time.monotonic()))

    async def check_out(self, order: OrderInput, wait: float) -> CheckoutAnswer | None:
        return await self.runs.check_out(order, self._left(wait))

    async def command(self, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None:
        return await self.runs.command(order_id, asked, self._left(wait))

    async def begin_return(self, order: ReturnInput, wait: float) -> ReturnFacts | None:
        return await self.runs.begin_return(order, self._left(wait))

    async def view(self, order_id: str) -> RunView | None:
        return await self.runs.view(order_id)

    async def answers(self) -> bool:
        return await self.runs.answers()


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

    async def _connected_within(self, wait: float) -> tuple[Client | None, float]:
        """The client, and the seconds of `wait` that connecting has left for the run."""
        over = time.monotonic() + wait
        client = await self._connected()
        return client, max(_LEAST, over - time.monotonic())

    async def check_out(self, order: OrderInput, wait: float) -> CheckoutAnswer | None:
        client, left = await self._connected_within(wait)
        return await temporal.check_out(client, order, left) if client else None

    async def command(self, order_id: str, asked: Asked, wait: float) -> CommandOutcome | None:
        client, left = await self._connected_within(wait)
        return await temporal.command(client, order_id, asked, left) if client else None

    async def begin_return(self, order: ReturnInput, wait: float) -> ReturnFacts | None:
        client, left = await self._connected_within(wait)
        return await temporal.begin_return(client, order, left) if client else None

    async def view(self, order_id: str) -> RunView | None:
        client = await self._connected()
        return await temporal.view(client, order_id) if client else None

    async def answers(self) -> bool:
        await self._connected()
        return self._pulse is not None and await self._pulse.answers()
