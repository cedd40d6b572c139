"""Orders that lived well have nothing wrong; each check of the rows finds what was spoiled by hand, and says what."""

import pytest

from cli.check import examine
from models.stores.conservation_rules import RULES
from tests.check.conftest import Copy, World
from tests.check.spoiled import SPOILED, Spoiled


async def test_nothing_is_wrong_when_orders_lived_well(world: World) -> None:
    stack = world.stack
    report = await examine(stack.urls.app, stack.stripe.url, stack.easypost.url, await stack.client())
    assert report.findings == []
    idle = {each.what for each in report.checked if not each.looked_at}
    of_returns = {each for each in idle if "returns" in each}  # none of them was sent back
    assert idle - of_returns == {"open cases: somebody who can act owns each"}


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda spoiled: f"{spoiled.check[:50]}: {spoiled.says[:30]}")
async def test_found_and_said_when_rows_are_spoiled(copy: Copy, spoiled: Spoiled) -> None:
    copy.plant(*spoiled.statements)
    report = await copy.report()
    found = [str(f) for each in report.checked for f in each.findings if each.what == spoiled.check]
    assert any(spoiled.says in words for words in found), list(map(str, report.findings))


async def test_every_rule_was_seen_to_find_something() -> None:
    assert {rule.what for rule in RULES} <= {spoiled.check for spoiled in SPOILED}


async def test_a_parcel_scanned_first_is_no_finding_when_captured_later(copy: Copy) -> None:
    copy.plant(
        "UPDATE shipments SET captured_at = handed_over_at + interval '1 second' WHERE order_id = :sold",
        "UPDATE events SET actor = 'carrier' WHERE aggregate = :sold AND type = 'shipment.handed_over'",
    )
    assert await copy.findings() == []


async def test_an_order_in_motion_is_not_judged_by_what_holds_at_rest(copy: Copy) -> None:
    copy.plant(
        "UPDATE intents SET capturable = 0 WHERE order_id = :waiting",
        "INSERT INTO commands (id, order_id, kind, role, actor, reason, payload, created_at)"
        " VALUES ('cmd_1', :waiting, 'hold', 'ops', 'a', 'r', '{}', now())",
    )
    assert await copy.findings(settled=False) == []
    report = await copy.report(settled=False)
    assert report.not_judged == {copy.orders["waiting"]: "a command (hold) has no answer yet"}
    assert {finding.code for finding in await copy.findings(settled=True)} == {"REST", "O4"}


async def test_an_order_in_motion_is_judged_by_what_always_holds(copy: Copy) -> None:
    copy.plant(
        "UPDATE stock SET reserved = reserved + 1 WHERE on_hand > reserved",
        "UPDATE orders SET status = 'delivered' WHERE id = :waiting",
        "INSERT INTO commands (id, order_id, kind, role, actor, reason, payload, created_at)"
        " VALUES ('cmd_1', :waiting, 'hold', 'ops', 'a', 'r', '{}', now())",
    )
    assert {finding.code for finding in await copy.findings(settled=False)} == {"O1", "O7"}


async def test_a_stuck_order_rests_with_its_case(copy: Copy) -> None:
    copy.plant(
        "UPDATE intents SET capturable = 0, look_due = true WHERE order_id = :waiting",
        "INSERT INTO cases (id, type, order_id, subject, owner, detail, opened_at)"
        " VALUES ('case_1', 'stuck_effect', :waiting, :waiting, 'ops', '{}', now())",
    )
    assert await copy.findings() == []


async def test_other_orders_are_left_out_when_some_are_asked_for(copy: Copy) -> None:
    copy.plant(
        "UPDATE orders SET status = 'delivered' WHERE id = :waiting",
        "DELETE FROM movements WHERE order_id = :sold AND sku LIKE 'SERUM%'",
        "UPDATE intents SET amount = amount + 1 WHERE order_id = :sold",
        "DELETE FROM labels",
    )
    assert await copy.findings(orders=[copy.orders["declined"]]) == []
    assert {f.code for f in await copy.findings(orders=[copy.orders["sold"]])} == {"O2", "O4", "O5"}
