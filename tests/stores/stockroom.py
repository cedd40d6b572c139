"""A stockroom for tests: SKUs and locations made on demand, a time that stands still until it is moved, an oracle."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TypeVar

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from models.db import Database
from models.stock import Levels, Reserved, Short, UnitWant
from models.stores.stock import StockStore
from models.tables.catalogue import Brand, Product, Variant
from models.tables.orders import Order, OrderLine
from models.tables.stock import Location

T = TypeVar("T")

# Reserved is the sum of the active reservation rows, on hand the sum of the ledger, for each stock row and each lot.
_DRIFT = text("""
    WITH held AS (
      SELECT sku, location_id, lot_id, sum(quantity) AS n FROM reservations WHERE state = 'active' GROUP BY 1, 2, 3
    ), moved AS (
      SELECT sku, location_id, lot_id, sum(quantity) AS n FROM movements GROUP BY 1, 2, 3
    ), lot AS (
      SELECT l.sku, l.location_id, l.on_hand, l.reserved, coalesce(h.n, 0) AS held, coalesce(m.n, 0) AS moved
      FROM lots l LEFT JOIN held h ON h.lot_id = l.id LEFT JOIN moved m ON m.lot_id = l.id
    )
    SELECT 'lot' AS what, sku, location_id FROM lot
    WHERE on_hand <> moved OR reserved <> held OR reserved < 0 OR reserved > on_hand
    UNION ALL
    SELECT 'stock', s.sku, s.location_id FROM stock s
    LEFT JOIN (SELECT sku, location_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(held) AS held,
                      sum(moved) AS moved FROM lot GROUP BY 1, 2) l
      ON l.sku = s.sku AND l.location_id = s.location_id
    WHERE s.on_hand <> coalesce(l.on_hand, 0) OR s.reserved <> coalesce(l.reserved, 0)
       OR s.on_hand <> coalesce(l.moved, 0) OR s.reserved <> coalesce(l.held, 0)
       OR s.reserved < 0 OR s.reserved > s.on_hand
    UNION ALL
    SELECT 'row elsewhere than its lot', r.sku, r.location_id FROM reservations r JOIN lots l ON l.id = r.lot_id
    WHERE r.sku <> l.sku OR r.location_id <> l.location_id
""")


class Stockroom:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.stock = StockStore()
        self.now = datetime(2026, 11, 25, 12, tzinfo=UTC)
        self._numbers = count(1)
        self.run(self._brand)

    def number(self) -> int:
        """The next one, for what needs a name of its own."""
        return next(self._numbers)

    def run(self, work: Callable[[Session], T]) -> T:
        return self.database.transaction(work)

    def _brand(self, session: Session) -> None:
        session.execute(insert(Brand).values(id="brand_b", name="B"))
        session.execute(
            insert(Product).values(id="prod_p", brand_id="brand_b", title="P", category="c", created_at=self.now)
        )

    def skus(self, *skus: str, min_shelf_life_days: int = 0, bundle: bool = False) -> None:
        rows = [
            {"sku": sku, "product_id": "prod_p", "title": sku, "created_at": self.now, "bundle": bundle,
             "min_shelf_life_days": min_shelf_life_days}
            for sku in skus
        ]  # fmt: skip
        self.run(lambda session: session.execute(insert(Variant), rows))

    def location(self, location_id: str, **values: object) -> str:
        row = {
            "id": location_id, "name": location_id, "kind": "store", "street": "1 Main St", "city": "X",
            "postcode": "10001", "country": "US", "timezone": "UTC", "created_at": self.now, **values,
        }  # fmt: skip
        self.run(lambda session: session.execute(insert(Location).values(**row)))
        return location_id

    def receive(
        self, sku: str, location_id: str, quantity: int, *, lot: str = "", expires_on: date | None = None
    ) -> Levels:
        operation = f"receipt:{next(self._numbers)}"
        return self.run(
            lambda session: self.stock.receive(
                session, sku, location_id, quantity, lot_code=lot, expires_on=expires_on, operation=operation,
                actor="ops:test", now=self.now,
            )
        )  # fmt: skip

    def reserve(
        self,
        holder: str,
        *wants: tuple[str, str],
        minutes: int | None = 15,
        units: Sequence[str] = (),
        safety: bool = True,
        cart: str | None = None,
    ) -> Reserved | Short:
        """Units of (SKU, location), by default named after the holder."""
        named = units or [f"{holder}/{number}" for number in range(len(wants))]
        asked = [UnitWant(unit, sku, place) for unit, (sku, place) in zip(named, wants, strict=True)]
        expires_at = None if minutes is None else self.now + timedelta(minutes=minutes)
        return self.run(
            lambda session: self.stock.reserve(
                session, holder, asked, expires_at=expires_at, now=self.now, safety=safety, cart=cart
            )
        )

    def confirm(self, holder: str) -> bool:
        return self.run(lambda session: self.stock.confirm(session, holder, self.now)) is not None

    def release(self, holder: str, *units: str) -> tuple[str, ...]:
        return self.run(lambda session: self.stock.release(session, holder, self.now, list(units) or None))

    def consume(self, holder: str, *units: str, operation: str = ""):
        return self.run(
            lambda session: self.stock.consume(
                session, units, operation=operation or f"{holder}:hand_over", order_id=holder, actor="store:test",
                now=self.now,
            )
        )  # fmt: skip

    def available(self, sku: str, location_id: str) -> int | None:
        return self.run(
            lambda session: self.stock.availability(session, [sku], self.now, [location_id]).get((sku, location_id))
        )

    def levels(self, sku: str, location_id: str) -> tuple[int, int]:
        """On hand and reserved."""
        row = self.run(
            lambda session: session.execute(
                text("SELECT on_hand, reserved FROM stock WHERE sku = :s AND location_id = :l"),
                {"s": sku, "l": location_id},
            ).one()
        )
        return row.on_hand, row.reserved

    def lot_code(self, lot_id: str) -> str:
        return self.run(lambda session: session.scalar(text("SELECT code FROM lots WHERE id = :i"), {"i": lot_id}))

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def order(self, order_id: str, *lines: tuple[str, str]) -> str:
        """An order's row and its lines (id, SKU), for what refers to them."""
        row = {
            "id": order_id, "number": order_id, "brand_id": "brand_b", "channel": "web", "email": "e", "name": "n",
            "street": "s", "city": "c", "postcode": "p", "country": "US", "speed": "standard", "transit_days": 3,
            "currency": "usd", "includes_tax": False, "subtotal": 0, "tax": 0, "shipping": 0, "shipping_tax": 0,
            "total": 0, "timings": {}, "created_at": self.now, "expires_at": self.now + timedelta(minutes=15),
        }  # fmt: skip
        line_rows = [
            {"id": line_id, "order_id": order_id, "position": position, "sku": sku, "title": sku, "quantity": 1,
             "unit_price": 0, "discount": 0, "tax": 0}
            for position, (line_id, sku) in enumerate(lines, 1)
        ]  # fmt: skip

        def write(session: Session) -> None:
            session.execute(insert(Order).values(**row))
            if line_rows:
                session.execute(insert(OrderLine), line_rows)

        self.run(write)
        return order_id

    def drift(self) -> list[tuple[str, str, str]]:
        """Where a counter is not the sum of its rows: nowhere, ever."""
        return self.run(lambda session: [tuple(row) for row in session.execute(_DRIFT)])
