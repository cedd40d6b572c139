"""Whatever is asked in whatever order, money is conserved: captured <= authorized, refunded <= captured."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sandbox.stripe import charges, payment_intents, refunds
from sandbox.stripe.app import open_sandbox
from sandbox.stripe.context import Context
from sandbox.stripe.errors import StripeError
from sandbox.stripe.lapses import lapse_due
from sandbox.stripe.view import view

AMOUNTS = st.integers(-5, 1500)


class OneIntent(RuleBasedStateMachine):
    """One authorization; the model is what the answers said."""

    @initialize(amount=st.integers(1, 1000), multicapture=st.booleans(), card=st.sampled_from(["visa", "refundFail"]))
    def authorize(self, amount: int, multicapture: bool, card: str) -> None:
        self.box = open_sandbox(":memory:")
        self.box.settings.update({"multicapture": multicapture, "refund_settles_after": 3600})
        self.ctx = Context(self.box)
        self.authorized, self.captured, self.refunded = amount, 0, 0
        self.failing = 0
        self.open = True
        self.fails = card == "refundFail"
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

    @rule(amount=AMOUNTS, final=st.booleans())
    def capture(self, amount: int, final: bool) -> None:
        body = self.attempt(payment_intents.capture, {"amount_to_capture": amount, "final_capture": final}, self.id)
        if body:
            assert self.open
            self.captured += amount
            self.open = not final

    @rule(amount=st.one_of(st.none(), AMOUNTS))
    def refund(self, amount: int | None) -> None:
        params: dict[str, Any] = {"payment_intent": self.id} | ({} if amount is None else {"amount": amount})
        body = self.attempt(refunds.create, params)
        if body:
            self.refunded += body["amount"]
            self.failing += body["amount"] if self.fails else 0

    @rule()
    def cancel(self) -> None:
        if self.attempt(payment_intents.cancel, {}, self.id):
            assert self.open
            assert self.captured == 0
            self.open = False

    @rule(days=st.sampled_from([1, 8]))
    def wait(self, days: int) -> None:
        self.box.clock.advance(days * 86_400)
        lapse_due(self.box)
        self.refunded -= self.failing
        self.failing = 0
        self.open = payment_intents.retrieve(self.ctx, {}, self.id)["status"] == "requires_capture"

    @precondition(lambda self: hasattr(self, "box"))
    @invariant()
    def money_is_conserved(self) -> None:
        intent = payment_intents.retrieve(self.ctx, {}, self.id)
        charge = charges.retrieve(self.ctx, {}, intent["latest_charge"])
        assert 0 <= self.refunded <= self.captured <= self.authorized
        assert intent["amount_received"] == charge["amount_captured"] == self.captured
        assert charge["amount_refunded"] == self.refunded
        assert intent["amount_capturable"] == (self.authorized - self.captured if self.open else 0)
        assert charge["refunded"] == (charge["captured"] and self.captured == self.refunded > 0)
        net = sum(row["net"] + row["fee"] for row in self.transactions())
        assert net == self.captured - self.refunded
        [shown] = view(self.box.ledger, {"id": self.id})["intents"]
        assert sum(c["amount"] for c in shown["captures"]) == self.captured
        assert sum(r["amount"] for r in shown["refunds"] if r["status"] != "failed") == self.refunded

    def transactions(self) -> list[Any]:
        sql = (
            "SELECT json_extract(body, '$.net') AS net, json_extract(body, '$.fee') AS fee FROM objects WHERE kind = ?"
        )
        return self.box.ledger.all(sql, ("balance_transaction",))

    def attempt(self, call: Any, params: dict[str, Any], *ids: str) -> Any:
        try:
            with self.box.ledger.transaction():
                return call(self.ctx, params, *ids)
        except StripeError:
            return None

    def teardown(self) -> None:
        if hasattr(self, "box"):
            self.box.ledger.close()


OneIntent.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
TestMoneyIsConserved = OneIntent.TestCase
