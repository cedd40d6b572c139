"""Addresses as the carrier is given them: where an order goes, and where a node is."""

from models.tables.orders import Order
from models.tables.stock import Location
from models.vendors import Address


def destination_of(order: Order) -> Address:
    """Where the order goes, as it was typed."""
    return Address(
        name=order.name,
        street=order.street,
        street2=order.street2,
        city=order.city,
        state=order.state,
        postcode=order.postcode,
        country=order.country,
        phone=order.phone,
        email=order.email,
    )


def node_address(node: Location) -> Address:
    """Where a node is."""
    return Address(
        name=node.name,
        street=node.street,
        city=node.city,
        state=node.state,
        postcode=node.postcode,
        country=node.country,
        phone=node.phone,
    )
