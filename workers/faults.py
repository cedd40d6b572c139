"""Fault points: places in an activity at which this process dies, once each, to show that nothing is lost by that.

SHELFWAY_FAULT_POINTS names a folder, shared by all workers. Whoever comes to a point first leaves a file of its name
there and kills its process with SIGKILL; later comers pass. Without the setting none of this is composed.

    capture:before                        the activity has done nothing yet
    capture.stripe.capture:before         it is planned in Postgres, and Stripe has not been asked
    capture.stripe.capture:after-effect   Stripe has answered, and nothing of that is recorded
    capture:after-commit                  all is recorded, and Temporal has not been told
"""

import os
import signal
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

T = TypeVar("T")


class FaultPoints(Interceptor):
    """All points of one process: those of activities as their interceptor, those of vendor calls around a gateway."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dying = threading.Lock()  # of two threads at points of their own only one dies, its mark written

    def reach(self, place: str) -> None:
        """A place in the running activity. The file names the run that was struck, and its age says when."""
        info = activity.info()
        with self._dying:
            try:
                with (self._folder / f"{info.activity_type}{place}").open("x") as mark:
                    mark.write(str(info.workflow_id))
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 (the SDK's)
        return _Inbound(next, self.reach)

    def around(self, gateway: T) -> T:
        """The gateway, with a point before and after each of its calls."""
        return cast("T", _Watched(gateway, self.reach))


def vendor_of(gateway: object) -> str:
    """How points name a gateway: by its module."""
    return type(gateway).__module__.rpartition(".")[2]


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, reach: Callable[[str], None]) -> None:
        super().__init__(inner)
        self._reach = reach

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (the SDK's name)
        self._reach(":before")
        answer = await super().execute_activity(input)
        self._reach(":after-commit")
        return answer


class _Watched:
    """Stands for a gateway: whatever is called is the gateway's own."""

    def __init__(self, gateway: object, reach: Callable[[str], None]) -> None:
        self._gateway = gateway
        self._reach = reach

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._gateway, name)

        @wraps(call)
        def watched(*args: Any, **kwargs: Any) -> Any:
            place = f".{vendor_of(self._gateway)}.{name}"
            self._reach(f"{place}:before")
            answer = call(*args, **kwargs)
            self._reach(f"{place}:after-effect")
            return answer

        return watched
