"""How an activity's exception reaches the server: its type and whether to try again, and never a person's data."""

from datetime import timedelta
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from models.db import is_passing
from models.errors import ShelfwayError, VendorUnavailableError, frames_of

log = structlog.get_logger()


class ErrorsByType(Interceptor):
    """One place that decides which errors are tried again. Refusals are results and never come here."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 (the SDK's)
        return _Inbound(next)


class _Inbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (the SDK's name)
        try:
            return await super().execute_activity(input)
        except ApplicationError:
            raise
        except Exception as error:  # noqa: BLE001 (every kind is mapped, none swallowed)
            raise _as_application_error(error) from None


def _as_application_error(error: Exception) -> ApplicationError:
    """Messages of our own errors are safe to show; of any other only the type is told, and the log has the rest."""
    kind = type(error).__name__
    info = activity.info()
    told = {"activity": info.activity_type, "order": info.workflow_id, "attempt": info.attempt, "error": kind}
    log.warning("activity.failed", **told)
    if not isinstance(error, ShelfwayError):
        if not is_passing(error):
            log.error("activity.broken", at=frames_of(error), **told)
        return ApplicationError(kind, type=kind, non_retryable=not is_passing(error))
    pause = error.retry_after if isinstance(error, VendorUnavailableError) else None
    delay = timedelta(seconds=pause) if pause else None
    return ApplicationError(str(error), type=kind, non_retryable=not error.retryable, next_retry_delay=delay)
