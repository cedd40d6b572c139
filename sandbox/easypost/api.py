"""The endpoints under /v2: each names the object it works on and what it answers. It must not hold any rule."""

from dataclasses import dataclass

from starlette.routing import Route

from sandbox.clock import Clock
from sandbox.easypost import addresses
from sandbox.easypost.errors import not_found, not_implemented
from sandbox.easypost.http import Call, Handler, Reply, api
from sandbox.easypost.parcels import new_parcel
from sandbox.easypost.refunds import Refunds
from sandbox.easypost.shapes import Json, is_true, section
from sandbox.easypost.shipments import Shipments
from sandbox.easypost.store import Store
from sandbox.easypost.trackers import Trackers
from sandbox.easypost.webhooks import Webhooks

_ELSEWHERE = (
    "batches pickups pickup_rates scan_forms insurances customs_infos customs_items orders reports claims users "
    "api_keys carrier_accounts carrier_types end_shippers billing payment_methods luma embeddables brands"
)
ELSEWHERE = frozenset(_ELSEWHERE.split())
# days added to a rate's delivery_days at each percentile
TRANSIT = {50: 0, 75: 0, 85: 1, 90: 1, 95: 1, 97: 2, 99: 3}


@dataclass(frozen=True)
class Api:
    store: Store
    clock: Clock
    shipments: Shipments
    trackers: Trackers
    refunds: Refunds
    webhooks: Webhooks

    def routes(self) -> list[Route]:
        table: list[tuple[str, str, Handler]] = [
            ("POST", "/addresses", self._create_address),
            ("POST", "/addresses/create_and_verify", self._create_and_verify),
            ("GET", "/addresses/{id}", lambda call: (200, self._object(call, "adr"))),
            ("GET", "/addresses/{id}/verify", self._verify_address),
            ("POST", "/parcels", self._create_parcel),
            ("GET", "/parcels/{id}", lambda call: (200, self._object(call, "prcl"))),
            ("POST", "/shipments", lambda call: (201, self.shipments.create(section(call.body, "shipment")))),
            ("GET", "/shipments", self._list_shipments),
            ("GET", "/shipments/{id}", lambda call: (200, self.shipments.retrieve(call.id, call.base_url))),
            ("POST", "/shipments/{id}/buy", lambda call: (200, self.shipments.buy(call.id, call.body, call.base_url))),
            ("POST", "/shipments/{id}/refund", self._refund_shipment),
            ("POST", "/shipments/{id}/insure", self._insure),
            ("POST", "/shipments/{id}/rerate", lambda call: (200, {"rates": self.shipments.rerate(call.id)})),
            ("GET", "/shipments/{id}/smartrate", self._smartrate),
            ("GET", "/shipments/{id}/label", self._label),
            ("POST", "/refunds", self._create_refunds),
            ("GET", "/refunds", self._list_refunds),
            ("GET", "/refunds/{id}", lambda call: (200, self.refunds.retrieve(call.id))),
            ("POST", "/trackers", self._create_tracker),
            ("GET", "/trackers", self._list_trackers),
            ("GET", "/trackers/{id}", lambda call: (200, self.trackers.retrieve(call.id))),
            ("GET", "/events", self._list_events),
            ("GET", "/events/{id}", lambda call: (200, self.store.row("events", call.id)["document"])),
            ("POST", "/webhooks", lambda call: (201, self.webhooks.create(section(call.body, "webhook")))),
            ("GET", "/webhooks", lambda _: (200, {"webhooks": self.webhooks.all()})),
            ("GET", "/webhooks/{id}", lambda call: (200, self.webhooks.retrieve(call.id))),
            ("PATCH", "/webhooks/{id}", lambda call: (200, self.webhooks.update(call.id, call.body))),
            ("DELETE", "/webhooks/{id}", self._delete_webhook),
        ]
        routes = [Route(f"/v2{path}", api(handler), methods=[method]) for method, path, handler in table]
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [*routes, Route("/{path:path}", api(_elsewhere), methods=every)]

    def _create_address(self, call: Call) -> Reply:
        address = addresses.new_address(section(call.body, "address"), self.clock.now())
        strict = _asks(call.body.get("verify_strict"))
        if strict or _asks(call.body.get("verify")):
            address, errors = addresses.verified(address)
            if strict and errors:
                raise addresses.verify_failure(errors)
        self.store.put_object(address)
        return 201, address

    def _create_and_verify(self, call: Call) -> Reply:
        return 201, {"address": self._verified(addresses.new_address(section(call.body, "address"), self.clock.now()))}

    def _verify_address(self, call: Call) -> Reply:
        return 200, {"address": self._verified(self._object(call, "adr"))}

    def _verified(self, address: Json) -> Json:
        result, errors = addresses.verified(address)
        if errors:
            raise addresses.verify_failure(errors)
        self.store.put_object(result)
        return result

    def _create_parcel(self, call: Call) -> Reply:
        parcel = new_parcel(section(call.body, "parcel"), self.clock.now())
        self.store.put_object(parcel)
        return 201, parcel

    def _object(self, call: Call, prefix: str) -> Json:
        if not call.id.startswith(f"{prefix}_"):
            raise not_found()
        return self.store.stored(call.id)

    def _list_shipments(self, call: Call) -> Reply:
        found, more = self.shipments.page(call.page(), call.base_url)
        return 200, {"shipments": found, "has_more": more}

    def _refund_shipment(self, call: Call) -> Reply:
        self.refunds.request(self.store.row("shipments", call.id))
        return 200, self.shipments.retrieve(call.id, call.base_url)

    def _insure(self, call: Call) -> Reply:
        return 200, self.shipments.insure(call.id, call.body.get("amount"), call.base_url)

    def _smartrate(self, call: Call) -> Reply:
        rates = self.shipments.retrieve(call.id, call.base_url)["rates"]
        amounts = ("rate", "list_rate", "retail_rate")
        return 200, {
            "result": [
                {
                    **rate,
                    **{name: float(rate[name]) for name in amounts},
                    "time_in_transit": {f"percentile_{p}": rate["delivery_days"] + d for p, d in TRANSIT.items()},
                }
                for rate in rates
            ]
        }

    def _label(self, call: Call) -> Reply:
        return 200, self.shipments.convert_label(call.id, call.query.get("file_format", ""), call.base_url)

    def _create_refunds(self, call: Call) -> Reply:
        refund = section(call.body, "refund")
        return 201, self.refunds.create(refund.get("carrier"), refund.get("tracking_codes"))

    def _list_refunds(self, call: Call) -> Reply:
        found, more = self.refunds.page(call.page())
        return 200, {"refunds": found, "has_more": more}

    def _create_tracker(self, call: Call) -> Reply:
        given = section(call.body, "tracker")
        return 200, self.trackers.create(given.get("tracking_code"), given.get("carrier"), call.base_url)

    def _list_trackers(self, call: Call) -> Reply:
        found, more = self.trackers.page(call.page(tracking_code="tracking_code", carrier="carrier"))
        return 200, {"trackers": found, "has_more": more}

    def _list_events(self, call: Call) -> Reply:
        rows, more = self.store.page("events", call.page())
        return 200, {"events": [row["document"] for row in rows], "has_more": more}

    def _delete_webhook(self, call: Call) -> Reply:
        self.webhooks.delete(call.id)
        return 204, None


def _asks(value: object) -> bool:
    """`verify` is true, or a list of verifications."""
    return bool(value) if isinstance(value, list) else is_true(value)


def _elsewhere(call: Call) -> Reply:
    parts = call.path["path"].split("/")
    if len(parts) > 1 and parts[0] in ("v2", "beta") and parts[1] in ELSEWHERE:
        raise not_implemented(f"/{parts[0]}/{parts[1]}")
    raise not_found()
