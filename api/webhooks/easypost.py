"""EasyPost's webhooks: the signature over the raw bytes, then one inbox row, then 200. It acts on nothing.

The signature has no time in it, so an old message may come again: it has the same id, and is kept once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from easypost.errors import SignatureVerificationError
from easypost.util import validate_webhook
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from api.deps import SettingsDep
from api.errors import ProblemError, problems
from api.webhooks.taking import InboxDep, malformed
from models.news import SCANS
from models.stores.inbox import Heard

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("/easypost", responses=problems(400, 401), response_class=Response)
async def receive_easypost(request: Request, inbox: InboxDep, settings: SettingsDep) -> Response:
    """Take one event of EasyPost's. Safe to repeat: an event is kept once, by its id."""
    body = await request.body()
    secrets = [settings.easypost_webhook_secret, settings.easypost_webhook_secret_previous]
    event = verified(body, request.headers, [secret.get_secret_value() for secret in secrets if secret])
    try:
        heard = heard_of(event)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise malformed() from None
    if heard is not None:
        await run_in_threadpool(inbox.take, heard)
    return Response(status_code=200)


def verified(body: bytes, headers: Headers, secrets: Sequence[str]) -> dict[str, Any]:
    """The event; raises a 401 problem unless one of the secrets signed these very bytes."""
    for secret in secrets:
        try:
            return validate_webhook(body, headers, secret)  # pyright: ignore[reportArgumentType] (a plain dict fails)
        except (SignatureVerificationError, TypeError):  # TypeError: a header that is not ASCII
            continue
        except ValueError:
            raise malformed() from None
    raise ProblemError(401, "bad_signature", "The signature does not fit the body.")


def heard_of(event: dict[str, Any]) -> Heard | None:
    """A tracker's event in our words; None for any other."""
    if not str(event["description"]).startswith("tracker."):
        return None
    tracker = event["result"]
    details: list[dict[str, Any]] = tracker.get("tracking_details") or []
    payload = {
        "status": tracker["status"],
        "detail": tracker.get("status_detail"),
        "scanned": any(detail.get("status") in SCANS for detail in details),
        "tracker": tracker["id"],
        "expected": tracker.get("est_delivery_date"),
    }
    return Heard(
        id=str(event["id"]),
        source="easypost",
        kind=f"tracking.{tracker['status']}",
        subject=str(tracker["tracking_code"]),
        occurred_at=_when(details[-1]["datetime"] if details else tracker["updated_at"]),
        payload={name: value for name, value in payload.items() if value is not None},
    )


def _when(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at
