"""What a Query brings along never reaches the workflow; what a workflow task brings always does.

And the sandbox is not entered where there is nothing to be learned in it.
"""

from typing import Any

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import WorkflowSerializationContext

from workflows.guard import _Guarded

TASK, LATER = 100, 200
NEWS = ["initialize_workflow", "fire_timer", "signal_workflow", "resolve_activity", "do_update", "cancel_workflow"]
OWN = ["query_workflow", "remove_from_cache", "notify_has_patch", "update_random_seed"]


class Inner:
    """A workflow that takes everything and notes it."""

    def __init__(self) -> None:
        self.took: list[str | None] = []

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        self.took += [job.WhichOneof("variant") for job in act.jobs]
        return WorkflowActivationCompletion()


def activation(kind: str, at: int, *, replaying: bool = False, local: bool = False) -> WorkflowActivation:
    job: Any = WorkflowActivationJob()
    getattr(job, kind).SetInParent()
    if local:
        job.resolve_activity.is_local = True
    act = WorkflowActivation(jobs=[job], is_replaying=replaying)
    act.timestamp.FromNanoseconds(at)
    return act


def refused(*acts: WorkflowActivation) -> bool:
    """Whether the last one was kept from the workflow."""
    inner = Inner()
    guarded = _Guarded(inner)  # pyright: ignore[reportArgumentType] (it is asked for no more)
    completions = [guarded.activate(act) for act in acts]
    assert len(inner.took) + completions[-1].HasField("failed") == len(acts)
    return completions[-1].HasField("failed")


def replayed(at: int = TASK) -> WorkflowActivation:
    return activation("initialize_workflow", at, replaying=True)


@pytest.mark.parametrize("kind", NEWS)
def test_news_in_the_last_task_s_time_are_refused(kind: str) -> None:
    assert refused(replayed(), activation(kind, TASK))


@pytest.mark.parametrize("kind", NEWS)
def test_news_of_a_task_are_taken(kind: str) -> None:
    assert not refused(replayed(), activation(kind, LATER))
    assert not refused(replayed(), activation(kind, TASK, replaying=True))


@pytest.mark.parametrize("kind", OWN)
def test_the_worker_s_own_business_is_never_refused(kind: str) -> None:
    assert not refused(replayed(), activation(kind, TASK))


def test_a_local_activity_ends_within_its_task() -> None:
    assert not refused(replayed(), activation("resolve_activity", TASK, local=True))


def test_time_is_the_newest_that_was_seen() -> None:
    assert refused(replayed(LATER), activation("query_workflow", TASK), activation("fire_timer", LATER))


def test_no_context_is_asked_for_when_a_payload_is_coded() -> None:
    guarded = _Guarded(Inner())  # pyright: ignore[reportArgumentType] (it has no context to give)
    assert guarded.get_serialization_context(None) is None
    assert guarded.get_external_store_context(None).target is None


def test_the_context_makes_no_difference_when_our_converter_codes_a_payload() -> None:
    ours = pydantic_data_converter
    told = ours.with_context(WorkflowSerializationContext(namespace="shop", workflow_id="ord_1"))
    assert told.payload_converter is ours.payload_converter
    assert told.failure_converter is ours.failure_converter
    assert (told.payload_codec, told.external_storage) == (None, None)
