"""What fault points saw: who died where, how long until the step was in hand again, and where nobody died yet.

Nothing is named by hand: the activities are those that workers serve, the calls those of the gateways' protocols.
"""

import ast
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from temporalio import activity
from temporalio.worker import Worker

import activities
from models.config import Settings
from models.ids import TASK_QUEUE_ORDERS
from workers import engine
from workers.faults import FaultPoints, vendor_of

BEFORE, AFTER_EFFECT, AFTER_COMMIT = ":before", ":after-effect", ":after-commit"


class Traced(FaultPoints):
    """Notes every place that is reached, since a mark tells of the first alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._trace = trace_of(folder)

    def reach(self, place: str) -> None:
        info = activity.info()
        with self._trace.open("a") as trace:
            trace.write(f"{time.time()} {info.workflow_id} {info.activity_type} {place}\n")
        super().reach(place)


def trace_of(folder: Path) -> Path:
    return folder.with_suffix(".trace")


@dataclass(frozen=True)
class Death:
    """`again`: seconds until another worker had that step of that run in hand; None where nobody needed to."""

    point: str
    again: float | None


def deaths(folder: Path) -> list[Death]:
    """All that the marks in the folder tell."""
    began: dict[tuple[str, str], list[float]] = {}
    for line in trace_of(folder).read_text().splitlines():
        at, run, step, place = line.split(" ")
        if place == BEFORE:
            began.setdefault((run, step), []).append(float(at))
    return [_death(mark, began) for mark in sorted(folder.iterdir())]


def _death(mark: Path, began: dict[tuple[str, str], list[float]]) -> Death:
    died, step = mark.stat().st_mtime, mark.name.partition(":")[0].partition(".")[0]
    later = [at - died for at in began[mark.read_text(), step] if at > died]
    return Death(mark.name, min(later, default=None))


def not_struck(struck: Iterable[str], served: Iterable[Worker], settings: Settings) -> set[str]:
    """Where nobody died, of all activities that these workers serve and all vendor calls that activities make."""
    points = set(struck)
    anywhere = {point.partition(".")[2] for point in points}  # a call, whichever activity made it
    effects = {point.partition(".")[0] + AFTER_EFFECT for point in points if point.endswith(AFTER_EFFECT)}
    return (set(_of_activities(served)) - points - effects) | (set(_of_calls(settings)) - anywhere)


def _of_activities(served: Iterable[Worker]) -> Iterator[str]:
    """Those on a vendor's queue have an effect there."""
    for worker in served:
        places = (BEFORE, AFTER_COMMIT, *([AFTER_EFFECT] if worker.task_queue != TASK_QUEUE_ORDERS else []))
        served_here: Iterable[Any] = worker.config().get("activities", ())
        for each in served_here:
            yield from (each.__temporal_activity_definition.name + place for place in places)


def _of_calls(settings: Settings) -> Iterator[str]:
    """What a gateway's protocol has for the relay alone no activity calls."""
    protocols = get_type_hints(engine.gateways)["return"].__args__
    called = set(_called_in(Path(activities.__file__).parent))
    for gateway, port in zip(engine.gateways(settings), protocols, strict=True):
        for call in called & set(vars(port)):
            yield from (f"{vendor_of(gateway)}.{call}{place}" for place in (BEFORE, AFTER_EFFECT))


def _called_in(folder: Path) -> Iterator[str]:
    """The names of all methods that are called in the modules of this folder."""
    for module in folder.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr
