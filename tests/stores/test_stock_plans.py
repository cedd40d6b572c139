"""The hot statements find their rows by an index, also when a prepared plan knows no values."""

import re
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import Connection, create_engine, event, text

from cli.postgres import Urls
from models.db import Database
from models.stores.sourcing import Placement, SourcingStore, UnitDemand
from models.words import Mark
from tests.stores.stockroom import Stockroom

_NAME = re.compile(r"%\((\w+)\)s")
_LARGE = ("stock", "lots", "reservations")  # all 500 variants are a few pages

_FILL = """
    INSERT INTO variants (sku, product_id, title, created_at)
      SELECT 'S' || n, 'prod_p', 'x', now() FROM generate_series(1, 500) n;
    INSERT INTO locations (id, name, kind, street, city, postcode, country, timezone, created_at)
      SELECT 'loc_' || n, 'x', 'store', 'x', 'x', 'x', CASE WHEN n <= 12 THEN 'US' ELSE 'FR' END, 'UTC', now()
      FROM generate_series(1, 15) n;
    INSERT INTO stock (sku, location_id, on_hand, reserved, updated_at)
      SELECT v.sku, l.id, 40, 10, now() FROM variants v, locations l;
    INSERT INTO lots (id, sku, location_id, code, on_hand, reserved)
      SELECT 'lot_' || sku || location_id, sku, location_id, '', 40, 10 FROM stock;
    INSERT INTO reservations (id, holder, unit_id, sku, location_id, lot_id, quantity, expires_at, created_at)
      SELECT 'rsv_' || l.id || n, 'ord_' || l.id || n, 'unit_' || l.id || n, sku, location_id, l.id, 1,
        CASE WHEN n = 1 AND sku < 'S2' THEN timestamptz '2027-01-01' + n * interval '1 minute' END, now()
      FROM lots l, generate_series(1, 10) n WHERE location_id IN ('loc_1', 'loc_2');
    UPDATE stock SET reserved = 0 WHERE location_id NOT IN ('loc_1', 'loc_2');
    UPDATE lots SET reserved = 0 WHERE location_id NOT IN ('loc_1', 'loc_2');
    ANALYZE;
"""


@pytest.fixture
def room(database: Database, owner_url: str) -> Stockroom:
    room = Stockroom(database)
    owner = create_engine(owner_url)
    with owner.begin() as connection:
        connection.execute(text(_FILL))
    owner.dispose()
    return room


def test_no_hot_statement_reads_a_whole_table(room: Stockroom, urls: Urls) -> None:
    room.order("ord_1")
    sourcing, stock = SourcingStore(room.stock), room.stock
    said: list[tuple[str, dict[str, object]]] = []
    event.listen(room.database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))

    def live(session) -> None:
        until = room.now + timedelta(minutes=15)
        demand = [UnitDemand("u1", "l1", "S1"), UnitDemand("u2", "l2", "S2")]
        placed = sourcing.place(
            session, holder="ord_1", demand=demand, country="US", destination=None, expires_at=until, now=room.now,
            cause="checkout", order_id="ord_1",
        )  # fmt: skip
        assert isinstance(placed, Placement)
        assert stock.confirm(session, "ord_1", room.now)
        assert stock.mark(session, ["u1"], Mark.PACKED, room.now) is None
        stock.consume(session, ["u1"], operation="op:1", order_id="ord_1", actor="x", now=room.now)
        stock.consume(session, ["u1"], operation="op:1", order_id="ord_1", actor="x", now=room.now)
        stock.reserved_units(session, "ord_1")
        stock.release(session, "ord_1", room.now, ["u2"])
        stock.release(session, "ord_1", room.now)
        stock.sweep_expired(session, room.now, 100)

    room.run(live)
    engine = create_engine(urls.app)
    with engine.begin() as connection:
        scans = {sql.split(" \n")[0][:60]: found for sql, given in said if (found := _scans(connection, sql, given))}
    engine.dispose()
    assert len(said) > 15
    assert scans == {}


def _scans(connection: Connection, sql: str, given: dict[str, object]) -> list[str]:
    """The sequential scans of large tables in the plans of one statement: with its values, and for any values."""
    if sql.startswith(("SAVEPOINT", "RELEASE")):
        return []
    numbers = count(1)
    names = {name: next(numbers) for name in _NAME.findall(sql)}
    generic = _NAME.sub(lambda found: f"${names[found[1]]}", sql)
    cursor = connection.connection.cursor()
    found: list[str] = []
    for kind, ask in (("these", (f"EXPLAIN {sql}", given)), ("any", (f"EXPLAIN (GENERIC_PLAN) {generic}", None))):
        cursor.execute(*ask, prepare=False)  # type: ignore[arg-type]
        lines = [row[0].strip() for row in cursor.fetchall()]
        found += [f"{kind}: {line}" for line in lines for table in _LARGE if f"Seq Scan on {table}" in line]
    return found
