"""the order, its stock and its money"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


# What the application's role may do beside reading: ledgers and the audit are never changed by it.
APPEND_ONLY = ("audit", "movements")
APP = "shelfway_app"


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("order_number", start=1001)))
    op.create_table('audit',
    sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('role', sa.Enum('storefront', 'customer', 'cs', 'store', 'ops', 'admin', 'system', name='role', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit'))
    )
    op.create_index(op.f('ix_audit_subject_id'), 'audit', ['subject', 'id'], unique=False)
    op.create_table('brands',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('settings', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_brands'))
    )
    op.create_table('cart_holds',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('caller', sa.Text(), nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('adopted_by', sa.Text(), nullable=True),
    sa.Column('released_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cart_holds'))
    )
    op.create_table('due',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('next_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('last_ok_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_due'))
    )
    op.create_table('events',
    sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
    sa.Column('aggregate', sa.Text(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('relayed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.CheckConstraint('seq > 0', name=op.f('ck_events_seq')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_events')),
    sa.UniqueConstraint('aggregate', 'seq', name=op.f('uq_events_aggregate_seq'))
    )
    op.create_index('ix_events_unrelayed', 'events', ['id'], unique=False, postgresql_where=sa.text('relayed_at IS NULL'))
    op.create_table('idempotency_keys',
    sa.Column('caller', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=True),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('answer', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('busy_until', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('caller', 'key', name=op.f('pk_idempotency_keys'))
    )
    op.create_index(op.f('ix_idempotency_keys_created_at'), 'idempotency_keys', ['created_at'], unique=False)
    op.create_table('locations',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Enum('warehouse', 'store', name='locationkind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('street', sa.Text(), nullable=False),
    sa.Column('city', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=True),
    sa.Column('postcode', sa.Text(), nullable=False),
    sa.Column('country', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('timezone', sa.Text(), nullable=False),
    sa.Column('priority', sa.Integer(), server_default='100', nullable=False),
    sa.Column('capacity_per_day', sa.Integer(), nullable=True),
    sa.Column('paused', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('revision', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f('ck_locations_country_iso')),
    sa.CheckConstraint('(latitude IS NULL) = (longitude IS NULL)', name=op.f('ck_locations_both_coordinates')),
    sa.CheckConstraint('capacity_per_day >= 0', name=op.f('ck_locations_capacity')),
    sa.CheckConstraint('latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180', name=op.f('ck_locations_coordinates')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_locations'))
    )
    op.create_index(op.f('ix_locations_country_kind'), 'locations', ['country', 'kind'], unique=False)
    op.create_table('tax_rates',
    sa.Column('country', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('basis_points', sa.Integer(), nullable=False),
    sa.Column('shipping_taxed', sa.Boolean(), nullable=False),
    sa.CheckConstraint('basis_points BETWEEN 0 AND 10000', name=op.f('ck_tax_rates_rate')),
    sa.PrimaryKeyConstraint('country', 'state', name=op.f('pk_tax_rates'))
    )
    op.create_table('boxes',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('brand_id', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('length_mm', sa.Integer(), nullable=False),
    sa.Column('width_mm', sa.Integer(), nullable=False),
    sa.Column('height_mm', sa.Integer(), nullable=False),
    sa.Column('grams', sa.Integer(), nullable=False),
    sa.CheckConstraint('length_mm > 0 AND width_mm > 0 AND height_mm > 0 AND grams >= 0', name=op.f('ck_boxes_positive')),
    sa.ForeignKeyConstraint(['brand_id'], ['brands.id'], name=op.f('fk_boxes_brand_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_boxes'))
    )
    op.create_table('customers',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('brand_id', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('revision', sa.Integer(), server_default='1', nullable=False),
    sa.ForeignKeyConstraint(['brand_id'], ['brands.id'], name=op.f('fk_customers_brand_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_customers')),
    sa.UniqueConstraint('brand_id', 'email', name=op.f('uq_customers_brand_id_email'))
    )
    op.create_table('opening_hours',
    sa.Column('location_id', sa.Text(), nullable=False),
    sa.Column('weekday', sa.Integer(), nullable=False),
    sa.Column('opens', sa.Time(), nullable=False),
    sa.Column('closes', sa.Time(), nullable=False),
    sa.CheckConstraint('weekday BETWEEN 0 AND 6', name=op.f('ck_opening_hours_weekday')),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_opening_hours_location_id')),
    sa.PrimaryKeyConstraint('location_id', 'weekday', 'opens', name=op.f('pk_opening_hours'))
    )
    op.create_table('price_lists',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('brand_id', sa.Text(), nullable=False),
    sa.Column('country', sa.Text(), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('includes_tax', sa.Boolean(), nullable=False),
    sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f('ck_price_lists_country_iso')),
    sa.CheckConstraint("currency ~ '^[a-z]{3}$'", name=op.f('ck_price_lists_currency_iso')),
    sa.ForeignKeyConstraint(['brand_id'], ['brands.id'], name=op.f('fk_price_lists_brand_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_price_lists')),
    sa.UniqueConstraint('brand_id', 'country', name=op.f('uq_price_lists_brand_id_country'))
    )
    op.create_table('products',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('brand_id', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('revision', sa.Integer(), server_default='1', nullable=False),
    sa.ForeignKeyConstraint(['brand_id'], ['brands.id'], name=op.f('fk_products_brand_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_products'))
    )
    op.create_index(op.f('ix_products_brand_id_category_id'), 'products', ['brand_id', 'category', 'id'], unique=False)
    op.create_table('orders',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('kind', sa.Enum('sale', 'exchange', 'reship', name='orderkind', native_enum=False, create_constraint=True, length=40), server_default='sale', nullable=False),
    sa.Column('brand_id', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=True),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('street', sa.Text(), nullable=False),
    sa.Column('street2', sa.Text(), nullable=True),
    sa.Column('city', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=True),
    sa.Column('postcode', sa.Text(), nullable=False),
    sa.Column('country', sa.Text(), nullable=False),
    sa.Column('latitude', sa.Double(), nullable=True),
    sa.Column('longitude', sa.Double(), nullable=True),
    sa.Column('speed', sa.Text(), nullable=False),
    sa.Column('transit_days', sa.Integer(), nullable=False),
    sa.Column('on_shortage', sa.Enum('refuse', 'partial', 'backorder', 'ask', name='onshortage', native_enum=False, create_constraint=True, length=40), server_default='refuse', nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('includes_tax', sa.Boolean(), nullable=False),
    sa.Column('subtotal', sa.BigInteger(), nullable=False),
    sa.Column('discount', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('tax', sa.BigInteger(), nullable=False),
    sa.Column('shipping', sa.BigInteger(), nullable=False),
    sa.Column('shipping_tax', sa.BigInteger(), nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Enum('pending', 'confirmed', 'packing', 'partially_shipped', 'shipped', 'partially_delivered', 'delivered', 'partially_returned', 'returned', 'on_hold', 'awaiting_customer', 'cancelled', 'expired', 'failed', name='orderstatus', native_enum=False, create_constraint=True, length=40), server_default='pending', nullable=False),
    sa.Column('verdict', sa.Enum('confirmed', 'requires_action', 'declined', 'out_of_stock', 'invalid_address', 'cannot_ship_to', 'price_changed', 'expired', 'cancelled', name='verdict', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('verdict_detail', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('cart_hold_id', sa.Text(), nullable=True),
    sa.Column('timings', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('metadata', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('verified_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('confirmed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('promised_by', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('delivered_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('customer_until', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('closed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('last_event', sa.Integer(), server_default='0', nullable=False),
    sa.Column('revision', sa.BigInteger(), server_default='1', nullable=False),
    sa.CheckConstraint("currency ~ '^[a-z]{3}$'", name=op.f('ck_orders_currency_iso')),
    sa.CheckConstraint('shipping >= 0 AND shipping_tax >= 0', name=op.f('ck_orders_shipping_amounts')),
    sa.CheckConstraint('subtotal >= 0 AND discount BETWEEN 0 AND subtotal AND tax >= 0', name=op.f('ck_orders_amounts')),
    sa.CheckConstraint('total = subtotal - discount + shipping + CASE WHEN includes_tax THEN 0 ELSE tax + shipping_tax END', name=op.f('ck_orders_total_adds_up')),
    sa.ForeignKeyConstraint(['brand_id'], ['brands.id'], name=op.f('fk_orders_brand_id')),
    sa.ForeignKeyConstraint(['cart_hold_id'], ['cart_holds.id'], name=op.f('fk_orders_cart_hold_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_orders_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_orders')),
    sa.UniqueConstraint('number', name=op.f('uq_orders_number'))
    )
    op.create_index(op.f('ix_orders_created_at_id'), 'orders', ['created_at', 'id'], unique=False)
    op.create_index(op.f('ix_orders_customer_id_created_at'), 'orders', ['customer_id', 'created_at'], unique=False)
    op.create_index('ix_orders_open', 'orders', ['expires_at'], unique=False, postgresql_where=sa.text("status = 'pending'"))
    op.create_table('shipping_rates',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('price_list_id', sa.Text(), nullable=False),
    sa.Column('zone', sa.Text(), nullable=False),
    sa.Column('speed', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('free_from', sa.Integer(), nullable=True),
    sa.Column('transit_days', sa.Integer(), nullable=False),
    sa.CheckConstraint('amount >= 0 AND transit_days > 0', name=op.f('ck_shipping_rates_sane')),
    sa.ForeignKeyConstraint(['price_list_id'], ['price_lists.id'], name=op.f('fk_shipping_rates_price_list_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shipping_rates')),
    sa.UniqueConstraint('price_list_id', 'zone', 'speed', name=op.f('uq_shipping_rates_price_list_id_zone_speed'))
    )
    op.create_table('variants',
    sa.Column('sku', sa.Text(), nullable=False),
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('shade', sa.Text(), nullable=True),
    sa.Column('size', sa.Text(), nullable=True),
    sa.Column('barcode', sa.Text(), nullable=True),
    sa.Column('grams', sa.Integer(), nullable=True),
    sa.Column('length_mm', sa.Integer(), nullable=True),
    sa.Column('width_mm', sa.Integer(), nullable=True),
    sa.Column('height_mm', sa.Integer(), nullable=True),
    sa.Column('hazmat', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('bundle', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('min_shelf_life_days', sa.Integer(), server_default='0', nullable=False),
    sa.Column('active', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint("sku = upper(btrim(sku)) AND sku <> ''", name=op.f('ck_variants_sku_tidy')),
    sa.CheckConstraint('grams > 0', name=op.f('ck_variants_grams_positive')),
    sa.CheckConstraint('length_mm > 0 AND width_mm > 0 AND height_mm > 0', name=op.f('ck_variants_size_positive')),
    sa.CheckConstraint('min_shelf_life_days >= 0', name=op.f('ck_variants_shelf_life')),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], name=op.f('fk_variants_product_id')),
    sa.PrimaryKeyConstraint('sku', name=op.f('pk_variants')),
    sa.UniqueConstraint('barcode', name=op.f('uq_variants_barcode'))
    )
    op.create_index(op.f('ix_variants_product_id'), 'variants', ['product_id'], unique=False)
    op.create_table('bundle_components',
    sa.Column('bundle_sku', sa.Text(), nullable=False),
    sa.Column('component_sku', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.CheckConstraint('bundle_sku <> component_sku', name=op.f('ck_bundle_components_not_itself')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_bundle_components_quantity_positive')),
    sa.ForeignKeyConstraint(['bundle_sku'], ['variants.sku'], name=op.f('fk_bundle_components_bundle_sku')),
    sa.ForeignKeyConstraint(['component_sku'], ['variants.sku'], name=op.f('fk_bundle_components_component_sku')),
    sa.PrimaryKeyConstraint('bundle_sku', 'component_sku', name=op.f('pk_bundle_components'))
    )
    op.create_table('cases',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('type', sa.Enum('stuck_effect', 'overdue_pack', 'overdue_hand_over', 'tracking_silent', 'unsourced', 'label_impossible', 'capture_refused', 'awaiting_customer', 'hold_overdue', 'unknown_fact', 'senseless_command', 'tracking_contradicts', 'delivery_trouble', 'stock_missing', name='casetype', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=True),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('owner', sa.Enum('storefront', 'customer', 'cs', 'store', 'ops', 'admin', 'system', name='role', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('opened_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('reminded_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('closed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('closed_by', sa.Text(), nullable=True),
    sa.Column('resolution', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_cases_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cases'))
    )
    op.create_index(op.f('ix_cases_order_id'), 'cases', ['order_id'], unique=False)
    op.create_index('uq_cases_open_cause', 'cases', ['type', 'subject'], unique=True, postgresql_where=sa.text('closed_at IS NULL'))
    op.create_table('inbox',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=True),
    sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('occurred_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('received_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('due_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('signalled_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('applied_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('result', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_inbox_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox'))
    )
    op.create_index('ix_inbox_due', 'inbox', ['due_at'], unique=False, postgresql_where=sa.text('signalled_at IS NULL AND applied_at IS NULL'))
    op.create_index(op.f('ix_inbox_order_id'), 'inbox', ['order_id'], unique=False)
    op.create_table('intents',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('tender', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('open', 'requires_action', 'captured', 'voided', 'refused', name='intentstate', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('capturable', sa.BigInteger(), nullable=False),
    sa.Column('received', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('multicapture', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('client_secret', sa.Text(), nullable=True),
    sa.Column('charge_id', sa.Text(), nullable=True),
    sa.Column('capture_before', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('renew_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('superseded', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('look_due', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint('amount > 0 AND capturable BETWEEN 0 AND amount', name=op.f('ck_intents_amounts')),
    sa.CheckConstraint('received BETWEEN 0 AND amount', name=op.f('ck_intents_received')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_intents_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_intents')),
    sa.UniqueConstraint('charge_id', name=op.f('uq_intents_charge_id'))
    )
    op.create_index(op.f('ix_intents_order_id'), 'intents', ['order_id'], unique=False)
    op.create_table('order_lines',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('sku', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('unit_price', sa.BigInteger(), nullable=False),
    sa.Column('discount', sa.BigInteger(), nullable=False),
    sa.Column('tax', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('discount BETWEEN 0 AND unit_price * quantity AND tax >= 0', name=op.f('ck_order_lines_shares')),
    sa.CheckConstraint('quantity > 0 AND unit_price >= 0', name=op.f('ck_order_lines_positive')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_lines_order_id')),
    sa.ForeignKeyConstraint(['sku'], ['variants.sku'], name=op.f('fk_order_lines_sku')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_lines')),
    sa.UniqueConstraint('order_id', 'position', name=op.f('uq_order_lines_order_id_position'))
    )
    op.create_table('prices',
    sa.Column('price_list_id', sa.Text(), nullable=False),
    sa.Column('sku', sa.Text(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount >= 0', name=op.f('ck_prices_amount')),
    sa.ForeignKeyConstraint(['price_list_id'], ['price_lists.id'], name=op.f('fk_prices_price_list_id')),
    sa.ForeignKeyConstraint(['sku'], ['variants.sku'], name=op.f('fk_prices_sku')),
    sa.PrimaryKeyConstraint('price_list_id', 'sku', name=op.f('pk_prices'))
    )
    op.create_table('shipments',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('location_id', sa.Text(), nullable=False),
    sa.Column('stage', sa.Enum('planned', 'offered', 'unsourced', 'accepted', 'packed', 'labelled', 'captured', 'handed_over', 'delivered', 're_sourced', 'cancelled', name='stage', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('deadline', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('leaving', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('re_sourced_from', sa.Text(), nullable=True),
    sa.Column('end_reason', sa.Text(), nullable=True),
    sa.Column('box_id', sa.Text(), nullable=True),
    sa.Column('grams', sa.Integer(), nullable=True),
    sa.Column('offered_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('accepted_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('packed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('captured_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('handed_over_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('delivered_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint('grams > 0', name=op.f('ck_shipments_grams_positive')),
    sa.ForeignKeyConstraint(['box_id'], ['boxes.id'], name=op.f('fk_shipments_box_id')),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_shipments_location_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_shipments_order_id')),
    sa.ForeignKeyConstraint(['re_sourced_from'], ['shipments.id'], name=op.f('fk_shipments_re_sourced_from')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shipments')),
    sa.UniqueConstraint('order_id', 'position', name=op.f('uq_shipments_order_id_position'))
    )
    op.create_index('ix_shipments_node_open', 'shipments', ['location_id', 'stage'], unique=False, postgresql_where=sa.text('delivered_at IS NULL'))
    op.create_table('sourcing_plans',
    sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.Column('plan', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_sourcing_plans_order_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sourcing_plans'))
    )
    op.create_index(op.f('ix_sourcing_plans_order_id'), 'sourcing_plans', ['order_id'], unique=False)
    op.create_table('stock',
    sa.Column('sku', sa.Text(), nullable=False),
    sa.Column('location_id', sa.Text(), nullable=False),
    sa.Column('on_hand', sa.Integer(), server_default='0', nullable=False),
    sa.Column('reserved', sa.Integer(), server_default='0', nullable=False),
    sa.Column('safety_stock', sa.Integer(), server_default='0', nullable=False),
    sa.Column('reorder_point', sa.Integer(), server_default='0', nullable=False),
    sa.Column('counted_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('revision', sa.BigInteger(), server_default='1', nullable=False),
    sa.CheckConstraint('reserved >= 0 AND reserved <= on_hand', name=op.f('ck_stock_reserved_on_hand')),
    sa.CheckConstraint('safety_stock >= 0 AND reorder_point >= 0', name=op.f('ck_stock_levels')),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_stock_location_id')),
    sa.ForeignKeyConstraint(['sku'], ['variants.sku'], name=op.f('fk_stock_sku')),
    sa.PrimaryKeyConstraint('sku', 'location_id', name=op.f('pk_stock'))
    )
    op.create_index(op.f('ix_stock_location_id_sku'), 'stock', ['location_id', 'sku'], unique=False)
    op.create_table('tenders',
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('card', 'store_credit', 'exchange_credit', name='tenderkind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('payment_method', sa.Text(), nullable=True),
    sa.Column('stripe_customer_id', sa.Text(), nullable=True),
    sa.CheckConstraint("kind <> 'card' OR payment_method IS NOT NULL", name=op.f('ck_tenders_card_has_method')),
    sa.CheckConstraint('amount >= 0', name=op.f('ck_tenders_amount')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_tenders_order_id')),
    sa.PrimaryKeyConstraint('order_id', 'position', name=op.f('pk_tenders'))
    )
    op.create_table('commands',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('shipment_id', sa.Text(), nullable=True),
    sa.Column('kind', sa.Enum('cancel', 'accept', 'reject', 'pack', 'hand_over', 'hold', 'release', 'retry', name='commandkind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('role', sa.Enum('storefront', 'customer', 'cs', 'store', 'ops', 'admin', 'system', name='role', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('outcome', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('sent_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('known_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_commands_order_id')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipments.id'], name=op.f('fk_commands_shipment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_commands'))
    )
    op.create_index('ix_commands_open', 'commands', ['created_at'], unique=False, postgresql_where=sa.text('outcome IS NULL'))
    op.create_index(op.f('ix_commands_order_id'), 'commands', ['order_id'], unique=False)
    op.create_table('holds',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('shipment_id', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('placed_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('released_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('released_by', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_holds_order_id')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipments.id'], name=op.f('fk_holds_shipment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holds'))
    )
    op.create_index(op.f('ix_holds_order_id'), 'holds', ['order_id'], unique=False)
    op.create_table('labels',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('shipment_id', sa.Text(), nullable=False),
    sa.Column('carrier_shipment_id', sa.Text(), nullable=True),
    sa.Column('carrier', sa.Text(), nullable=True),
    sa.Column('service', sa.Text(), nullable=True),
    sa.Column('rate', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('tracking_code', sa.Text(), nullable=True),
    sa.Column('tracker_id', sa.Text(), nullable=True),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('planned_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('bought_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('refund_requested_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('refund_status', sa.Text(), nullable=True),
    sa.CheckConstraint('(bought_at IS NULL) = (tracking_code IS NULL)', name=op.f('ck_labels_bought_is_tracked')),
    sa.CheckConstraint('rate >= 0', name=op.f('ck_labels_rate')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipments.id'], name=op.f('fk_labels_shipment_id')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_labels')),
    sa.UniqueConstraint('carrier_shipment_id', name=op.f('uq_labels_carrier_shipment_id')),
    sa.UniqueConstraint('tracking_code', name=op.f('uq_labels_tracking_code'))
    )
    op.create_index('uq_labels_live_shipment', 'labels', ['shipment_id'], unique=True, postgresql_where=sa.text('refund_requested_at IS NULL'))
    op.create_table('lots',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('sku', sa.Text(), nullable=False),
    sa.Column('location_id', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('on_hand', sa.Integer(), server_default='0', nullable=False),
    sa.Column('reserved', sa.Integer(), server_default='0', nullable=False),
    sa.CheckConstraint('reserved >= 0 AND reserved <= on_hand', name=op.f('ck_lots_reserved_on_hand')),
    sa.ForeignKeyConstraint(['sku', 'location_id'], ['stock.sku', 'stock.location_id'], name=op.f('fk_lots_sku_location_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lots')),
    sa.UniqueConstraint('sku', 'location_id', 'code', name=op.f('uq_lots_sku_location_id_code'))
    )
    op.create_table('payment_operations',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Enum('authorize', 'capture', 'void', 'refund', name='operationkind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('tender', sa.Integer(), nullable=False),
    sa.Column('leg', sa.Integer(), nullable=False),
    sa.Column('intent_id', sa.Text(), nullable=True),
    sa.Column('shipment_id', sa.Text(), nullable=True),
    sa.Column('claim_id', sa.Text(), nullable=True),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('shipping', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('final', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('renews', sa.Text(), nullable=True),
    sa.Column('outcome', sa.Enum('succeeded', 'refused', 'requires_action', 'pending', name='outcome', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('stripe_id', sa.Text(), nullable=True),
    sa.Column('planned_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('known_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.CheckConstraint("kind <> 'capture' OR shipment_id IS NOT NULL", name=op.f('ck_payment_operations_capture_has_shipment')),
    sa.CheckConstraint("kind = 'authorize' OR intent_id IS NOT NULL", name=op.f('ck_payment_operations_has_intent')),
    sa.CheckConstraint('(outcome IS NULL) = (known_at IS NULL)', name=op.f('ck_payment_operations_known')),
    sa.CheckConstraint('amount > 0 AND shipping BETWEEN 0 AND amount', name=op.f('ck_payment_operations_amounts')),
    sa.ForeignKeyConstraint(['intent_id'], ['intents.id'], name=op.f('fk_payment_operations_intent_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_payment_operations_order_id')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipments.id'], name=op.f('fk_payment_operations_shipment_id')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_payment_operations'))
    )
    op.create_index(op.f('ix_payment_operations_order_id_planned_at'), 'payment_operations', ['order_id', 'planned_at'], unique=False)
    op.create_index('uq_payment_operations_authorizing', 'payment_operations', ['order_id', 'tender'], unique=True, postgresql_where=sa.text("outcome IS NULL AND kind = 'authorize'"))
    op.create_index('uq_payment_operations_captured_leg', 'payment_operations', ['shipment_id', 'tender', 'intent_id'], unique=True, postgresql_where=sa.text("kind = 'capture' AND outcome = 'succeeded'"))
    op.create_index('uq_payment_operations_in_flight', 'payment_operations', ['intent_id'], unique=True, postgresql_where=sa.text('outcome IS NULL'))
    op.create_table('sourcing_exclusions',
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('line_id', sa.Text(), nullable=False),
    sa.Column('location_id', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['line_id'], ['order_lines.id'], name=op.f('fk_sourcing_exclusions_line_id')),
    sa.ForeignKeyConstraint(['location_id'], ['locations.id'], name=op.f('fk_sourcing_exclusions_location_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_sourcing_exclusions_order_id')),
    sa.PrimaryKeyConstraint('order_id', 'line_id', 'location_id', name=op.f('pk_sourcing_exclusions'))
    )
    op.create_table('tracking_events',
    sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
    sa.Column('shipment_id', sa.Text(), nullable=False),
    sa.Column('inbox_id', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), server_default='', nullable=False),
    sa.Column('occurred_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_tracking_events_inbox_id')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipments.id'], name=op.f('fk_tracking_events_shipment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tracking_events')),
    sa.UniqueConstraint('inbox_id', name=op.f('uq_tracking_events_inbox_id'))
    )
    op.create_index(op.f('ix_tracking_events_shipment_id'), 'tracking_events', ['shipment_id'], unique=False)
    op.create_table('movements',
    sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
    sa.Column('sku', sa.Text(), nullable=False),
    sa.Column('location_id', sa.Text(), nullable=False),
    sa.Column('lot_id', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Enum('receipt', 'adjustment', 'count', 'damage', 'found', 'hand_over', 'pos_sale', 'return', 'transfer_out', 'transfer_in', name='movementreason', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('operation', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=True),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('occurred_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint('quantity <> 0', name=op.f('ck_movements_moves')),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_movements_lot_id')),
    sa.ForeignKeyConstraint(['sku', 'location_id'], ['stock.sku', 'stock.location_id'], name=op.f('fk_movements_sku_location_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_movements')),
    sa.UniqueConstraint('operation', 'lot_id', name=op.f('uq_movements_operation_lot_id'))
    )
    op.create_index(op.f('ix_movements_sku_location_id_id'), 'movements', ['sku', 'location_id', 'id'], unique=False)
    op.create_table('order_units',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('line_id', sa.Text(), nullable=False),
    sa.Column('sku', sa.Text(), nullable=False),
    sa.Column('price', sa.BigInteger(), nullable=False),
    sa.Column('discount', sa.BigInteger(), nullable=False),
    sa.Column('tax', sa.BigInteger(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Enum('awaiting', 'reserved', 'accepted', 'picked', 'packed', 'handed_over', 'delivered', 'returned', 'lost', 'cancelled', name='unitstate', native_enum=False, create_constraint=True, length=40), server_default='awaiting', nullable=False),
    sa.Column('shipment_id', sa.Text(), nullable=True),
    sa.Column('lot_id', sa.Text(), nullable=True),
    sa.Column('captured_by', sa.Text(), nullable=True),
    sa.CheckConstraint("shipment_id IS NOT NULL OR state IN ('awaiting', 'cancelled')", name=op.f('ck_order_units_lies_somewhere')),
    sa.CheckConstraint('price >= 0 AND discount BETWEEN 0 AND price AND tax >= 0 AND amount >= 0', name=op.f('ck_order_units_shares')),
    sa.ForeignKeyConstraint(['captured_by'], ['payment_operations.key'], name=op.f('fk_order_units_captured_by')),
    sa.ForeignKeyConstraint(['line_id'], ['order_lines.id'], name=op.f('fk_order_units_line_id')),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_order_units_lot_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_units_order_id')),
    sa.ForeignKeyConstraint(['shipment_id'], ['shipments.id'], name=op.f('fk_order_units_shipment_id')),
    sa.ForeignKeyConstraint(['sku'], ['variants.sku'], name=op.f('fk_order_units_sku')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_units'))
    )
    op.create_index(op.f('ix_order_units_order_id'), 'order_units', ['order_id'], unique=False)
    op.create_index(op.f('ix_order_units_shipment_id'), 'order_units', ['shipment_id'], unique=False)
    op.create_table('reservations',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.Text(), nullable=True),
    sa.Column('sku', sa.Text(), nullable=False),
    sa.Column('location_id', sa.Text(), nullable=False),
    sa.Column('lot_id', sa.Text(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('active', 'lent', 'consumed', 'released', name='reservationstate', native_enum=False, create_constraint=True, length=40), server_default='active', nullable=False),
    sa.Column('mark', sa.Enum('none', 'picked', 'packed', 'awaiting_collection', name='mark', native_enum=False, create_constraint=True, length=40), server_default='none', nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_reservations_quantity_positive')),
    sa.CheckConstraint('unit_id IS NULL OR quantity = 1', name=op.f('ck_reservations_unit_is_one')),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_reservations_lot_id')),
    sa.ForeignKeyConstraint(['sku', 'location_id'], ['stock.sku', 'stock.location_id'], name=op.f('fk_reservations_sku_location_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reservations'))
    )
    op.create_index('ix_reservations_expiring', 'reservations', ['expires_at'], unique=False, postgresql_where=sa.text("state = 'active' AND expires_at IS NOT NULL"))
    op.create_index(op.f('ix_reservations_holder'), 'reservations', ['holder'], unique=False)
    op.create_index('ix_reservations_row_active', 'reservations', ['sku', 'location_id'], unique=False, postgresql_where=sa.text("state = 'active'"))
    op.create_index('uq_reservations_live_unit', 'reservations', ['unit_id'], unique=True, postgresql_where=sa.text("state = 'active'"))
    op.create_table('claims',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Enum('cancel', 'return', 'exchange', 'reship', 'loss', 'dispute', name='claimkind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('command_id', sa.Text(), nullable=True),
    sa.Column('live', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['command_id'], ['commands.id'], name=op.f('fk_claims_command_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_claims_order_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['order_units.id'], name=op.f('fk_claims_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_claims'))
    )
    op.create_index(op.f('ix_claims_order_id'), 'claims', ['order_id'], unique=False)
    op.create_index('uq_claims_live_unit', 'claims', ['unit_id'], unique=True, postgresql_where=sa.text('live'))
    grant_to_app()


def grant_to_app() -> None:
    """The lesser role, where the cluster has it (a database of one's own may name its roles otherwise)."""
    append_only = ", ".join(APPEND_ONLY)
    op.execute(f"""
        DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP}') THEN
            GRANT USAGE ON SCHEMA public TO {APP};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP};
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP};
            REVOKE UPDATE, DELETE ON {append_only} FROM {APP};
            REVOKE UPDATE, DELETE ON events FROM {APP};
            GRANT UPDATE (relayed_at) ON events TO {APP};
            REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {APP};
        END IF; END $$;
    """)


def downgrade() -> None:
    op.drop_index('uq_claims_live_unit', table_name='claims', postgresql_where=sa.text('live'))
    op.drop_index(op.f('ix_claims_order_id'), table_name='claims')
    op.drop_table('claims')
    op.drop_index('uq_reservations_live_unit', table_name='reservations', postgresql_where=sa.text("state = 'active'"))
    op.drop_index('ix_reservations_row_active', table_name='reservations', postgresql_where=sa.text("state = 'active'"))
    op.drop_index(op.f('ix_reservations_holder'), table_name='reservations')
    op.drop_index('ix_reservations_expiring', table_name='reservations', postgresql_where=sa.text("state = 'active' AND expires_at IS NOT NULL"))
    op.drop_table('reservations')
    op.drop_index(op.f('ix_order_units_shipment_id'), table_name='order_units')
    op.drop_index(op.f('ix_order_units_order_id'), table_name='order_units')
    op.drop_table('order_units')
    op.drop_index(op.f('ix_movements_sku_location_id_id'), table_name='movements')
    op.drop_table('movements')
    op.drop_index(op.f('ix_tracking_events_shipment_id'), table_name='tracking_events')
    op.drop_table('tracking_events')
    op.drop_table('sourcing_exclusions')
    op.drop_index('uq_payment_operations_in_flight', table_name='payment_operations', postgresql_where=sa.text('outcome IS NULL'))
    op.drop_index('uq_payment_operations_captured_leg', table_name='payment_operations', postgresql_where=sa.text("kind = 'capture' AND outcome = 'succeeded'"))
    op.drop_index('uq_payment_operations_authorizing', table_name='payment_operations', postgresql_where=sa.text("outcome IS NULL AND kind = 'authorize'"))
    op.drop_index(op.f('ix_payment_operations_order_id_planned_at'), table_name='payment_operations')
    op.drop_table('payment_operations')
    op.drop_table('lots')
    op.drop_index('uq_labels_live_shipment', table_name='labels', postgresql_where=sa.text('refund_requested_at IS NULL'))
    op.drop_table('labels')
    op.drop_index(op.f('ix_holds_order_id'), table_name='holds')
    op.drop_table('holds')
    op.drop_index(op.f('ix_commands_order_id'), table_name='commands')
    op.drop_index('ix_commands_open', table_name='commands', postgresql_where=sa.text('outcome IS NULL'))
    op.drop_table('commands')
    op.drop_table('tenders')
    op.drop_index(op.f('ix_stock_location_id_sku'), table_name='stock')
    op.drop_table('stock')
    op.drop_index(op.f('ix_sourcing_plans_order_id'), table_name='sourcing_plans')
    op.drop_table('sourcing_plans')
    op.drop_index('ix_shipments_node_open', table_name='shipments', postgresql_where=sa.text('delivered_at IS NULL'))
    op.drop_table('shipments')
    op.drop_table('prices')
    op.drop_table('order_lines')
    op.drop_index(op.f('ix_intents_order_id'), table_name='intents')
    op.drop_table('intents')
    op.drop_index(op.f('ix_inbox_order_id'), table_name='inbox')
    op.drop_index('ix_inbox_due', table_name='inbox', postgresql_where=sa.text('signalled_at IS NULL AND applied_at IS NULL'))
    op.drop_table('inbox')
    op.drop_index('uq_cases_open_cause', table_name='cases', postgresql_where=sa.text('closed_at IS NULL'))
    op.drop_index(op.f('ix_cases_order_id'), table_name='cases')
    op.drop_table('cases')
    op.drop_table('bundle_components')
    op.drop_index(op.f('ix_variants_product_id'), table_name='variants')
    op.drop_table('variants')
    op.drop_table('shipping_rates')
    op.drop_index('ix_orders_open', table_name='orders', postgresql_where=sa.text("status = 'pending'"))
    op.drop_index(op.f('ix_orders_customer_id_created_at'), table_name='orders')
    op.drop_index(op.f('ix_orders_created_at_id'), table_name='orders')
    op.drop_table('orders')
    op.drop_index(op.f('ix_products_brand_id_category_id'), table_name='products')
    op.drop_table('products')
    op.drop_table('price_lists')
    op.drop_table('opening_hours')
    op.drop_table('customers')
    op.drop_table('boxes')
    op.drop_table('tax_rates')
    op.drop_index(op.f('ix_locations_country_kind'), table_name='locations')
    op.drop_table('locations')
    op.drop_index(op.f('ix_idempotency_keys_created_at'), table_name='idempotency_keys')
    op.drop_table('idempotency_keys')
    op.drop_index('ix_events_unrelayed', table_name='events', postgresql_where=sa.text('relayed_at IS NULL'))
    op.drop_table('events')
    op.drop_table('due')
    op.drop_table('cart_holds')
    op.drop_table('brands')
    op.drop_index(op.f('ix_audit_subject_id'), table_name='audit')
    op.drop_table('audit')
    op.execute(sa.schema.DropSequence(sa.Sequence("order_number")))
