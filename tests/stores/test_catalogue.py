"""The catalogue as a shop sets it up: one rule for SKUs, prices that can be charged, bundles of real pieces."""

import pytest

from models.db import Database
from models.errors import ConflictError, InvalidError, NotFoundError
from models.stores.catalogue import CatalogueStore, NewBox, NewProduct, NewShippingRate, NewVariant


@pytest.fixture
def catalogue(database: Database, clock) -> CatalogueStore:
    store = CatalogueStore(database, clock)
    store.add_brand("brand_b", "B")
    return store


def product(*variants: NewVariant, product_id: str = "prod_lip") -> NewProduct:
    return NewProduct(product_id, "brand_b", "Lipstick", "lipstick", variants)


def test_product_comes_back_with_its_variants_and_components(catalogue: CatalogueStore):
    catalogue.add_product(product(NewVariant("LIP-1", "Red", shade="Red"), NewVariant("LIP-2", "Rose")))
    made = catalogue.add_product(
        product(NewVariant("SET", "Both", components=(("LIP-2", 2), ("LIP-1", 1))), product_id="prod_set")
    )
    assert made.variants[0].variant.bundle
    assert made.variants[0].components == (("LIP-1", 1), ("LIP-2", 2))
    assert [each.variant.sku for each in catalogue.product("prod_lip").variants] == ["LIP-1", "LIP-2"]


def test_sku_with_leading_zeros_is_another_sku(catalogue: CatalogueStore):
    made = catalogue.add_product(product(NewVariant("00123", "A"), NewVariant("123", "B")))
    assert [each.variant.sku for each in made.variants] == ["00123", "123"]


def test_product_is_refused_whole_when_a_sku_is_taken(catalogue: CatalogueStore):
    catalogue.add_product(product(NewVariant("LIP-1", "Red")))
    with pytest.raises(ConflictError) as refused:
        catalogue.add_product(product(NewVariant("LIP-9", "New"), NewVariant("LIP-1", "Red"), product_id="prod_2"))
    assert refused.value.code == "exists"
    with pytest.raises(NotFoundError):
        catalogue.product("prod_2")


def test_product_is_refused_when_its_brand_or_component_is_unknown(catalogue: CatalogueStore):
    with pytest.raises(InvalidError, match="does not exist"):
        catalogue.add_product(NewProduct("prod_x", "brand_none", "X", "x", (NewVariant("X", "X"),)))
    with pytest.raises(InvalidError, match="does not exist"):
        catalogue.add_product(product(NewVariant("SET", "S", components=(("NONE", 1),))))


def test_bundle_is_refused_when_it_holds_a_bundle(catalogue: CatalogueStore):
    catalogue.add_product(product(NewVariant("LIP-1", "Red"), NewVariant("SET", "S", components=(("LIP-1", 2),))))
    with pytest.raises(InvalidError) as refused:
        catalogue.add_product(product(NewVariant("SET-2", "S", components=(("SET", 1),)), product_id="prod_2"))
    assert refused.value.code == "nested_bundle"


def test_pages_of_products_follow_each_other(catalogue: CatalogueStore):
    for number in range(5):
        catalogue.add_product(product(NewVariant(f"S{number}", "S"), product_id=f"prod_{number}"))
    seen, cursor = [], None
    while True:
        page = catalogue.products(brand_id="brand_b", category="lipstick", cursor=cursor, limit=2)
        seen += [view.product.id for view in page.data]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"prod_{number}" for number in range(5)]


def test_price_is_replaced_and_one_that_cannot_be_charged_is_refused(catalogue: CatalogueStore):
    catalogue.add_product(product(NewVariant("LIP-1", "Red")))
    catalogue.add_price_list("pl_kw", "brand_b", "KW", "kwd", includes_tax=True)
    catalogue.set_prices("pl_kw", [("LIP-1", 1500), ("LIP-1", 1510)])
    catalogue.set_prices("pl_kw", [("LIP-1", 1520)])
    assert [price.amount for price in catalogue.prices("pl_kw", cursor=None, limit=10).data] == [1520]
    with pytest.raises(InvalidError) as refused:
        catalogue.set_prices("pl_kw", [("LIP-1", 1520), ("LIP-1", 1525)])
    assert (refused.value.code, refused.value.field) == ("not_chargeable", "prices.1.amount")
    with pytest.raises(InvalidError):
        catalogue.set_prices("pl_kw", [("NONE", 1520)])
    with pytest.raises(NotFoundError):
        catalogue.set_prices("pl_none", [("LIP-1", 1520)])


def test_second_price_list_of_a_country_is_refused(catalogue: CatalogueStore):
    catalogue.add_price_list("pl_us", "brand_b", "US", "usd", includes_tax=False)
    with pytest.raises(ConflictError):
        catalogue.add_price_list("pl_us2", "brand_b", "US", "usd", includes_tax=False)
    assert [each.id for each in catalogue.price_lists("brand_b")] == ["pl_us"]


def test_shipping_tax_and_boxes_are_kept(catalogue: CatalogueStore):
    catalogue.add_price_list("pl_us", "brand_b", "US", "usd", includes_tax=False)
    rate = NewShippingRate("rate_1", "pl_us", "*", "standard", "Standard", 500, 5000, 3)
    catalogue.add_shipping_rate(rate)
    with pytest.raises(ConflictError):
        catalogue.add_shipping_rate(NewShippingRate("rate_2", "pl_us", "*", "standard", "Again", 1, None, 3))
    catalogue.set_tax_rate("US", "NY", 400, shipping_taxed=True)
    catalogue.set_tax_rate("US", "NY", 450, shipping_taxed=True)
    catalogue.add_box(NewBox("box_l", "brand_b", "Large", 30, 30, 30, 100))
    catalogue.add_box(NewBox("box_s", "brand_b", "Small", 10, 10, 10, 50))
    assert [each.amount for each in catalogue.shipping_rates("pl_us")] == [500]
    assert [each.basis_points for each in catalogue.tax_rates("US")] == [450]
    assert [each.id for each in catalogue.boxes("brand_b")] == ["box_s", "box_l"]
