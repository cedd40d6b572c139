"""An order's events as a person would tell them: one sentence each, or none where it is not worth one."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cli.http import ApiClient
from models.money import format_money

Data = Mapping[str, Any]

_VERDICTS: Final = {
    "declined": "The card is declined. The order has failed, and nothing of it stays held.",
    "out_of_stock": "No shelf has all of it. The order has failed, and nothing of it stays held.",
    "invalid_address": "Nothing can be delivered there. The order has failed, and nothing of it stays held.",
}
_REASONS: Final = {"silent": "did not answer in time"}


class Narrator:
    """Words for one order's events, told in their order: a parcel is known by the node that ships it."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._nodes: dict[str, str] = {}  # the names, by location
        self._parcels: dict[str, str] = {}  # each parcel's node
        self._currency = ""
        self._words: Mapping[str, Callable[[Data], str]] = {
            "order.placed": lambda e: f"The order is placed: {_pieces(e['units'])}, {self._money(e['total'])}.",
            "order.reserved": lambda e: f"The address is good. Reserved at {self._all(e['nodes'])}.",
            "order.confirmed": lambda _: "The order is confirmed.",
            "order.failed": lambda e: _VERDICTS.get(e["verdict"], f"The order has failed: {e['verdict']}."),
            "payment.authorized": lambda e: f"Stripe holds {self._money(e['amount'])}.",
            "payment.requires_action": lambda _: "The bank wants to see its customer (3-D Secure).",
            "payment.captured": lambda e: (
                f"Stripe takes {self._money(e['amount'])} for the parcel from {self._from(e)}."
            ),
            "payment.voided": lambda _: "Stripe lets go of a hold that is no longer needed.",
            "shipment.offered": self._offered,
            "shipment.accepted": lambda e: f"{self._from(e)} takes it.",
            "shipment.released": lambda e: f"{self._from(e)} gets a parcel to pack.",
            "shipment.rejected": lambda e: (
                f"{self._from(e)} {_REASONS.get(e['reason'], 'will not ship: ' + e['reason'])}."
            ),
            "shipment.re_sourced": lambda e: f"{self._name(e['node'])} ships it instead.",
            "shipment.packed": lambda e: f"{self._from(e)} has packed {e['grams']} g.",
            "label.bought": lambda e: f"A label is bought: {e['carrier']} {e['service']}, {e['tracking_code']}.",
            "shipment.handed_over": lambda e: f"{self._from(e)} hands it to the carrier; its stock goes down.",
            "shipment.delivered": lambda e: f"The parcel from {self._from(e)} is delivered.",
        }

    def __call__(self, event: Mapping[str, Any]) -> str | None:
        data: Data = event.get("data") or {}
        self._currency = data.get("currency", self._currency)
        if "shipment" in data and "node" in data and event["type"] != "shipment.re_sourced":
            self._parcels[data["shipment"]] = data["node"]
        words = self._words.get(event["type"])
        return words(data) if words else None

    def _offered(self, data: Data) -> str:
        seconds = (datetime.fromisoformat(data["until"]) - datetime.now(UTC)).total_seconds()
        return f"{self._from(data)} is offered it, and has {_span(seconds)} to answer."

    def _from(self, data: Data) -> str:
        return self._name(self._parcels.get(data["shipment"], ""))

    def _name(self, location: str) -> str:
        if location and location not in self._nodes:
            self._nodes[location] = self._api.get(f"/v1/locations/{location}")["name"]
        return self._nodes.get(location, "a node")

    def _all(self, locations: list[str]) -> str:
        return " and ".join(self._name(each) for each in locations)

    def _money(self, amount: int) -> str:
        return format_money(amount, self._currency)


def _pieces(count: int) -> str:
    return "1 piece" if count == 1 else f"{count} pieces"


def _span(seconds: float) -> str:
    """Roughly; a store's hours count while it is open, so it can be a whole night."""
    if seconds < 120:
        return f"{max(round(seconds), 0)} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
