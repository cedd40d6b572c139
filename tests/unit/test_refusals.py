"""What each stage allows, and what a refusal is called: the words that callers rely on."""

import pytest

from models.refusals import cancel_refusal, refusal
from models.words import CommandKind, Stage

# The code for each command at each stage; None where it is carried out.
TABLE = {
    CommandKind.ACCEPT: {Stage.PLANNED: "too_early", Stage.OFFERED: None, Stage.UNSOURCED: "already_unsourced"},
    CommandKind.REJECT: {Stage.PLANNED: "too_early", Stage.OFFERED: None, Stage.UNSOURCED: "already_unsourced"},
    CommandKind.PACK: {
        Stage.PLANNED: "too_early",
        Stage.OFFERED: "too_early",
        Stage.UNSOURCED: "too_early",
        Stage.ACCEPTED: None,
    },
    CommandKind.HAND_OVER: {
        Stage.PLANNED: "too_early",
        Stage.OFFERED: "too_early",
        Stage.UNSOURCED: "too_early",
        Stage.ACCEPTED: "too_early",
        Stage.PACKED: "too_early",
        Stage.LABELLED: "too_early",
        Stage.CAPTURED: None,
    },
}
ENDED = {Stage.RE_SOURCED: "shipment_re_sourced", Stage.CANCELLED: "shipment_cancelled"}
CASES = [(kind, stage) for kind in TABLE for stage in Stage]


@pytest.mark.parametrize(("kind", "stage"), CASES)
def test_stage_decides_what_a_command_is_answered(kind: CommandKind, stage: Stage) -> None:
    expected = ENDED.get(stage) or TABLE[kind].get(
        stage, f"already_{stage.value}" if stage not in TABLE[kind] else None
    )
    answer = refusal(kind, stage, leaving=False, on_hold=False)
    assert (answer and answer.code) == expected
    assert answer is None or (not answer.done and answer.message)


@pytest.mark.parametrize(("kind", "stage"), CASES)
def test_nothing_is_done_to_a_shipment_that_is_leaving(kind: CommandKind, stage: Stage) -> None:
    answer = refusal(kind, stage, leaving=True, on_hold=False)
    assert answer is not None
    assert answer.code == "shipment_cancelled"


HELD = [
    (CommandKind.ACCEPT, Stage.OFFERED, None),
    (CommandKind.REJECT, Stage.OFFERED, None),
    (CommandKind.PACK, Stage.ACCEPTED, "on_hold"),
    (CommandKind.HAND_OVER, Stage.CAPTURED, "on_hold"),
    (CommandKind.PACK, Stage.OFFERED, "too_early"),
]


@pytest.mark.parametrize(("kind", "stage", "code"), HELD)
def test_a_hold_stops_packing_and_hand_over_alone(kind: CommandKind, stage: Stage, code: str | None) -> None:
    answer = refusal(kind, stage, leaving=False, on_hold=True)
    assert (answer and answer.code) == code


@pytest.mark.parametrize(("gone", "code"), [([], None), (["unit_1"], "already_handed_over")])
def test_a_whole_order_is_cancelled_until_a_part_of_it_has_left(gone: list[str], code: str | None) -> None:
    answer = cancel_refusal(gone, ["unit_2"])
    assert (answer and answer.code) == code
    assert answer is None or answer.detail == {"returnable": gone, "cancellable": ["unit_2"]}
