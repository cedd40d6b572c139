"""Who may be served: what everybody knows lets nobody at real money, parcels or people."""

from typing import Any

import pytest
from pydantic import SecretStr

from models.config import Settings

OWN = {
    "stripe_webhook_secret": SecretStr("whsec_own"),
    "easypost_webhook_secret": SecretStr("own"),
    "api_keys": {"k1": {"role": "cs", "id": "mia"}},
}
DEMO_KEYS = {"api_keys": {"demo-cs": {"role": "cs", "id": "demo-cs"}}}
SANDBOX = {"stripe_webhook_secret": SecretStr("whsec_sandbox"), "easypost_webhook_secret": SecretStr("sandbox")}


def settings(**given: Any) -> Settings:
    safe = {"stripe_api_key": SecretStr("sk_test_1"), "easypost_api_key": SecretStr("EZTK1"), **OWN}
    return Settings(database_url="postgresql+psycopg://nobody@localhost/none", **{**safe, **given})


REAL = [
    ({"stripe_api_key": SecretStr("sk_live_1")}, "STRIPE_API_KEY"),
    ({"stripe_api_key": SecretStr("rk_live_1")}, "STRIPE_API_KEY"),
    ({"stripe_live": True}, "STRIPE_API_KEY"),
    ({"easypost_api_key": SecretStr("EZAK1")}, "EASYPOST_API_KEY"),
    ({"public_url": "https://orders.example"}, "SHELFWAY_PUBLIC_URL"),
    ({"public_url": "http://192.0.2.1:8000"}, "SHELFWAY_PUBLIC_URL"),
]
KNOWN = [
    ({"stripe_webhook_secret": SecretStr("whsec_sandbox")}, "SHELFWAY_STRIPE_WEBHOOK_SECRET"),
    ({"stripe_webhook_secret": SecretStr("")}, "SHELFWAY_STRIPE_WEBHOOK_SECRET"),
    ({"stripe_webhook_secret_previous": SecretStr("whsec_sandbox")}, "SHELFWAY_STRIPE_WEBHOOK_SECRET_PREVIOUS"),
    ({"easypost_webhook_secret": SecretStr("sandbox")}, "SHELFWAY_EASYPOST_WEBHOOK_SECRET"),
    ({"easypost_webhook_secret_previous": SecretStr("sandbox")}, "SHELFWAY_EASYPOST_WEBHOOK_SECRET_PREVIOUS"),
    (DEMO_KEYS, "SHELFWAY_API_KEYS"),
]


@pytest.mark.parametrize(("real", "names"), REAL)
@pytest.mark.parametrize(("known", "setting"), KNOWN)
def test_start_is_refused_naming_the_setting_when_something_is_real_and_a_key_is_public(
    real: dict[str, Any], names: str, known: dict[str, Any], setting: str
):
    why = settings(**real, **known).unsafe()
    assert why
    assert why.startswith(f"{setting} ")
    assert names in why


@pytest.mark.parametrize("public_url", ["http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:8000"])
def test_start_is_allowed_when_all_is_of_the_sandboxes_and_of_this_machine(public_url: str):
    assert settings(public_url=public_url, **SANDBOX, **DEMO_KEYS).unsafe() is None


@pytest.mark.parametrize(("real", "_"), REAL)
def test_start_is_allowed_when_every_key_and_secret_is_ones_own(real: dict[str, Any], _: str):
    assert settings(**real).unsafe() is None
