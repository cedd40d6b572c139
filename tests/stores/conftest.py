"""What tests of an order's stores share."""

import pytest

from models.db import Database
from tests.conftest import MovableClock
from tests.relay.rows import Rows
from tests.shop import Shop
from tests.stores.desk import Desk
from workers.engine import ledgers


@pytest.fixture
def desk(database: Database, clock: MovableClock) -> Desk:
    shop = Shop(database).open()
    sku = shop.stock("one", near_store=2, warehouse=2)
    return Desk(Rows(database, clock.now()), ledgers(database, clock), clock, shop, sku)
