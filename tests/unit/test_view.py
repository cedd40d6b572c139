"""What a run shows of itself at each stage: the Query's answer, the table of Temporal's UI, a timer's label."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.messages.commands import Asked
from models.messages.facts import CHECKOUT, ORDER, PAYMENT, Facts, OrderFacts, PaymentFacts, Rest, ShipmentFacts, Stuck
from models.shipment import Do, Effect, Wait, next_step
from models.words import CommandKind, OrderStatus, Stage, Verdict
from workflows.effects import summary
from workflows.view import alarm_for, status_table, view_of

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
PAID = PaymentFacts(open=True, deadline=NOON + timedelta(days=5))


def parcel(stage: Stage, position: int = 1, **rest: Any) -> ShipmentFacts:
    given = {"node": f"loc_{position}", "store": True, "units": ("unit_1", "unit_2"), "deadline": NOON, **rest}
    return ShipmentFacts(id=f"shp_{position}", position=position, stage=stage, **given)


def facts(*parcels: ShipmentFacts, **rest: Any) -> Facts:
    given = {"verdict": Verdict.CONFIRMED, "status": OrderStatus.CONFIRMED, "payment": PAID, **rest}
    return Facts(known=OrderFacts(shipments=parcels, **given))


def seen(known: Facts, key: str) -> tuple[str, str | None, str]:
    found = {waiting.on: waiting for waiting in view_of(known).waits}
    return found[key].what, found[key].until, found[key].turn


AT = NOON.isoformat()
WAITS: list[tuple[ShipmentFacts, tuple[str, str | None, str]]] = [
    (parcel(Stage.OFFERED), ("the store to accept", AT, "store")),
    (parcel(Stage.UNSOURCED), ("a shelf that has it", AT, "ops")),
    (parcel(Stage.ACCEPTED), ("the parcel to be packed", AT, "node")),
    (parcel(Stage.PACKED), ("buy label", None, "shelfway")),
    (parcel(Stage.LABELLED), ("capture", None, "shelfway")),
    (parcel(Stage.CAPTURED), ("the carrier to collect", AT, "node")),
    (parcel(Stage.HANDED_OVER), ("the carrier to deliver", AT, "carrier")),
    (parcel(Stage.ACCEPTED, on_hold=True), ("a hold to be released", AT, "ops")),
    (parcel(Stage.PACKED, paid=False), ("the customer's payment", AT, "customer")),
    (parcel(Stage.ACCEPTED, leaving=True), ("undo", None, "shelfway")),
    (parcel(Stage.PACKED, leaving=True, label=True), ("void label", None, "shelfway")),
]


@pytest.mark.parametrize(("shipment", "said"), WAITS, ids=[f"{s.stage}-{said[2]}" for s, said in WAITS])
def test_view_says_what_a_shipment_waits_for_until_when_and_whose_turn_it_is(
    shipment: ShipmentFacts, said: tuple[str, str | None, str]
) -> None:
    assert seen(facts(shipment), "shp_1") == said


def test_view_has_a_row_for_each_stage_in_hand() -> None:
    ended = {Stage.DELIVERED, Stage.RE_SOURCED, Stage.CANCELLED}
    assert {shipment.stage for shipment, _ in WAITS} == set(Stage) - ended - {Stage.PLANNED}
    for stage in ended:
        assert "shp_1" not in {waiting.on for waiting in view_of(facts(parcel(stage))).waits}


@pytest.mark.parametrize(
    ("known", "key", "said"),
    [
        (
            facts(parcel(Stage.UNSOURCED, leaving=True), payment=PAID.but(void_due=True)),
            "shp_1",
            ("the money to be given back", None, "shelfway"),
        ),
        (Facts(), CHECKOUT, ("verify address", None, "shelfway")),
        (Facts(known=OrderFacts(expires_at=NOON)), ORDER, ("the checkout's verdict", AT, "shelfway")),
        (facts(), PAYMENT, ("the authorization's renewal", (NOON + timedelta(days=5)).isoformat(), "shelfway")),
        (
            facts(payment=PaymentFacts(open=True, rest=Rest.REFUSED, deadline=NOON)),
            PAYMENT,
            ("the customer's payment", AT, "customer"),
        ),
        (
            facts(verdict=Verdict.REQUIRES_ACTION, expires_at=NOON),
            ORDER,
            ("the customer to authenticate", AT, "customer"),
        ),
        (facts(payment=PaymentFacts(), window_ends=NOON), ORDER, ("the return window to end", AT, "customer")),
        (
            facts(parcel(Stage.PACKED)).but(stuck=(Stuck(key="shp_1", effect=Effect.BUY_LABEL, until=NOON),)),
            "shp_1",
            ("a retry of what is stuck", AT, "ops"),
        ),
    ],
)
def test_view_says_what_the_rest_waits_for(known: Facts, key: str, said: tuple[str, str | None, str]) -> None:
    assert seen(known, key) == said


def test_table_reads_as_ops_speak() -> None:
    known = facts(
        parcel(Stage.HANDED_OVER),
        parcel(Stage.ACCEPTED, 2, on_hold=True),
        parcel(Stage.RE_SOURCED, 3, deadline=None),
        parcel(Stage.PACKED, 4, leaving=True),
        status=OrderStatus.PARTIALLY_SHIPPED,
        exception="hold_overdue",
    )
    assert status_table(known).splitlines() == [
        "**partially shipped** · exception: hold_overdue",
        "",
        "| # | node | stage | units | until | whose turn |",
        "|---|---|---|---|---|---|",
        "| 1 | loc_1 | handed over | 2 | 2030-01-01 12:00 UTC | carrier |",
        "| 2 | loc_2 | accepted · on hold | 2 | 2030-01-01 12:00 UTC | ops |",
        "| 3 | loc_3 | re sourced | 2 |  |  |",
        "| 4 | loc_4 | packed · leaving | 2 | 2030-01-01 12:00 UTC | shelfway |",
    ]


@pytest.mark.parametrize("stage", Stage)
def test_table_is_well_formed_at_each_stage(stage: Stage) -> None:
    rows = status_table(facts(parcel(stage))).splitlines()[2:]
    assert {row.count("|") for row in rows} == {7}
    assert stage.value.replace("_", " ") in rows[-1]


def test_table_is_a_line_before_there_are_shipments() -> None:
    assert status_table(Facts()) == "**pending**"


def test_timer_says_what_ends_first_and_how_much_ends_soon_after() -> None:
    known = facts(parcel(Stage.OFFERED), parcel(Stage.ACCEPTED, 2))
    assert alarm_for(known, ("shp_1",)) == "Shipment 1 at loc_1: waits for the store to accept (store's turn)"
    assert alarm_for(known, ("shp_2", "shp_1")).endswith("to be packed (node's turn), and 1 more")
    assert alarm_for(known, (PAYMENT,)) == "waits for the authorization's renewal (shelfway's turn)"


def test_every_effect_has_words() -> None:
    known = facts(parcel(Stage.OFFERED))
    for effect in set(Effect) - {Effect.OBEY, Effect.LAPSE}:
        assert summary(known, "shp_1", Do(effect)).endswith(" · shipment 1 at loc_1")
    for kind in CommandKind:
        assert summary(known, ORDER, Do(Effect.OBEY, Asked(command_id="cmd_1", kind=kind)))
    lapsed = summary(known, "shp_1", Do(Effect.LAPSE, deadline=NOON))
    assert lapsed == "The store stayed silent: source elsewhere · shipment 1 at loc_1"


def test_every_wait_with_an_end_is_in_the_view() -> None:
    known = facts(parcel(Stage.OFFERED), parcel(Stage.CAPTURED, 2))
    ends = {
        key for key in (ORDER, PAYMENT, "shp_1", "shp_2") if isinstance(s := next_step(known, key), Wait) and s.until
    }
    assert ends == {waiting.on for waiting in view_of(known).waits if waiting.until}
