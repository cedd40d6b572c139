"""Runs Alembic's migrations in this process; `migrations/env.py` takes the lock and sets the limits of time."""

from alembic import command
from alembic.config import Config

from cli.processes import ROOT


def config_for(owner_url: str) -> Config:
    """Alembic's configuration for a database, as its owner."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    return config


def migrate(owner_url: str, revision: str = "head") -> None:
    """Brings the schema to a revision. Raises what the database raises; nothing is half done then."""
    command.upgrade(config_for(owner_url), revision)
