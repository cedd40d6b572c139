"""Which command a shipment's stage allows, and the words of a refusal. Pure; a refusal is an answer."""

from collections.abc import Sequence
from typing import Final

from models.messages.commands import CommandOutcome
from models.words import CommandKind, Stage

CANCELLED: Final = CommandOutcome(done=True, code="cancelled")
DONE: Final = CommandOutcome(done=True, code="done")

# The stage at which each command about a shipment can be carried out.
_AT: Final = {
    CommandKind.ACCEPT: Stage.OFFERED,
    CommandKind.REJECT: Stage.OFFERED,
    CommandKind.PACK: Stage.ACCEPTED,
    CommandKind.HAND_OVER: Stage.CAPTURED,
}

_LIFE: Final = list(Stage)
_STOPPED_BY_HOLD: Final = frozenset({CommandKind.PACK, CommandKind.HAND_OVER})


def refused(code: str, message: str) -> CommandOutcome:
    return CommandOutcome(done=False, code=code, message=message)


def refusal(
    kind: CommandKind, stage: Stage, *, leaving: bool, on_hold: bool, to_take_out: bool = False
) -> CommandOutcome | None:
    """Why this command cannot be carried out on a shipment at this stage; None when it can.

    `to_take_out`: a cancelled unit still lies in the closed parcel.
    """
    if leaving or stage is Stage.CANCELLED:
        return refused("shipment_cancelled", "The shipment was cancelled.")
    if stage is Stage.RE_SOURCED:
        return refused("shipment_re_sourced", "Its units went to another node.")
    if kind is CommandKind.TAKE_OUT:
        left = stage in (Stage.HANDED_OVER, Stage.DELIVERED)
        return refused(f"already_{stage.value}", "The parcel has left with what was in it.") if left else None
    wanted = _AT[kind]
    if stage is not wanted:
        early = _LIFE.index(stage) < _LIFE.index(wanted)
        words = f"The shipment is {stage.value}; {kind.value} needs it to be {wanted.value}."
        return refused("too_early" if early else f"already_{stage.value}", words)
    if on_hold and kind in _STOPPED_BY_HOLD:
        return refused("on_hold", "A hold is active; release it first.")
    if to_take_out and kind is CommandKind.HAND_OVER:
        return refused("take_out_first", "A unit in it was cancelled: take it out and say so first.")
    return None


def cancel_refusal(gone: Sequence[str], here: Sequence[str]) -> CommandOutcome | None:
    """A unit is cancelled until its hand-over; `gone` are those that left, `here` those that did not.

    None of an order is cancelled as a whole once a part of it has left: the answer says what is possible instead.
    """
    if not gone:
        return None
    words = "A parcel of it has left: what has arrived can be returned."
    return refused("already_handed_over", words).but(detail={"returnable": list(gone), "cancellable": list(here)})
