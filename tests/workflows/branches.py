"""Every branch of an order's life that this system has, each with what must come of it, to the cent and the label."""

from typing import Any

from tests.journey import Journey, eventually
from tests.shop import PRICE, SHIPPING
from tests.stack import failing
from tests.workflows.scene import Branch, Scene
from tests.workflows.troubles import counted_away, kept_alive, never_sent_back, senseless_signal, stuck_capture

SOON = {"offer": "PT0.7S", "offer_in_opening_hours": False, "customer_answer": "PT0.7S"}
NOTHING: dict[str, Any] = {"captured": [], "labels": 0}


async def one_warehouse(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5))
    assert order.answer.status_code == 201, order.answer.text
    await order.ship_from(scene.shop.node("warehouse"))
    await order.deliver_from(scene.shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def store_and_warehouse(scene: Scene) -> Journey:
    shop = scene.shop
    order = await scene.place(shop.stock("here", near_store=5), shop.stock("there", warehouse=5))
    await order.done(await order.shipment_at(shop.node("near_store"), "offered"), "accept")
    for place in ("near_store", "warehouse"):
        await order.ship_from(shop.node(place))
    for place in ("warehouse", "near_store"):
        await order.deliver_from(shop.node(place))
    await order.until_status("delivered")
    return order


async def declined(scene: Scene) -> Journey:
    order = await scene.place(
        scene.shop.stock("one", warehouse=5), payment="pm_card_visa_chargeDeclinedInsufficientFunds"
    )
    assert (order.answer.status_code, order.answer.json()["code"]) == (402, "declined"), order.answer.text
    await order.until_closed()
    return order


async def out_of_stock(scene: Scene) -> Journey:
    sku = scene.shop.stock("one", warehouse=1)
    order = await scene.place(sku, sku)
    assert (order.answer.status_code, order.answer.json()["code"]) == (409, "out_of_stock"), order.answer.text
    await order.until_closed()
    return order


async def invalid_address(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5), street="1 UNDELIVERABLE Road")
    assert (order.answer.status_code, order.answer.json()["code"]) == (422, "invalid_address"), order.answer.text
    await order.until_closed()
    return order


async def authenticated(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5), payment="pm_card_authenticationRequired")
    assert (order.answer.status_code, order.answer.json()["verdict"]) == (201, "requires_action"), order.answer.text
    await order.authenticate()
    await order.until_status("confirmed")
    await order.ship_from(scene.shop.node("warehouse"))
    await order.deliver_from(scene.shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def authentication_failed(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5), payment="pm_card_authenticationRequired")
    await order.authenticate(success=False)
    await order.until_closed()
    return order


async def never_authenticated(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5), payment="pm_card_authenticationRequired")
    await order.until_closed()
    return order


async def never_heard(scene: Scene) -> Journey:
    """Stripe authorizes, its answer is lost, and it answers nothing more until the order has expired."""
    stripe, path, card = scene.stack.stripe.url, "^/v1/payment_intents$", "pm_card_amex"
    async with failing(stripe, path, method="GET", status=500):
        async with failing(stripe, path, kind="drop_after", body=card):
            order = await scene.place(scene.shop.stock("one", warehouse=5), payment=card)
        assert (order.answer.status_code, order.answer.json()["code"]) == (409, "expired"), order.answer.text
    await order.until_closed()
    return order


async def silent_store(scene: Scene) -> Journey:
    shop = scene.shop
    order = await scene.place(shop.stock("one", near_store=5, warehouse=5))
    await order.ship_from(shop.node("warehouse"))
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def rejecting_store(scene: Scene) -> Journey:
    shop = scene.shop
    order = await scene.place(shop.stock("one", near_store=5, far_store=5))
    await order.done(await order.shipment_at(shop.node("near_store"), "offered"), "reject", reason="damaged")
    await order.done(await order.shipment_at(shop.node("far_store"), "offered"), "accept")
    await order.ship_from(shop.node("far_store"))
    await order.deliver_from(shop.node("far_store"))
    await order.until_status("delivered")
    return order


async def nowhere_left(scene: Scene) -> Journey:
    shop = scene.shop
    order = await scene.place(shop.stock("one", near_store=5))
    await order.done(await order.shipment_at(shop.node("near_store"), "offered"), "reject", reason="not_in_stock")
    await order.until_closed()
    return order


async def half_left(scene: Scene) -> Journey:
    """One shipment goes; the other has no shelf left and is given up."""
    shop = scene.shop
    order = await scene.place(shop.stock("here", near_store=5), shop.stock("there", warehouse=5))
    await order.done(await order.shipment_at(shop.node("near_store"), "offered"), "reject", reason="not_in_stock")
    await order.shipment_at(shop.node("near_store"), "cancelled")
    await order.ship_from(shop.node("warehouse"))
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def cancelled_by_update(scene: Scene) -> Journey:
    shop = scene.shop
    order = await scene.place(shop.stock("here", near_store=5), shop.stock("there", warehouse=5))
    answer = await order.command(f"/v1/orders/{order.order_id}/cancel", reason="customer_changed_mind")
    assert answer.status_code == 200, answer.text
    await order.until_closed()
    return order


async def cancelled_by_signal(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5))
    run = (await scene.temporal()).get_workflow_handle(order.order_id)
    for _ in range(2):
        await run.signal("cancel", {"actor": "ops", "reason": "fraud"})
    await order.until_closed()
    return order


async def cancelled_by_temporal(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5))
    await (await scene.temporal()).get_workflow_handle(order.order_id).cancel()
    await order.until_closed()
    return order


async def cancelled_when_captured(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5))
    await order.done(await order.shipment_at(scene.shop.node("warehouse"), "accepted"), "pack")
    await order.shipment_at(scene.shop.node("warehouse"), "captured")
    answer = await order.command(f"/v1/orders/{order.order_id}/cancel", reason="customer_changed_mind")
    assert answer.status_code == 200, answer.text
    await order.until_closed()
    return order


async def returned_in_two(scene: Scene) -> Journey:
    """Two pieces are delivered and come back one by one; the first before the carrier was heard of."""
    sku = scene.shop.stock("one", warehouse=5)
    order = await scene.place(sku, sku)
    await order.ship_from(scene.shop.node("warehouse"))
    await order.deliver_from(scene.shop.node("warehouse"))
    units = (await order.until_status("delivered"))["shipments"][0]["units"]
    asked = await order.send_back(*units)
    for number, unit in enumerate(units):
        received = await order.command(f"/v1/returns/{asked['id']}/receive", units=[{"unit": unit}])
        assert received.status_code == 200, received.text
        if number == 0:
            await order.carry(asked["label"]["tracking_code"], "in_transit")
            await eventually(lambda: is_scanned(order, asked["id"]))
        await order.until(lambda seen, n=number + 1: seen["payment"]["refunded"]["amount"] == n * PRICE)
    return order


async def is_scanned(order: Journey, return_id: str) -> bool:
    return (await order.api.get(f"/v1/returns/{return_id}")).json()["scanned_at"] is not None


async def cancel_refused(scene: Scene) -> Journey:
    order = await scene.place(scene.shop.stock("one", warehouse=5))
    await order.ship_from(scene.shop.node("warehouse"))
    answer = await order.command(f"/v1/orders/{order.order_id}/cancel", reason="customer_changed_mind")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_handed_over"), answer.text
    await order.deliver_from(scene.shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def held_and_released(scene: Scene) -> Journey:
    shop = scene.shop
    order = await scene.place(shop.stock("one", warehouse=5))
    held = await order.command(f"/v1/orders/{order.order_id}/holds", reason="fraud_review")
    assert held.status_code == 200, held.text
    shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
    refused = await order.do(shipment, "pack")
    assert (refused.status_code, refused.json()["code"]) == (409, "on_hold"), refused.text
    hold = (await order.until_status("on_hold"))["holds"][0]["id"]
    released = await order.api.delete(f"/v1/orders/{order.order_id}/holds/{hold}", headers={"Idempotency-Key": hold})
    assert released.status_code in (200, 202), released.text
    await order.until_status("confirmed")
    await order.ship_from(shop.node("warehouse"))
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def rest_refused(scene: Scene) -> Journey:
    """The bank wants the customer for the second authorization: the first parcel goes, the rest is given up in time."""
    shop = scene.shop
    order = await scene.place(
        shop.stock("here", warehouse=5), shop.stock("there", far_warehouse=5), payment="pm_card_authenticationRequired"
    )
    await order.authenticate()
    await order.until_status("confirmed")
    await order.ship_from(shop.node("warehouse"))
    await order.shipment_at(shop.node("far_warehouse"), "cancelled")
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def scanned_before_hand_over(scene: Scene) -> Journey:
    """A carrier's scan on a parcel that nobody handed over is its hand-over."""
    shop = scene.shop
    order = await scene.place(shop.stock("one", warehouse=5))
    await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
    parcel = await order.shipment_at(shop.node("warehouse"), "captured")
    await order.carry(parcel["tracking"]["code"], "in_transit")
    await order.shipment_at(shop.node("warehouse"), "handed_over")
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    return order


async def gift(scene: Scene) -> Journey:
    """Nothing to pay: no card, no intent, and the parcel leaves all the same."""
    shop = scene.shop
    sku = shop.stock("one", warehouse=5)
    shop.give_away(sku)
    order = await scene.order({**shop.cart(sku), "payment": None, "expected_total": 0})
    assert order.answer.status_code == 201, order.answer.text
    await order.ship_from(shop.node("warehouse"))
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    return order


ONE = PRICE + SHIPPING
DELIVERED = {"status": "delivered", "labels": 1, "captured": [ONE], "intents": ["succeeded"]}

BRANCHES: dict[str, Branch] = {
    "one_warehouse": Branch(one_warehouse, {**DELIVERED, "shipments": [("warehouse", "delivered")]}),
    "store_and_warehouse": Branch(
        store_and_warehouse,
        {
            "status": "delivered",
            "shipments": [("near_store", "delivered"), ("warehouse", "delivered")],
            "captured": [PRICE, ONE],
            "intents": ["succeeded", "succeeded"],
            "labels": 2,
        },
    ),
    "store_and_warehouse_multicapture": Branch(
        store_and_warehouse,
        {
            "status": "delivered",
            "shipments": [("near_store", "delivered"), ("warehouse", "delivered")],
            "captured": [PRICE, ONE],
            "intents": ["succeeded"],
            "labels": 2,
        },
        multicapture=True,
    ),
    "gift": Branch(
        gift,
        {"status": "delivered", "labels": 1, "captured": [], "intents": [], "shipments": [("warehouse", "delivered")]},
    ),
    "declined": Branch(declined, {"status": "failed", **NOTHING, "shipments": [("warehouse", "cancelled")]}),
    "out_of_stock": Branch(out_of_stock, {"status": "failed", **NOTHING, "shipments": [], "intents": []}),
    "invalid_address": Branch(invalid_address, {"status": "failed", **NOTHING, "shipments": [], "intents": []}),
    "authenticated": Branch(authenticated, {**DELIVERED, "shipments": [("warehouse", "delivered")]}),
    "authentication_failed": Branch(
        authentication_failed, {"status": "failed", **NOTHING, "shipments": [("warehouse", "cancelled")]}
    ),
    # when time is up depends on what kept the steps from it: facts.json holds what an undisturbed run comes to
    "never_authenticated": Branch(
        never_authenticated, {"status": "expired", **NOTHING}, waits={"confirm_within": "PT5S"}
    ),
    "never_heard": Branch(
        never_heard,
        {"status": "expired", **NOTHING},
        waits={"confirm_within": "PT5S", "late_answer": "PT2S"},
        outage=True,
    ),
    "silent_store": Branch(
        silent_store,
        {**DELIVERED, "shipments": [("near_store", "re_sourced"), ("warehouse", "delivered")]},
        waits=SOON,
    ),
    "rejecting_store": Branch(
        rejecting_store, {**DELIVERED, "shipments": [("near_store", "re_sourced"), ("far_store", "delivered")]}
    ),
    "nowhere_left": Branch(
        nowhere_left,
        {"status": "cancelled", **NOTHING, "shipments": [("near_store", "cancelled")], "intents": ["canceled"]},
        waits={"customer_answer": "PT0.7S"},
    ),
    "half_left": Branch(
        half_left,
        {**DELIVERED, "shipments": [("near_store", "cancelled"), ("warehouse", "delivered")]},
        waits={"customer_answer": "PT0.7S"},
    ),
    "cancelled_by_update": Branch(
        cancelled_by_update,
        {
            "status": "cancelled",
            **NOTHING,
            "shipments": [("near_store", "cancelled"), ("warehouse", "cancelled")],
            "intents": ["canceled"],
        },
    ),
    "cancelled_by_signal": Branch(
        cancelled_by_signal,
        {"status": "cancelled", **NOTHING, "shipments": [("warehouse", "cancelled")], "intents": ["canceled"]},
    ),
    "cancelled_by_temporal": Branch(
        cancelled_by_temporal,
        {"status": "cancelled", **NOTHING, "shipments": [("warehouse", "cancelled")], "intents": ["canceled"]},
    ),
    "cancelled_when_captured": Branch(
        cancelled_when_captured,
        {"status": "cancelled", "shipments": [("warehouse", "cancelled")], "captured": [ONE], "labels": 1},
    ),
    "returned_in_two": Branch(
        returned_in_two,
        {"status": "returned", "shipments": [("warehouse", "delivered")], "captured": [ONE + PRICE], "labels": 2},
    ),
    "cancel_refused": Branch(cancel_refused, {**DELIVERED, "shipments": [("warehouse", "delivered")]}),
    "held_and_released": Branch(held_and_released, {**DELIVERED, "shipments": [("warehouse", "delivered")]}),
    "rest_refused": Branch(
        rest_refused,
        {
            "status": "delivered",
            "shipments": [("warehouse", "delivered"), ("far_warehouse", "cancelled")],
            "captured": [ONE],
            "labels": 1,
        },
        waits={"customer_answer": "PT0.7S"},
    ),
    "scanned_before_hand_over": Branch(
        scanned_before_hand_over, {**DELIVERED, "shipments": [("warehouse", "delivered")]}
    ),
    "kept_alive": Branch(
        kept_alive,
        {**DELIVERED, "shipments": [("warehouse", "delivered")], "intents": ["canceled", "succeeded"]},
    ),
    "counted_away": Branch(
        counted_away,
        {
            "status": "delivered",
            "shipments": [("warehouse", "delivered"), ("far_warehouse", "delivered")],
            "captured": [PRICE, ONE],
            "intents": ["succeeded", "succeeded"],
            "labels": 2,
        },
    ),
    "senseless_signal": Branch(senseless_signal, {**DELIVERED, "shipments": [("warehouse", "delivered")]}),
    "never_sent_back": Branch(
        never_sent_back,
        {**DELIVERED, "shipments": [("warehouse", "delivered")], "labels": 2},
        waits={
            "return_transit": "PT2S",
            "return_reminders": ["PT1S"],
            "stuck_review": "PT5S",
        },  # the carrier is well then
    ),
    "stuck_capture": Branch(stuck_capture, {**DELIVERED, "shipments": [("warehouse", "delivered")]}),
}
