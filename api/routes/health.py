"""Is it alive, is it ready. Both are open to everybody and say nothing about anybody."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.deps import DatabaseDep, TemporalDep
from models.stores.readiness import Readiness, readiness

router = APIRouter(tags=["ops"])


class Alive(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})
    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """`temporal` is reported and not required: orders are accepted and read while it is away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ready", "database": "migrated", "temporal": True}]}
    )
    status: Literal["ready", "not_ready"]
    database: Annotated[Readiness, Field(description="Postgres and its schema.")]
    temporal: bool


@router.get("/healthz")
def healthz() -> Alive:
    """The process answers."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Ready, "description": "Postgres is away or not migrated."}})
async def readyz(database: DatabaseDep, runs: TemporalDep, response: Response) -> Ready:
    """Orders can be taken: Postgres is reached and migrated."""
    state = await run_in_threadpool(readiness, database)
    if state != "migrated":
        response.status_code = 503
    return Ready(status="ready" if state == "migrated" else "not_ready", database=state, temporal=await runs.answers())
