"""Whatever people and carriers do in whatever order, while both vendors fail now and then: each cent is accounted for.

The pure model walks thousands of such sequences; these few are real, all at once. One seed draws them and the faults.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.journey import Journey
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack, calling, failing

SEED = os.environ.get("SHELFWAY_SEED", "0")
SEQUENCES = 300 if os.environ.get("SHELFWAY_DEEP") else 20
AT_ONCE = 20
STEPS = 14
FAULTS = ("fail_before", "fail_after", "drop", "drop_after", "garbage")
HOLDING = {"requires_capture", "requires_action", "requires_confirmation", "processing"}
FITTING = {
    "offered": ("accept", "accept", "reject"),
    "accepted": ("pick", "pack", "pack"),
    "captured": ("hand-over", "hand-over", "take-out"),
    "labelled": ("hand-over",),
}
SCANS = ("in_transit", "out_for_delivery", "delivered", "delivered", "in_transit")


@asynccontextmanager
async def troubled(stack: Stack, chance: Random) -> AsyncIterator[None]:
    """One POST in ten fails at either vendor: before its effect, after it, or by an answer that is lost."""
    async with AsyncExitStack() as faults:
        for vendor in (stack.stripe.url, stack.easypost.url):
            for kind in FAULTS:
                rare = chance.choice((0.01, 0.02, 0.03))
                await faults.enter_async_context(failing(vendor, "/v[12]/", kind=kind, status=500, probability=rare))
        yield


class Player:
    """Does one drawn thing after another to its order, sensible or not; every answer must be a word of the API."""

    def __init__(self, order: Journey, chance: Random) -> None:
        self.order = order
        self.chance = chance
        self.holds: list[str] = []
        self.story: list[tuple[str, int, str]] = []

    async def play(self) -> None:
        for _ in range(STEPS):
            seen = await self.order.order()
            work = [(s, verb) for s in seen["shipments"] for verb in FITTING.get(s["stage"], ())]
            if work and self.chance.random() < 0.6:
                await self.work(*self.chance.choice(work))
            else:
                acts = (self.cancel, self.cancel_unit, self.hold, self.release, self.scan, self.scan, self.give_back)
                await self.chance.choices(acts, (1, 2, 1, 2, 3, 3, 3))[0](seen)
            await asyncio.sleep(self.chance.random() * 0.2)
        for hold in self.holds:
            await self.tell(f"release {hold}", await self.release_of(hold))

    def url(self, what: str) -> str:
        return f"/v1/orders/{self.order.order_id}/{what}"

    async def tell(self, what: str, answer: httpx.Response) -> dict[str, Any]:
        body = answer.json()
        self.story.append((what, answer.status_code, body.get("code", "")))
        assert answer.status_code in (200, 201, 202, 409), (self.story, answer.text)
        return body

    async def work(self, shipment: dict[str, Any], verb: str) -> None:
        body = {"reason": "damaged"} if verb == "reject" else {}
        await self.tell(verb, await self.order.do(shipment, verb, **body))

    async def cancel(self, _: dict[str, Any]) -> None:
        await self.tell("cancel", await self.order.command(self.url("cancel"), reason="customer_changed_mind"))

    async def cancel_unit(self, seen: dict[str, Any]) -> None:
        if units := [unit for s in seen["shipments"] for unit in s["units"]]:
            some = {"reason": "customer_changed_mind", "units": [self.chance.choice(units)]}
            await self.tell("cancel unit", await self.order.command(self.url("cancel"), **some))

    async def hold(self, _: dict[str, Any]) -> None:
        held = await self.tell("hold", await self.order.command(self.url("holds"), reason="address_check"))
        if hold := held.get("outcome", {}).get("detail", {}).get("hold"):
            self.holds.append(hold)

    async def release(self, _: dict[str, Any]) -> None:
        if self.holds:
            await self.tell("release", await self.release_of(self.holds.pop()))

    async def release_of(self, hold: str) -> httpx.Response:
        key = {"Idempotency-Key": uuid4().hex}
        while True:
            answer = await self.order.api.delete(self.url(f"holds/{hold}"), headers=key)
            if answer.status_code not in (202, 503):
                return answer
            await asyncio.sleep(0.05)

    async def scan(self, seen: dict[str, Any]) -> None:
        """Out of order, twice, of parcels that nobody handed over: as carriers do."""
        codes = [s["tracking"]["code"] for s in seen["shipments"] if s["tracking"] and s["tracking"]["code"]]
        if codes:
            code, status = self.chance.choice(codes), self.chance.choice(SCANS)
            async with calling(self.order.stack.easypost.url) as carrier:
                for _ in range(self.chance.choice((1, 1, 2))):
                    moved = await carrier.post(f"/_admin/parcels/{code}/advance", json={"status": status})
                    self.story.append((f"scan {status}", moved.status_code, ""))

    async def give_back(self, seen: dict[str, Any]) -> None:
        """A return, of some or of all, refunded at its receipt or early; or the receipt of one."""
        open_ones = (await self.order.api.get("/v1/returns", params={"order": self.order.order_id})).json()["data"]
        if open_ones and self.chance.random() < 0.7:
            await self.receive(self.chance.choice(open_ones))
            return
        units = [unit for s in seen["shipments"] if s["stage"] == "delivered" for unit in s["units"]]
        if not units:
            return
        wanted = units if self.chance.random() < 0.5 else [self.chance.choice(units)]
        body = {"units": wanted, "reason": "wrong_shade", "refund_on": self.chance.choice(("receipt", "scan"))}
        await self.tell("return", await self.order.command(self.url("return"), **body))

    async def receive(self, asked: dict[str, Any]) -> None:
        if (code := (asked.get("label") or {}).get("tracking_code")) and self.chance.random() < 0.4:
            await self.order.carry(code, "in_transit")
        pieces = [piece["id"] for piece in asked["units"]]
        some = [
            {"unit": u, "disposition": self.chance.choice(("restock", "scrap"))}
            for u in pieces
            if self.chance.random() < 0.7
        ]
        if some:
            await self.tell("receive", await self.order.command(f"/v1/returns/{asked['id']}/receive", units=some))


@pytest.mark.timeout(600)
async def test_each_cent_and_piece_is_accounted_for_when_drawn_commands_meet_failing_vendors(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    chance = Random(f"{SEED}:sequences")
    one = shop.stock("one", near_store=200, warehouse=400)
    two = shop.stock("two", far_warehouse=800)
    players: list[Player] = []
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(number: int) -> None:
        mine = Random(f"{SEED}:{number}")
        cart = shop.cart(*mine.choice(((one, one), (one, two), (one, one, two), (two,))))
        async with slots:
            order = await Journey.place(stack, api, cart)
            players.append(Player(order, mine))
            await players[-1].play()

    async with troubled(stack, chance):
        await asyncio.gather(*(run(number) for number in range(SEQUENCES)))
    orders = [player.order.order_id for player in players]
    try:
        await assert_conserved(stack, orders, patience=90)
        closed = [player.order for player in players if (await player.order.order())["closed_at"]]
        held = {i["id"]: i["status"] for order in closed for i in await order.intents() if i["status"] in HOLDING}
        assert held == {}, "authorized for a closed order"
    except AssertionError as error:
        stories = {player.order.order_id: player.story for player in players}
        raise AssertionError(f"seed {SEED}: {error}\n{stories}") from error
    done = Counter(what.partition(" ")[0] for player in players for what, status, _ in player.story if status < 300)
    assert {"cancel", "hold", "pack", "scan"} <= done.keys(), done
