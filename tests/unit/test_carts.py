"""Where a cart's wishes are held when no location is named."""

from models.carts import ANYWHERE, spread
from models.stock import CartItem, Shortage

FREE = {("A", "n1"): 2, ("A", "n2"): 5, ("B", "n1"): 1, ("B", "n3"): 4}


def test_cart_is_held_at_one_node_when_one_has_it_all():
    free = {**FREE, ("B", "n2"): 1}
    assert spread({"A": 2, "B": 1}, ["n1", "n2", "n3"], free) == (CartItem("A", "n1", 2), CartItem("B", "n1", 1))
    assert spread({"A": 3, "B": 1}, ["n1", "n2", "n3"], free) == (CartItem("A", "n2", 3), CartItem("B", "n2", 1))


def test_sku_is_split_only_when_no_node_has_enough():
    assert spread({"A": 6}, ["n1", "n2"], FREE) == (CartItem("A", "n2", 5), CartItem("A", "n1", 1))
    assert spread({"A": 4}, ["n1", "n2"], FREE) == (CartItem("A", "n2", 4),)


def test_every_shortage_is_named():
    assert spread({"A": 8, "B": 6, "C": 1}, ["n1", "n2", "n3"], FREE) == (
        Shortage("A", ANYWHERE, 8, 7),
        Shortage("B", ANYWHERE, 6, 5),
        Shortage("C", ANYWHERE, 1, 0),
    )
