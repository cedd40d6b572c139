"""What happens by itself when the sandbox's clock has come to it: authorizations lapse, refunds settle, keys expire."""

from sandbox.stripe import payment_intents, refunds
from sandbox.stripe.context import Context, Sandbox
from sandbox.stripe.idempotency import prune


def lapse_due(sandbox: Sandbox) -> None:
    """Everything due by now, each in a transaction of its own, in the order in which it was due."""
    now = sandbox.clock.now()
    while due := sandbox.store.due(now):
        for record in due:
            with sandbox.ledger.transaction():
                if record.kind == "refund":
                    refunds.settle(Context(sandbox), record)
                else:
                    payment_intents.lapse(Context(sandbox), record)
        sandbox.deliveries.wake()


def forget_old_keys(sandbox: Sandbox) -> None:
    prune(sandbox.ledger, sandbox.clock.now())
