"""Histories of orders' runs: fetched from a server, kept as files, and replayed with the code as it is now."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from workflows.client import ShelfwayPlugin
from workflows.order import OrderWorkflow
from workflows.return_ import ReturnWorkflow

FOLDER = Path(__file__).parent / "histories"
FACTS = Path(__file__).parent / "facts.json"


async def replay(*histories: WorkflowHistory) -> None:
    """Raises what a worker would meet: a workflow that no longer does what it did then."""
    replayer = Replayer(workflows=[OrderWorkflow, ReturnWorkflow], plugins=[ShelfwayPlugin()])
    for history in histories:
        if any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in history.events):
            await replayer.replay_workflow(history)  # without a task done there is nothing, and it would wait for ever


async def histories_of(client: Client, order_id: str) -> list[WorkflowHistory]:
    """All runs of one order or return, the newest first: each names the one that it continues."""
    found: list[WorkflowHistory] = []
    run_id: str | None = None
    while run_id is None or run_id:
        history = await client.get_workflow_handle(order_id, run_id=run_id).fetch_history()
        found.append(history)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return found


async def until_at_rest(client: Client, order_id: str) -> None:
    """Returns when the run has nothing to do: no task, no activity; or when it is over."""
    handle = client.get_workflow_handle(order_id)
    length = None
    while True:
        seen = await handle.describe()
        busy = seen.raw_description.HasField("pending_workflow_task") or seen.raw_description.pending_activities
        if not busy and length == seen.history_length:
            return
        length = None if busy else seen.history_length
        await asyncio.sleep(0.05)


def stored(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(name, (FOLDER / f"{name}.json").read_text())


def store(name: str, history: WorkflowHistory) -> None:
    """One event a line. Who recorded it is nobody's business, so workers' names go."""
    events = [json.dumps(_nameless(event), separators=(",", ":")) for event in history.to_json_dict()["events"]]
    file = FOLDER / f"{name}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text('{"events":[\n' + ",\n".join(events) + "\n]}\n")


def _nameless(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"^\d+@[^-]*", "recorder", value)  # the SDK's `pid@host`, alone or in a sticky queue's name
    if isinstance(value, Mapping):
        return {key: _nameless(each) for key, each in value.items() if key != "stackTrace"}  # it names folders
    return [_nameless(each) for each in value] if isinstance(value, Sequence) else value


def facts_of(name: str) -> dict[str, Any]:
    """What came of the branch when its history was recorded."""
    return json.loads(FACTS.read_text())[name]


def store_facts(name: str, facts: Mapping[str, Any]) -> None:
    known = json.loads(FACTS.read_text()) if FACTS.exists() else {}
    FACTS.write_text(json.dumps({**known, name: facts}, indent=1, sort_keys=True) + "\n")
