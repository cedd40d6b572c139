"""Reconciliation of all four: an order that Temporal runs and Stripe holds money for, and Postgres has forgotten.

Without a run of its own in this Temporal it may be another system's, so it is left alone: a case, after a day.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol

import structlog

from activities.ports import PaymentGateway
from models.ids import void_key
from models.stores.forgotten import ForgottenOrders
from models.vendors import VoidAsk
from models.words import IntentState

log = structlog.get_logger()


class Runs(Protocol):
    """The orders' runs. Each raises `ConnectionError` where Temporal is away."""

    async def standing(self, run_id: str) -> Literal["running", "completed", "failed", "none"]: ...

    async def terminate(self, order_id: str, why: str) -> None: ...


class MendingForgotten:
    """A periodic work; it answers how many orders it has given to a person."""

    def __init__(self, forgotten: ForgottenOrders, stripe: PaymentGateway, runs: Runs) -> None:
        self._forgotten = forgotten
        self._stripe = stripe
        self._runs = runs

    async def end(self) -> int:
        """End the run, then let go what is held and was never taken. What was taken is for a person to give back."""
        named = await asyncio.to_thread(self._forgotten.named)
        return sum([await self._end(order_id, intents) for order_id, intents in named.items()])

    async def _end(self, order_id: str, intents: Sequence[str]) -> bool:
        standing = await self._runs.standing(order_id)
        if standing == "none":
            return False
        if standing == "running":
            await self._runs.terminate(order_id, "Postgres was restored to before this order")
        stands = {intent_id: await asyncio.to_thread(self._let_go, order_id, intent_id) for intent_id in intents}
        new = await asyncio.to_thread(self._forgotten.own, order_id, stands)
        if new:
            log.warning("reconcile.order_forgotten", order=order_id, intents=stands)
        return new

    def _let_go(self, order_id: str, intent_id: str) -> str:
        view = self._stripe.look(intent_id)
        if view.state in (IntentState.OPEN, IntentState.REQUIRES_ACTION) and not view.received:
            ask = VoidAsk(void_key(order_id, intent_id, 1), intent_id, partly_captured=False)
            view = self._stripe.void(ask).intent
        return view.state.value
