"""The event loop of our own processes, uvloop where there is one, and how they say that they are ready and alive."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

BEAT: Final = 5.0  # seconds


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run it to its end."""
    if sys.platform == "win32":
        asyncio.run(main)
        return
    import uvloop  # noqa: PLC0415 (not on Windows)

    uvloop.run(main)


def say_ready(heartbeat: Path | None, **what: object) -> None:
    """One line of JSON on stdout. From then on the file `heartbeat` is touched every few seconds, while the loop turns.

    Whoever watches a process without a port, as a container's health check does, looks at the file's age.
    """
    print(json.dumps({"event": "ready", **what}), flush=True)  # noqa: T201
    if heartbeat is not None:
        _beat(heartbeat)


def _beat(heartbeat: Path) -> None:
    heartbeat.touch()
    asyncio.get_running_loop().call_later(BEAT, _beat, heartbeat)
