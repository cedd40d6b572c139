"""All configuration, from the environment, read by the composition roots alone (`workers`, `api.app`, `cli`).

Temporal's own variables (`TEMPORAL_ADDRESS`, namespace, TLS, API key) are read by `temporalio.envconfig`.
"""

from typing import Any

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    worker_threads: int = 16
