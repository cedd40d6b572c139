"""The public shape of a quote: what a cart costs and when it arrives, by speed."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.schemas.base import Amount, Country, Id, In, Money, Out, Quantity, Sku, State, Word, example
from models.pricing import MAX_LINES, PricedCart, PricedLine
from models.quotes import Choice, Quote, QuoteRequest, Wanted

_USD = {"currency": "usd"}


class QuoteLineIn(In):
    sku: Sku
    quantity: Quantity


class QuoteIn(In):
    model_config = example(
        {
            "brand": "brand_aurelle",
            "country": "US",
            "state": "NY",
            "lines": [{"sku": "AUR-LIP-VEL-012", "quantity": 2}, {"sku": "AUR-SKN-SER-100", "quantity": 1}],
        }
    )
    brand: Id
    country: Country
    state: State | None = Field(None, description="Its short name (NY): tax and shipping may depend on it.")
    lines: Annotated[list[QuoteLineIn], Field(min_length=1, max_length=MAX_LINES)]
    speed: Word | None = Field(None, description="Quote this one alone.")
    discount: Amount = Field(0, description="Off the goods; only for callers who may give one.")

    def request(self) -> QuoteRequest:
        lines = tuple(Wanted(line.sku, line.quantity) for line in self.lines)
        return QuoteRequest(self.brand, self.country, self.state, lines, self.speed, self.discount)


class QuoteLineOut(Out):
    """`discount` and `tax` are the line's shares, to the smallest unit."""

    sku: str
    title: str
    quantity: int
    unit_price: Money
    discount: Money
    tax: Money

    @classmethod
    def of(cls, line: PricedLine, currency: str) -> Self:
        money = {
            name: Money(amount=getattr(line, name), currency=currency) for name in ("unit_price", "discount", "tax")
        }
        return cls(sku=line.sku, title=line.title, quantity=line.quantity, **money)


class ChoiceOut(Out):
    """One speed. `total` is what `POST /v1/orders` wants as `expected_total`."""

    speed: str
    title: str
    promised_by: datetime
    subtotal: Money
    discount: Money
    tax: Money
    shipping: Money
    shipping_tax: Money
    total: Money
    lines: list[QuoteLineOut]

    @classmethod
    def of(cls, choice: Choice) -> Self:
        cart = choice.cart
        return cls(
            speed=choice.speed,
            title=choice.title,
            promised_by=choice.promised_by,
            lines=[QuoteLineOut.of(line, cart.currency) for line in cart.lines],
            **_amounts(cart),
        )


class QuoteOut(Out):
    """Cheapest first. `includes_tax` says whether the prices contain the tax that is shown."""

    model_config = example(
        {
            "object": "quote",
            "currency": "usd",
            "includes_tax": False,
            "choices": [
                {
                    "speed": "standard",
                    "title": "Standard, 4 working days",
                    "promised_by": "2026-12-02T23:59:59Z",
                    "subtotal": {"amount": 2800, **_USD},
                    "discount": {"amount": 0, **_USD},
                    "tax": {"amount": 112, **_USD},
                    "shipping": {"amount": 595, **_USD},
                    "shipping_tax": {"amount": 24, **_USD},
                    "total": {"amount": 3531, **_USD},
                    "lines": [
                        {
                            "sku": "AUR-LIP-VEL-012",
                            "title": "Velvet Lipstick, 012 Mercer Rouge",
                            "quantity": 1,
                            "unit_price": {"amount": 2800, **_USD},
                            "discount": {"amount": 0, **_USD},
                            "tax": {"amount": 112, **_USD},
                        }
                    ],
                }
            ],
        }
    )
    object: Literal["quote"] = "quote"
    currency: str
    includes_tax: bool
    choices: list[ChoiceOut]

    @classmethod
    def of(cls, quote: Quote) -> Self:
        choices = [ChoiceOut.of(choice) for choice in quote.choices]
        return cls(currency=quote.currency, includes_tax=quote.includes_tax, choices=choices)


def _amounts(cart: PricedCart) -> dict[str, Money]:
    names = ("subtotal", "discount", "tax", "shipping", "shipping_tax", "total")
    return {name: Money(amount=getattr(cart, name), currency=cart.currency) for name in names}
