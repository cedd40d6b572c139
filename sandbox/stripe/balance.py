"""Balance transactions, enough of them to be honest: one for each capture, refund, failed refund and dispute."""

from sandbox.stripe.authorization import DAY
from sandbox.stripe.context import Context
from sandbox.stripe.errors import Obj
from sandbox.stripe.money import ZERO_DECIMAL
from sandbox.stripe.params import EXPAND, PAGE, Parse, missing_here, text
from sandbox.stripe.store import Record, new_id

LIST: dict[str, Parse] = {**PAGE, "source": text, "type": text, "currency": text, **missing_here("payout")}
BALANCE: dict[str, Parse] = {**EXPAND}
CATEGORIES = {"adjustment": "dispute"}


def retrieve(ctx: Context, _: Obj, transaction: str) -> Obj:
    return _as_of_now(ctx, ctx.store.get("balance_transaction", transaction).body)


def list_all(ctx: Context, params: Obj) -> Obj:
    page = ctx.store.page(
        "balance_transaction",
        "/v1/balance_transactions",
        params,
        charge=params.get("source"),
        type=params.get("type"),
        currency=params.get("currency"),
    )
    page["data"] = [_as_of_now(ctx, body) for body in page["data"]]
    return page


def balance(ctx: Context, _: Obj) -> Obj:
    """What is available and what is pending, by currency."""
    sums = ctx.store.balance(ctx.now())
    shown = {
        status: [
            {"amount": net, "currency": currency, "source_types": {"card": net}}
            for currency, net in by_currency.items()
        ]
        for status, by_currency in sums.items()
    }
    return {"object": "balance", "livemode": False, **shown}


def _as_of_now(ctx: Context, body: Obj) -> Obj:
    return {**body, "status": "available" if body["available_on"] <= ctx.now() else "pending"}


def book(ctx: Context, source: Record, kind: str, amount: int, *, fee: int | None = None, at_once: bool = False) -> str:
    """A balance transaction; its id. A negative amount leaves the balance."""
    now = ctx.now()
    currency = source.body["currency"]
    if fee is None:
        fee = _fee(amount, currency) if kind == "charge" else 0
    details = [{"amount": fee, "application": None, "currency": currency, "description": "Stripe processing fees"}]
    body: Obj = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now if at_once else now + 2 * DAY,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{**detail, "type": "stripe_fee"} for detail in details] if fee else [],
        "net": amount - fee,
        "reporting_category": CATEGORIES.get(kind, kind),
        "source": source.id,
        "status": "available" if at_once else "pending",
        "type": kind,
    }
    ctx.store.insert(Record(body))
    return body["id"]


def _fee(amount: int, currency: str) -> int:
    """An honest example: 2.9 % and 30 cents."""
    return min(amount, amount * 29 // 1000 + (0 if currency in ZERO_DECIMAL else 30))
