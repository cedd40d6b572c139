"""A cancel, a count and a return meet a capture in flight: it comes late, is heard late, is lost or is refused.

Whatever comes of the capture, the command's answer is typed, each cent is where it belongs, and so is each piece.
"""

import asyncio
from typing import Any

import httpx
import pytest

from tests.journey import Journey, count_shelf, eventually
from tests.oracle import assert_conserved
from tests.shop import Shop
from tests.stack import Stack, calling

WAYS: dict[str, dict[str, Any]] = {
    "late": {"kind": "latency"},
    "heard late": {"kind": "hang", "after": True},
    "lost": {"kind": "hang"},
    "refused": {"kind": "latency"},  # since somebody gives the authorization back meanwhile
}
PIECES, BOUGHT = 5, 2


@pytest.fixture(params=WAYS)
async def capturing(request: pytest.FixtureRequest, stack: Stack, api: httpx.AsyncClient, shop: Shop) -> Journey:
    """Two of five pieces, packed and labelled; their capture is on its way."""
    sku = shop.stock("one", warehouse=PIECES)
    order = await Journey.place(stack, api, shop.cart(sku, sku))
    shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
    intent = (await order.intents())[0]["id"]
    async with calling(stack.stripe.url, auth=("sk_test_sandbox", "")) as stripe:
        fault = {"method": "POST", "path": f"{intent}/capture$", "seconds": 1.5, **WAYS[request.param]}
        armed = (await stripe.post("/_admin/faults", json=fault)).json()["id"]
        await order.done(shipment, "pack")
        await eventually(lambda: is_fired(stripe, armed))
        if request.param == "refused":
            assert (await stripe.post(f"/v1/payment_intents/{intent}/cancel")).status_code == 200
    return order


async def is_fired(stripe: httpx.AsyncClient, fault: str) -> bool:
    return fault not in [armed["id"] for armed in (await stripe.get("/_admin/faults")).json()["data"]]


async def is_refused(order: Journey) -> bool:
    found = await order.api.get("/v1/cases", params={"order": order.order_id})
    return "capture_refused" in [case["type"] for case in found.json()["data"]]


async def kept(order: Journey) -> int:
    payment = (await order.order())["payment"]
    assert payment["held"]["amount"] == 0
    return payment["captured"]["amount"] - payment["refunded"]["amount"]


async def shelf(order: Journey, shop: Shop) -> tuple[int, int]:
    row = (await order.api.get(f"/v1/inventory/{shop.sku('one')}/{shop.node('warehouse')}")).json()
    return row["on_hand"], row["reserved"]


async def go_on(order: Journey, shop: Shop, *stages: str) -> dict[str, Any]:
    """The parcel once it is at one of these stages; where its capture was refused, a person has it tried again."""
    while True:
        seen = await order.order()
        if found := [s for s in seen["shipments"] if s["stage"] in stages]:
            return found[0]
        for hold in seen["holds"]:
            path = f"/v1/orders/{order.order_id}/holds/{hold['id']}"
            await order.api.delete(path, headers={"Idempotency-Key": hold["id"]})
        await asyncio.sleep(0.05)


async def test_all_of_it_comes_back_when_a_cancel_meets_a_capture(capturing: Journey, stack: Stack, shop: Shop):
    await capturing.cancel()
    assert (await capturing.order())["status"] == "cancelled"
    assert (await kept(capturing), await shelf(capturing, shop)) == (0, (PIECES, 0))
    await assert_conserved(stack, [capturing.order_id])


async def test_packed_pieces_are_sold_all_the_same_when_a_count_meets_a_capture(
    capturing: Journey, stack: Stack, shop: Shop
):
    sku, node = shop.sku("one"), shop.node("warehouse")
    assert await count_shelf(capturing.api, node, sku, 0) == [{"sku": sku, "quantity": BOUGHT - PIECES}]
    assert await shelf(capturing, shop) == (BOUGHT, BOUGHT)
    await capturing.done(await go_on(capturing, shop, "captured"), "hand-over")
    await capturing.deliver_from(node)
    assert (await kept(capturing), await shelf(capturing, shop)) == (shop.total(BOUGHT), (0, 0))
    await assert_conserved(stack, [capturing.order_id])


async def come_back(order: Journey, shop: Shop, pieces: int) -> None:
    """The carrier takes and delivers the parcel whatever is paid for it; so many of its pieces return."""
    parcel = await order.shipment_at(shop.node("warehouse"), "labelled")
    await order.carry(parcel["tracking"]["code"], "delivered")
    await order.until(lambda seen: seen["shipments"][0]["delivered_at"])
    asked = await order.send_back(*parcel["units"][:pieces])
    units = [{"unit": unit, "disposition": "restock"} for unit in parcel["units"][:pieces]]
    received = await order.command(f"/v1/returns/{asked['id']}/receive", units=units)
    assert received.status_code == 200, received.text


async def test_what_came_back_is_paid_back_when_a_return_meets_a_capture(capturing: Journey, stack: Stack, shop: Shop):
    await come_back(capturing, shop, 1)
    await go_on(capturing, shop, "delivered")
    await capturing.until_status("partially_returned")
    await assert_conserved(stack, [capturing.order_id])
    assert (await kept(capturing), await shelf(capturing, shop)) == (shop.total(1), (PIECES - 1, 0))


@pytest.mark.parametrize("capturing", ["refused"], indirect=True)
async def test_nothing_stays_authorized_when_all_came_back_that_was_never_captured(
    capturing: Journey, stack: Stack, shop: Shop
):
    await eventually(lambda: is_refused(capturing))
    await capturing.until(lambda seen: seen["payment"]["held"]["amount"] == shop.total(BOUGHT))
    await come_back(capturing, shop, BOUGHT)
    await go_on(capturing, shop, "delivered")
    await capturing.until(lambda seen: seen["payment"]["held"]["amount"] == 0)
    await assert_conserved(stack, [capturing.order_id])
    assert (await kept(capturing), await shelf(capturing, shop)) == (0, (PIECES, 0))
