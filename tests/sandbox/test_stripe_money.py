"""Whatever is asked in whatever order, money is conserved: captured <= authorized, refunded <= captured."""

from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sandbox.stripe import charges, payment_intents, refunds
from sandbox.stripe.app import open_sandbox
from sandbox.stripe.context import Context, Sandbox
from sandbox.stripe.errors import StripeError
from sandbox.stripe.lapses import lapse_due
from sandbox.stripe.view import view

AMOUNTS = ["all", "all", 1, 30, 30, 70, 70, -1, 0, 1001]
# one flat choice, so that captures and refunds are most of what happens
ASKED = [("capture", amount, final) for amount in AMOUNTS for final in (False, False, True)]
ASKED += 3 * [("refund", amount) for amount in AMOUNTS]
STEPS = st.lists(
    st.sampled_from([*ASKED, *[("wait", 1)] * 4, ("wait", 8), ("wait", 8), ("cancel",)]), min_size=3, max_size=15
)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    box = open_sandbox(":memory:")
    yield box
    box.ledger.close()


class OneIntent:
    """One authorization beside a model of what the answers said."""

    def __init__(self, box: Sandbox, amount: int, multicapture: bool, card: str) -> None:
        box.settings.update({"multicapture": multicapture, "refund_settles_after": 3600})
        self.box = box
        self.ctx = Context(box)
        self.authorized, self.captured, self.refunded = amount, 0, 0
        self.failing = 0
        self.fails = card == "refundFail"
        self.open = True
        body = payment_intents.create(
            self.ctx,
            {
                "amount": amount,
                "currency": "usd",
                "capture_method": "manual",
                "confirm": True,
                "payment_method": f"pm_card_{card}",
                "payment_method_options": {"card": {"request_multicapture": "if_available"}},
            },
        )
        self.id = body["id"]

    def capture(self, amount: int | str, final: bool) -> None:
        asked = self.authorized - self.captured if isinstance(amount, str) else amount
        if self.attempt(payment_intents.capture, {"amount_to_capture": asked, "final_capture": final}, self.id):
            assert self.open
            self.captured += asked
            self.open = not final

    def refund(self, amount: int | str) -> None:
        params: dict[str, Any] = {"payment_intent": self.id} | ({} if amount == "all" else {"amount": amount})
        body = self.attempt(refunds.create, params)
        if body:
            self.refunded += body["amount"]
            self.failing += body["amount"] if self.fails else 0

    def cancel(self) -> None:
        if self.attempt(payment_intents.cancel, {}, self.id):
            assert self.open
            assert self.captured == 0
            self.open = False

    def wait(self, days: int) -> None:
        self.box.clock.advance(days * 86_400)
        lapse_due(self.box)
        self.refunded -= self.failing
        self.failing = 0
        self.open = payment_intents.retrieve(self.ctx, {}, self.id)["status"] == "requires_capture"

    def check(self) -> None:
        intent = payment_intents.retrieve(self.ctx, {}, self.id)
        charge = charges.retrieve(self.ctx, {}, intent["latest_charge"])
        assert 0 <= self.refunded <= self.captured <= self.authorized
        assert intent["amount_received"] == charge["amount_captured"] == self.captured
        assert charge["amount_refunded"] == self.refunded
        assert intent["amount_capturable"] == (self.authorized - self.captured if self.open else 0)
        assert charge["refunded"] == (charge["captured"] and self.captured == self.refunded > 0)
        [shown] = view(self.box.ledger, {"id": self.id})["intents"]
        assert sum(c["amount"] for c in shown["captures"]) == self.captured
        assert sum(r["amount"] for r in shown["refunds"] if r["status"] != "failed") == self.refunded
        sources = [intent["latest_charge"], *(r["id"] for r in shown["refunds"])]
        booked = [t.body["amount"] for s in sources for t in self.ctx.store.related("balance_transaction", charge=s)]
        assert sum(booked) == self.captured - self.refunded

    def attempt(self, call: Any, params: dict[str, Any], *ids: str) -> Any:
        try:
            with self.box.ledger.transaction():
                return call(self.ctx, params, *ids)
        except StripeError:
            return None


@given(
    amount=st.sampled_from([1, 100, 100]),
    multicapture=st.booleans(),
    card=st.sampled_from(["visa", "refundFail"]),
    steps=STEPS,
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_money_is_conserved_when_anything_is_asked(
    box: Sandbox, amount: int, multicapture: bool, card: str, steps: list[Any]
):
    intent = OneIntent(box, amount, multicapture, card)
    intent.check()
    for name, *args in steps:
        getattr(intent, name)(*args)
        intent.check()
