"""Customers: create, read, update, delete, list."""

from sandbox.stripe import objects
from sandbox.stripe.context import Context
from sandbox.stripe.errors import Obj
from sandbox.stripe.params import (
    ADDRESS,
    EXPAND,
    PAGE,
    SHIPPING,
    Parse,
    clearable,
    list_of,
    merge_metadata,
    metadata,
    missing_here,
    nested,
    text,
)
from sandbox.stripe.payment_methods import attach_to, chargeable, existing_customer
from sandbox.stripe.store import Record

_FIELDS: dict[str, Parse] = {
    **EXPAND,
    "address": clearable(ADDRESS),
    "description": clearable(text),
    "email": clearable(text),
    "metadata": metadata,
    "name": clearable(text),
    "phone": clearable(text),
    "preferred_locales": list_of(text),
    "shipping": clearable(SHIPPING),
    "invoice_settings": nested({"default_payment_method": clearable(text)}),
    **missing_here(
        "balance", "business_name", "cash_balance", "individual_name", "invoice_prefix", "next_invoice_sequence",
        "source", "tax", "tax_exempt", "tax_id_data", "test_clock",
    ),
}  # fmt: skip
CREATE: dict[str, Parse] = {**_FIELDS, "payment_method": text}
UPDATE: dict[str, Parse] = _FIELDS
LIST: dict[str, Parse] = {**PAGE, "email": text, **missing_here("test_clock")}


def create(ctx: Context, params: Obj) -> Obj:
    method = params.pop("payment_method", None)
    record = Record(objects.customer(ctx.now()))
    _apply(record, params)
    ctx.store.insert(record)
    if method:
        attach_to(ctx, chargeable(ctx, method), record.id)
    ctx.emit("customer.created", record.body)
    return record.body


def retrieve(ctx: Context, _: Obj, customer: str) -> Obj:
    found = ctx.store.find(customer)
    if found is not None and found.private.get("deleted"):
        return {"id": customer, "object": "customer", "deleted": True}
    return ctx.store.get("customer", customer).body


def update(ctx: Context, params: Obj, customer: str) -> Obj:
    record = existing_customer(ctx, customer, "id")
    _apply(record, params)
    ctx.store.save(record)
    ctx.emit("customer.updated", record.body)
    return record.body


def delete(ctx: Context, _: Obj, customer: str) -> Obj:
    record = existing_customer(ctx, customer, "id")
    record.private["deleted"] = True
    ctx.store.save(record)
    ctx.emit("customer.deleted", record.body)
    return {"id": customer, "object": "customer", "deleted": True}


def list_all(ctx: Context, params: Obj) -> Obj:
    return ctx.store.page("customer", "/v1/customers", params, email=params.get("email"))


def _apply(record: Record, params: Obj) -> None:
    body = record.body
    for name, value in params.items():
        if name == "metadata":
            body["metadata"] = merge_metadata(body["metadata"], value)
        elif name == "invoice_settings":
            body["invoice_settings"].update(value)
        elif name == "shipping" and value:
            body["shipping"] = {"phone": None, **value}
        elif name != "expand":
            body[name] = value
