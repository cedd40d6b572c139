"""What a person asks of a running order, and the answers. Who, why and how much stand in the command's row."""

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from models.messages.base import Message
from models.words import CommandKind

_CODE: Final = StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")  # what a column can hold


class Cancel(Message):
    """The one object of the cancel Update and Signal; from Temporal's UI `{"actor": "ops", "reason": "fraud"}` will do.

    No units: the whole order. No key: the order's one whole-order cancel.
    """

    key: Annotated[str, _CODE] = "cancel"
    actor: Annotated[str, _CODE] = "ops"
    reason: Annotated[str, _CODE] = "unspecified"
    units: tuple[Annotated[str, _CODE], ...] = ()


class Asked(Message):
    """The input of every other command's Update: the command row's id, and the shipment or return it is about."""

    command_id: Annotated[str, _CODE]
    kind: CommandKind
    shipment_id: Annotated[str, _CODE] | None = None
    return_id: Annotated[str, _CODE] | None = None
    cancel: Cancel | None = None


class FactArrived(Message):
    """The one object of the Signal `fact`: an inbox row's id and kind."""

    id: Annotated[str, _CODE]
    kind: str = ""


class CommandOutcome(Message):
    """What came of a command. `done` false is a refusal, whose `code` is stable; `detail` is small."""

    done: bool
    code: str
    message: str = ""
    detail: dict[str, Any] = Field(default_factory=dict)
