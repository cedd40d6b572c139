"""What ends a case by itself: the one table, and docs/ops.md, which says it in words."""

import re
from pathlib import Path

import pytest

from models.cases import ENDS, NO_OUTCOME, SETTLE, Told, is_ended
from models.returning import ReturnEffect
from models.shipment import Effect
from models.words import CaseType

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(r"^\| (`[^|]+`) \|.*\| (itself|by hand) \|$", (ROOT / "docs/ops.md").read_text(), re.MULTILINE)
SAYS = {name: closes for names, closes in ROWS for name in re.findall(r"`(\w+)`", names)}
EVENTS = sorted({end.event for ends in ENDS.values() for end in ends})
TOLD_BY = "\n".join(path.read_text() for path in sorted((ROOT / "models/stores").glob("*.py")))


def test_the_document_says_what_the_table_does_when_they_are_compared() -> None:
    assert {kind.value: "itself" if ENDS[kind] else "by hand" for kind in CaseType} == SAYS


@pytest.mark.parametrize("event", EVENTS)
def test_the_event_is_told_somewhere_when_it_ends_a_case(event: str) -> None:
    word = event.partition(".")[2].removeprefix("label_")  # some are put together
    assert re.search(rf"""["']({re.escape(event)}|{word})["']""", TOLD_BY)


@pytest.mark.parametrize("effect", [*Effect, *ReturnEffect, SETTLE, NO_OUTCOME])
def test_its_own_success_ends_it_when_an_effect_was_stuck(effect: str) -> None:
    after_all = {"order.retried", "run.resumed"}
    ends = [end for end in ENDS[CaseType.STUCK_EFFECT] if effect in end.effects and end.event not in after_all]
    assert {end.event for end in ends} - {"shipment.cancelled"} or effect is Effect.UNDO


FACTS, LABEL, REFUND, OBEY, LAPSE, UNKNOWN = "apply_facts", "buy_label", "refund", "obey", "lapse_return", "no_outcome"
VOID = "ord_1:void:pi_1:1"
GIVEN = {"intent": "pi_1", "state": "succeeded", "refused": 0}


@pytest.mark.parametrize(
    ("case", "event", "data", "ended"),
    [
        (("overdue_pack", "shp_1"), "shipment.packed", {"shipment": "shp_1"}, True),
        (("overdue_pack", "shp_1"), "shipment.packed", {"shipment": "shp_2"}, False),
        (("overdue_pack", "shp_1"), "shipment.handed_over", {"shipment": "shp_1"}, False),
        (("stock_missing", "shp_1"), "shipment.delivered", {"shipment": "shp_1"}, False),
        (("tracking_contradicts", "shp_1"), "shipment.cancelled", {"shipment": "shp_1"}, False),
        (("stuck_effect", "shp_1", LABEL), "label.bought", {"shipment": "shp_1"}, True),
        (("stuck_effect", "shp_1", LABEL), "payment.captured", {"shipment": "shp_1"}, False),
        (("stuck_effect", "ord_1", FACTS), "shipment.units_lost", {"shipment": "shp_1"}, True),
        (("stuck_effect", "shp_1", LABEL), "order.retried", {"sourced": 0}, True),
        (("stuck_effect", "ord_1", REFUND), "payment.refunded", {"intent": "pi_1"}, True),
        (("stuck_effect", VOID, UNKNOWN), "order.retried", {"sourced": 0}, False),
        (("stuck_effect", VOID, UNKNOWN), "outcome.known", {"operation": VOID}, True),
        (("stuck_effect", "ret_1", LAPSE), "return.ended", {"return": "ret_1"}, True),
        (("stuck_effect", "ret_1", LAPSE), "order.retried", {"sourced": 0}, False),
        (("stuck_effect", "ord_1", OBEY), "command.done", {"shipment": None}, True),
        (("stuck_effect", "ord_1", OBEY), "command.done", {"shipment": "shp_1"}, False),
        (("hold_overdue", "shp_1"), "hold.released", {"reason": "fraud", "freed": ["shp_2", "shp_1"]}, True),
        (("hold_overdue", "shp_1"), "hold.released", {"reason": "fraud", "freed": []}, False),
        (("payment_contradicts", "pi_1"), "hold.released", {"reason": "captured_outside", "freed": []}, True),
        (("payment_contradicts", "pi_1"), "hold.released", {"reason": "fraud", "freed": ["shp_1"]}, False),
        (("refund_failed", "pi_1"), "payment.refunded", GIVEN, True),
        (("refund_failed", "pi_2"), "payment.refunded", GIVEN, False),
        (("refund_failed", "pi_1"), "payment.refunded", GIVEN | {"state": "pending"}, False),
        (("refund_failed", "pi_1"), "payment.refunded", GIVEN | {"refused": 500}, False),
        (("label_not_refunded", "k"), "label.refund_known", {"label": "k", "status": "refunded"}, True),
        (("label_not_refunded", "k"), "label.refund_known", {"label": "k", "status": "rejected"}, False),
    ],
)
def test_it_ends_its_case_alone_when_it_is_told(
    case: tuple[str, ...], event: str, data: dict[str, object], ended: bool
) -> None:
    kind, subject, *effect = case
    detail = {"effect": effect[0]} if effect else {}
    assert is_ended(CaseType(kind), subject, detail, Told("ord_1", event, data)) is ended
