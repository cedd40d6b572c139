"""The two webhook routes on a real inbox, and ways to sign what is sent to them."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import stripe
from fastapi import FastAPI

from api import errors
from api.webhooks import easypost as easypost_webhooks
from api.webhooks import stripe as stripe_webhooks
from models.config import Settings
from models.db import Database
from tests.conftest import MovableClock

Post = Callable[..., Any]


@pytest.fixture
def app(database: Database, clock: MovableClock) -> FastAPI:
    app = FastAPI()
    app.state.database, app.state.clock = database, clock
    app.state.settings = Settings(
        database_url="unused",
        stripe_webhook_secret="whsec_new",
        stripe_webhook_secret_previous="whsec_old",
        easypost_webhook_secret="new",
        easypost_webhook_secret_previous="old",
    )
    errors.install(app)
    app.include_router(stripe_webhooks.router)
    app.include_router(easypost_webhooks.router)
    return app


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shelfway") as client:
        yield client


def stripe_signed(event: dict[str, Any], secret: str, timestamp: int) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(event, indent=2)
    header = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp)
    return body.encode(), {"Stripe-Signature": header}


def easypost_signed(body: bytes, secret: str) -> dict[str, str]:
    return {"X-Hmac-Signature": "hmac-sha256-hex=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
