"""The one order that `up` places: over HTTP, as a storefront, a store, a warehouse and a carrier would.

It plays people, not the system: it does what each shipment's stage asks of a person, until all is delivered.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from cli.demo.scenarios import SAMPLE_ORDER
from cli.env import Places
from cli.http import ApiClient
from cli.timeline import Timeline

_PATIENCE = 60.0  # seconds from placed to delivered
_POLL = 0.1
_OVER: Final = frozenset({"failed", "cancelled", "expired"})


class SampleError(RuntimeError):
    """The order was not delivered; the text says where it stands."""


def order_body(api: ApiClient, scenario: Mapping[str, Any] = SAMPLE_ORDER) -> dict[str, Any]:
    """A demo scenario, which is a body of `POST /v1/orders`, with today's total in it."""
    place = {name: scenario["ship_to"][name] for name in ("country", "state")}
    cart = {name: scenario[name] for name in ("brand", "lines", "speed")}
    quote = api.post("/v1/quotes", cart | place)
    return {**scenario, "expected_total": quote["choices"][0]["total"]["amount"]}


def run_sample(api: ApiClient, places: Places, timeline: Timeline) -> dict[str, Any]:
    """The order as it was when delivered. Raises SampleError, and what the client raises when a call is refused."""
    placed = api.post("/v1/orders", order_body(api))
    timeline.follow(placed["id"])
    return see_through(api, placed["id"], People(api, places))


def see_through(api: ApiClient, order_id: str, people: "People") -> dict[str, Any]:
    """Let people work until the order is delivered; answers it as it is then. Raises SampleError where it is not."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        order = api.get(f"/v1/orders/{order_id}")
        if order["status"] == "delivered":
            return order
        if order["status"] in _OVER:
            raise SampleError(f"order {order['number']} is {order['status']}: {order['refusal']}")
        if time.monotonic() > deadline:
            raise SampleError(stuck(api, order))
        for shipment in order["shipments"]:
            people.attend(shipment)
        time.sleep(_POLL)


class People:
    """Those who work on shipments, and the carrier; each does each thing once. The store `silent_at` never answers."""

    def __init__(self, api: ApiClient, places: Places, *, silent_at: str | None = None) -> None:
        self._api = api
        self._silent_at = silent_at
        self._carrier = ApiClient(places.easypost_url.removesuffix("/v2")) if places.easypost_url else None
        self._done: set[tuple[str, str]] = set()

    def attend(self, shipment: dict[str, Any]) -> None:
        """Do what its stage asks for, if it was not done yet."""
        path, stage = f"/v1/shipments/{shipment['id']}", shipment["stage"]
        if (path, stage) in self._done:
            return
        self._done.add((path, stage))
        match stage:
            case "offered" if shipment["location_id"] == self._silent_at:
                pass
            case "offered":
                self._api.post(f"{path}/accept")
            case "accepted":
                self._api.post(f"{path}/pick")
                self._api.post(f"{path}/pack")
            case "captured":
                self._api.post(f"{path}/hand-over")
            case "handed_over":
                self._carry(shipment["tracking"]["code"])
            case _:
                pass  # not a person's turn

    def _carry(self, tracking_code: str) -> None:
        if self._carrier is None:
            raise SampleError(f"the parcel {tracking_code} is with EasyPost; a real one takes its time")
        for status in ("in_transit", "out_for_delivery", "delivered"):
            self._carrier.post(f"/_admin/parcels/{tracking_code}/advance", {"status": status})


def stuck(api: ApiClient, order: dict[str, Any]) -> str:
    """What an order that did not get on waits for."""
    run = api.get(f"/v1/orders/{order['id']}/run")
    stages = ", ".join(shipment["stage"] for shipment in order["shipments"]) or "none"
    waits = "; ".join(f"{wait}" for wait in run["waits"]) or run["state"]
    return (
        f"order {order['number']} is {order['status']} after {_PATIENCE:.0f} s (shipments: {stages}; its run: {waits})"
    )
