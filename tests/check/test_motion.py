"""Which orders are between two states: each thing that will pass by itself is seen; what waits for somebody is not."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.orm import Session

from models.stores.conservation_motion import motion
from tests.check.conftest import Copy

FACT = (
    "INSERT INTO inbox (id, source, kind, subject, order_id, payload, occurred_at, received_at, due_at)"
    " VALUES ('evt', 'stripe', 'payment.authorized', 'pi', :waiting, '{{}}', now(), now(), {due})"
)
STUCK = (
    "INSERT INTO cases (id, type, order_id, subject, owner, detail, opened_at)"
    " VALUES ('case_1', 'stuck_effect', :waiting, :waiting, 'ops', '{}', now())"
)
RETURN = (
    "INSERT INTO returns (id, order_id, location_id, stage, refund_on, wants_label, reason, actor, created_at,"
    " expires_at, deadline, closed_at, scanned_at)"
    " SELECT 'ret_1', order_id, location_id, 'requested', 'receipt', true, 'r', 'a', now(), now(),"
    " {deadline}, {closed}, {scanned} FROM shipments WHERE order_id = :waiting LIMIT 1"
)
LABEL = (
    "INSERT INTO labels (key, return_id, tracking_code, planned_at, bought_at, refund_requested_at)"
    " VALUES ('ret_1:label:1', 'ret_1', 'EZ1', now(), now(), {asked_back})"
)
MOVES = {
    "checkout has no verdict yet": "UPDATE orders SET verdict = NULL WHERE id = :waiting",
    "authorize has no outcome yet": "UPDATE payment_operations SET outcome = NULL, known_at = NULL WHERE order_id = :waiting",
    "a label is being bought": "INSERT INTO labels (key, shipment_id, planned_at)"
    " SELECT 'k', min(id), now() FROM shipments WHERE order_id = :waiting",
    "a shipment is being undone": "UPDATE shipments SET leaving = true WHERE order_id = :waiting",
    "an authorization is to be read anew": "UPDATE intents SET look_due = true WHERE order_id = :waiting",
    "an authorization is to be voided": "UPDATE order_units SET state = 'cancelled' WHERE order_id = :waiting",
    "a command (hold) has no answer yet": "INSERT INTO commands"
    " (id, order_id, kind, role, actor, reason, payload, created_at)"
    " VALUES ('cmd_1', :waiting, 'hold', 'ops', 'a', 'r', '{}', now())",
    "a fact (payment.authorized) is not taken in yet": FACT.format(due="now() - interval '1 hour'"),
    "a packed parcel is about to be labelled or captured": "UPDATE shipments SET stage = 'packed'"
    " WHERE order_id = :waiting",
    "what is not paid for yet is about to be authorized": "UPDATE intents SET state = 'captured', capturable = 0"
    " WHERE order_id = :waiting",
    "the order is about to be closed": "UPDATE orders SET closed_at = NULL WHERE id = :cancelled",
}


@pytest.fixture
def session(copy: Copy) -> Iterator[Session]:
    engine = create_engine(copy.stack.urls.owner, poolclass=NullPool)
    with Session(engine) as session:
        yield session
        session.rollback()


def moving(session: Session, orders: dict[str, str], *statements: str) -> dict[str, str]:
    """What moves after these statements, which are then taken back."""
    for statement in statements:
        session.execute(text(statement), orders)
    found = dict(motion(session, None, datetime.now(UTC)).moving)
    session.rollback()
    return found


def test_an_order_moves_while_something_will_pass_by_itself(session: Session, copy: Copy) -> None:
    orders = copy.orders
    seen = {why: moving(session, orders, statement) for why, statement in MOVES.items()}
    wanted = {why: orders["cancelled" if "closed" in why else "waiting"] for why in MOVES}
    assert seen == {why: {order: why} for why, order in wanted.items()}


def test_an_order_rests_while_it_waits_for_somebody(session: Session, copy: Copy) -> None:
    packed = MOVES["a packed parcel is about to be labelled or captured"]
    held = "INSERT INTO holds (id, order_id, reason, actor, placed_at) VALUES ('hold_1', :waiting, 'fraud', 'a', now())"
    unpaid = MOVES["what is not paid for yet is about to be authorized"]
    asked = "UPDATE orders SET customer_until = now() WHERE id = :waiting"
    later = FACT.format(due="now() + interval '1 minute'")
    for statements in ((), (packed, held), (unpaid, asked), (later,), (packed, STUCK)):
        assert moving(session, copy.orders, *statements) == {}, statements


def test_a_delivered_order_moves_once_its_return_window_is_over(session: Session, copy: Copy) -> None:
    delivered = (
        "UPDATE shipments SET stage = 'delivered', leaving = false WHERE order_id = :sold",
        "UPDATE orders SET delivered_at = now() - interval '29 days' WHERE id = :sold",
    )
    late = "UPDATE orders SET delivered_at = now() - interval '31 days' WHERE id = :sold"
    assert moving(session, copy.orders, *delivered) == {}
    assert moving(session, copy.orders, *delivered, late) == {copy.orders["sold"]: "the order is about to be closed"}


def returned(*, days: int | None = 1, scanned: bool = False, asked_back: bool | None = False) -> tuple[str, ...]:
    """A return whose deadline is so far away, or that is over (None); with a label, unless `asked_back` is None."""
    over, deadline = ("now()", "NULL") if days is None else ("NULL", f"now() + interval '{days} days'")
    row = RETURN.format(deadline=deadline, closed=over, scanned="now()" if scanned else "NULL")
    return (row,) if asked_back is None else (row, LABEL.format(asked_back="now()" if asked_back else "NULL"))


def test_an_order_moves_while_its_return_has_something_to_do(session: Session, copy: Copy) -> None:
    waiting = copy.orders["waiting"]
    for statements, why in (
        (returned(asked_back=None), "a return's label is being bought"),
        (returned(days=-1), "a return is about to remind the customer or to end"),
        (returned(days=None), "a return's label is to be asked back"),
    ):
        assert moving(session, copy.orders, *statements) == {waiting: why}


def test_an_order_rests_while_its_return_waits_for_the_goods_or_is_over(session: Session, copy: Copy) -> None:
    for statements in (returned(), returned(days=None, scanned=True), returned(days=None, asked_back=True)):
        assert moving(session, copy.orders, *statements) == {}, statements
