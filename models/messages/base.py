"""The shape of every message: frozen, small, extended only by fields with defaults. An unknown field is ignored, so an
older worker reads a newer message.
"""

from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict

M = TypeVar("M", bound="Message")


class Message(BaseModel):
    """A value that crosses a boundary: never mutated, replaced by `but`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def but(self, **changes: object) -> Self:
        """The same with these fields changed."""
        return self.model_copy(update=changes)
