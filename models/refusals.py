"""Which command a shipment's stage allows, and the words of a refusal. Pure; a refusal is an answer."""

from typing import Final

from models.messages.commands import CommandOutcome
from models.words import CommandKind, Stage

DONE: Final = CommandOutcome(done=True, code="done")

# The stage at which each command about a shipment can be carried out.
_AT: Final = {
    CommandKind.ACCEPT: Stage.OFFERED,
    CommandKind.REJECT: Stage.OFFERED,
    CommandKind.PACK: Stage.ACCEPTED,
    CommandKind.HAND_OVER: Stage.CAPTURED,
}

_LIFE: Final = list(Stage)
_GONE: Final = frozenset({Stage.RE_SOURCED, Stage.CANCELLED})
_STOPPED_BY_HOLD: Final = frozenset({CommandKind.PACK, CommandKind.HAND_OVER})


def refused(code: str, message: str) -> CommandOutcome:
    return CommandOutcome(done=False, code=code, message=message)


def refusal(kind: CommandKind, stage: Stage, *, leaving: bool, on_hold: bool) -> CommandOutcome | None:
    """Why this command cannot be carried out on a shipment at this stage; None when it can."""
    if leaving or stage is Stage.CANCELLED:
        return refused("shipment_cancelled", "The shipment was cancelled.")
    if stage is Stage.RE_SOURCED:
        return refused("shipment_re_sourced", "Its units went to another node.")
    wanted = _AT[kind]
    if stage is not wanted:
        early = _LIFE.index(stage) < _LIFE.index(wanted)
        words = f"The shipment is {stage.value}; {kind.value} needs it to be {wanted.value}."
        return refused("too_early" if early else f"already_{stage.value}", words)
    if on_hold and kind in _STOPPED_BY_HOLD:
        return refused("on_hold", "A hold is active; release it first.")
    return None


def cancel_refusal(stages: list[Stage], *, labels: bool) -> CommandOutcome | None:
    """A whole order can be cancelled until its first label; a parcel that left can be returned."""
    live = [s for s in stages if s not in _GONE]
    if any(s in (Stage.HANDED_OVER, Stage.DELIVERED) for s in live):
        return refused("already_handed_over", "A parcel of it has left; what arrived can be returned.")
    if labels:
        return refused("label_bought", "A label of it was bought; the order is about to leave.")
    return None
