"""Shipments: created with rates, bought once, insured. Refunds and tracking have modules of their own."""

from collections.abc import Mapping
from typing import Any

from sandbox.clock import Clock
from sandbox.easypost import addresses, codes, rates
from sandbox.easypost.errors import ApiError, field_error, not_implemented, required
from sandbox.easypost.parcels import new_parcel
from sandbox.easypost.shapes import LABEL_FORMATS, Json, fee, head, is_true, minor_units, money, new_id, section, stamp
from sandbox.easypost.store import Page, Store, dump
from sandbox.easypost.trackers import Trackers, body

NO_RATES, NO_LABEL = "NO RATES", "NO LABEL"  # in a street: what a carrier then does
DEFAULT_OPTIONS: Mapping[str, Any] = {"currency": "USD", "payment": {"type": "SENDER"}, "date_advance": 0}


class Shipments:
    def __init__(self, store: Store, clock: Clock, trackers: Trackers) -> None:
        self._store = store
        self._clock = clock
        self._trackers = trackers

    def create(self, given: Mapping[str, Any]) -> Json:
        """A shipment with the rates of every carrier that takes it; raises ApiError."""
        if missing := [name for name in ("to_address", "from_address") if not given.get(name)]:
            raise required(*(missing if given else ["shipment"]))
        if given.get("service"):
            raise not_implemented("buying in the call that creates a shipment (service); buy it in a second call")
        now = self._clock.now()
        to_address, from_address = (self._address(given, name, now) for name in ("to_address", "from_address"))
        parcel = self._parcel(section(given, "parcel"), now)
        shipment: Json = head("Shipment", "shp", now) | {
            "is_return": is_true(given.get("is_return")),
            "options": _options(section(given, "options")),
            "reference": _reference(given.get("reference")),
            "status": "unknown",
            "tracking_code": None,
            "batch_id": None,
            "batch_status": None,
            "batch_message": None,
            "customs_info": given.get("customs_info"),
            "from_address": from_address,
            "to_address": to_address,
            "buyer_address": to_address,
            "return_address": from_address,
            "insurance": None,
            "order_id": None,
            "parcel": parcel,
            "postage_label": None,
            "refund_status": None,
            "scan_form": None,
            "selected_rate": None,
            "tracker": None,
            "forms": [],
            "fees": [],
        }
        _rate(shipment, given.get("carrier_accounts"), now)
        with self._store.ledger.transaction():
            for part in (to_address, from_address, parcel):
                self._store.put_object(part)
            values = {"id": shipment["id"], "reference": shipment["reference"], "created": now}
            self._store.insert("shipments", {**values, "document": dump(shipment)})
        return shipment

    def retrieve(self, shipment_id: str, base_url: str) -> Json:
        """As it is now, with its tracker; raises ApiError 404."""
        return self._shown(self._store.row("shipments", shipment_id), base_url)

    def page(self, page: Page, base_url: str) -> tuple[list[Json], bool]:
        rows, more = self._store.page("shipments", page)
        return [self._shown(row, base_url) for row in rows], more

    def buy(self, shipment_id: str, given: Mapping[str, Any], base_url: str) -> Json:
        """Buys the label of one of the shipment's rates, once; raises ApiError."""
        row = self._store.row("shipments", shipment_id)
        shipment = row["document"]
        if row["bought"] is not None:
            raise ApiError(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        rate = _chosen(shipment, given)
        premium = _premium(given["insurance"], "insurance") if given.get("insurance") else 0
        if NO_LABEL in str(shipment["to_address"]["street1"]).upper():
            message = f"{rate['carrier']}: the address was refused (it contains {NO_LABEL!r})."
            raise ApiError(422, "SHIPMENT.POSTAGE.FAILURE", message)
        now = self._clock.now()
        cents = minor_units(rate["rate"], "rate")
        shipment["selected_rate"] = rate
        shipment["tracking_code"] = codes.tracking_code(rate["carrier"])
        shipment["postage_label"] = _postage_label(shipment["options"]["label_format"], now)
        shipment["fees"] = [fee("LabelFee", 0), fee("PostageFee", cents)]
        shipment["updated_at"] = stamp(now)
        if premium:
            _insure(shipment, given["insurance"], premium)
        with self._store.ledger.transaction():
            values: Json = {"bought": now, "carrier": rate["carrier"], "service": rate["service"], "postage": cents}
            values |= {"currency": rate["currency"], "insurance": premium, "label_id": shipment["postage_label"]["id"]}
            values |= {"tracking_code": shipment["tracking_code"], "document": dump(shipment)}
            self._store.update("shipments", shipment_id, values)
            self._trackers.create_for(shipment, base_url)
        return self.retrieve(shipment_id, base_url)

    def insure(self, shipment_id: str, amount: object, base_url: str) -> Json:
        """Insures a bought shipment, once; raises ApiError."""
        row = self._bought(shipment_id)
        shipment = row["document"]
        if row["insurance"]:
            raise ApiError(422, "SHIPMENT.INSURANCE.ALREADY_PURCHASED", "Insurance was purchased already.")
        premium = _premium(amount, "amount")
        _insure(shipment, amount, premium)
        with self._store.ledger.transaction():
            self._store.update("shipments", shipment_id, {"insurance": premium, "document": dump(shipment)})
        return self.retrieve(shipment_id, base_url)

    def rerate(self, shipment_id: str) -> list[Json]:
        """New rates with new ids in place of the old; raises ApiError."""
        row = self._store.row("shipments", shipment_id)
        if row["bought"] is not None:
            raise ApiError(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
        shipment = row["document"]
        _rate(shipment, None, self._clock.now())
        with self._store.ledger.transaction():
            self._store.update("shipments", shipment_id, {"document": dump(shipment)})
        return shipment["rates"]

    def convert_label(self, shipment_id: str, file_format: str, base_url: str) -> Json:
        """The shipment with the label's URL in `file_format` too; raises ApiError."""
        label_format = _label_format(file_format)
        shown = self._shown(self._bought(shipment_id), base_url)
        label = shown["postage_label"]
        label[f"label_{label_format.lower()}_url"] = f"{base_url}/labels/{label['id']}.{label_format.lower()}"
        return shown

    def of_label(self, label_id: str) -> Json:
        """The document of the shipment that a label belongs to; raises ApiError 404."""
        return self._store.row("shipments", label_id, "label_id")["document"]

    def _bought(self, shipment_id: str) -> Json:
        row = self._store.row("shipments", shipment_id)
        if row["bought"] is None:
            raise ApiError(422, "SHIPMENT.POSTAGE.REQUIRED", "Postage must be purchased first.")
        return row

    def _shown(self, row: Mapping[str, Any], base_url: str) -> Json:
        shipment: Json = row["document"]
        if row["bought"] is None:
            return shipment
        tracker = self._store.tracker_of(row["id"])
        shipment["tracker"] = tracker and body(tracker)
        shipment["status"] = tracker["status"] if tracker else "unknown"
        shipment["refund_status"] = row["refund_status"]
        for entry in shipment["fees"]:
            entry["refunded"] = row["refund_status"] == "refunded" and entry["type"] != "InsuranceFee"
        label = shipment["postage_label"]
        extension = shipment["options"]["label_format"].lower()
        label["label_url"] = label[f"label_{extension}_url"] = f"{base_url}/labels/{label['id']}.{extension}"
        return shipment

    def _address(self, given: Mapping[str, Any], name: str, now: float) -> Json:
        fields = section(given, name)
        address = self._store.stored(fields["id"]) if fields.get("id") else addresses.new_address(fields, now)
        if missing := [part for part in ("street1", "city", "zip") if not address[part]]:
            raise required(*(f"{name}.{part}" for part in missing))
        if bad := addresses.unprintable(address):
            raise _not_printable([f"{name}.{part}" for part in bad])
        return address

    def _parcel(self, given: Mapping[str, Any], now: float) -> Json:
        return self._store.stored(given["id"]) if given.get("id") else new_parcel(given, now)


def _not_printable(fields: list[str]) -> ApiError:
    errors = [field_error(field, "carriers print Latin-1 only") for field in fields]
    return ApiError(422, "SHIPMENT.POSTAGE.ASCII", "Carriers cannot print some of the text.", errors)


def _options(given: Mapping[str, Any]) -> Json:
    return {**DEFAULT_OPTIONS, **given, "label_format": _label_format(given.get("label_format") or "PDF")}


def _label_format(given: object) -> str:
    label_format = str(given).upper()
    if label_format not in LABEL_FORMATS:
        message = f"The EasyPost sandbox of Shelfway makes {' and '.join(LABEL_FORMATS)} labels, not {label_format}."
        raise ApiError(422, "SHIPMENT.POSTAGE.FORMAT_UNAVAILABLE", message)
    return label_format


def _reference(given: object) -> str | None:
    if given is not None and not isinstance(given, str):
        raise ApiError(422, "PARAMETER.INVALID", "reference must be text.", [field_error("reference", "must be text")])
    if given and not addresses.printable(given):
        raise _not_printable(["reference"])
    return given


def _rate(shipment: Json, accounts: object, now: float) -> None:
    """Puts rates, messages and zone into the shipment."""
    ends = (shipment["from_address"], shipment["to_address"])
    zone = rates.zone_between(*(addresses.place_of(end) for end in ends))
    weight = shipment["parcel"]["weight"] or 0.0
    countries = (ends[0]["country"], ends[1]["country"])
    quotes, refusals = rates.quote(countries, weight, zone, shipment["options"])
    if NO_RATES in str(ends[1]["street1"]).upper():
        refusals = [rates.Refusal(q.tariff.carrier, f"the street contains {NO_RATES!r}") for q in quotes]
        quotes = ()
    wanted = {_account_id(account) for account in accounts} if isinstance(accounts, list) else set[str]()
    shipment["rates"] = [
        _rate_of(quote, shipment["id"], now)
        for quote in quotes
        if not wanted or _account(quote.tariff.carrier) in wanted
    ]
    shipment["messages"] = [
        {
            "carrier": refusal.carrier,
            "carrier_account_id": _account(refusal.carrier),
            "type": "rate_error",
            "message": refusal.message,
        }
        for refusal in refusals
    ]
    shipment["usps_zone"] = zone if countries == ("US", "US") else None


def _account_id(account: object) -> str:
    return str(account.get("id")) if isinstance(account, dict) else str(account)


def _account(carrier: str) -> str:
    return f"ca_sandbox{carrier.lower()}"


def _rate_of(quote: rates.Quote, shipment_id: str, now: float) -> Json:
    amount, currency = money(quote.cents), quote.tariff.currency
    return head("Rate", "rate", now) | {
        "service": quote.tariff.service,
        "carrier": quote.tariff.carrier,
        "rate": amount,
        "currency": currency,
        "retail_rate": amount,
        "retail_currency": currency,
        "list_rate": amount,
        "list_currency": currency,
        "billing_type": "easypost",
        "delivery_days": quote.delivery_days,
        "delivery_date": None,
        "delivery_date_guaranteed": False,
        "est_delivery_days": quote.delivery_days,
        "shipment_id": shipment_id,
        "carrier_account_id": _account(quote.tariff.carrier),
    }


def _chosen(shipment: Json, given: Mapping[str, Any]) -> Json:
    rate_id = section(given, "rate").get("id")
    if not rate_id:
        raise required("rate")
    for rate in shipment["rates"]:
        if rate["id"] == rate_id:
            return rate
    errors = [field_error("rate", "is none of this shipment's rates")]
    raise ApiError(422, "SHIPMENT.MISSING_RATE", "The rate does not belong to this shipment.", errors)


def _premium(amount: object, field: str) -> int:
    """One per cent of the covered amount, in cents, rounded up."""
    return -(-minor_units(amount, field) // 100)


def _insure(shipment: Json, amount: object, premium: int) -> None:
    shipment["insurance"] = money(minor_units(amount, "insurance"))
    shipment["fees"].append(fee("InsuranceFee", premium))


def _postage_label(label_format: str, now: float) -> Json:
    """URLs are filled in when shown: they name the host that the caller reached."""
    return {
        "id": new_id("pl"),
        "object": "PostageLabel",
        "created_at": stamp(now),
        "updated_at": stamp(now),
        "date_advance": 0,
        "integrated_form": "none",
        "label_date": stamp(now),
        "label_resolution": 203,
        "label_size": "4x6",
        "label_type": "default",
        "label_file_type": LABEL_FORMATS[label_format],
        "label_url": None,
        "label_pdf_url": None,
        "label_zpl_url": None,
        "label_epl2_url": None,
        "label_file": None,
    }
