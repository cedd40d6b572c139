"""What a branch of an order's life is: a coroutine that plays the people, and a summary that holds however it is cut up."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from temporalio.client import Client

from tests.journey import Journey
from tests.shop import Shop
from tests.stack import Stack


@dataclass
class Scene:
    """`waits`: those that each order brings along, besides the API's own. `life`: seconds of a short authorization."""

    stack: Stack
    api: httpx.AsyncClient
    shop: Shop
    waits: Mapping[str, Any] = field(default_factory=dict)
    life: float = 6.0
    orders: list[str] = field(default_factory=list)

    async def place(self, *skus: str, **how: Any) -> Journey:
        return await self.order(self.shop.cart(*skus, **how))

    async def order(self, cart: dict[str, Any]) -> Journey:
        journey = await Journey.place(self.stack, self.api, cart | ({"waits": self.waits} if self.waits else {}))
        self.orders.append(journey.order_id)
        return journey

    async def temporal(self) -> Client:
        return await self.stack.client()


@dataclass(frozen=True)
class Branch:
    play: Callable[[Scene], Awaitable[Journey]]
    comes_to: Mapping[str, Any]
    waits: Mapping[str, Any] = field(default_factory=dict)
    multicapture: bool = False
    outage: bool = False  # Stripe fails for everybody meanwhile
