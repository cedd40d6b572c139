"""The types that every request and answer is made of: texts that can be stored, tidy SKUs, whole amounts, lists."""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.types import AwareDatetime

from models.ids import tidy_sku
from models.money import MAX_AMOUNT, currency
from models.pricing import MAX_QUANTITY

T = TypeVar("T")


def _storable(text: str) -> str:
    """Postgres holds neither a NUL nor half a surrogate pair."""
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("holds a character that cannot be stored")
    return text


def _known_currency(code: str) -> str:
    try:
        return currency(code).code
    except KeyError:
        raise ValueError("is no currency that we know") from None


Storable = AfterValidator(_storable)

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), Storable]
LongText = Annotated[str, StringConstraints(max_length=2000), Storable]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]
"""A lower-case word of ours: a speed, a category, a channel."""
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=400), Storable]
Sku = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80),
    AfterValidator(tidy_sku),
    StringConstraints(pattern=r"^[!-~](?:[ -~]{0,58}[!-~])?$"),
]
"""Outer blanks go and letters become upper case, wherever a SKU is written or looked up."""
Quantity = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Amount = Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT, description="In the currency's smallest unit.")]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$"), AfterValidator(_known_currency)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
State = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True, to_upper=True), Storable]
Instant = AwareDatetime
Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=40), Storable],
        Annotated[str, StringConstraints(max_length=500), Storable],
    ],
    Field(max_length=50, description="Your own keys and values; we only keep them."),
]


class In(BaseModel):
    """A request's body: a field that we do not know is refused, since it would silently do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """An answer's body, read from a row or a value of `models`."""

    model_config = ConfigDict(from_attributes=True)


def example(shown: Mapping[str, Any]) -> ConfigDict:
    """The configuration of a model whose description shows this one example."""
    return ConfigDict(json_schema_extra={"examples": [dict(shown)]})


class Money(Out):
    """An amount with its currency."""

    amount: int = Field(description="In the currency's smallest unit.", examples=[2800])
    currency: str = Field(examples=["usd"])


class ListOf(Out, Generic[T]):
    """One page; ask for the next with `?cursor=` its `next_cursor`."""

    object: Literal["list"] = "list"
    data: list[T]
    has_more: bool
    next_cursor: str | None = None
    url: str


def list_of(data: list[T], next_cursor: str | None, url: str) -> ListOf[T]:
    """A page's envelope."""
    return ListOf(data=data, has_more=next_cursor is not None, next_cursor=next_cursor, url=url)
