"""Vendor calls that fail, each the first time that a run makes it, in the way that was chosen for that run.

Nothing is named by hand: the calls are those of the gateways' protocols, and the places those at which a gateway's
source asks the vendor's client. A request carries its fault to the sandbox, so it does not matter what else is under way.
"""

import ast
import inspect
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, get_type_hints

import pytest
import requests
from temporalio import activity

from activities.gateways import easypost, stripe
from models.config import Settings
from sandbox.faults import HEADER
from workers import engine
from workers.faults import FaultPoints, vendor_of

PATIENCE: Final = 0.7  # seconds that a client waits for an answer, instead of production's 4
WAYS: Final[Mapping[str, Mapping[str, Any]]] = {
    "fails before": {"kind": "fail_before"},
    "fails after the effect": {"kind": "fail_after"},
    "hangs": {"kind": "hang", "after": True, "seconds": 2 * PATIENCE},
    "429": {"kind": "error", "status": 429, "headers": {"retry-after": "1"}},
    "500 stored under the key": {"kind": "fail_before", "stored": True},
    "connection dropped after the effect": {"kind": "drop_after"},
    "nonsense": {"kind": "garbage", "after": True},
}
AGAIN: Final = WAYS["connection dropped after the effect"]  # for a second try: what it did is there to be found
REFUSED: Final = {"kind": "error", "status": 422, "after": True}
# what a vendor may refuse to do twice, where our sandbox answers
REFUSED_TWICE: Final = {"easypost: shipment.refund in refund"}
GATEWAYS: Final = (stripe, easypost)
_CLIENT: Final = "self._client"


class Failing(FaultPoints):
    """`way_of` names the way in which a run's calls fail; None: they do not. `met`: which call or place met which way."""

    def __init__(self, way_of: Callable[[str], str | None]) -> None:
        self._way_of = way_of
        self._here = threading.local()
        self._tries: Counter[tuple[str, ...]] = Counter()
        self._lock = threading.Lock()
        self._places = places()
        self.met: set[tuple[str, str]] = set()

    def reach(self, place: str) -> None:
        """`.stripe.capture:before`: whatever this thread asks of a vendor from here on is asked by that call."""
        call = place.removeprefix(".")
        self._here.call = call.removesuffix(":before") if call.endswith(":before") and call != place else None

    def fault_of(self, method: str) -> Mapping[str, Any] | None:
        """How the request that is about to be sent fails."""
        call: str | None = getattr(self._here, "call", None)
        if call is None:
            return None
        run, step = _at_work()
        way, place = self._way_of(run), _asking(self._places)
        if way is None or place is None:
            return None
        with self._lock:
            told = (run, step, call, place)
            self._tries[told] += 1
            tries = self._tries[told]
            if tries == 1:
                self.met |= {(call, way), (place, way)}
        if tries == 1:
            return WAYS[way]
        if tries == 2 and method == "POST":
            return AGAIN
        return REFUSED if place in REFUSED_TWICE else None


@contextmanager
def short_of_patience_with(failing: Failing) -> Iterator[None]:
    """Both vendors' clients give up soon, and their requests carry the faults."""
    send = requests.adapters.HTTPAdapter.send

    def sent(adapter: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, *how: Any, **more: Any) -> Any:
        if (fault := failing.fault_of(request.method or "")) is not None:
            request.headers[HEADER] = json.dumps(fault)
        return send(adapter, request, *how, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", sent)
        for gateway in GATEWAYS:
            patch.setattr(gateway, "TIMEOUT", PATIENCE)
        yield


def calls(settings: Settings) -> Iterator[str]:
    """Every call of both gateways' protocols."""
    protocols = get_type_hints(engine.gateways)["return"].__args__
    for gateway, port in zip(engine.gateways(settings), protocols, strict=True):
        yield from (f"{vendor_of(gateway)}.{call}" for call in vars(port) if not call.startswith("_"))


def places() -> Mapping[tuple[str, int], str]:
    """Every place at which a gateway asks its vendor's client for something, by file and line."""
    found: dict[tuple[str, int], str] = {}
    for gateway in GATEWAYS:
        tree, vendor = ast.parse(inspect.getsource(gateway)), gateway.__name__.rpartition(".")[2]
        asked = [(method.name, call) for method in _methods_in(tree) for call in _asked_in(method)]
        for method, call in asked:
            place = f"{vendor}: {ast.unparse(call.func).removeprefix(f'{_CLIENT}.')} in {method}"
            found |= {(str(gateway.__file__), line): place for line in range(call.lineno, _end(call) + 1)}
        read = [each for each in ast.walk(tree) if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Load)]
        mentioned = sum(ast.unparse(each) == _CLIENT for each in read)
        assert mentioned == len(asked), f"{vendor}: a client that is asked under another name is not seen"
    return found


def _at_work() -> tuple[str, str]:
    """The run and the step that this thread is busy with; none in the relay."""
    if not activity.in_activity():
        return "", ""
    info = activity.info()
    return str(info.workflow_id), info.activity_type


def _methods_in(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for each in tree.body:
        if isinstance(each, ast.ClassDef):
            yield from (method for method in each.body if isinstance(method, ast.FunctionDef))


def _asked_in(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and re.fullmatch(rf"{_CLIENT}(\.\w+)+", ast.unparse(node.func)):
            yield node


def _end(node: ast.Call) -> int:
    return node.end_lineno or node.lineno


def _asking(places: Mapping[tuple[str, int], str]) -> str | None:
    """The place in a gateway's source that this thread is at."""
    frame = inspect.currentframe()
    while frame is not None:
        if place := places.get((frame.f_code.co_filename, frame.f_lineno)):
            return place
        frame = frame.f_back
    return None
