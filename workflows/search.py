"""The search attributes that ops filter by in Temporal's UI, and the list that registers them."""

from typing import Any, Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

with workflow.unsafe.imports_passed_through():
    from models.messages.facts import OrderFacts
    from models.messages.order import OrderInput
    from models.messages.returns import ReturnInput

ORDER_NUMBER: Final = SearchAttributeKey.for_keyword("OrderNumber")
ORDER_STATUS: Final = SearchAttributeKey.for_keyword("OrderStatus")
EXCEPTION: Final = SearchAttributeKey.for_keyword("Exception")
CHANNEL: Final = SearchAttributeKey.for_keyword("Channel")
BRAND: Final = SearchAttributeKey.for_keyword("Brand")
STORE_IDS: Final = SearchAttributeKey.for_keyword_list("StoreIds")
PROMISED_BY: Final = SearchAttributeKey.for_datetime("PromisedBy")

REGISTERED: Final[dict[str, str]] = {
    ORDER_NUMBER.name: "Keyword",
    ORDER_STATUS.name: "Keyword",
    EXCEPTION.name: "Keyword",
    CHANNEL.name: "Keyword",
    BRAND.name: "Keyword",
    STORE_IDS.name: "KeywordList",
    PROMISED_BY.name: "Datetime",
}


def at_start(order: OrderInput) -> TypedSearchAttributes:
    """What is known before the run does anything; it costs no upsert. A run that resumes starts as the order stands."""
    known = order.facts.known
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(ORDER_NUMBER, order.number),
        SearchAttributePair(ORDER_STATUS, known.status.value),
        SearchAttributePair(CHANNEL, order.channel),
        SearchAttributePair(BRAND, order.brand),
    ]
    if known.exception:
        pairs.append(SearchAttributePair(EXCEPTION, known.exception))
    if known.stores:
        pairs.append(SearchAttributePair(STORE_IDS, known.stores))
    if known.promised_by:
        pairs.append(SearchAttributePair(PROMISED_BY, known.promised_by))
    return TypedSearchAttributes(pairs)


def of_return(order: ReturnInput) -> TypedSearchAttributes:
    """A return is found by its order's number, brand and channel; it has no status of an order."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(ORDER_NUMBER, order.number),
            SearchAttributePair(CHANNEL, order.channel),
            SearchAttributePair(BRAND, order.brand),
        ]
    )


def changes(shown: OrderFacts, known: OrderFacts) -> list[SearchAttributeUpdate[Any]]:
    """One upsert for a changed status or exception, with what else changed since; empty otherwise."""
    if (shown.status, shown.exception) == (known.status, known.exception):
        return []
    updates: list[SearchAttributeUpdate[Any]] = [ORDER_STATUS.value_set(known.status.value)]
    if shown.exception != known.exception:
        updates.append(EXCEPTION.value_set(known.exception) if known.exception else EXCEPTION.value_unset())
    if shown.stores != known.stores:
        updates.append(STORE_IDS.value_set(known.stores))
    if shown.promised_by != known.promised_by and known.promised_by:
        updates.append(PROMISED_BY.value_set(known.promised_by))
    return updates
