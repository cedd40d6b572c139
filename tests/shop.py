"""A brand of a test's own, with warehouses and stores around one customer: goods of one test never meet another's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as upsert

from models.db import Database
from models.mint import mint
from models.stores.stock import StockStore
from models.tables.catalogue import Box, Brand, Price, PriceList, Product, ShippingRate, TaxRate, Variant
from models.tables.stock import Location
from models.words import LocationKind

PRICE = 2500
SHIPPING = 595
# Nodes by their distance from the customer in New York, nearest first.
PLACES: Mapping[str, tuple[LocationKind, str, str, str, float, float]] = {
    "near_store": (LocationKind.STORE, "New York", "NY", "10012", 40.726, -73.998),
    "far_store": (LocationKind.STORE, "Boston", "MA", "02116", 42.350, -71.077),
    "warehouse": (LocationKind.WAREHOUSE, "Columbus", "OH", "43215", 39.967, -83.004),
    "far_warehouse": (LocationKind.WAREHOUSE, "Reno", "NV", "89502", 39.497, -119.776),
}


@dataclass
class Shop:
    """Each SKU lies only where the test says. `node` gives the id of a place that the shop has made."""

    db: Database
    name: str = field(default_factory=lambda: mint("t")[-8:])
    nodes: dict[str, str] = field(default_factory=dict)

    @property
    def brand(self) -> str:
        return f"brand_{self.name}"

    @property
    def box(self) -> str:
        return f"box_{self.name}"

    def sku(self, what: str) -> str:
        return f"{what}-{self.name}".upper()

    def open(self) -> "Shop":
        rows: list[tuple[type[Any], dict[str, Any]]] = [
            (Brand, {"id": self.brand, "name": "Test"}),
            (PriceList, {"id": f"pl_{self.name}", "brand_id": self.brand, "country": "US", "currency": "usd", "includes_tax": False}),
            (ShippingRate, {"id": f"rate_{self.name}", "price_list_id": f"pl_{self.name}", "zone": "*", "speed": "standard", "title": "Standard", "amount": SHIPPING, "transit_days": 5}),
            (Box, {"id": self.box, "brand_id": self.brand, "title": "Box", "length_mm": 200, "width_mm": 150, "height_mm": 100, "grams": 80}),
        ]  # fmt: skip
        tax = {"country": "US", "state": "*", "basis_points": 0, "shipping_taxed": False}

        def work(session: Any) -> None:
            session.execute(upsert(TaxRate).values(tax).on_conflict_do_nothing())
            for table, row in rows:
                session.execute(insert(table).values(row))

        self.db.transaction(work)
        return self

    def stock(self, what: str, **at: int) -> str:
        """A new SKU with so many pieces at each named place; answers the SKU."""
        sku, now = self.sku(what), datetime.now(UTC)
        store = StockStore()

        def work(session: Any) -> None:
            product = {
                "id": f"prod_{sku.lower()}",
                "brand_id": self.brand,
                "title": what,
                "category": "test",
                "created_at": now,
            }
            session.execute(insert(Product).values(product))
            variant = {"sku": sku, "product_id": product["id"], "title": what, "grams": 120, "created_at": now}
            session.execute(insert(Variant).values(variant))
            session.execute(insert(Price).values(price_list_id=f"pl_{self.name}", sku=sku, amount=PRICE))
            for place, pieces in at.items():
                location = self._node(session, place, now)
                store.receive(session, sku, location, pieces, operation=f"open:{sku}:{location}", actor="test", now=now)

        self.db.transaction(work)
        return sku

    def make_a_gift(self, sku: str) -> None:
        """This SKU costs nothing; its shipping does."""
        self.db.transaction(lambda session: session.execute(update(Price).where(Price.sku == sku).values(amount=0)))

    def give_away(self, sku: str) -> None:
        """This SKU costs nothing, and nothing does the shipping."""
        self.make_a_gift(sku)
        free = update(ShippingRate).where(ShippingRate.id == f"rate_{self.name}").values(amount=0)
        self.db.transaction(lambda session: session.execute(free))

    def _node(self, session: Any, place: str, now: datetime) -> str:
        if place not in self.nodes:
            kind, city, state, postcode, latitude, longitude = PLACES[place]
            self.nodes[place] = f"loc_{self.name}_{place}"
            session.execute(
                insert(Location).values(
                    id=self.nodes[place], name=place, kind=kind, street="1 Test Street", city=city, state=state,
                    postcode=postcode, country="US", phone="+12125550100", latitude=latitude, longitude=longitude,
                    timezone="America/New_York", created_at=now,
                )
            )  # fmt: skip
        return self.nodes[place]

    def node(self, place: str) -> str:
        return self.nodes[place]

    def total(self, pieces: int) -> int:
        """What an order of so many pieces costs: no tax where the test shop sells."""
        return pieces * PRICE + SHIPPING

    def cart(self, *skus: str, payment: str = "pm_card_visa", **address: str) -> dict[str, Any]:
        """The body of an order of one piece each, to New York."""
        ship_to = {
            "street": "350 West 18th Street",
            "city": "New York",
            "state": "NY",
            "postcode": "10011",
            "country": "US",
        }
        return {
            "brand": self.brand,
            "customer": {"email": "guest@example.com", "name": "Ada Guest", "phone": "+12125550111"},
            "ship_to": {**ship_to, **address},
            "lines": [{"sku": sku, "quantity": skus.count(sku)} for sku in dict.fromkeys(skus)],
            "payment": {"payment_method": payment},
            "expected_total": self.total(len(skus)),
        }
