"""O5: the carrier's ledger beside our labels. One live label a parcel, none for what will not leave.

A label is live until its refund is requested, also where the carrier refused that and has no trace of it. What was only
prepared costs nothing and is nobody's business.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from models.conservation import Checked, Finding
from models.stores.conservation_books import OrderBooks
from models.tables.shipments import Label
from models.words import Stage

_WILL_NOT_LEAVE = frozenset({Stage.CANCELLED, Stage.RE_SOURCED})


class Sold(BaseModel):
    """A shipment of the carrier's whose label was bought; `postage` in minor units."""

    id: str
    reference: str | None = None
    tracking_code: str | None = None
    postage: int
    refund_status: str | None = None
    refused: bool = False  # by our books the carrier would not hear of its refund

    @property
    def key(self) -> str:
        return self.reference or self.id

    @property
    def order_id(self) -> str:
        return self.key.partition(":")[0]

    @property
    def shipment(self) -> str:
        """The label's key without its count: order and shipment."""
        return self.key.rpartition(":label:")[0] or self.key

    @property
    def live(self) -> bool:
        return self.refund_status is None and not self.refused


def compare(books: Mapping[str, OrderBooks], ledger: Sequence[Mapping[str, Any]]) -> list[Checked]:
    """Every check of O5 that needs the ledger; `ledger` is its list of shipments."""
    ours = [label for order in books.values() for label in order.labels if label.bought_at]
    refused = {label.carrier_shipment_id for label in ours if label.refund_status == "rejected"}
    there = [Sold.model_validate(shipment) for shipment in ledger if shipment["labels"]]
    sold = [label.model_copy(update={"refused": label.id in refused}) for label in there]
    checks = (
        ("carrier's ledger: one live label a parcel", len(sold), _one_live(sold), False),
        ("carrier's ledger: no live label for what will not leave", len(sold), _none_for_ended(books, sold), True),
        ("carrier's labels are in our books", len(sold), _recorded(books, sold), True),
        ("our labels are in the carrier's ledger", len(ours), _bought(books, sold), True),
    )
    return [Checked("O5", what, count, tuple(findings), at_rest) for what, count, findings, at_rest in checks]


def _one_live(sold: Sequence[Sold]) -> Iterator[Finding]:
    live: defaultdict[str, list[Sold]] = defaultdict(list)
    for label in sold:
        if label.live:
            live[label.shipment].append(label)
    for shipment, labels in live.items():
        if len(labels) > 1:
            codes = ", ".join(f"{label.tracking_code} ({label.key})" for label in labels)
            yield _finding(labels[0].order_id, shipment, f"{len(labels)} live labels: {codes}")


def _none_for_ended(books: Mapping[str, OrderBooks], sold: Sequence[Sold]) -> Iterator[Finding]:
    stages = {f"{o.id}:{s.id}": s.stage for o in books.values() for s in o.shipments}
    for label in sold:
        order = books.get(label.order_id)
        if order is None or not label.live:
            continue
        stage = stages.get(label.shipment)
        if order.came_to_nothing or stage in _WILL_NOT_LEAVE:
            words = f"label {label.tracking_code} is live, yet the order is {order.status} and the parcel {stage}"
            yield _finding(order.id, label.key, words)


def _recorded(books: Mapping[str, OrderBooks], sold: Sequence[Sold]) -> Iterator[Finding]:
    ours = {label.key: label for order in books.values() for label in order.labels}
    for label in sold:
        row = ours.get(label.key)
        if row is None or row.bought_at is None:
            words = f"the carrier sold label {label.tracking_code} ({label.id}); our books do not have it"
            yield _finding(label.order_id, label.key, words)
        elif (theirs := _facts(label)) != (said := _said(row)):
            words = "shipment, tracking code, postage and whether a refund was requested are"
            yield _finding(label.order_id, label.key, f"{words} {theirs} at the carrier and {said} in our books")


def _bought(books: Mapping[str, OrderBooks], sold: Sequence[Sold]) -> Iterator[Finding]:
    there = {label.key for label in sold}
    for order in books.values():
        for row in order.labels:
            if row.bought_at and row.key not in there:
                words = f"our books say label {row.tracking_code} was bought; the carrier has none of that reference"
                yield _finding(order.id, row.key, words)


def _facts(label: Sold) -> tuple[str, str | None, int, bool]:
    return label.id, label.tracking_code, label.postage, not label.live


def _said(row: Label) -> tuple[str | None, str | None, int | None, bool]:
    return row.carrier_shipment_id, row.tracking_code, row.rate, row.refund_requested_at is not None


def _finding(order_id: str, subject: str, message: str) -> Finding:
    return Finding("O5", subject, message, order_id)
