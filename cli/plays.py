"""The demo's plays: each places one order, acts its people, and fails where the outcome is not what it shows.

A play talks HTTP alone: to the API, and to the sandboxes in the place of a bank or a carrier.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from cli.demo.scenarios import DECLINED, OUT_OF_STOCK, SAMPLE_ORDER, SILENT_STORE, THREE_D_SECURE
from cli.env import Places
from cli.http import ApiClient, ApiError
from cli.sample import People, SampleError, order_body, see_through, stuck
from cli.say import Say
from cli.timeline import Timeline
from models.money import format_money

_PATIENCE = 60.0  # seconds for a verdict
_POLL = 0.1

WICKER_PARK: Final = "loc_store_chicago"
SHORT_OFFER: Final = {"offer": "PT5S", "offer_in_opening_hours": False}


@dataclass(frozen=True)
class Scene:
    """Where a play is acted; `timeline` tells what happens while it does."""

    api: ApiClient
    places: Places
    say: Say
    timeline: Timeline

    def place(self, scenario: Mapping[str, Any], **more: object) -> dict[str, Any]:
        """Place the order and begin to tell its story; answers it once checkout has its verdict."""
        try:
            order_id = self.api.post("/v1/orders", order_body(self.api, scenario) | more)["id"]
        except ApiError as error:
            if "order" not in error.problem:
                raise
            order_id = error.problem["order"]
        self.timeline.follow(order_id)
        deadline = time.monotonic() + _PATIENCE
        while not (order := self.api.get(f"/v1/orders/{order_id}"))["verdict"]:
            if time.monotonic() > deadline:
                raise SampleError(stuck(self.api, order))
            time.sleep(_POLL)
        return order

    def refused(self, scenario: Mapping[str, Any], verdict: str) -> dict[str, Any]:
        """Place an order that checkout must refuse; answers it as it stands then, with nothing held."""
        order = self.place(scenario)
        if order["verdict"] != verdict:
            raise SampleError(f"order {order['number']} was to be refused as {verdict}, but is {order['verdict']}")
        units = [unit for line in order["lines"] for unit in line["units"]]
        if order["payment"]["held"]["amount"] or any(unit["state"] != "cancelled" for unit in units):
            raise SampleError(f"order {order['number']} failed, but something of it stays held")
        return order


def sample(scene: Scene) -> dict[str, Any]:
    order = scene.place(SAMPLE_ORDER)
    return see_through(scene.api, order["id"], People(scene.api, scene.places))


def silent_store(scene: Scene) -> dict[str, Any]:
    """The order's own waits give the store five seconds, whatever the hour; nobody there answers."""
    order = scene.place(SILENT_STORE, waits=SHORT_OFFER)
    people = People(scene.api, scene.places, silent_at=WICKER_PARK)
    order = see_through(scene.api, order["id"], people)
    ways = [(shipment["location_id"], shipment["stage"]) for shipment in order["shipments"]]
    if ways[0] != (WICKER_PARK, "re_sourced") or all(stage != "delivered" for _, stage in ways[1:]):
        raise SampleError(
            f"order {order['number']} was to be offered to Wicker Park and shipped elsewhere, but: {ways}"
        )
    return order


def declined(scene: Scene) -> dict[str, Any]:
    return scene.refused(DECLINED, "declined")


def out_of_stock(scene: Scene) -> dict[str, Any]:
    return scene.refused(OUT_OF_STOCK, "out_of_stock")


def three_d_secure(scene: Scene) -> dict[str, Any]:
    order = scene.place(THREE_D_SECURE)
    secret = order["payment"]["client_secret"]
    if secret is None or scene.places.stripe_url is None:
        raise SampleError("nobody but the sandbox's bank answers 3-D Secure by a program")
    bank = ApiClient(scene.places.stripe_url)
    answer = urlencode({"outcome": "succeed", "client_secret": secret})
    bank.post(f"/_3ds/{secret.partition('_secret')[0]}?{answer}")
    return see_through(scene.api, order["id"], People(scene.api, scene.places))


@dataclass(frozen=True)
class Play:
    about: str
    act: Callable[[Scene], dict[str, Any]]


PLAYS: Final[Mapping[str, Play]] = {
    "sample": Play("two parcels, one from a store and one from a warehouse", sample),
    "silent-store": Play("a store does not answer its offer; another shelf ships it", silent_store),
    "declined": Play("the card has no funds; nothing stays held", declined),
    "out-of-stock": Play("no shelf has it all; nothing stays held", out_of_stock),
    "3-d-secure": Play("the bank asks its customer first", three_d_secure),
}


def tell_outcome(scene: Scene, order: dict[str, Any]) -> None:
    """What moved on the shelves, and what both vendors' ledgers hold of this order."""
    scene.say("")
    scene.say(f"Order     {order['number']} is {order['status']}: {scene.places.api_url}{order['url']}", "bold")
    if scene.places.temporal_ui_url:
        scene.say(f"Run       {scene.places.temporal_ui_url}/workflows/{order['id']}")
    for name, lines in (("Stock", _moved), ("Labels", _labels), ("Captures", _captures)):
        for line in lines(scene, order) or ["none"]:
            scene.say(f"{name:<10}{line}")


def _moved(scene: Scene, order: dict[str, Any]) -> list[str]:
    rows: list[dict[str, Any]] = []
    for sku in {line["sku"] for line in order["lines"]}:
        page = scene.api.get("/v1/inventory/movements", sku=sku, limit=100)
        rows += [row for row in page["data"] if row["order"] == order["id"]]
    return [f"{row['quantity']:+d} {row['sku']} at {row['location_id']} ({row['reason']})" for row in rows]


def _labels(scene: Scene, order: dict[str, Any]) -> list[str]:
    if scene.places.easypost_url is None:
        return ["at EasyPost"]
    carrier = ApiClient(scene.places.easypost_url.removesuffix("/v2"))
    parcels = carrier.get("/_admin/ledger", reference_prefix=f"{order['id']}:")["shipments"]
    bought = [label for parcel in parcels for label in parcel["labels"]]
    return [
        f"{x['carrier']} {x['service']} {x['tracking_code']}, {_amount(x['postage'], x['currency'])}" for x in bought
    ]


def _captures(scene: Scene, order: dict[str, Any]) -> list[str]:
    if scene.places.stripe_url is None:
        return ["at Stripe"]
    ledger = ApiClient(scene.places.stripe_url).get("/_admin/ledger", **{"metadata[order_id]": order["id"]})
    return [
        f"{_amount(capture['amount'], order['currency'])} of {intent['id']}"
        for intent in ledger["intents"]
        for capture in intent["captures"]
    ]


def _amount(amount: int, currency: str) -> str:
    return format_money(amount, currency.lower())
