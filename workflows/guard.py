"""A run is moved by workflow tasks alone: what a Query brings along is refused, and the run forgotten by this worker.

A worker that does not know a run replays it for a Query. Where its history has news after the last completed task (a
timer fired, a Signal came, while no worker was there), the SDK (1.35) lets the workflow act on them at once, in the old
time and apart from what the real task will bring: an Update in it then stands after them here and before them in every
replay, and the order is stuck with a nondeterminism error. So that activation fails, which fails the Query alone. The
real task comes within the sticky timeout.
"""

from typing import Any, Final

from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

_OF_THE_WORKER: Final = frozenset({"query_workflow", "remove_from_cache", "notify_has_patch", "update_random_seed"})


class GuardedRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox, whose instances take news from workflow tasks alone."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Guarded(super().create_instance(det))


class _Guarded(WorkflowInstance):
    """`_time` is that of the newest activation. Each workflow task has a later one; a Query has the last task's."""

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner
        self._time = 0

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        time, before = act.timestamp.ToNanoseconds(), self._time
        self._time = max(time, before)
        if time <= before and not act.is_replaying and any(_is_news(job) for job in act.jobs):
            refused = WorkflowActivationCompletion()
            refused.failed.failure.message = "no worker knows this run's newest events yet: ask again in a moment"
            return refused
        return self._inner.activate(act)

    def get_serialization_context(self, command_info: Any) -> None:
        """None, without entering the sandbox for each payload: our converter does the same in every context."""

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:  # noqa: ARG002
        """None either: payloads are never stored elsewhere."""
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()


def _is_news(job: WorkflowActivationJob) -> bool:
    """From outside the worker; the end of a local activity is the worker's own, and comes within a task."""
    kind = job.WhichOneof("variant")
    if kind == "resolve_activity":
        return not job.resolve_activity.is_local
    return kind not in _OF_THE_WORKER
