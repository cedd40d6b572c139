"""One order's journey through a stack, told as people act: a storefront, a store, a warehouse, CS, and a carrier.

It talks HTTP alone, waits on conditions, and sums up what came of it in words that do not depend on timing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.stack import Stack, calling

PATIENCE = 60.0  # for hangs; a journey's step takes well under a second
FIRST_PAUSE, LONGEST_PAUSE = 0.03, 0.3  # between looks, in seconds: many journeys at once leave the machine to the work
Order = dict[str, Any]


@dataclass
class Journey:
    stack: Stack
    api: httpx.AsyncClient
    answer: httpx.Response
    order_id: str

    @classmethod
    async def place(cls, stack: Stack, api: httpx.AsyncClient, cart: dict[str, Any]) -> "Journey":
        key = {"Idempotency-Key": uuid4().hex}
        answer = await api.post("/v1/orders", json=cart, headers=key)
        order_id = answer.headers.get("location", "").rsplit("/", 1)[-1]
        journey = cls(stack, api, answer, order_id)
        if answer.status_code == 202:  # a machine under load: the verdict as it now is, by the same key
            await journey.until(lambda order: order["verdict"])
            journey.answer = await api.post("/v1/orders", json=cart, headers=key)
        return journey

    # Looking

    async def order(self) -> Order:
        answer = await self.api.get(f"/v1/orders/{self.order_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def until(self, reached: Callable[[Order], object]) -> Order:
        """The order once it is so; fails with where it stands."""
        deadline, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
        while True:
            order = await self.order()
            if reached(order):
                return order
            if time.monotonic() > deadline:
                run = (await self.api.get(f"/v1/orders/{self.order_id}/run")).json()
                stages = [s["stage"] for s in order["shipments"]]
                raise AssertionError(f"{order['status']} with {stages} for {PATIENCE} s; its run: {run}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, LONGEST_PAUSE)

    async def until_status(self, status: str) -> Order:
        return await self.until(lambda order: order["status"] == status)

    async def until_closed(self) -> Order:
        """The run is over and everything is undone that had to be."""
        return await self.until(lambda order: order["closed_at"])

    async def shipment_at(self, node: str, *stages: str) -> dict[str, Any]:
        """The shipment of that node, once it has one of these stages."""

        def found(order: Order) -> list[dict[str, Any]]:
            return [s for s in order["shipments"] if s["location_id"] == node and s["stage"] in stages]

        return found(await self.until(found))[0]

    # Acting

    async def command(self, path: str, **body: Any) -> httpx.Response:
        """A person's command, told again by its key until its outcome is known."""
        key = {"Idempotency-Key": uuid4().hex}
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = await self.api.post(path, json=body or None, headers=key)
            if answer.status_code not in (202, 503) or time.monotonic() > deadline:
                return answer
            await asyncio.sleep(0.05)

    async def do(self, shipment: dict[str, Any], verb: str, **body: Any) -> httpx.Response:
        return await self.command(f"/v1/shipments/{shipment['id']}/{verb}", **body)

    async def done(self, shipment: dict[str, Any], verb: str, **body: Any) -> None:
        answer = await self.do(shipment, verb, **body)
        assert answer.status_code == 200, answer.text

    async def ship_from(self, node: str) -> None:
        """Pick, pack, and hand over once it is paid for."""
        shipment = await self.shipment_at(node, "accepted")
        await self.done(shipment, "pick")
        await self.done(shipment, "pack")
        await self.done(await self.shipment_at(node, "captured"), "hand-over")

    async def deliver_from(self, node: str) -> None:
        shipment = await self.shipment_at(node, "handed_over")
        await self.carry(shipment["tracking"]["code"], "delivered")
        await self.shipment_at(node, "delivered")

    async def carry(self, tracking_code: str, *statuses: str) -> None:
        async with calling(self.stack.easypost.url) as carrier:
            for status in statuses:
                answer = await carrier.post(f"/_admin/parcels/{tracking_code}/advance", json={"status": status})
                assert answer.status_code < 300, answer.text

    async def cancel(self) -> None:
        """All of it, to its end."""
        answer = await self.command(f"/v1/orders/{self.order_id}/cancel", reason="customer_asked")
        assert answer.status_code == 200, answer.text
        await self.until_closed()

    async def send_back(self, *units: str) -> dict[str, Any]:
        """A return of these units, with its label."""
        body, key = {"units": list(units), "reason": "wrong_shade"}, {"Idempotency-Key": uuid4().hex}
        while True:
            answer = await self.api.post(f"/v1/orders/{self.order_id}/return", json=body, headers=key)
            if answer.status_code not in (202, 503):
                assert answer.status_code == 201, answer.text
                return answer.json()
            await asyncio.sleep(0.05)

    async def returns(self) -> list[str]:
        found = await self.api.get("/v1/returns", params={"order": self.order_id})
        return [each["id"] for each in found.json()["data"]]

    async def authenticate(self, success: bool = True) -> None:
        """The customer answers 3-D Secure."""
        secret = (await self.order())["payment"]["client_secret"]
        form = {"outcome": "succeed" if success else "fail", "client_secret": secret}
        async with calling(self.stack.stripe.url) as bank:
            answer = await bank.post(f"/_3ds/{secret.partition('_secret')[0]}", data=form)
            assert answer.status_code < 400, answer.text

    # What the vendors hold

    async def intents(self) -> list[dict[str, Any]]:
        async with calling(self.stack.stripe.url) as stripe:
            ledger = await stripe.get("/_admin/ledger", params={"metadata[order_id]": self.order_id})
        return sorted(ledger.json()["intents"], key=lambda intent: intent["metadata"]["operation"])

    async def labels(self) -> list[dict[str, Any]]:
        async with calling(self.stack.easypost.url) as carrier:
            ledger = await carrier.get("/_admin/ledger", params={"reference_prefix": self.order_id})
        return [label for parcel in ledger.json()["shipments"] for label in parcel["labels"]]

    async def summary(self) -> dict[str, Any]:
        """Answers, effects and facts, without ids or times: equal however the run was interrupted."""
        order = await self.order()
        intents = await self.intents()
        events = (await self.api.get(f"/v1/orders/{self.order_id}/events", params={"limit": 100})).json()["data"]
        return {
            "status": order["status"],
            "shipments": [
                (s["location_id"].partition("_")[2].partition("_")[2], s["stage"]) for s in order["shipments"]
            ],
            "captured": sorted(c["amount"] for i in intents for c in i["captures"]),
            "intents": sorted(i["status"] for i in intents),
            "labels": len(await self.labels()),
            "events": sorted({e["type"] for e in events}),
        }


async def count_shelf(api: httpx.AsyncClient, location_id: str, sku: str, pieces: int) -> list[dict[str, Any]]:
    """Somebody counts so many pieces there; what that changed."""
    body = {"location_id": location_id, "items": [{"sku": sku, "quantity": pieces}]}
    answer = await api.post("/v1/inventory/counts", json=body, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.text
    return answer.json()["differences"]


async def eventually(reached: Callable[[], Awaitable[object]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await reached():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.03)
