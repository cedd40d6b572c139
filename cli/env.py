"""Which environment variables the processes of one checkout get, and where things of the checkout are kept.

This is the only place that turns "where is it" into configuration. It must not start anything.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cli.demo.places import PLACES
from cli.processes import ROOT
from models.config import DEMO_KEY

STATE = Path(os.environ.get("SHELFWAY_STATE") or ROOT / ".shelfway").absolute()
LOGS = STATE / "log"
DATABASE = "shelfway"

_OWNERS = ("SHELFWAY_OWNER_DATABASE_URL", "DATABASE_URL")
DEMO_ROLES = ("storefront", "cs", "ops", "admin")


@dataclass(frozen=True)
class Places:
    """Where everything that runs is. None: the vendor itself, or somebody's own server without a known UI.

    `temporal_ui_url` is that of the namespace, under which `/workflows/{id}` is a run.
    """

    api_url: str
    owner_database_url: str
    database_url: str
    temporal_address: str | None
    temporal_namespace: str
    temporal_ui_url: str | None
    stripe_url: str | None
    easypost_url: str | None

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """Where things are by the variables that `environment` made of it."""
        return cls(
            api_url=variables["SHELFWAY_PUBLIC_URL"],
            owner_database_url=variables["SHELFWAY_OWNER_DATABASE_URL"],
            database_url=variables["SHELFWAY_DATABASE_URL"],
            temporal_address=variables.get("TEMPORAL_ADDRESS"),
            temporal_namespace=variables.get("TEMPORAL_NAMESPACE", "default"),
            temporal_ui_url=variables.get("SHELFWAY_TEMPORAL_UI_URL"),
            stripe_url=variables.get("SHELFWAY_STRIPE_API_BASE"),
            easypost_url=variables.get("SHELFWAY_EASYPOST_API_BASE"),
        )


def environment(places: Places) -> dict[str, str]:
    """Ours, over the one that we were started with; without the database's owner, whom no process of ours needs.

    A `temporal_address` of None leaves Temporal's own variables as they are.
    """
    variables = {name: value for name, value in os.environ.items() if name not in _OWNERS}
    if places.temporal_address:
        variables = {name: value for name, value in variables.items() if not name.startswith("TEMPORAL_")}
        variables["TEMPORAL_ADDRESS"] = places.temporal_address
        variables["TEMPORAL_NAMESPACE"] = places.temporal_namespace
        variables["TEMPORAL_CONFIG_FILE"] = os.devnull  # nobody's profile turns TLS on for our own server
    ours = {
        "SHELFWAY_DATABASE_URL": places.database_url,
        "SHELFWAY_PUBLIC_URL": os.environ.get("SHELFWAY_PUBLIC_URL", places.api_url),
        "SHELFWAY_TEMPORAL_UI_URL": places.temporal_ui_url,
        "SHELFWAY_STRIPE_API_BASE": places.stripe_url,
        "SHELFWAY_EASYPOST_API_BASE": places.easypost_url,
        "SHELFWAY_API_KEYS": os.environ.get("SHELFWAY_API_KEYS", demo_keys()),
        "PYTHONUNBUFFERED": "1",
    }
    return variables | {name: value for name, value in ours.items() if value}


def demo_keys() -> str:
    """The named keys of the demo: one a role (`demo-cs`), and one a store or warehouse (`demo-store-soho`)."""
    keys = {f"{DEMO_KEY}{role}": {"role": role} for role in DEMO_ROLES}
    keys |= {store_key(place.id): {"role": "store", "location_id": place.id} for place in PLACES}
    return json.dumps({key: {"id": key, **entry} for key, entry in keys.items()})


def store_key(location_id: str) -> str:
    """The demo's key of one location, for which nothing exists but its own."""
    return DEMO_KEY + location_id.removeprefix("loc_").replace("_", "-")


def api_key() -> str:
    """The key that our own calls send: `SHELFWAY_API_KEY`, else the demo's for operations."""
    return os.environ.get("SHELFWAY_API_KEY", "demo-ops")


class RunningFile:
    """What an `up` of this checkout left word of: its variables and its processes, for `down`, `check` and others.

    The variables are those of its processes, and `SHELFWAY_OWNER_DATABASE_URL`.
    """

    path = STATE / "running.json"

    @classmethod
    def write(cls, variables: Mapping[str, str], processes: list[dict[str, object]]) -> None:
        """Only what differs from our own environment is kept, and for us alone."""
        kept = {name: value for name, value in variables.items() if os.environ.get(name) != value}
        partial = cls.path.with_suffix(".new")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps({"environment": kept, "processes": processes}, indent=1) + "\n")
        partial.replace(cls.path)

    @classmethod
    def read(cls) -> tuple[dict[str, str], list[dict[str, object]]]:
        """Empty when there is none."""
        if not cls.path.exists():
            return {}, []
        kept = json.loads(cls.path.read_text())
        return kept["environment"], kept["processes"]

    @classmethod
    def remove(cls) -> None:
        cls.path.unlink(missing_ok=True)


def found_running() -> bool:
    """Whether the environment names a database; else what an `up` of this checkout runs is taken. Says if none is."""
    if not os.environ.get("SHELFWAY_DATABASE_URL"):
        kept, _ = RunningFile.read()
        os.environ.update(kept)
    found = bool(os.environ.get("SHELFWAY_DATABASE_URL"))
    if not found:
        print("Nothing of this checkout runs: `./shelfway up` first, or set SHELFWAY_DATABASE_URL.")
    return found
