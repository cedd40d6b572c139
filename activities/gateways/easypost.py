"""The carrier's port on EasyPost's official client. It decides nothing about a parcel and logs no body.

The client repeats a GET by itself up to three times, a POST never; it knows no idempotency key, so a purchase whose
answer was lost is looked up by the carrier's shipment, which sells its label once.
"""

import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from decimal import DecimalException
from typing import Any, Final

from easypost.easypost_client import EasyPostClient
from easypost.errors import (
    ApiError,
    EasyPostError,
    ForbiddenError,
    HttpError,
    InvalidRequestError,
    NotFoundError,
    PaymentError,
    RateLimitError,
    UnauthorizedError,
)
from easypost.errors import BadRequestError as MalformedError
from easypost.errors import TimeoutError as TimedOutError
from pydantic import ValidationError

from activities.gateways import easypost_wire as wire
from activities.gateways.transport import never_sent
from models import heard_easypost
from models.errors import OutcomeUnknownError, RejectedError, VendorUnavailableError
from models.heard import Heard, Listed, Window
from models.vendors import Address, AddressVerdict, BoughtLabel, Parcel, Prepared, Rate

TIMEOUT: Final = 4  # seconds
PAGE: Final = 100  # shipments
_HOST: Final = "https://api.easypost.com"
_CODE: Final = re.compile(r"[\w.\[\]-]{1,80}", re.ASCII)


class EasyPostGateway:
    """Implements `activities.ports.CarrierGateway`. A `base` points the client at a sandbox."""

    def __init__(self, api_key: str, *, base: str | None = None) -> None:
        self._api_key = api_key
        self._api_base = f"{(base or _HOST).rstrip('/').removesuffix('/v2')}/v2"
        self._threads = threading.local()

    def verify(self, address: Address) -> AddressVerdict:
        """Whether it can be delivered to, and where it lies. It goes as typed, and without the person."""
        place: dict[str, Any] = {
            "street1": address.street,
            "street2": address.street2,
            "city": address.city,
            "state": address.state,
            "zip": address.postcode,
            "country": address.country,
        }
        given = {name: text for name, text in place.items() if text}
        with _errors_in_our_words():
            try:
                answer = self._client.address.create(verify=True, **given)
            except InvalidRequestError as error:
                return AddressVerdict(deliverable=False, reason=_first_code(error))
            return wire.verdict_of(answer.to_dict())

    def prepare(self, parcel: Parcel) -> Prepared:
        """The carrier's shipment with its rates. Costs nothing, so one of unknown outcome is simply prepared again."""
        params = wire.creation_of(parcel)
        with _errors_in_our_words():
            found = wire.shipment_of(self._client.shipment.create(**params).to_dict())
        if isinstance(found, BoughtLabel):
            raise OutcomeUnknownError("easypost: a new shipment came with a label")
        return found

    def look(self, carrier_shipment_id: str) -> BoughtLabel | Prepared:
        """What became of it: its label, or its rates."""
        with _errors_in_our_words():
            return wire.shipment_of(self._client.shipment.retrieve(carrier_shipment_id).to_dict())

    def buy(self, carrier_shipment_id: str, rate: Rate) -> BoughtLabel:
        """Buy the label at this rate; where it was bought before, that label."""
        with _errors_in_our_words():
            try:
                answer = self._client.shipment.buy(carrier_shipment_id, rate={"id": rate.id})
            except InvalidRequestError as error:
                if error.code != "SHIPMENT.POSTAGE.EXISTS":
                    raise
                found = self._sold(carrier_shipment_id)
            else:
                found = wire.shipment_of(answer.to_dict())
        if isinstance(found, Prepared):
            raise OutcomeUnknownError("easypost: bought, but there is no label yet")
        return found

    def _sold(self, carrier_shipment_id: str) -> BoughtLabel | Prepared:
        try:
            return self.look(carrier_shipment_id)
        except RejectedError:
            raise OutcomeUnknownError("easypost: bought, but it cannot be read") from None

    def refund(self, carrier_shipment_id: str) -> str:
        """Ask for the label's money; the carrier's word for where that stands. Asking again changes nothing.

        A refusal is an answer too: it stands where it stood before, or is `rejected`.
        """
        try:
            with _errors_in_our_words():
                answer = self._client.shipment.refund(carrier_shipment_id)
                return wire.WireShipment.model_validate(answer.to_dict()).refund_status or "submitted"
        except RejectedError:
            return self.refund_status(carrier_shipment_id) or "rejected"

    def purchases(self, window: Window, after: str | None) -> Listed:
        """A page of the labels that were bought of shipments made in the window."""
        params: dict[str, Any] = {
            "purchased": True,
            "start_datetime": window.since.isoformat(),
            "end_datetime": window.until.isoformat(),
            "page_size": PAGE,
        }
        if after is not None:
            params["before_id"] = after
        with _errors_in_our_words():
            page = self._client.shipment.all(**params)
            shipments: list[dict[str, Any]] = [shipment.to_dict() for shipment in page["shipments"]]
            sold = [each for shipment in reversed(shipments) if (each := wire.purchase_of(shipment))]
            return Listed(sold, shipments[-1]["id"] if page["has_more"] else None)

    def track(self, tracker_id: str) -> Heard:
        """What the carrier last said of a parcel."""
        with _errors_in_our_words():
            return heard_easypost.read_anew(self._client.tracker.retrieve(tracker_id).to_dict())

    def refund_status(self, carrier_shipment_id: str) -> str | None:
        """Where a label's refund stands, in the carrier's word; None where none was asked for."""
        with _errors_in_our_words():
            try:
                answer = self._client.shipment.retrieve(carrier_shipment_id)
            except NotFoundError:
                return None
            return wire.WireShipment.model_validate(answer.to_dict()).refund_status

    @property
    def _client(self) -> EasyPostClient:
        """One client a thread: it does not claim to be safe to share."""
        client: EasyPostClient | None = getattr(self._threads, "client", None)
        if client is None:
            client = EasyPostClient(self._api_key, api_base=self._api_base, timeout=TIMEOUT)
            self._threads.client = client
        return client


@contextmanager
def _errors_in_our_words() -> Generator[None]:
    """The chain is cut (`from None`): the client's own exceptions hold whole bodies.

    Where `error` is no object the client fails with an AttributeError of its own.
    """
    try:
        yield
    except EasyPostError as error:
        raise _in_our_words(error) from None
    except (ValidationError, ValueError, AttributeError, TypeError, KeyError, DecimalException):
        raise OutcomeUnknownError("easypost: the answer makes no sense") from None


def _in_our_words(error: EasyPostError) -> Exception:
    status = getattr(error, "http_status", None)
    if isinstance(error, HttpError | TimedOutError):
        if never_sent(error.__context__):
            return VendorUnavailableError("easypost: no connection")
        return OutcomeUnknownError("easypost: the connection was lost or timed out")
    if isinstance(error, RateLimitError):
        return VendorUnavailableError("easypost: busy (429)")
    if isinstance(error, UnauthorizedError | ForbiddenError | PaymentError):
        # the account's own trouble (key, balance): it works again when that is put right
        return VendorUnavailableError(f"easypost: the account was not accepted ({status})")
    if isinstance(error, InvalidRequestError | MalformedError | NotFoundError):
        return RejectedError(f"easypost: {status} {_word(error.code)} {_fields(error)}".rstrip())
    return OutcomeUnknownError(f"easypost: {status or 'no'} answer that settles nothing")


def _problems(error: ApiError) -> list[dict[str, Any]]:
    found: list[Any] = error.errors or []
    return [each for each in found if isinstance(each, dict)]


def _first_code(error: ApiError) -> str:
    return next((str(each["code"]) for each in _problems(error) if each.get("code")), error.code or "unverified")


def _fields(error: ApiError) -> str:
    return " ".join(sorted({_word(each["field"]) for each in _problems(error) if each.get("field")}))


def _word(code: object) -> str:
    """A code or a parameter's name as it is; a sentence in its place may hold a person's data."""
    return str(code) if _CODE.fullmatch(str(code)) else "unreadable"
