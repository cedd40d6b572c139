"""The matrix of vendor faults says by itself what it has not met: nobody lists a gateway's calls or its vendor's."""

from models.config import Settings
from tests.workflows.failing import WAYS, Failing, calls, places

SETTINGS = Settings(database_url="postgresql+psycopg://nobody@localhost/none")


def test_every_call_is_wanted_when_a_protocol_has_it() -> None:
    assert {"stripe.capture", "stripe.events", "easypost.buy", "easypost.refund_status"} < set(calls(SETTINGS))


def test_every_place_is_wanted_when_a_client_is_asked_there() -> None:
    found = set(places().values())
    assert {"stripe: v1.payment_intents.cancel in void", "easypost: shipment.refund in refund"} < found


def test_nothing_fails_when_no_gateway_is_asking() -> None:
    failing = Failing(lambda _: next(iter(WAYS)))
    assert failing.fault_of("POST") is None
    failing.reach(":before")
    assert failing.fault_of("POST") is None
    assert failing.met == set()
