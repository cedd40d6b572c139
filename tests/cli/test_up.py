"""`up` for real: a sample order is delivered, kill -9 leaves no process, the next start has every row."""

import os
import re
import signal

import pytest

from cli.http import ApiClient, ApiError
from cli.processes import identity

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("up")]

READY, STAYS = "ready: ", "Ctrl-C stops everything"


def order_of(told: str) -> tuple[ApiClient, str]:
    found = re.search(r"(http://127\.0\.0\.1:\d+)/v1/orders/(ord_\w+)", told)
    assert found, told
    return ApiClient(found[1], "demo-ops", timeout=10), found[2]


def a_store_sees_its_own_alone(api: ApiClient, order: str, told: str) -> None:
    key = re.search(r"/v1/shipments -H 'Authorization: Bearer (demo-\S+)'", told)
    assert key, told
    store = ApiClient(api.base_url, key[1], timeout=10)
    own, other = (shipment["id"] for shipment in api.get(f"/v1/orders/{order}")["shipments"])
    assert [shipment["id"] for shipment in store.get("/v1/shipments")["data"]] == [own]
    with pytest.raises(ApiError, match="404"):
        store.get(f"/v1/shipments/{other}")


def test_nothing_is_left_and_no_row_is_lost_when_up_is_killed(up, until) -> None:
    first = up().start()
    until(lambda: first.says(STAYS), 180)
    api, order = order_of(first.text)
    assert api.get(f"/v1/orders/{order}")["status"] == "delivered"
    assert "shipment.handed_over" in first.text
    a_store_sees_its_own_alone(api, order, first.text)
    pids = first.pids()
    assert set(pids) == {
        "up", "postgres", "temporal", "sandbox-stripe", "sandbox-easypost", "worker", "relay", "api",
    }  # fmt: skip
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    until(lambda: not any(identity(pid) for pid in pids.values()), 10)

    second = up().start("--no-sample")
    until(lambda: second.says(STAYS), 180)
    assert api.get(f"/v1/orders/{order}")["status"] == "delivered"  # at the same address, too
    pids = second.pids()
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(60) == 0
    assert not any(identity(pid) for pid in pids.values())
    assert not (second.state / "running.json").exists()


def test_a_crashed_process_comes_back_and_down_ends_all_when_two_checkouts_are_up(up, until) -> None:
    one, other = up("one").start("--no-sample"), up("other").start("--no-sample")
    until(lambda: one.says(STAYS) and other.says(STAYS), 240)
    worker, others = one.pids()["worker"], set(other.pids().values())
    assert not others & set(one.pids().values())
    os.kill(worker, signal.SIGKILL)
    until(lambda: one.says("worker ended with -9; starting it again"), 30)
    until(lambda: one.pids()["worker"] != worker, 30)

    again = up("one").start()
    assert again.process.wait(60) == 1
    assert "this checkout is already up" in again.text
    pids = one.pids()
    done = one.command("down")
    assert done.returncode == 0, done.stderr
    assert one.process.wait(10) == 0
    assert not any(identity(pid) for pid in pids.values())
    assert all(identity(pid) for pid in others)
