"""EasyPost's webhooks: the signature over the raw bytes, then one inbox row, then 200. It acts on nothing.

The signature has no time in it, so an old message may come again: it has the same id, and is kept once.
"""

from collections.abc import Sequence
from typing import Any

from easypost.errors import SignatureVerificationError
from easypost.util import validate_webhook
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from api.deps import SettingsDep
from api.errors import ProblemError, problems
from api.webhooks.taking import InboxDep, malformed
from models.heard_easypost import heard_of

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
