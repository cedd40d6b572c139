"""All configuration, from the environment, read by the composition roots alone (`workers`, `api.app`, `cli`).

Temporal's own variables (`TEMPORAL_ADDRESS`, namespace, TLS, API key) are read by `temporalio.envconfig`.
"""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEMO_KEY: Final = "demo-"  # what the demo's API keys begin with: whoever reads the README knows them
_SANDBOX_SECRETS: Final = ("", "whsec_sandbox", "sandbox")


def _named(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class Settings(BaseSettings):
    """A field is the environment variable `SHELFWAY_…` of its name, but for those that name their own."""

    model_config = SettingsConfigDict(env_prefix="SHELFWAY_", extra="ignore", populate_by_name=True)

    database_url: str = Field(validation_alias=_named("SHELFWAY_DATABASE_URL", "DATABASE_URL"))
    public_url: str = "http://127.0.0.1:8000"
    temporal_ui_url: str | None = None
    stripe_api_key: SecretStr = Field(SecretStr("sk_test_sandbox"), validation_alias=_named("STRIPE_API_KEY"))
    stripe_api_base: str | None = None
    stripe_live: bool = False
    stripe_webhook_secret: SecretStr = SecretStr("whsec_sandbox")
    stripe_webhook_secret_previous: SecretStr | None = None
    easypost_api_key: SecretStr = Field(SecretStr("EZTKsandbox"), validation_alias=_named("EASYPOST_API_KEY"))
    easypost_api_base: str | None = None
    easypost_webhook_secret: SecretStr = SecretStr("sandbox")
    easypost_webhook_secret_previous: SecretStr | None = None
    api_keys: dict[str, dict[str, Any]] = {}
    waits: dict[str, Any] = {}
    reconcile_every: dict[str, timedelta] = {}  # by part, where it is not `workers.reconciliation.EVERY`
    worker_threads: int = 16
    fault_points: Path | None = None  # tests: where a worker that died at a point leaves its mark
    heartbeat_file: Path | None = None

    def unsafe(self) -> str | None:
        """Why nobody may be served so: something here is real, and something that lets people in is public."""
        real, known = next(self._real(), None), next(self._known_to_all(), None)
        return f"{known}, while {real}: set one of your own." if real and known else None

    def _real(self) -> Iterator[str]:
        if self.stripe_live or self.stripe_api_key.get_secret_value().startswith(("sk_live_", "rk_live_")):
            yield "STRIPE_API_KEY is live"
        if not self.easypost_api_key.get_secret_value().startswith("EZTK"):
            yield "EASYPOST_API_KEY is no test key"
        if not _is_loopback(urlsplit(self.public_url).hostname or ""):
            yield "SHELFWAY_PUBLIC_URL is not of this machine alone"

    def _known_to_all(self) -> Iterator[str]:
        for name in ("stripe_webhook_secret", "easypost_webhook_secret"):
            for field in (name, f"{name}_previous"):
                secret: SecretStr | None = getattr(self, field)
                if secret is not None and secret.get_secret_value() in _SANDBOX_SECRETS:
                    yield f"SHELFWAY_{field.upper()} is the sandbox's, which everybody knows"
        if any(key.startswith(DEMO_KEY) for key in self.api_keys):
            yield "SHELFWAY_API_KEYS has a key of the demo's, which everybody knows"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
