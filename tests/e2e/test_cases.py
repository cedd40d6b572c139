"""Cases that broke other shops, played through everything real. Each test names its row of the catalogue of cases."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, literal, select, update

from models.db import Database
from models.heard import Heard
from models.stores.inbox import InboxStore
from models.tables.catalogue import Price, PriceList, ShippingRate, TaxRate, Variant
from models.tables.messages import InboxFact
from models.tables.orders import Order
from models.tables.stock import Location
from tests.journey import Journey, eventually
from tests.oracle import assert_conserved
from tests.shop import PRICE, SHIPPING, Shop
from tests.stack import Stack, calling


async def two_parcels(stack: Stack, api: httpx.AsyncClient, shop: Shop) -> Journey:
    """One order whose two lines lie in two warehouses, both handed over."""
    here, there = shop.stock("here", warehouse=5), shop.stock("there", far_warehouse=5)
    order = await Journey.place(stack, api, shop.cart(here, there))
    for place in ("warehouse", "far_warehouse"):
        await order.ship_from(shop.node(place))
    return order


async def sent_to_carrier(stack: Stack, reference: str) -> list[dict[str, Any]]:
    """EasyPost's own shipments of an order or a parcel, as EasyPost shows them."""
    async with calling(stack.easypost.url, auth=("any-key", "")) as carrier:
        ledger = (await carrier.get("/_admin/ledger", params={"reference_prefix": reference})).json()
        return [(await carrier.get(f"/v2/shipments/{parcel['id']}")).json() for parcel in ledger["shipments"]]


async def case_of(api: httpx.AsyncClient, order: Journey) -> list[tuple[str, dict[str, Any]]]:
    """The open cases of an order, each with its detail."""
    found = (await api.get("/v1/cases", params={"order": order.order_id})).json()["data"]
    return [(case["type"], case["detail"]) for case in found]


def weigh(db: Database, sku: str, grams: int | None) -> None:
    db.transaction(lambda session: session.execute(update(Variant).where(Variant.sku == sku).values(grams=grams)))


async def test_k26_shipping_is_charged_once_when_two_nodes_ship(stack: Stack, api: httpx.AsyncClient, shop: Shop):
    order = await two_parcels(stack, api, shop)
    taken = [capture["amount"] for intent in await order.intents() for capture in intent["captures"]]
    assert sorted(taken) == [PRICE, PRICE + SHIPPING]
    assert sum(taken) == shop.total(2) == (await order.order())["payment"]["captured"]["amount"]
    await assert_conserved(stack, [order.order_id])


async def test_k50_each_parcel_has_its_own_label_code_and_slip_when_two_nodes_ship(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    order = await two_parcels(stack, api, shop)
    parcels = (await order.order())["shipments"]
    assert len({parcel["tracking"]["code"] for parcel in parcels}) == 2
    async with calling() as carrier:
        files = [(await carrier.get(parcel["tracking"]["label_url"])).content for parcel in parcels]
    assert all(file.startswith(b"%PDF") for file in files)
    assert files[0] != files[1]
    for parcel, own, other in zip(parcels, ("HERE", "THERE"), ("THERE", "HERE"), strict=True):
        shown = await api.get(f"/v1/shipments/{parcel['id']}/label")
        slip = (await api.get(f"/v1/shipments/{parcel['id']}/packing-slip")).text
        assert shown.headers["location"] == parcel["tracking"]["label_url"]
        assert f">{own}-" in slip
        assert f">{other}-" not in slip
    await assert_conserved(stack, [order.order_id])


async def test_k51_a_parcel_of_a_gram_has_a_rate_when_its_weight_is_rounded_up(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, stack_db: Database
):
    sku = shop.stock("sample", warehouse=5)
    weigh(stack_db, sku, 1)
    order = await Journey.place(stack, api, shop.cart(sku))
    await order.ship_from(shop.node("warehouse"))
    (sent,) = await sent_to_carrier(stack, order.order_id)
    assert sent["parcel"]["weight"] == 0.1  # ounces
    await assert_conserved(stack, [order.order_id])


async def test_k51_nothing_is_bought_until_somebody_weighs_when_no_weight_is_on_file(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, stack_db: Database
):
    sku = shop.stock("unweighed", warehouse=5)
    weigh(stack_db, sku, None)
    order = await Journey.place(stack, api, shop.cart(sku))
    shipment = await order.shipment_at(shop.node("warehouse"), "accepted")
    refused = await order.do(shipment, "pack")
    assert (refused.status_code, refused.json()["code"]) == (409, "weight_unknown")
    assert await order.labels() == []
    await order.done(shipment, "pack", grams=300)
    await order.done(await order.shipment_at(shop.node("warehouse"), "captured"), "hand-over")
    (sent,) = await sent_to_carrier(stack, order.order_id)
    assert sent["parcel"]["weight"] == 10.6
    await assert_conserved(stack, [order.order_id])


async def test_k75_nothing_is_bought_and_a_case_says_why_when_a_name_has_no_printable_letter(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, stack_db: Database
):
    cart = shop.cart(shop.stock("one", warehouse=5))
    cart["customer"]["name"] = "홍길동"
    order = await Journey.place(stack, api, cart)
    assert order.answer.status_code == 201, order.answer.text
    node = shop.node("warehouse")
    await order.done(await order.shipment_at(node, "accepted"), "pack")
    held = await order.until_status("on_hold")
    assert held["customer"]["name"] == "홍길동"
    assert await case_of(api, order) == [("label_impossible", {"reason": "unprintable", "what": "destination name"})]
    assert await sent_to_carrier(stack, order.order_id) == []
    await assert_conserved(stack, [order.order_id])

    await release(order)
    again = await order.until(lambda seen: seen["holds"] and seen["holds"][0]["id"] != held["holds"][0]["id"])
    assert again["shipments"][0]["stage"] == "packed"  # as impossible as before
    assert [kind for kind, _ in await case_of(api, order)] == ["label_impossible"]

    correct = update(Order).where(Order.id == order.order_id).values(name="Hong Gil-dong")
    stack_db.transaction(lambda session: session.execute(correct))
    await release(order)
    await order.done(await order.shipment_at(node, "captured"), "hand-over")
    assert await case_of(api, order) == []
    assert len(await order.labels()) == 1
    await assert_conserved(stack, [order.order_id])


async def release(order: Journey) -> None:
    """Take the one hold away."""
    hold = (await order.order())["holds"][0]["id"]
    answer = await order.api.delete(f"/v1/orders/{order.order_id}/holds/{hold}")
    assert answer.status_code in (200, 202), answer.text


async def test_k75_the_label_is_transliterated_and_the_order_kept_as_typed_when_letters_have_strokes(
    stack: Stack, api: httpx.AsyncClient, shop: Shop
):
    cart = shop.cart(shop.stock("one", warehouse=5), city="Łódź")
    cart["customer"]["name"] = "Żółć Müßig"
    order = await Journey.place(stack, api, cart)
    assert order.answer.status_code == 201, order.answer.text
    await order.ship_from(shop.node("warehouse"))
    shown = await order.order()
    assert (shown["customer"]["name"], shown["ship_to"]["city"]) == ("Żółć Müßig", "Łódź")
    (sent,) = await sent_to_carrier(stack, order.order_id)
    assert (sent["to_address"]["name"].upper(), sent["to_address"]["city"].upper()) == ("ZOLC MUSSIG", "LODZ")
    await assert_conserved(stack, [order.order_id])


@pytest.mark.parametrize(("sold", "reason"), [(False, "no_price_list"), (True, "no_node")])
async def test_k78_cannot_ship_to_and_no_row_when_no_node_is_in_the_country(
    api: httpx.AsyncClient, shop: Shop, stack_db: Database, *, sold: bool, reason: str
):
    if sold:
        sell_in(stack_db, shop, "SG")
    cart = shop.cart(shop.stock("one", warehouse=5), country="SG", city="Singapore", postcode="238823")
    del cart["ship_to"]["state"]
    answer = await api.post("/v1/orders", json=cart, headers={"Idempotency-Key": shop.name})
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (422, "cannot_ship_to", reason)
    assert (await api.get("/v1/orders", params={"brand": shop.brand})).json()["data"] == []


def sell_in(db: Database, shop: Shop, country: str) -> None:
    """The brand has prices, shipping and taxes there, and not one shelf."""
    prices = {"id": f"pl_{shop.name}_{country}", "brand_id": shop.brand, "country": country, "currency": "usd"}
    tax = {"country": country, "state": "*", "basis_points": 0, "shipping_taxed": False}
    rate = {"id": f"rate_{shop.name}_{country}", "price_list_id": prices["id"], "zone": "*", "speed": "standard"}
    rate |= {"title": "Standard", "amount": 400, "transit_days": 5}
    own_prices = select(literal(prices["id"]), Price.sku, Price.amount).where(Price.price_list_id == f"pl_{shop.name}")

    def work(session: Any) -> None:
        session.execute(insert(PriceList).values(**prices, includes_tax=True))
        session.execute(insert(TaxRate).values(tax))
        session.execute(insert(ShippingRate).values(rate))
        session.execute(insert(Price).from_select(["price_list_id", "sku", "amount"], own_prices))

    db.transaction(work)


async def test_k78_an_order_without_state_and_phone_is_taken_and_a_case_names_what_no_carrier_does(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, stack_db: Database
):
    sku = shop.stock("one", warehouse=5)
    sell_in(stack_db, shop, "HK")
    move(stack_db, shop.node("warehouse"), "HK")
    cart = shop.cart(sku, country="HK", city="Hong Kong", postcode="999077") | {"expected_total": 2900}
    del cart["ship_to"]["state"], cart["customer"]["phone"]
    order = await Journey.place(stack, api, cart)
    assert (order.answer.status_code, order.answer.json()["ship_to"]["state"]) == (201, None), order.answer.text
    await order.done(await order.shipment_at(shop.node("warehouse"), "accepted"), "pack")
    await order.until_status("on_hold")
    assert await case_of(api, order) == [("label_impossible", {"reason": "no_rate_fits", "what": ""})]
    assert await order.labels() == []
    await assert_conserved(stack, [order.order_id])


def move(db: Database, location: str, country: str) -> None:
    """The node stands in another country, one without states."""
    there = update(Location).where(Location.id == location).values(country=country, state=None)
    db.transaction(lambda session: session.execute(there))


async def test_k61_an_order_stays_confirmed_when_an_old_decline_is_told_late(
    stack: Stack, api: httpx.AsyncClient, shop: Shop, stack_db: Database
):
    order = await Journey.place(stack, api, shop.cart(shop.stock("one", warehouse=5)))
    (intent,) = await order.intents()
    before = datetime.now(UTC) - timedelta(hours=1)
    old = Heard(f"evt_{shop.name}", "stripe", "payment.failed", intent["id"], before, {"reason": "card_declined"})
    assert InboxStore(stack_db, stack.clock).take(old)
    await eventually(lambda: is_taken_in(stack_db, old.id))
    await order.ship_from(shop.node("warehouse"))
    await order.deliver_from(shop.node("warehouse"))
    await order.until_status("delivered")
    assert await case_of(api, order) == []
    await assert_conserved(stack, [order.order_id])


async def is_taken_in(db: Database, fact_id: str) -> bool:
    query = select(InboxFact.result).where(InboxFact.id == fact_id)
    return await asyncio.to_thread(db.transaction, lambda session: session.scalar(query)) is not None
