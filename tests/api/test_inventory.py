"""Stock over HTTP: read by filter and cursor, corrected by revision, received by lot, held for a cart."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from models.tables.catalogue import BundleComponent, Product, Variant
from models.tables.stock import CartHold, Movement, Stock
from tests.api.conftest import Api

ROW = "/v1/inventory/LIP-1/loc_soho"


async def receive(api: Api, *items: dict[str, Any], location: str = "loc_soho", key: str = "r-1"):
    body = {"location_id": location, "items": list(items) or [{"sku": "LIP-1", "quantity": 10}]}
    return await api.call("POST", "/v1/inventory/receipts", key=key, json=body)


async def change(
    api: Api, body: dict[str, Any], *, revision: int = 2, key: str = "c-1", path: str = ROW, by: str = "ops"
):
    return await api.call("PATCH", path, by=by, key=key, json=body, headers={"If-Match": f'"{revision}"'})


async def reserve(api: Api, *items: dict[str, Any], key: str = "h-1", by: str = "shop", **more: Any):
    body = {"country": "US", "items": list(items) or [{"sku": "LIP-1", "quantity": 2}], **more}
    return await api.call("POST", "/v1/inventory/reserve", by=by, key=key, json=body)


def add_goods(api: Api, *skus: str, product: str = "prod_more", bundle: dict[str, int] | None = None) -> None:
    """More SKUs of one product; with `bundle` the first of them is made of these."""
    now = api.clock.now()

    def work(session) -> None:
        session.execute(
            insert(Product).values(id=product, brand_id="brand_aurelle", title=product, category="eyes", created_at=now)
        )
        for sku in skus:
            session.execute(
                insert(Variant).values(sku=sku, product_id=product, title=sku, bundle=bool(bundle), created_at=now)
            )
        for part, quantity in (bundle or {}).items():
            session.execute(insert(BundleComponent).values(bundle_sku=skus[0], component_sku=part, quantity=quantity))

    api.database.transaction(work)


def on_hand(api: Api, sku: str = "LIP-1", location: str = "loc_soho") -> int:
    row = api.database.transaction(lambda session: session.get(Stock, (sku, location)))
    moved = select(func.sum(Movement.quantity)).where(Movement.sku == sku, Movement.location_id == location)
    assert row is not None
    assert row.on_hand == api.database.transaction(lambda session: session.scalar(moved))
    return row.on_hand


async def test_receipt_makes_the_row_its_lots_and_its_ledger(api: Api):
    lots = [
        {"sku": " lip-1 ", "quantity": 4, "lot": "L1", "expires_on": "2030-01-01"},
        {"sku": "LIP-1", "quantity": 3, "lot": "L2", "expires_on": "2031-01-01"},
    ]
    answer = await receive(api, *lots)
    assert answer.status_code == 201
    assert [(item["sku"], item["lot"], item["quantity"]) for item in answer.json()["items"]] == [
        ("LIP-1", "L1", 4),
        ("LIP-1", "L2", 3),
    ]
    assert on_hand(api) == 7
    moves = (await api.call("GET", "/v1/inventory/movements?sku=lip-1%20")).json()["data"]
    assert [(move["quantity"], move["reason"], move["actor"]) for move in moves] == [
        (3, "receipt", "ops:ops"),
        (4, "receipt", "ops:ops"),
    ]


async def test_receipt_counts_once_when_it_is_sent_twice(api: Api):
    first = await receive(api)
    again = await receive(api)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert on_hand(api) == 10
    other = await receive(api, {"sku": "LIP-1", "quantity": 11})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("quantity", [0, -1, 1.5, True, "3", 2**63])
async def test_receipt_is_refused_whole_when_a_quantity_makes_no_sense(api: Api, quantity: object):
    answer = await receive(api, {"sku": "LIP-1", "quantity": 1}, {"sku": "LIP-1", "quantity": quantity})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "items.1.quantity"
    assert api.count(Movement) == 0


async def test_receipt_names_the_item_when_its_sku_cannot_be_received(api: Api):
    add_goods(api, "SET", bundle={"LIP-1": 2})
    for sku, code in (("NONE", "unknown_sku"), ("SET", "bundle")):
        answer = await receive(api, {"sku": "LIP-1", "quantity": 1}, {"sku": sku, "quantity": 1}, key=sku)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["errors"][0]["field"] == "items.1.sku"
    nowhere = await receive(api, location="loc_none")
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "unknown_location")
    assert api.count(Movement) == 0


async def test_correction_moves_stock_and_raises_the_etag(api: Api):
    await receive(api)
    before = await api.call("GET", ROW)
    assert (before.json()["on_hand"], before.headers["ETag"]) == (10, '"2"')
    answer = await change(
        api, {"adjust_by": -3, "reason": "damage", "reorder_point": 8}, path="/v1/inventory/ lip-1 /loc_soho"
    )
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["on_hand"], shown["available"], shown["low"]) == (7, 7, True)
    assert answer.headers["ETag"] == f'"{shown["revision"]}"'
    assert on_hand(api) == 7


async def test_new_on_hand_is_reached_when_it_is_named(api: Api):
    await receive(api)
    assert (await change(api, {"on_hand": 4})).json()["on_hand"] == 4
    assert on_hand(api) == 4


async def test_correction_counts_once_when_it_is_sent_twice(api: Api):
    await receive(api)
    first = await change(api, {"adjust_by": -3})
    again = await change(api, {"adjust_by": -3})
    assert (again.status_code, again.json()) == (200, first.json())
    assert on_hand(api) == 7


async def test_correction_is_refused_when_somebody_was_faster(api: Api):
    await receive(api)
    await change(api, {"adjust_by": -1})
    late = await change(api, {"adjust_by": -1}, key="c-2")
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    blind = await api.call("PATCH", ROW, key="c-3", json={"adjust_by": 1})
    assert (blind.status_code, blind.json()["code"]) == (428, "if_match_required")
    assert on_hand(api) == 9


async def test_only_one_of_many_corrections_of_a_revision_counts(api: Api):
    await receive(api)
    answers = await asyncio.gather(*(change(api, {"adjust_by": -1}, key=f"c-{n}") for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert on_hand(api) == 9


async def test_correction_needs_a_key(api: Api):
    answer = await api.call("PATCH", ROW, json={"adjust_by": 1}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


@pytest.mark.parametrize(
    "body",
    [{}, {"adjust_by": 1, "on_hand": 1}, {"adjust_by": 2**63}, {"adjust_by": 1.0}, {"on_hand": -1}, {"extra": 1}],
)
async def test_correction_is_refused_when_it_makes_no_sense(api: Api, body: dict[str, Any]):
    await receive(api)
    assert (await change(api, body)).status_code == 422
    assert on_hand(api) == 10


async def test_promised_pieces_cannot_be_corrected_away(api: Api):
    await receive(api)
    await reserve(api, {"sku": "LIP-1", "quantity": 8})
    answer = await change(api, {"adjust_by": -3})
    assert (answer.status_code, answer.json()["code"]) == (409, "below_reserved")
    assert on_hand(api) == 10


async def count(api: Api, sku: str, pieces: int, *, location: str = "loc_soho", key: str = "n-1", by: str = "ops"):
    body = {"location_id": location, "items": [{"sku": sku, "quantity": pieces}]}
    return await api.call("POST", "/v1/inventory/counts", by=by, key=key, json=body)


async def test_a_count_is_one_count_when_it_is_sent_twice(api: Api):
    await receive(api)
    await reserve(api, {"sku": "LIP-1", "quantity": 8})
    first, again = [await count(api, "LIP-1", 6) for _ in range(2)]
    assert (first.status_code, first.json()["differences"]) == (201, [{"sku": "LIP-1", "quantity": -4}])
    assert (again.status_code, again.json()) == (201, first.json())
    assert on_hand(api) == 6
    assert (await count(api, "LIP-1", 5)).status_code == 422  # the key is another count's


async def test_a_count_is_refused_when_there_is_nothing_to_count(api: Api):
    add_goods(api, "SET", product="prod_set", bundle={"LIP-1": 2})
    for key, sku, place, code in (
        ("1", "SET", "loc_soho", "bundle"),
        ("2", "NONE", "loc_soho", "unknown_sku"),
        ("3", "LIP-1", "loc_none", "unknown_location"),
    ):
        answer = await count(api, sku, 1, location=place, key=key)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await count(api, "LIP-1", 1, location="loc_uptown", by="soho")).status_code == 404
    assert api.count(Movement) == 0


async def test_product_of_several_variants_wants_a_sku(api: Api):
    add_goods(api, "EYE-1", "EYE-2")
    await receive(api, {"sku": "EYE-1", "quantity": 5})
    answer = await change(api, {"adjust_by": 1}, path="/v1/inventory/prod_more/loc_soho")
    assert (answer.status_code, answer.json()["code"]) == (422, "variant_required")
    await receive(api, key="r-2")
    assert (await change(api, {"adjust_by": 1}, path="/v1/inventory/prod_lip/loc_soho")).status_code == 200


async def test_store_changes_its_own_shelf_alone(api: Api):
    await receive(api, location="loc_uptown")
    path = "/v1/inventory/LIP-1/loc_uptown"
    assert (await change(api, {"adjust_by": 1}, path=path, by="soho")).status_code == 404
    assert (await change(api, {"adjust_by": 1}, path=path, by="shop")).status_code == 403


async def test_product_is_shown_by_variant_and_location(api: Api):
    add_goods(api, "EYE-1", "EYE-2")
    await receive(api, {"sku": "EYE-1", "quantity": 5}, {"sku": "EYE-2", "quantity": 1})
    await receive(api, {"sku": "EYE-1", "quantity": 2}, location="loc_uptown", key="r-2")
    shown = (await api.call("GET", "/v1/inventory/prod_more", by="shop")).json()
    assert [(each["sku"], each["available"]) for each in shown["variants"]] == [("EYE-1", 7), ("EYE-2", 1)]
    assert [row["location_id"] for row in shown["variants"][0]["locations"]] == ["loc_soho", "loc_uptown"]
    one = (await api.call("GET", "/v1/inventory/eye-2%20", by="shop")).json()
    assert [each["sku"] for each in one["variants"]] == ["EYE-2"]
    assert (await api.call("GET", "/v1/inventory/NONE")).status_code == 404


async def test_bundle_has_as_many_as_its_pieces_make_at_one_place(api: Api):
    add_goods(api, "EYE-1")
    add_goods(api, "SET", product="prod_set", bundle={"LIP-1": 2, "EYE-1": 1})
    await receive(api, {"sku": "LIP-1", "quantity": 5}, {"sku": "EYE-1", "quantity": 4})
    await receive(api, {"sku": "LIP-1", "quantity": 9}, location="loc_uptown", key="r-2")
    variant = (await api.call("GET", "/v1/inventory/SET")).json()["variants"][0]
    assert variant["bundles"] == [{"location_id": "loc_soho", "available": 2}]
    assert variant["available"] == 2


async def walk(api: Api, path: str, size: int = 2) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await api.call("GET", f"{path}&limit={size}{cursor}")).json()
        rows += page["data"]
        if not page["has_more"]:
            return rows
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize("sort", ["sku", "available", "-available", "on_hand", "-on_hand", "updated_at", "-updated_at"])
async def test_every_row_comes_once_in_order_when_paged(api: Api, sort: str):
    skus = [f"EYE-{n}" for n in range(6)]
    add_goods(api, *skus)
    for n, location in enumerate(("loc_soho", "loc_uptown")):
        items = [{"sku": sku, "quantity": 1 + place % 3} for place, sku in enumerate(skus)]
        await receive(api, *items, location=location, key=f"r-{n}")
    rows = await walk(api, f"/v1/inventory?sort={sort}")
    assert len({(row["sku"], row["location_id"]) for row in rows}) == len(rows) == 12
    values = [row[sort.removeprefix("-")] for row in rows]
    assert values == sorted(values, reverse=sort.startswith("-"))


async def test_list_is_filtered_and_paged_by_number(api: Api):
    add_goods(api, *(f"EYE-{n}" for n in range(5)))
    await receive(api, *({"sku": f"EYE-{n}", "quantity": 9 - n} for n in range(5)), {"sku": "LIP-1", "quantity": 1})
    path = "/v1/inventory?location=loc_soho&product_category=eyes&page=2&page_size=2"
    second = (await api.call("GET", path)).json()
    assert [row["sku"] for row in second["data"]] == ["EYE-2", "EYE-3"]
    assert second["has_more"]
    assert (await api.call("GET", "/v1/inventory?location=loc_uptown")).json()["data"] == []


@pytest.mark.parametrize(
    "query",
    [
        "cursor=abc",
        "cursor=bnVsbA",
        "cursor=WzFd",
        "page=0",
        "page=1&cursor=a",
        "sort=x",
        "location=%00",
        "limit=0",
        "page=1001&page_size=200",
    ],
)
async def test_list_is_refused_when_its_query_makes_no_sense(api: Api, query: str):
    answer = await api.call("GET", f"/v1/inventory?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_cursor_of_another_order_is_refused(api: Api):
    add_goods(api, "EYE-1", "EYE-2")
    await receive(api, {"sku": "EYE-1", "quantity": 1}, {"sku": "EYE-2", "quantity": 1})
    cursor = (await api.call("GET", "/v1/inventory?limit=1&sort=on_hand")).json()["next_cursor"]
    answer = await api.call("GET", f"/v1/inventory?sort=-on_hand&cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_alerts_show_what_has_come_down_to_its_reorder_point(api: Api):
    add_goods(api, "EYE-1", "EYE-2")
    await receive(api, *({"sku": sku, "quantity": n} for sku, n in (("EYE-1", 3), ("EYE-2", 2), ("LIP-1", 9))))
    for sku in ("EYE-1", "EYE-2", "LIP-1"):
        await change(api, {"reorder_point": 3}, path=f"/v1/inventory/{sku}/loc_soho", key=sku)
    alerts = (await api.call("GET", "/v1/inventory/alerts")).json()["data"]
    assert [row["sku"] for row in alerts] == ["EYE-2", "EYE-1"]
    low = (await api.call("GET", "/v1/inventory?low=true")).json()["data"]
    assert [row["sku"] for row in low] == ["EYE-1", "EYE-2"]


async def test_hold_takes_pieces_and_gives_them_back(api: Api):
    await receive(api)
    made = await reserve(api)
    assert made.status_code == 201
    hold = made.json()
    assert hold["items"] == [{"sku": "LIP-1", "location_id": "loc_soho", "quantity": 2}]
    assert made.headers["Location"] == hold["url"]
    assert (await api.call("GET", ROW)).json()["available"] == 8
    assert (await api.call("GET", hold["url"], by="shop-2")).status_code == 404
    assert (await api.call("DELETE", hold["url"], by="shop-2")).status_code == 404
    for _ in range(2):
        assert (await api.call("DELETE", hold["url"], by="shop")).status_code == 204
    assert (await api.call("GET", ROW)).json()["available"] == 10
    assert (await api.call("GET", hold["url"], by="shop")).json()["items"] == []


async def test_hold_counts_as_available_from_its_expiry_on(api: Api):
    await receive(api)
    await reserve(api, expires_in=60)
    api.clock.advance(timedelta(seconds=61))
    assert (await api.call("GET", ROW)).json()["available"] == 10
    assert (await reserve(api, {"sku": "LIP-1", "quantity": 10}, key="h-2")).status_code == 201


async def test_hold_is_made_once_when_it_is_sent_twice(api: Api):
    await receive(api)
    first, again = await reserve(api), await reserve(api)
    assert (again.status_code, again.json()) == (201, first.json())
    assert api.count(CartHold) == 1


async def test_nothing_is_held_when_one_line_is_short(api: Api):
    add_goods(api, "EYE-1")
    await receive(api)
    answer = await reserve(api, {"sku": "LIP-1", "quantity": 2}, {"sku": "EYE-1", "quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    assert answer.json()["lines"] == [{"sku": "EYE-1", "wanted": 1, "available": 0}]
    assert (await api.call("GET", ROW)).json()["available"] == 10
    # The key was not used up: the same wish succeeds when there is stock.
    await receive(api, {"sku": "EYE-1", "quantity": 1}, key="r-2")
    assert (await reserve(api, {"sku": "LIP-1", "quantity": 2}, {"sku": "EYE-1", "quantity": 1})).status_code == 201


async def test_nothing_is_held_when_the_named_location_is_short(api: Api):
    await receive(api)
    await receive(api, {"sku": "LIP-1", "quantity": 1}, location="loc_uptown", key="r-2")
    answer = await reserve(api, {"sku": "LIP-1", "quantity": 2, "location_id": "loc_uptown"})
    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    assert answer.json()["lines"] == [{"sku": "LIP-1", "wanted": 2, "available": 1}]
    assert api.count(CartHold) == 0


async def test_bundle_is_held_as_its_pieces(api: Api):
    add_goods(api, "SET", bundle={"LIP-1": 3})
    await receive(api)
    held = await reserve(api, {"sku": "SET", "quantity": 2, "location_id": "loc_soho"}, country=None)
    assert held.json()["items"] == [{"sku": "LIP-1", "location_id": "loc_soho", "quantity": 6}]


async def test_last_pieces_go_to_as_many_carts_as_there_are(api: Api):
    await receive(api, {"sku": "LIP-1", "quantity": 5})
    one = {"sku": "LIP-1", "quantity": 1}
    answers = await asyncio.gather(*(reserve(api, one, key=f"h-{n}") for n in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 15


@pytest.mark.parametrize(
    ("item", "more", "field"),
    [
        ({"sku": "LIP-1", "quantity": 2**31}, {}, "items.0.quantity"),
        ({"sku": "NONE", "quantity": 1}, {}, "items.0.sku"),
        ({"sku": "LIP\u0000", "quantity": 1}, {}, "items.0.sku"),
        ({"sku": "LIP-1", "quantity": 1}, {"country": None}, "country"),
        ({"sku": "LIP-1", "quantity": 1, "location_id": "loc_none"}, {}, "items"),
        ({"sku": "LIP-1", "quantity": 1}, {"expires_in": 5}, "expires_in"),
    ],
)
async def test_hold_is_refused_naming_the_field(api: Api, item: dict[str, Any], more: dict[str, Any], field: str):
    answer = await reserve(api, item, **more)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert api.count(CartHold) == 0
