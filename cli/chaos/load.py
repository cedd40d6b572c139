"""The load: shoppers who each live one story after another, and the people of nodes and carriers who serve them.

A story places one order, acts its part by HTTP alone, and writes down how the order may end. It leaves the order when
nothing more is asked of a person; that it ends is for the judge to see.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self

from cli.chaos.book import PATIENCE, Book, GaveUpError, NeverKnownError, Patient
from cli.env import Places
from cli.http import ApiClient, ApiError, ApiUnreachableError
from cli.sample import People, order_body

SHOPPERS: Final = 16
_LOOK: Final = 0.4  # seconds between two looks at an order
_BRAND: Final = "brand_aurelle"
_SOHO, _COLUMBUS, _WICKER_PARK = "loc_store_soho", "loc_wh_columbus", "loc_store_chicago"
_SHELVES: Final[Mapping[str, tuple[str, ...]]] = {  # few goods, so that orders meet at their shelves
    "CHAOS-WAREHOUSE-1": (_COLUMBUS,),
    "CHAOS-WAREHOUSE-2": (_COLUMBUS,),
    "CHAOS-STORE": (_SOHO,),
    "CHAOS-BOTH": (_WICKER_PARK, _COLUMBUS),
}
_PIECES: Final = 20_000
_WAITS: Final = {"return_window": "PT3S"}  # so that an order's end is seen
_OPEN_LONG: Final = {"return_window": "PT20S"}
_SHORT_OFFER: Final = {"offer": "PT5S", "offer_in_opening_hours": False}
_NEW_YORK: Final = {
    "street": "350 West 18th Street", "city": "New York", "state": "NY", "postcode": "10011", "country": "US",
}  # fmt: skip
_CHICAGO: Final = {
    "street": "1837 West Division Street", "city": "Chicago", "state": "IL", "postcode": "60622", "country": "US",
}  # fmt: skip

Order = dict[str, Any]


def lay_out(api: ApiClient) -> None:
    """The goods of the load, in plenty: before anything goes wrong."""
    variants = [{"sku": sku, "title": sku, "grams": 120} for sku in _SHELVES]
    product = {"id": "prod_chaos", "brand": _BRAND, "title": "Chaos", "category": "chaos", "variants": variants}
    api.post("/v1/products", product)
    api.post("/v1/price_lists/pl_aurelle_us/prices", {"prices": [{"sku": sku, "amount": 2500} for sku in _SHELVES]})
    for location in (_SOHO, _COLUMBUS, _WICKER_PARK):
        items = [{"sku": sku, "quantity": _PIECES} for sku, places in _SHELVES.items() if location in places]
        api.post("/v1/inventory/receipts", {"location_id": location, "items": items})


class RefusedError(RuntimeError):
    """An order was not confirmed that had to be."""


@dataclass
class Shopper:
    """One caller. `cart` and `waits` are what its stories order by; `chance` is its own."""

    api: Patient
    places: Places
    chance: random.Random
    totals: dict[str, int] = field(default_factory=dict[str, int])

    # What a story is made of

    def place(self, story: str, *skus: str, ship_to: Mapping[str, str] = _NEW_YORK, **more: Any) -> Order:
        """Place an order and wait for its verdict. Raises ApiError where it is refused, with the order's id."""
        body = {
            "brand": _BRAND,
            "lines": [{"sku": sku, "quantity": skus.count(sku)} for sku in dict.fromkeys(skus)],
            "speed": "standard",
            "customer": {"email": "ada@example.com", "name": "Ada Palmer", "phone": "+12125550190"},
            "ship_to": dict(ship_to),
            "payment": {"payment_method": "pm_card_visa"},
            "waits": _WAITS,
            **more,
        }
        what = f"{ship_to['state']} {skus}"
        if what not in self.totals:
            self.totals[what] = order_body(self.api, body)["expected_total"]
        order = self.api.post("/v1/orders", body | {"expected_total": self.totals[what]})
        self.api.book.ends(order["id"], story, "delivered")
        return order

    def until(self, order: Order, reached: Callable[[Order], bool], people: People | None = None) -> Order:
        """The order once it is so, while people do their part. Raises NeverKnownError."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            order = self.api.get(f"/v1/orders/{order['id']}")
            if reached(order):
                return order
            if people:
                for shipment in order["shipments"]:
                    people.attend(shipment)
            time.sleep(_LOOK)
        stages = [shipment["stage"] for shipment in order["shipments"]]
        raise NeverKnownError(f"order {order['id']} is {order['status']} with {stages} after {PATIENCE:.0f} s")

    def delivered(self, order: Order, *, silent_at: str | None = None) -> Order:
        """Seen through by nodes and carrier."""
        people = People(self.api, self.places, silent_at=silent_at)
        return self.until(order, lambda order: order["status"] == "delivered", people)

    def cancel(self, order: Order, story: str, units: list[str] | None = None) -> bool:
        """Whether it was done; if it was refused, the order goes on."""
        try:
            self.api.post(f"/v1/orders/{order['id']}/cancel", {"reason": "chaos"} | ({"units": units} if units else {}))
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        if not units:
            self.api.book.ends(order["id"], story, "cancelled")
        return True


def warehouse(shopper: Shopper) -> None:
    shopper.delivered(shopper.place("warehouse", shopper.chance.choice(("CHAOS-WAREHOUSE-1", "CHAOS-WAREHOUSE-2"))))


def two_parcels(shopper: Shopper) -> None:
    shopper.delivered(shopper.place("two parcels", "CHAOS-STORE", "CHAOS-WAREHOUSE-1"))


def declined(shopper: Shopper) -> None:
    payment = {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"}
    try:
        order = shopper.place("declined", "CHAOS-WAREHOUSE-1", payment=payment)
    except ApiError as error:
        if error.code != "declined":
            raise
        shopper.api.book.ends(error.problem["order"], "declined", "failed")
    else:
        shopper.api.book.is_wrong(f"order {order['id']} was to be declined and is {order['status']}")


def cancel_early(shopper: Shopper) -> None:
    order = shopper.place("cancel early", "CHAOS-STORE", "CHAOS-WAREHOUSE-2")
    if not shopper.cancel(order, "cancel early"):
        shopper.delivered(order)


def cancel_a_unit(shopper: Shopper) -> None:
    """Before the node has it in hand, or in the closed parcel, which is opened again then."""
    order = shopper.place("cancel a unit", "CHAOS-WAREHOUSE-1", "CHAOS-WAREHOUSE-1")
    unit = order["lines"][0]["units"][0]["id"]
    if shopper.chance.random() < 0.5:
        shopper.cancel(order, "cancel a unit", [unit])
    else:
        order = shopper.until(order, lambda order: order["shipments"][0]["stage"] == "accepted")
        path = f"/v1/shipments/{order['shipments'][0]['id']}"
        shopper.api.post(f"{path}/pick")
        shopper.api.post(f"{path}/pack")
        if shopper.cancel(order, "cancel a unit", [unit]):
            with suppress(ApiError):  # it was dropped before the parcel had its label
                shopper.api.post(f"{path}/take-out")
    shopper.delivered(order)


def silent_store(shopper: Shopper) -> None:
    order = shopper.place("silent store", "CHAOS-BOTH", ship_to=_CHICAGO, waits=_WAITS | _SHORT_OFFER)
    shopper.delivered(order, silent_at=_WICKER_PARK)


def return_(shopper: Shopper) -> None:
    order = shopper.delivered(shopper.place("return", "CHAOS-WAREHOUSE-2", waits=_OPEN_LONG))
    units = [unit["id"] for line in order["lines"] for unit in line["units"]]
    try:
        asked = shopper.api.post(f"/v1/orders/{order['id']}/return", {"units": units, "reason": "wrong_shade"})
    except ApiError as error:
        if error.code != "window_over":  # it took so long
            raise
        return
    shopper.api.book.ends(order["id"], "return", "returned")
    shopper.api.post(f"/v1/returns/{asked['id']}/receive", {"units": [{"unit": unit} for unit in units]})


STORIES: Final[tuple[Callable[[Shopper], None], ...]] = (
    warehouse, two_parcels, declined, cancel_early, cancel_a_unit, silent_store, return_,
)  # fmt: skip


class Load:
    """A context manager: shoppers in threads, until `stop`. Leaving waits for the stories that were begun."""

    def __init__(self, places: Places, key: str, book: Book, seed: int) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._shop, args=(_shopper(places, key, book, seed, number),), daemon=True)
            for number in range(SHOPPERS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """No new stories."""
        self._stop.set()

    def _shop(self, shopper: Shopper) -> None:
        for story in _stories(shopper.chance):
            if self._stop.is_set():
                return
            try:
                story(shopper)
            except GaveUpError:
                continue
            except (NeverKnownError, ApiError, ApiUnreachableError) as error:
                shopper.api.book.is_wrong(f"{story.__name__}: {error}")


def _shopper(places: Places, key: str, book: Book, seed: int, number: int) -> Shopper:
    chance = random.Random(f"{seed}:{number}")  # noqa: S311 (to be repeated)
    api = Patient(places.api_url, key, timeout=10.0, book=book, chance=chance)
    return Shopper(api, places, chance)


def _stories(chance: random.Random) -> Iterator[Callable[[Shopper], None]]:
    """Each of them as often, in an order of its own."""
    while True:
        yield from chance.sample(STORIES, len(STORIES))
