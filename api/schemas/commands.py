"""What came of a command, and what an order's run shows of itself."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.base import Out
from api.schemas.orders import OrderOut
from api.schemas.returns import ReturnOut
from api.schemas.samples import COMMAND, RUN
from api.schemas.shipments import ShipmentOut
from models.words import CommandKind, OrderStatus


class OutcomeOut(Out):
    done: bool
    code: str
    message: str
    detail: dict[str, Any]


class CommandOut(Out):
    """A command that was recorded. `state` is `done`, or (with 202) not known yet: `cancelling` or `pending`."""

    model_config = ConfigDict(json_schema_extra={"examples": [COMMAND]})
    object: Literal["command"] = "command"
    id: str
    kind: CommandKind
    state: Literal["done", "pending", "cancelling"]
    outcome: OutcomeOut | None
    order: Annotated[OrderOut | None, Field(description="As it now is, where the command was about an order.")] = None
    shipment: Annotated[ShipmentOut | None, Field(description="As it now is, where it was about a shipment.")] = None
    returned: Annotated[ReturnOut | None, Field(description="As it now is, where it was about a return.")] = None


class WaitingOut(Out):
    """One thing that the run waits for, until when, and whose turn it is."""

    on: str
    what: str
    until: str | None
    turn: str


class RunOut(Out):
    """The live run of an order. `state`: `open`, `over` (the order is closed), `away` (Temporal does not answer)."""

    model_config = ConfigDict(json_schema_extra={"examples": [RUN]})
    object: Literal["run"] = "run"
    order: str
    state: Literal["open", "over", "away"]
    status: OrderStatus
    waits: list[WaitingOut]
    temporal_ui: str | None
