"""How each kind of step is run: queues, timeouts and retries by purpose, and the one helper for Postgres-only steps."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as StepTimeoutError
from temporalio.workflow import ActivityCancellationType, ActivityConfig

with workflow.unsafe.imports_passed_through():
    from models.ids import TASK_QUEUE_ORDERS, TASK_QUEUE_PAYMENTS, TASK_QUEUE_SHIPPING
    from models.messages.base import Message

DATABASE: Final[ActivityConfig] = ActivityConfig(
    task_queue=TASK_QUEUE_ORDERS,
    start_to_close_timeout=timedelta(seconds=10),
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
)

CARD_NETWORK: Final[ActivityConfig] = ActivityConfig(
    task_queue=TASK_QUEUE_PAYMENTS,
    start_to_close_timeout=timedelta(seconds=20),
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30)),
)

CARRIER: Final[ActivityConfig] = ActivityConfig(
    task_queue=TASK_QUEUE_SHIPPING,
    start_to_close_timeout=timedelta(seconds=20),
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30)),
)

_LOCAL_TRY: Final = timedelta(seconds=2)
# A local activity raises what it failed with as it is; only a regular one's is wrapped.
_FAILED: Final = (ActivityError, ApplicationError, StepTimeoutError)

L = TypeVar("L")


def type_of(error: ActivityError) -> str:
    """The name of what a step failed with for good."""
    return getattr(error.cause, "type", None) or type(error.cause).__name__


async def in_postgres(step: Callable[[Any, Any], L], message: Message, summary: str) -> L:
    """Run a step that is one transaction: as a local activity first, then as a regular one with the server's retries.

    Safe because its operation id makes doing it twice doing it once. A local one that retried through an outage would
    write three events every eight seconds; a regular one waits at the server.
    """
    try:
        return await workflow.execute_local_activity_method(
            step,
            message,
            start_to_close_timeout=_LOCAL_TRY,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_attempts=2),
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=summary,
        )
    except _FAILED:
        return await remotely(step, message, summary, DATABASE)


async def remotely(step: Callable[[Any, Any], L], message: Message, summary: str, options: ActivityConfig) -> L:
    """Run a step as a regular activity, retried by the server without end. Vendors' effects always are."""
    labelled: ActivityConfig = {**options, "summary": summary}
    return await workflow.execute_activity_method(step, message, **labelled)
