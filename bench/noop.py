"""The yardstick: a workflow that does nothing, on the same server. `python -m bench.noop` is its worker."""

import asyncio

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from workflows.client import connect

QUEUE = "noop"


@workflow.defn
class NoOp:
    """Starts and ends."""

    @workflow.run
    async def run(self) -> None:
        return


@workflow.defn
class EmptyUpdate:
    """Waits, and answers an Update with nothing."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def nothing(self) -> None:
        return


async def serve(client: Client) -> None:
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[NoOp, EmptyUpdate],
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
    ):
        print('{"event": "ready"}', flush=True)
        await asyncio.Event().wait()


async def main() -> None:
    await serve(await connect())


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
