"""What `GET` shows: orders and their story from Postgres alone, lists by cursor, shipments by a store's own scope."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import event, insert

from models.messages.order import RunView, Waiting
from models.tables.orders import SourcingPlan
from models.words import OrderStatus, Stage
from tests.api.conftest import Api


async def placed(api: Api, key: str = "key-1") -> str:
    return (await api.place(key=key)).json()["id"]


async def test_an_order_shows_its_parcels_and_its_revision_when_it_is_read(api: Api):
    order = await placed(api)
    shipment = api.ship(order, stage=Stage.LABELLED)
    api.label(order, shipment, "http://labels.test/1.pdf")
    answer = await api.call("GET", f"/v1/orders/{order}", by="shop")
    (parcel,) = answer.json()["shipments"]
    assert parcel["tracking"] == {
        "carrier": "USPS",
        "service": "Ground",
        "code": f"94{shipment}",
        "label_url": "http://labels.test/1.pdf",
    }
    assert sorted(parcel["units"]) == sorted(unit["id"] for unit in answer.json()["lines"][0]["units"])
    assert answer.headers["etag"] == f'"{answer.json()["revision"]}"'


async def test_404_when_there_is_no_such_order(api: Api):
    for path in ("", "/events", "/run", "/sourcing"):
        answer = await api.call("GET", f"/v1/orders/ord_none{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_events_and_plans_come_along_when_expanded(api: Api):
    order = await placed(api)
    row = {"order_id": order, "cause": "checkout", "plan": {"nodes": []}, "created_at": api.clock.now()}
    api.database.transaction(lambda s: s.execute(insert(SourcingPlan).values(**row)))
    shown = (await api.call("GET", f"/v1/orders/{order}?expand=events&expand=sourcing")).json()
    assert [e["type"] for e in shown["events"]] == ["order.placed"]
    assert [p["cause"] for p in shown["sourcing"]] == ["checkout"]
    plain = (await api.call("GET", f"/v1/orders/{order}")).json()
    assert (plain["events"], plain["sourcing"]) == (None, None)


async def test_k08_each_order_comes_once_when_many_have_one_instant_and_more_arrive(api: Api, monkeypatch):
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    monkeypatch.setattr(api.clock, "now", lambda: noon)
    ids = {await placed(api, f"k{n}") for n in range(30)}
    seen: list[str] = []
    cursor, later = None, 0
    while True:
        query = "/v1/orders?limit=7" + (f"&cursor={cursor}" if cursor else "")
        page = (await api.call("GET", query)).json()
        seen += [order["id"] for order in page["data"]]
        for _ in range(3):
            await placed(api, f"later{later}")
            later += 1
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)


async def test_lists_filter_by_status_channel_and_number_when_asked(api: Api):
    order = (await api.place(channel="pos-kiosk")).json()
    await api.place(key="key-2")

    async def found(query: str) -> int:
        return len((await api.call("GET", f"/v1/orders?{query}")).json()["data"])

    assert [await found(q) for q in ("channel=pos-kiosk", "status=confirmed", "status=delivered")] == [1, 2, 0]
    assert await found(f"number={order['number']}") == 1
    for cursor in ("nonsense", "%C3%A9", "MjAyNi0xMS0yNSBvcmQ"):
        bad = await api.call("GET", f"/v1/orders?cursor={cursor}")
        assert (bad.status_code, bad.json()["code"]) == (422, "invalid_cursor")


async def test_as_many_statements_when_a_page_has_more_orders(api: Api):
    statements: list[str] = []
    engine = api.app.state.database.engine
    event.listen(engine, "before_cursor_execute", lambda c, cur, statement, *rest: statements.append(statement))

    async def count(path: str) -> int:
        statements.clear()
        assert (await api.call("GET", path)).status_code == 200
        return len([s for s in statements if s.startswith("SELECT")])

    api.ship(await placed(api))
    one, shipments = await count("/v1/orders"), await count("/v1/shipments")
    for n in range(5):
        api.ship(await placed(api, f"more{n}"))
    assert (await count("/v1/orders"), await count("/v1/shipments")) == (one, shipments)
    assert (one, shipments) == (6, 3)


async def test_only_what_follows_when_events_are_asked_after_a_number(api: Api):
    order = await placed(api)
    for seq, kind in enumerate(("order.reserved", "order.confirmed"), start=2):
        api.tell(order, seq, kind)
    page = (await api.call("GET", f"/v1/orders/{order}/events?after=1&limit=1")).json()
    assert [e["type"] for e in page["data"]] == ["order.reserved"]
    assert (page["has_more"], page["next_cursor"]) == (True, "2")


async def test_the_story_is_told_as_it_happens_when_it_is_streamed(api: Api):
    order = await placed(api)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "1"}
    listening = asyncio.create_task(api.call("GET", f"/v1/orders/{order}/events", headers=headers))
    api.tell(order, 2, "order.confirmed")
    api.tell(order, 3, "order.closed")
    answer = await listening
    assert answer.headers["content-type"].startswith("text/event-stream")
    fields = [line for line in answer.text.splitlines() if line.startswith(("event:", "id:"))]
    assert fields == ["event: order.confirmed", "id: 2", "event: order.closed", "id: 3"]


async def test_the_run_says_what_it_waits_for_when_it_is_open(api: Api):
    order = await placed(api)
    waits = (Waiting(on="shp_1", what="the parcel to be packed", until=None, turn="node"),)
    api.runs.running = RunView(status=OrderStatus.PACKING, waits=waits)
    shown = (await api.call("GET", f"/v1/orders/{order}/run")).json()
    assert (shown["state"], shown["status"], shown["waits"][0]["turn"]) == ("open", "packing", "node")
    assert shown["temporal_ui"] == f"http://ui.test/namespaces/default/workflows/{order}"


async def test_the_run_says_so_when_temporal_is_away(api: Api):
    shown = (await api.call("GET", f"/v1/orders/{await placed(api)}/run")).json()
    assert (shown["state"], shown["status"], shown["waits"]) == ("away", "confirmed", [])


async def test_a_store_sees_its_own_shipments_when_others_have_some(api: Api):
    own = api.ship(await placed(api, "a"))
    other = api.ship(await placed(api, "b"), location="loc_uptown")

    async def seen(by: str, query: str = "") -> set[str]:
        return {s["id"] for s in (await api.call("GET", f"/v1/shipments{query}", by=by)).json()["data"]}

    assert (await seen("soho"), await seen("lost"), await seen("ops")) == ({own}, set(), {own, other})
    assert await seen("soho", "?location=loc_uptown") == set()
    assert await seen("ops", "?stage=offered&location=loc_uptown") == {other}
    assert await seen("ops", "?stage=packed") == set()
    for path in ("", "/label", "/packing-slip"):
        hidden = await api.call("GET", f"/v1/shipments/{other}{path}", by="soho")
        assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")


async def test_the_label_and_the_slip_can_be_printed_when_the_parcel_is_labelled(api: Api):
    order = await placed(api)
    shipment = api.ship(order)
    missing = await api.call("GET", f"/v1/shipments/{shipment}/label", by="soho")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_label")
    api.label(order, shipment, "http://labels.test/1.pdf")
    label = await api.call("GET", f"/v1/shipments/{shipment}/label", by="soho")
    assert (label.status_code, label.headers["location"]) == (307, "http://labels.test/1.pdf")
    slip = await api.call("GET", f"/v1/shipments/{shipment}/packing-slip", by="soho")
    assert slip.headers["content-type"].startswith("text/html")
    for words in ("Mara Lindqvist", "Lipstick &lt;Rosewood&gt;", "LIP-1", "SW-1", "1 Spring St"):
        assert words in slip.text
