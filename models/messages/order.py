"""The input and the result of an order's run."""

from models.messages.base import Message
from models.messages.facts import Facts
from models.messages.timings import OrderTimings
from models.words import OrderStatus, Verdict


class OrderInput(Message):
    """One order's run. `facts` hold its expiry at least; all that is known, after continue-as-new or a resume."""

    order_id: str
    number: str
    channel: str
    brand: str
    summary: str = ""
    link: str = ""
    timings: OrderTimings = OrderTimings()
    facts: Facts = Facts()


class CheckoutAnswer(Message):
    """What the checkout Update answers; the order's row has the words that go with it."""

    verdict: Verdict
    status: OrderStatus


class OrderResult(Message):
    """How the order ended, shown by Temporal's UI as the run's result."""

    status: OrderStatus
    shipments: int
    stores: tuple[str, ...] = ()


class RunView(Message):
    """What the run waits for, until when, and whose turn it is: the Query `view`."""

    status: OrderStatus
    waits: tuple["Waiting", ...]
    revision: int = 0  # of the order, as far as the run knows


class Waiting(Message):
    on: str
    what: str
    until: str | None
    turn: str


RunView.model_rebuild()
