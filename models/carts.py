"""Where a cart's wishes are held when the shop names no location. Pure; the order is sourced anew at checkout."""

from collections.abc import Mapping, Sequence

from models.stock import CartItem, Key, Shortage

ANYWHERE = ""  # a shortage's location when no single one is meant


def spread(
    wishes: Mapping[str, int], nodes: Sequence[str], free: Mapping[Key, int]
) -> tuple[CartItem, ...] | tuple[Shortage, ...]:
    """Hold each SKU at as few nodes as can be, nodes in the given order, those that have all of the cart first.

    Either every wish is placed, or the answer is every shortage.
    """

    def whole(node: str) -> bool:
        return all(free.get((sku, node), 0) >= quantity for sku, quantity in wishes.items())

    order = sorted(nodes, key=lambda node: not whole(node))
    items: list[CartItem] = []
    short: list[Shortage] = []
    for sku, quantity in wishes.items():
        left = quantity
        for node in sorted(order, key=lambda place: min(free.get((sku, place), 0), quantity), reverse=True):
            taken = min(left, free.get((sku, node), 0))
            if taken:
                items.append(CartItem(sku, node, taken))
                left -= taken
        if left:
            short.append(Shortage(sku, ANYWHERE, quantity, quantity - left))
    return tuple(short) if short else tuple(items)
