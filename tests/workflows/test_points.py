"""The kill matrix says by itself what it has not met: nobody lists activities or vendor calls."""

from types import SimpleNamespace
from typing import Any, cast

from temporalio import activity

from models.config import Settings
from models.ids import TASK_QUEUE_ORDERS, TASK_QUEUE_PAYMENTS
from tests.workflows.points import not_struck

SETTINGS = Settings(database_url="postgresql+psycopg://nobody@localhost/none")


@activity.defn
def forgotten() -> None:
    """An activity that no branch meets."""


def missed(queue: str, *struck: str) -> set[str]:
    worker: Any = SimpleNamespace(task_queue=queue, config=lambda: {"activities": [forgotten]})
    return {point for point in not_struck(struck, [cast("Any", worker)], SETTINGS) if point.startswith("forgotten")}


def test_an_activity_is_missed_when_nobody_died_there() -> None:
    assert missed(TASK_QUEUE_ORDERS) == {"forgotten:before", "forgotten:after-commit"}
    assert missed(TASK_QUEUE_ORDERS, "forgotten:before", "forgotten:after-commit") == set()


def test_a_vendors_effect_is_missed_when_nobody_died_right_after_it() -> None:
    around = ("forgotten:before", "forgotten:after-commit")
    assert missed(TASK_QUEUE_PAYMENTS, *around) == {"forgotten:after-effect"}
    assert missed(TASK_QUEUE_PAYMENTS, *around, "forgotten.stripe.capture:after-effect") == set()


def test_a_vendor_call_is_missed_when_no_activity_died_around_it() -> None:
    everything = not_struck([], [], SETTINGS)
    assert {"stripe.capture:before", "easypost.buy:after-effect"} < everything
    assert not any(point.startswith("stripe.events") for point in everything), "the relay alone asks for those"
    assert not_struck(["void_label.easypost.look:before"], [], SETTINGS) == everything - {"easypost.look:before"}
