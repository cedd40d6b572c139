"""Commands over HTTP: recorded, sent, and answered with the outcome, the refusal or 202; 503 only where nothing was."""

import pytest
from sqlalchemy import select, update

from models.messages.commands import CommandOutcome
from models.tables.messages import Audit, Case, Command
from models.tables.orders import Order
from models.words import CaseType, CommandKind, Role, Stage
from tests.api.conftest import Api


async def ordered(api: Api) -> str:
    order = (await api.place()).json()["id"]
    api.runs.asked.clear()
    return order


def commands(api: Api) -> list[Command]:
    return list(api.database.transaction(lambda s: s.scalars(select(Command)).all()))


async def test_200_with_the_order_when_a_cancel_is_done(api: Api):
    order = await ordered(api)
    answer = await api.call(
        "POST", f"/v1/orders/{order}/cancel", by="agent", key="c", json={"reason": "changed_mind", "note": "phone"}
    )
    body = answer.json()
    assert (answer.status_code, body["state"], body["order"]["id"]) == (200, "done", order)
    (row,) = commands(api)
    assert (row.kind, row.role, row.actor, row.reason, row.note) == (
        CommandKind.CANCEL,
        Role.CS,
        "agent",
        "changed_mind",
        "phone",
    )
    (sent,) = api.runs.asked
    assert (sent.key, sent.actor, sent.units) == (row.id, "cs:agent", ())


async def test_409_with_its_code_when_a_command_is_refused(api: Api):
    order = await ordered(api)
    api.runs.outcome = CommandOutcome(done=False, code="already_handed_over", message="It has left.")
    answer = await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["detail"]) == (409, "already_handed_over", "It has left.")
    assert (problem["order"], problem["command"]) == (order, commands(api)[0].id)
    api.runs.outcome = CommandOutcome(done=True, code="done")
    again = await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    assert (again.status_code, again.json()) == (409, problem)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(commands(api)) == 1


async def test_202_cancelling_and_later_the_outcome_when_it_is_not_heard_in_time(api: Api):
    order = await ordered(api)
    api.runs.outcome = None
    first = await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    assert (first.status_code, first.json()["state"]) == (202, "cancelling")
    assert first.headers["location"] == f"/v1/orders/{order}"
    known = CommandOutcome(done=True, code="cancelled").model_dump()
    api.database.transaction(lambda s: s.execute(update(Command).values(outcome=known)))
    api.runs.asked.clear()
    again = await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    assert (again.status_code, again.json()["outcome"]["code"]) == (200, "cancelled")
    assert (again.json()["id"], api.runs.asked) == (first.json()["id"], [])


async def test_the_same_command_is_sent_again_when_its_202_is_repeated(api: Api):
    order = await ordered(api)
    api.runs.outcome = None
    await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    assert len({each.key for each in api.runs.asked}) == 1
    assert (len(api.runs.asked), len(commands(api))) == (2, 1)


async def test_503_and_nothing_written_when_temporal_does_not_answer(api: Api):
    order = await ordered(api)
    api.runs.up = False
    answer = await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    assert (answer.status_code, answer.json()["code"]) == (503, "temporal_away")
    assert int(answer.headers["retry-after"]) >= 1
    assert (commands(api), api.runs.asked) == ([], [])
    api.runs.up = True
    assert (await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})).status_code == 200


async def test_the_answer_comes_again_when_temporal_went_away_after_it(api: Api):
    order = await ordered(api)
    first = await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    api.runs.up = False
    again = await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotent-replayed"] == "true"


async def test_postgres_answers_a_command_when_the_orders_run_is_over(api: Api):
    order = await ordered(api)
    api.database.transaction(lambda s: s.execute(update(Order).values(closed_at=api.clock.now())))
    shipment = api.ship(order, stage=Stage.HANDED_OVER)
    assert shipment
    answer = await api.call("POST", f"/v1/orders/{order}/cancel", key="c", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_handed_over")
    assert api.runs.asked == []
    assert api.count(Audit) == 1


async def test_holds_carry_their_reason_and_name_when_placed_and_released(api: Api):
    order = await ordered(api)
    await api.call("POST", f"/v1/orders/{order}/holds", by="agent", json={"reason": "fraud_review"})
    await api.call("DELETE", f"/v1/orders/{order}/holds/hold_1", by="agent")
    held, released = commands(api)
    assert (held.kind, held.reason) == (CommandKind.HOLD, "fraud_review")
    assert (released.kind, released.payload) == (CommandKind.RELEASE, {"hold": "hold_1"})


async def test_retry_reaches_the_run_when_ops_asks(api: Api):
    order = await ordered(api)
    assert (await api.call("POST", f"/v1/orders/{order}/retry", json={"reason": "fixed"})).status_code == 200
    assert [each.kind for each in api.runs.asked] == [CommandKind.RETRY]


@pytest.mark.parametrize(
    ("verb", "body", "kind", "payload"),
    [
        ("accept", None, CommandKind.ACCEPT, {}),
        ("reject", {"reason": "not_found"}, CommandKind.REJECT, {}),
        ("pack", {"box": None, "grams": 310}, CommandKind.PACK, {"box": None, "grams": 310}),
        ("pack", None, CommandKind.PACK, {"box": None, "grams": None}),
        ("hand-over", None, CommandKind.HAND_OVER, {}),
    ],
)
async def test_a_store_commands_its_own_shipment_when_it_is_there(api: Api, verb, body, kind, payload):
    order = await ordered(api)
    shipment = api.ship(order)
    answer = await api.call("POST", f"/v1/shipments/{shipment}/{verb}", by="soho", key="k", json=body)
    assert answer.status_code == 200
    assert answer.json()["shipment"]["id"] == shipment
    (sent,) = api.runs.asked
    (row,) = commands(api)
    assert (sent.kind, sent.shipment_id, sent.command_id) == (kind, shipment, row.id)
    assert (row.order_id, row.payload, row.role) == (order, payload, Role.STORE)


@pytest.mark.parametrize("by", ["soho", "lost"])
@pytest.mark.parametrize("verb", ["accept", "reject", "pick", "pack", "hand-over"])
async def test_404_when_a_store_commands_anothers_shipment(api: Api, by, verb):
    shipment = api.ship(await ordered(api), location="loc_uptown")
    answer = await api.call("POST", f"/v1/shipments/{shipment}/{verb}", by=by, key="k", json={"reason": "x"})
    expected = 404 if verb == "reject" else 422  # the others have no `reason`
    if verb != "reject":
        answer = await api.call("POST", f"/v1/shipments/{shipment}/{verb}", by=by, key="k", json={})
        expected = 404
    assert (answer.status_code, answer.json()["code"]) == (expected, "not_found")
    assert (commands(api), api.runs.asked) == ([], [])


async def test_409_and_no_command_when_a_shipment_cannot_be_picked_yet(api: Api):
    shipment = api.ship(await ordered(api))
    answer = await api.call("POST", f"/v1/shipments/{shipment}/pick", by="soho", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_early")
    assert commands(api) == []


async def test_a_case_is_closed_once_and_audited_when_somebody_ends_it(api: Api):
    row = {
        "id": "case_1",
        "type": CaseType.OVERDUE_PACK,
        "subject": "shp_1",
        "owner": Role.OPS,
        "detail": {},
        "opened_at": api.clock.now(),
    }
    api.database.transaction(lambda s: s.add(Case(**row)))
    assert [c["id"] for c in (await api.call("GET", "/v1/cases")).json()["data"]] == ["case_1"]
    closed = await api.call("POST", "/v1/cases/case_1/close", json={"resolution": "packed"})
    assert (closed.status_code, closed.json()["closed_by"]) == (200, "ops:ops")
    again = await api.call("POST", "/v1/cases/case_1/close", json={"resolution": "packed"})
    assert (again.status_code, again.json()["code"]) == (409, "already_closed")
    assert (await api.call("GET", "/v1/cases")).json()["data"] == []
    assert api.count(Audit) == 1
