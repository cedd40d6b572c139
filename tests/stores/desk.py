"""One order of a few pieces on rows, seen by its stores: no run, no vendor."""

from dataclasses import dataclass, field
from typing import Any

from models.mint import mint
from models.tables.orders import OrderLine, OrderUnit
from models.words import UnitState
from tests.conftest import MovableClock
from tests.relay.rows import Rows
from tests.shop import PRICE, Shop
from workers.engine import Ledgers


@dataclass
class Desk:
    """One order of two pieces that lie in two shops, seen by its stores."""

    rows: Rows
    books: Ledgers
    clock: MovableClock
    shop: Shop
    sku: str
    order_id: str = ""
    units: list[str] = field(default_factory=list)

    def order(self, *states: UnitState, **values: Any) -> None:
        sums = {"total": PRICE * len(states), "subtotal": PRICE * len(states)}
        self.order_id = self.rows.order(brand_id=self.shop.brand, **{**sums, **values})
        line = {"id": mint("line"), "order_id": self.order_id, "position": 1, "sku": self.sku, "title": "one"}
        self.rows.add(OrderLine, quantity=len(states), unit_price=PRICE, discount=0, tax=0, **line)
        for state in states:
            self.units.append(mint("unit"))
            shares = {"price": PRICE, "discount": 0, "tax": 0, "amount": PRICE}
            self.rows.add(
                OrderUnit,
                id=self.units[-1],
                order_id=self.order_id,
                line_id=line["id"],
                sku=self.sku,
                state=state,
                **shares,
            )

    def parcel(self, unit: str, state: UnitState, **values: Any) -> str:
        place = self.shop.node("near_store")
        shipment = self.rows.parcel(self.order_id, mint("code"), location_id=place, **values)
        self.rows.change(OrderUnit, OrderUnit.id == unit, shipment_id=shipment, state=state)
        return shipment

    def states(self) -> list[UnitState]:
        found = {unit.id: unit.state for unit in self.rows.all(OrderUnit, OrderUnit.order_id == self.order_id)}
        return [found[unit] for unit in self.units]
