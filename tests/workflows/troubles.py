"""Branches in which something is wrong that no decline or shortage is: nonsense, a lost piece, a stuck effect."""

from typing import Any

from tests.journey import Journey, count_shelf, eventually
from tests.stack import Stack, calling, failing
from tests.workflows.scene import Scene


async def deliver(scene: Scene, order: Journey) -> Journey:
    await order.deliver_from(scene.shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def kept_alive(scene: Scene) -> Journey:
    """The authorization grows old (at half its life), and another one takes its place before the parcel is packed."""
    async with calling(scene.stack.stripe.url) as stripe:  # nobody else pays with Discover
        await stripe.post("/_admin/settings", json={"discover_window": scene.life})
    order = await scene.place(scene.shop.stock("one", warehouse=5), payment="pm_card_discover")
    await order.until(lambda seen: [i["state"] == "open" for i in seen["payment"]["intents"]] == [False, True])
    await order.ship_from(scene.shop.node("warehouse"))
    return await deliver(scene, order)


async def senseless_signal(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5))
    await (await scene.temporal()).get_workflow_handle(order.order_id).signal("cancle", {"reason": "fraud"})
    await until_case(order, "senseless_command")
    await order.ship_from(scene.shop.node("warehouse"))
    return await deliver(scene, order)


async def stuck_capture(scene: Scene) -> Journey:
    """Stripe does not understand our capture; somebody mends that, and says retry."""
    order = await scene.place(scene.shop.stock("one", warehouse=5))
    (intent,) = await order.intents()
    async with failing(scene.stack.stripe.url, f"/{intent['id']}/capture$"):
        await order.done(await order.shipment_at(scene.shop.node("warehouse"), "accepted"), "pack")
        await until_case(order, "stuck_effect")
    answer = await order.command(f"/v1/orders/{order.order_id}/retry", reason="mended")
    assert answer.status_code == 200, answer.text
    await order.done(await order.shipment_at(scene.shop.node("warehouse"), "captured"), "hand-over")
    return await deliver(scene, order)


async def never_sent_back(scene: Scene) -> Journey:
    """A return is asked for, and nothing comes; its label goes back at a second try, since the carrier was confused."""
    order = await scene.place(scene.shop.stock("one", warehouse=5))
    await order.ship_from(scene.shop.node("warehouse"))
    await deliver(scene, order)
    units = (await order.order())["shipments"][0]["units"]
    asked = await order.send_back(*units)
    parcel = await parcel_of(scene.stack, order, asked["label"]["tracking_code"])
    async with failing(scene.stack.easypost.url, f"/{parcel}(/refund)?$", method="*"):
        await until_case(order, "stuck_effect")
    await eventually(lambda: is_asked_back(order, asked["label"]["tracking_code"]))
    return order


async def counted_away(scene: Scene) -> Journey:
    """One of two promised pieces is not on the shelf: it comes from elsewhere, and the other goes its way."""
    sku = scene.shop.stock("one", warehouse=2, far_warehouse=1)
    order = await scene.place(sku, sku)
    here, there = scene.shop.node("warehouse"), scene.shop.node("far_warehouse")
    await order.shipment_at(here, "accepted")
    await count_shelf(order.api, here, sku, 1)
    await order.shipment_at(there, "accepted")
    for node in (here, there):
        await order.ship_from(node)
    await order.deliver_from(there)
    return await deliver(scene, order)


async def parcel_of(stack: Stack, order: Journey, tracking_code: str) -> str:
    """The carrier's shipment with that label."""
    async with calling(stack.easypost.url) as carrier:
        ledger = (await carrier.get("/_admin/ledger", params={"reference_prefix": order.order_id})).json()
    codes = {label["tracking_code"]: parcel["id"] for parcel in ledger["shipments"] for label in parcel["labels"]}
    return codes[tracking_code]


async def is_asked_back(order: Journey, tracking_code: str) -> bool:
    return any(each["tracking_code"] == tracking_code and each["refund_status"] for each in await order.labels())


async def until_case(order: Journey, kind: str) -> None:
    async def opened() -> bool:
        found: list[dict[str, Any]] = (await order.api.get("/v1/cases", params={"order": order.order_id})).json()[
            "data"
        ]
        return any(case["type"] == kind for case in found)

    await eventually(opened)
