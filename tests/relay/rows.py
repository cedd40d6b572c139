"""Rows that the relay's tests start from: an order with a parcel and an intent, as other stores would have left it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from models.db import Database
from models.messages.timings import OrderTimings
from models.mint import mint
from models.tables.base import Base
from models.tables.catalogue import Brand
from models.tables.messages import Command, Event, InboxFact
from models.tables.orders import Order
from models.tables.payments import Intent, PaymentOperation, Tender
from models.tables.returns import Return
from models.tables.shipments import Label, Shipment
from models.tables.stock import Location
from models.words import (
    CommandKind,
    IntentState,
    LocationKind,
    OperationKind,
    RefundOn,
    ReturnStage,
    Role,
    Stage,
    TenderKind,
)


class Rows:
    def __init__(self, database: Database, now: datetime) -> None:
        self._db = database
        self._now = now

    def add(self, table: type[Base], **values: Any) -> None:
        self._db.transaction(lambda session: session.execute(insert(table).values(**values)))

    def all(self, table: type[Any], *where: Any) -> list[Any]:
        def read(session: Session) -> list[Any]:
            return list(session.scalars(select(table).where(*where)))

        return self._db.transaction(read)

    def change(self, table: type[Base], where: Any, **values: Any) -> None:
        self._db.transaction(lambda session: session.execute(update(table).where(where).values(**values)))

    def close(self, order_id: str, at: datetime) -> None:
        self.change(Order, Order.id == order_id, closed_at=at)

    def told(self, order_id: str) -> list[str]:
        """The types of its events, in order."""
        return [event.type for event in sorted(self.all(Event, Event.aggregate == order_id), key=lambda e: e.seq)]

    def shop(self) -> None:
        self.add(Brand, id="brand_aurelle", name="Aurelle")
        place = {"street": "1 Main St", "city": "Springfield", "postcode": "97477", "country": "US"}
        self.add(
            Location,
            id="loc_1",
            name="Main",
            kind=LocationKind.STORE,
            timezone="UTC",
            created_at=self._now,
            **place,
        )

    def order(self, **changes: Any) -> str:
        order_id = mint("ord")
        values = {
            "id": order_id,
            "number": order_id,
            "brand_id": "brand_aurelle",
            "channel": "web",
            "email": "a@example.com",
            "name": "A",
            "street": "1 Main St",
            "city": "Springfield",
            "postcode": "97477",
            "country": "US",
            "speed": "standard",
            "transit_days": 5,
            "currency": "usd",
            "includes_tax": False,
            "subtotal": 1000,
            "tax": 0,
            "shipping": 0,
            "shipping_tax": 0,
            "total": 1000,
            "timings": OrderTimings().model_dump(mode="json"),
            "created_at": self._now,
            "expires_at": self._now + timedelta(minutes=15),
        }
        self.add(Order, **{**values, **changes})
        return order_id

    def parcel(self, order_id: str, code: str, **changes: Any) -> str:
        shipment_id = mint("shp")
        values = {
            "id": shipment_id,
            "order_id": order_id,
            "position": 1,
            "location_id": "loc_1",
            "stage": Stage.CAPTURED,
            "created_at": self._now,
        }
        self.add(Shipment, **{**values, **changes})
        key = f"{order_id}:{shipment_id}:label:1"
        times = {"planned_at": self._now, "bought_at": self._now}
        self.add(Label, key=key, shipment_id=shipment_id, tracking_code=code, **times)
        return shipment_id

    def returned(self, order_id: str, code: str, **changes: Any) -> str:
        """A return with its label."""
        return_id, later = mint("ret"), self._now + timedelta(days=30)
        values = {
            "id": return_id,
            "order_id": order_id,
            "location_id": "loc_1",
            "stage": ReturnStage.LABELLED,
            "refund_on": RefundOn.RECEIPT,
            "wants_label": True,
            "reason": "wrong_shade",
            "actor": "test",
            "deadline": later,
            "expires_at": later,
            "created_at": self._now,
        }
        self.add(Return, **{**values, **changes})
        times = {"planned_at": self._now, "bought_at": self._now}
        self.add(Label, key=f"{order_id}:{return_id}:label:1", return_id=return_id, tracking_code=code, **times)
        return return_id

    def intent(self, order_id: str, intent_id: str, state: IntentState = IntentState.OPEN) -> None:
        tender = {"position": 1, "kind": TenderKind.CARD, "amount": 1000, "payment_method": "pm_card_visa"}
        self.add(Tender, order_id=order_id, **tender)
        amounts = {"tender": 1, "amount": 1000, "capturable": 1000, "created_at": self._now}
        self.add(Intent, id=intent_id, order_id=order_id, state=state, **amounts)

    def operation(self, order_id: str, key: str, kind: OperationKind, **changes: Any) -> None:
        values = {"tender": 1, "leg": 1, "amount": 1000, "planned_at": self._now}
        if changes.get("outcome") is not None:
            values["known_at"] = self._now
        self.add(PaymentOperation, key=key, order_id=order_id, kind=kind, **{**values, **changes})

    def command(self, order_id: str, **changes: Any) -> str:
        command_id = mint("cmd")
        values = {
            "kind": CommandKind.CANCEL,
            "role": Role.CS,
            "actor": "demo",
            "reason": "customer_asked",
            "payload": {},
        }
        self.add(Command, id=command_id, order_id=order_id, created_at=self._now, **{**values, **changes})
        return command_id

    def event(self, aggregate: str, seq: int) -> None:
        self.add(Event, aggregate=aggregate, seq=seq, type="order.placed", data={}, actor="test", at=self._now)

    def fact(self, fact_id: str) -> InboxFact:
        (row,) = self.all(InboxFact, InboxFact.id == fact_id)
        return row
