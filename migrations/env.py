"""Runs the migrations as the owner: one at a time in the cluster, and never waiting long for a lock."""

from alembic import context
from sqlalchemy import create_engine, text

import models.tables.catalogue
import models.tables.messages
import models.tables.orders
import models.tables.payments
import models.tables.returns
import models.tables.shipments
import models.tables.stock  # noqa: F401
from models.tables.base import Base

_ADVISORY_LOCK = 7_235_571  # any fixed number: two migrations never run at once


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    if url is None:
        raise RuntimeError("no database url was given")
    engine = create_engine(url, connect_args={"options": "-c lock_timeout=5000 -c statement_timeout=60000"})
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": _ADVISORY_LOCK})
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
