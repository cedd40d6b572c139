"""EasyPost's answers as values, and our parcels in its units. An answer of another shape raises ValidationError.

Nothing here calls anybody.
"""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any, Final

from pydantic import BaseModel

from activities.gateways.printable import printable
from models import heard_easypost
from models.heard import Heard
from models.money import currency
from models.vendors import Address, AddressVerdict, BoughtLabel, NoLabelError, Parcel, Prepared, Rate

_GRAMS_PER_OUNCE: Final = Decimal("28.349523125")
_MM_PER_INCH: Final = Decimal("25.4")
_TENTH: Final = Decimal("0.1")
_HAZMAT: Final = "LIMITED_QUANTITY"  # consumer-size cosmetics: perfume, nail polish, aerosols


class _Details(BaseModel):
    latitude: float | None = None
    longitude: float | None = None


class _Problem(BaseModel):
    code: str | None = None


class _Delivery(BaseModel):
    success: bool
    errors: list[_Problem] = []
    details: _Details | None = None


class _Verifications(BaseModel):
    delivery: _Delivery | None = None


class VerifiedAddress(BaseModel):
    verifications: _Verifications = _Verifications()


class _WireRate(BaseModel):
    id: str
    carrier: str
    service: str
    rate: Decimal
    currency: str
    delivery_days: int | None = None
    est_delivery_days: int | None = None


class _Postage(BaseModel):
    label_url: str
    label_pdf_url: str | None = None


class _Tracker(BaseModel):
    id: str


class WireShipment(BaseModel):
    id: str
    rates: list[_WireRate] = []
    selected_rate: _WireRate | None = None
    postage_label: _Postage | None = None
    tracking_code: str | None = None
    tracker: _Tracker | None = None
    refund_status: str | None = None
    reference: str | None = None
    created_at: str | None = None


def verdict_of(raw: Mapping[str, Any]) -> AddressVerdict:
    """Where the carrier has no opinion the address counts as deliverable, without coordinates."""
    delivery = VerifiedAddress.model_validate(raw).verifications.delivery
    if delivery is None:
        return AddressVerdict(deliverable=True)
    if not delivery.success:
        return AddressVerdict(deliverable=False, reason=next((e.code for e in delivery.errors if e.code), "unverified"))
    where = delivery.details or _Details()
    return AddressVerdict(deliverable=True, latitude=where.latitude, longitude=where.longitude)


def shipment_of(raw: Mapping[str, Any]) -> BoughtLabel | Prepared:
    """The label where one was bought, else the shipment with its rates."""
    shipment = WireShipment.model_validate(raw)
    postage, sold, code = shipment.postage_label, shipment.selected_rate, shipment.tracking_code
    if postage is None or sold is None or code is None:
        return Prepared(shipment.id, tuple(_rate(each) for each in shipment.rates))
    rate = _rate(sold)
    return BoughtLabel(
        carrier_shipment_id=shipment.id,
        carrier=rate.carrier,
        service=rate.service,
        rate=rate.amount,
        currency=rate.currency,
        tracking_code=code,
        tracker_id=shipment.tracker.id if shipment.tracker else None,
        url=postage.label_pdf_url or postage.label_url,
    )


def purchase_of(raw: Mapping[str, Any]) -> Heard | None:
    """A label that was sold under one of our keys; None for any other shipment."""
    shipment, label = WireShipment.model_validate(raw), shipment_of(raw)
    if not isinstance(label, BoughtLabel) or not shipment.reference or not shipment.created_at:
        return None
    return heard_easypost.purchase_of(shipment.reference, label, shipment.refund_status, shipment.created_at)


def _rate(wire: _WireRate) -> Rate:
    code = wire.currency.lower()
    units = wire.rate.scaleb(currency(code).decimals).to_integral_value(ROUND_HALF_UP)
    days = wire.delivery_days if wire.delivery_days is not None else wire.est_delivery_days
    return Rate(id=wire.id, carrier=wire.carrier, service=wire.service, amount=int(units), currency=code, days=days)


def creation_of(parcel: Parcel) -> dict[str, Any]:
    """What a shipment is created from; raises NoLabelError before anybody is asked."""
    if parcel.grams <= 0:
        raise NoLabelError("missing", "weight")
    options = {"label_format": "PDF"}
    if parcel.hazmat:
        options["hazmat"] = _HAZMAT
    return {
        "reference": parcel.reference,
        "to_address": label_address(parcel.destination, "destination"),
        "from_address": label_address(parcel.origin, "origin"),
        "parcel": {
            "weight": _tenths_up(Decimal(parcel.grams) / _GRAMS_PER_OUNCE),
            "length": _tenths_up(Decimal(parcel.length_mm) / _MM_PER_INCH),
            "width": _tenths_up(Decimal(parcel.width_mm) / _MM_PER_INCH),
            "height": _tenths_up(Decimal(parcel.height_mm) / _MM_PER_INCH),
        },
        "options": options,
    }


def label_address(address: Address, whose: str) -> dict[str, str]:
    """An address as it is printed; what is optional is left out where it is empty."""
    texts = {
        "name": address.name,
        "street1": address.street,
        "street2": address.street2,
        "city": address.city,
        "state": address.state,
        "zip": address.postcode,
    }
    printed = {
        name: printable(text or "", f"{whose} {name}")
        for name, text in texts.items()
        if text or name not in ("street2", "state")
    }
    phone = {"phone": address.phone} if address.phone else {}
    return {**printed, **phone, "country": address.country}


def _tenths_up(value: Decimal) -> float:
    """Rounded up to a tenth, and a tenth at least: a carrier takes no parcel of zero."""
    return float(max((value / _TENTH).to_integral_value(ROUND_CEILING), Decimal(1)) * _TENTH)
