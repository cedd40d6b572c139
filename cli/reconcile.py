"""`./shelfway reconcile`: a round of reconciliation now, whatever is due. The relay does the same all the time."""

import asyncio
from collections.abc import Mapping

from cli.env import found_running


def reconcile_running() -> int:
    """On what the environment names, or an `up` of this checkout runs. Prints what was mended; 1 if a part failed."""
    if not found_running():
        return 1
    found = asyncio.run(_round())
    for part, mended in found.items():
        print(f"{part:22} {mended}")
    return int(any(isinstance(mended, str) for mended in found.values()))


async def _round() -> Mapping[str, int | str]:
    from models.clock import SystemClock
    from models.config import Settings
    from models.db import Database
    from workers.engine import gateways
    from workers.reconciliation import look, reconciliation
    from workers.relay import TemporalRuns

    settings = Settings()  # pyright: ignore[reportCallIssue] (read from the environment)
    db = Database(settings.database_url, pool_size=4, lock_timeout=1000, statement_timeout=1500)
    try:
        parts = reconciliation(db, SystemClock(), TemporalRuns(), gateways(settings), link=settings.public_url)
        return await look(parts)
    finally:
        db.dispose()
