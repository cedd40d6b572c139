"""What timed out or failed in the orders' runs: nothing should, however many orders are in flight."""

from typing import Final

from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

_BAD: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
        EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    }
)


async def timeouts(client: Client) -> int:
    """Workflow tasks and activities, and local steps that had to be done again as activities."""
    found = 0
    async for run in client.list_workflows('WorkflowType = "OrderWorkflow"'):
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        found += sum(_is_bad(event) for event in history.events)
    return found


def _is_bad(event: HistoryEvent) -> bool:
    """A workflow task that only waited too long for the worker that knows the run was not begun: it is none."""
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        attributes = event.workflow_task_timed_out_event_attributes
        return attributes.timeout_type != TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
    return event.event_type in _BAD or event.marker_recorded_event_attributes.HasField("failure")
