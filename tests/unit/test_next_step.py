"""What comes next for each key, stage by stage; and the alarm that ends waits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.messages.commands import Asked
from models.messages.facts import CHECKOUT, ORDER, PAYMENT, Facts, OrderFacts, PaymentFacts, Rest, ShipmentFacts, Stuck
from models.shipment import (
    ALARM_EARLY,
    Closed,
    Deadline,
    Do,
    Effect,
    Step,
    Wait,
    begin,
    finish,
    is_alarm_to_move,
    lapse,
    learn,
    next_deadline,
    next_step,
    overdue,
)
from models.words import CommandKind, Stage, Verdict

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=3)
SHP = "shp_1"
PAID = PaymentFacts(open=True, deadline=LATER)
RETRY = Asked(command_id="cmd_r", kind=CommandKind.RETRY)
PACK = Asked(command_id="cmd_p", kind=CommandKind.PACK, shipment_id=SHP)
CANCEL = Asked(command_id="cmd_c", kind=CommandKind.CANCEL)


def parcel(stage: Stage, shipment_id: str = SHP, **rest: Any) -> ShipmentFacts:
    given = {"position": 1, "node": "loc", "store": True, "units": (), "deadline": NOON, **rest}
    return ShipmentFacts(id=shipment_id, stage=stage, **given)


def order(*parcels: ShipmentFacts, **rest: Any) -> OrderFacts:
    return OrderFacts(**{"revision": 1, "verdict": Verdict.CONFIRMED, "payment": PAID, "shipments": parcels, **rest})


def stuck(key: str, effect: Effect, until: datetime = LATER) -> tuple[Stuck, ...]:
    return (Stuck(key=key, effect=effect, until=until),)


SHIPMENT: list[tuple[str, ShipmentFacts, Step]] = [
    ("offered", parcel(Stage.OFFERED), Wait(NOON)),
    ("unsourced", parcel(Stage.UNSOURCED), Wait(NOON)),
    ("accepted", parcel(Stage.ACCEPTED), Wait(NOON)),
    ("packed", parcel(Stage.PACKED), Do(Effect.BUY_LABEL)),
    ("labelled", parcel(Stage.LABELLED, label=True), Do(Effect.CAPTURE)),
    ("captured", parcel(Stage.CAPTURED, label=True), Wait(NOON)),
    ("handed over", parcel(Stage.HANDED_OVER, label=True), Wait(NOON)),
    ("delivered", parcel(Stage.DELIVERED), Closed()),
    ("re-sourced", parcel(Stage.RE_SOURCED), Closed()),
    ("cancelled", parcel(Stage.CANCELLED), Closed()),
    ("packed, on hold", parcel(Stage.PACKED, on_hold=True), Wait(NOON)),
    ("labelled, on hold", parcel(Stage.LABELLED, on_hold=True), Wait(NOON)),
    (
        "labelled, its capture would release what others need",
        parcel(Stage.LABELLED, rest_due=True),
        Do(Effect.AUTHORIZE_REST),
    ),
    ("packed, not paid for", parcel(Stage.PACKED, paid=False), Wait(NOON)),
    ("leaving with a label", parcel(Stage.LABELLED, leaving=True, label=True), Do(Effect.VOID_LABEL)),
    ("leaving without", parcel(Stage.ACCEPTED, leaving=True), Do(Effect.UNDO)),
]


@pytest.mark.parametrize(("facts", "step"), [case[1:] for case in SHIPMENT], ids=[case[0] for case in SHIPMENT])
def test_stage_says_what_a_shipment_does(facts: ShipmentFacts, step: Step) -> None:
    assert next_step(Facts(known=order(facts)), SHP) == step


def test_every_stage_has_a_row() -> None:
    assert {facts.stage for _, facts, _ in SHIPMENT} == set(Stage) - {Stage.PLANNED}


def test_the_authorization_is_read_before_the_capture_when_something_was_said_of_it() -> None:
    known = order(parcel(Stage.LABELLED), payment=PAID.but(look_due=True))
    assert next_step(Facts(known=known), SHP) == Wait(NOON)


DUE = PAID.but(void_due=True)
PAYMENTS: list[tuple[str, OrderFacts, Step]] = [
    ("nothing open", order(payment=PaymentFacts()), Closed()),
    ("authorized", order(), Wait(LATER)),
    ("to be given back", order(payment=DUE), Do(Effect.VOID)),
    (
        "not while a leaving parcel's label lives",
        order(parcel(Stage.PACKED, leaving=True, label=True), payment=DUE),
        Wait(),
    ),
    ("to be read anew", order(payment=PAID.but(look_due=True)), Do(Effect.LOOK)),
    (
        "refused for lack of funds, free again",
        order(payment=PAID.but(rest=Rest.AFTER_CAPTURE)),
        Do(Effect.AUTHORIZE_REST),
    ),
    (
        "refused, and the old hold not captured yet",
        order(parcel(Stage.LABELLED), payment=PAID.but(rest=Rest.AFTER_CAPTURE)),
        Wait(LATER),
    ),
    ("the customer's turn", order(payment=PAID.but(rest=Rest.REFUSED)), Wait(LATER)),
]


@pytest.mark.parametrize(("known", "step"), [case[1:] for case in PAYMENTS], ids=[case[0] for case in PAYMENTS])
def test_money_says_what_the_payment_does(known: OrderFacts, step: Step) -> None:
    assert next_step(Facts(known=known), PAYMENT) == step


IN_DOUBT = PaymentFacts(in_doubt=True)
ORDERS: list[tuple[str, OrderFacts, Step]] = [
    ("no verdict yet", OrderFacts(expires_at=NOON), Wait(NOON)),
    ("3-D Secure", order(verdict=Verdict.REQUIRES_ACTION, expires_at=NOON), Wait(NOON)),
    ("a parcel is open", order(parcel(Stage.ACCEPTED), payment=PaymentFacts()), Wait()),
    ("money is open", order(), Wait()),
    ("money is to be read", order(payment=PaymentFacts(look_due=True)), Wait()),
    ("money is in doubt", order(verdict=Verdict.EXPIRED, payment=IN_DOUBT), Wait()),
    ("delivered", order(payment=PaymentFacts(), window_ends=NOON), Wait(NOON)),
    ("nothing was shipped", order(payment=PaymentFacts()), Do(Effect.CLOSE)),
    ("closed", order(closed=True), Closed()),
]


@pytest.mark.parametrize(("known", "step"), [case[1:] for case in ORDERS], ids=[case[0] for case in ORDERS])
def test_what_is_open_says_what_the_order_does(known: OrderFacts, step: Step) -> None:
    assert next_step(Facts(known=known), ORDER) == step


@pytest.mark.parametrize(
    ("known", "step"),
    [
        (OrderFacts(), Do(Effect.VERIFY_ADDRESS)),
        (OrderFacts(shipments=(parcel(Stage.PLANNED),)), Do(Effect.AUTHORIZE)),
        (OrderFacts(verdict=Verdict.OUT_OF_STOCK), Closed()),
        (OrderFacts(verdict=Verdict.EXPIRED, payment=IN_DOUBT), Do(Effect.FIND_AUTHORIZATION)),
    ],
)
def test_checkout_verifies_then_authorizes_until_there_is_a_verdict_without_doubt(
    known: OrderFacts, step: Step
) -> None:
    assert next_step(Facts(known=known), CHECKOUT) == step


@pytest.mark.parametrize(
    ("key", "known", "step"),
    [
        (SHP, order(parcel(Stage.OFFERED)), Do(Effect.LAPSE, deadline=NOON)),
        (PAYMENT, order(payment=PAID), Do(Effect.KEEP_ALIVE, deadline=LATER)),
        (PAYMENT, order(payment=PAID.but(rest=Rest.REFUSED)), Do(Effect.LAPSE, deadline=LATER)),
        (ORDER, OrderFacts(expires_at=NOON), Do(Effect.EXPIRE)),
        (ORDER, order(verdict=Verdict.REQUIRES_ACTION, expires_at=NOON), Do(Effect.EXPIRE)),
        (ORDER, order(payment=PaymentFacts(), window_ends=NOON), Do(Effect.CLOSE)),
    ],
)
def test_wait_that_lapsed_is_acted_upon(key: str, known: OrderFacts, step: Step) -> None:
    facts = lapse(Facts(known=known), key, known.deadline(key) or NOON)
    assert next_step(facts, key) == step


STALE: list[tuple[str, OrderFacts, OrderFacts]] = [
    (
        ORDER,
        order(verdict=Verdict.REQUIRES_ACTION, expires_at=NOON),
        order(payment=PaymentFacts(), expires_at=NOON, window_ends=LATER),
    ),
    (PAYMENT, order(payment=PAID.but(deadline=NOON)), order(payment=PAID)),
    (SHP, order(parcel(Stage.OFFERED)), order(parcel(Stage.ACCEPTED, deadline=LATER))),
]


@pytest.mark.parametrize(("key", "then", "now"), STALE, ids=[case[0] for case in STALE])
def test_lapse_ends_no_later_wait_when_its_deadline_is_over(key: str, then: OrderFacts, now: OrderFacts) -> None:
    facts = lapse(Facts(known=then), key, NOON)
    assert next_step(facts.but(known=now), key) == Wait(LATER)
    learned = learn(facts, now.but(revision=2))
    assert learned.lapsed == ()
    assert next_step(lapse(learned, key, LATER), key) != Wait(LATER)


def test_lapse_stays_when_something_else_is_learned_or_done_first() -> None:
    known = order(payment=PaymentFacts(), window_ends=NOON)
    facts = lapse(Facts(known=known, arrived=("evt_1",)), ORDER, NOON)
    step = next_step(facts, ORDER)
    assert step == Do(Effect.APPLY_FACTS, arrived=("evt_1",))
    assert isinstance(step, Do)
    assert next_step(learn(finish(facts, ORDER, step), known.but(revision=2)), ORDER) == Do(Effect.CLOSE)


# Commands and facts


def test_shipment_obeys_when_it_rests_and_its_effect_comes_first() -> None:
    resting = Facts(known=order(parcel(Stage.ACCEPTED)), asked=(PACK,))
    working = resting.but(known=order(parcel(Stage.PACKED)))
    assert next_step(resting, SHP) == Do(Effect.OBEY, PACK)
    assert next_step(working, SHP) == Do(Effect.BUY_LABEL)


def test_order_is_closed_when_nobody_is_busy_any_more() -> None:
    """A parcel was delivered while the end of its silence was being written down."""
    gone = Do(Effect.LAPSE, deadline=NOON)
    over = order(parcel(Stage.DELIVERED), payment=PaymentFacts(), window_ends=LATER)
    facts = lapse(begin(Facts(known=over), SHP, gone), ORDER, LATER)
    assert next_step(facts, ORDER) == Wait()
    assert next_step(finish(facts, SHP, gone), ORDER) == Do(Effect.CLOSE)


def test_order_obeys_for_a_shipment_that_is_closed() -> None:
    facts = Facts(known=order(parcel(Stage.DELIVERED)), asked=(PACK,))
    assert next_step(facts, ORDER) == Do(Effect.OBEY, PACK)
    assert next_step(facts, SHP) == Closed()


def test_order_obeys_then_hears_then_reports_nonsense_even_when_it_is_closed() -> None:
    facts = Facts(known=order(closed=True), asked=(CANCEL,), arrived=("evt_1",), senseless=("cancel",))
    done: list[Effect] = []
    while isinstance(step := next_step(facts, ORDER), Do):
        done.append(step.effect)
        facts = finish(begin(facts, ORDER, step), ORDER, step)
    assert done == [Effect.OBEY, Effect.APPLY_FACTS, Effect.REPORT]
    assert facts == Facts(known=facts.known)


def test_order_expires_while_its_checkout_is_at_work_and_ends_when_that_has_ended() -> None:
    known = OrderFacts(expires_at=NOON)
    facts = lapse(begin(Facts(known=known), CHECKOUT, Do(Effect.VERIFY_ADDRESS)), ORDER, NOON)
    assert next_step(facts, ORDER) == Do(Effect.EXPIRE)
    expired = facts.but(known=known.but(verdict=Verdict.EXPIRED))
    assert next_step(expired, ORDER) == Wait()
    assert next_step(finish(expired, CHECKOUT, Do(Effect.VERIFY_ADDRESS)), ORDER) == Do(Effect.CLOSE)


def test_doubt_is_cleared_at_once_when_the_authorization_is_stuck_and_the_order_over() -> None:
    known = OrderFacts(verdict=Verdict.EXPIRED, payment=IN_DOUBT)
    facts = Facts(known=known, stuck=stuck(CHECKOUT, Effect.AUTHORIZE))
    assert next_step(facts, CHECKOUT) == Do(Effect.FIND_AUTHORIZATION)


def test_stock_waits_while_the_money_is_in_doubt() -> None:
    known = order(parcel(Stage.PLANNED, leaving=True), verdict=Verdict.CANCELLED, payment=IN_DOUBT)
    assert next_step(Facts(known=known), SHP) == Wait()


def test_money_waits_for_its_turn_and_stock_for_the_money() -> None:
    known = order(parcel(Stage.LABELLED), parcel(Stage.PACKED, "shp_2", leaving=True))
    facts = begin(Facts(known=known), PAYMENT, Do(Effect.KEEP_ALIVE))
    assert next_step(facts, SHP) == Wait()
    assert next_step(facts, "shp_2") == Wait()


def test_older_knowledge_never_replaces_newer() -> None:
    facts = Facts(known=order(revision=7))
    assert learn(facts, order(revision=6, closed=True)) == facts
    assert learn(facts, order(revision=8, closed=True)).known.closed


# What is stuck


def test_stuck_effect_rests_until_its_review_while_the_rest_goes_on() -> None:
    facts = Facts(known=order(parcel(Stage.PACKED)), stuck=stuck(SHP, Effect.BUY_LABEL))
    assert next_step(facts, SHP) == Wait(LATER)
    assert next_step(facts.but(asked=(PACK,)), SHP) == Do(Effect.OBEY, PACK)
    assert next_step(facts.but(known=order(parcel(Stage.PACKED, leaving=True))), SHP) == Do(Effect.UNDO)
    assert next_step(lapse(facts, SHP, LATER), SHP) == Do(Effect.BUY_LABEL)


def test_stuck_command_lets_a_retry_and_facts_pass() -> None:
    facts = Facts(known=order(), asked=(CANCEL,), stuck=stuck(ORDER, Effect.OBEY))
    assert next_step(facts, ORDER) == Wait(LATER)
    assert next_step(facts.but(asked=(CANCEL, RETRY)), ORDER) == Do(Effect.OBEY, RETRY)
    assert next_step(facts.but(arrived=("evt_1",)), ORDER) == Do(Effect.APPLY_FACTS, arrived=("evt_1",))


def test_stuck_facts_do_not_keep_an_order_from_expiring() -> None:
    known = order(verdict=Verdict.REQUIRES_ACTION, expires_at=NOON)
    facts = Facts(known=known, arrived=("evt_1",), stuck=stuck(ORDER, Effect.APPLY_FACTS))
    assert next_step(facts, ORDER) == Wait(NOON)
    assert next_step(lapse(facts, ORDER, NOON), ORDER) == Do(Effect.EXPIRE)


def test_review_and_deadline_of_one_key_each_have_their_time() -> None:
    facts = Facts(known=order(parcel(Stage.OFFERED)), asked=(PACK,), stuck=stuck(SHP, Effect.OBEY))
    assert next_step(facts, SHP) == Wait(NOON)
    assert lapse(facts, SHP, NOON).stuck == facts.stuck, "its review is later"
    assert lapse(facts, SHP, LATER).stuck == ()


# The alarm

NEAR, FAR = NOON + ALARM_EARLY, NOON + timedelta(days=2)


def waiting(**until: datetime) -> Facts:
    return Facts(known=order(*(parcel(Stage.ACCEPTED, key, deadline=at) for key, at in until.items())))


def test_alarm_is_set_for_the_earliest_and_names_what_ends_soon_after() -> None:
    facts = waiting(a=FAR, b=NEAR, c=NOON)
    assert next_deadline(facts, ["a", "b", "c"]) == Deadline(NOON, ("c", "b"))
    assert next_deadline(facts, []) is None
    assert overdue(facts, ["a", "b", "c"], NEAR) == (("b", NEAR), ("c", NOON))


@pytest.mark.parametrize(
    ("alarm", "facts", "moves"),
    [
        (None, Facts(known=order()), False),
        (None, waiting(a=NOON), True),
        (NOON, waiting(a=NOON), False),
        (FAR, waiting(a=NOON), True),
        (NOON, waiting(a=NEAR), False),
        (NOON, waiting(a=FAR), True),
        (NOON, Facts(known=order()), True),
        (NOON, begin(waiting(a=FAR), PAYMENT, Do(Effect.LOOK)), False),
        (NOON, waiting(a=FAR).but(asked=(Asked(command_id="x", kind=CommandKind.PACK, shipment_id="a"),)), False),
        (FAR, begin(waiting(a=NOON), PAYMENT, Do(Effect.LOOK)), True),
    ],
)
def test_alarm_moves_when_it_must_or_when_it_pays(alarm: datetime | None, facts: Facts, moves: bool) -> None:
    assert is_alarm_to_move(facts, ["a"], Deadline(alarm, ("a",)) if alarm else None) is moves
