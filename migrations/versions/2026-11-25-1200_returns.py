"""returns: what comes back, piece by piece"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STAGES = ("requested", "labelled", "on_its_way", "partly_received", "received", "expired")
CASES = (
    "stuck_effect", "overdue_pack", "overdue_hand_over", "tracking_silent", "unsourced", "label_impossible",
    "capture_refused", "awaiting_customer", "hold_overdue", "unknown_fact", "senseless_command",
    "tracking_contradicts", "delivery_trouble", "stock_missing", "payment_contradicts", "refund_failed",
)  # fmt: skip
KINDS = ("cancel", "accept", "reject", "pack", "hand_over", "take_out", "hold", "release", "retry")
TIME = postgresql.TIMESTAMP(timezone=True)


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        "returns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("stage", word("returnstage", *STAGES), nullable=False),
        sa.Column("refund_on", word("refundon", "receipt", "scan"), nullable=False),
        sa.Column("wants_label", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("deadline", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("scanned_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (deadline IS NOT NULL)", name=op.f("ck_returns_open_has_deadline")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_returns_location_id_locations")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_returns_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
    )
    op.create_index(op.f("ix_returns_order_id"), "returns", ["order_id"])
    op.create_index(
        "ix_returns_unstarted", "returns", ["created_at"], postgresql_where=sa.text("started_at IS NULL")
    )
    op.create_table(
        "return_units",
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("received_at", TIME, nullable=True),
        sa.Column("location_id", sa.Text(), nullable=True),
        sa.Column("disposition", word("disposition", "restock", "scrap"), nullable=True),
        sa.CheckConstraint(
            "(received_at IS NULL) = (location_id IS NULL) AND (received_at IS NULL) = (disposition IS NULL)",
            name=op.f("ck_return_units_received"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_return_units_location_id_locations")),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_return_units_return_id_returns")),
        sa.ForeignKeyConstraint(["unit_id"], ["order_units.id"], name=op.f("fk_return_units_unit_id_order_units")),
        sa.PrimaryKeyConstraint("return_id", "unit_id", name=op.f("pk_return_units")),
    )
    op.create_index(op.f("ix_return_units_unit_id"), "return_units", ["unit_id"])
    for table in ("labels", "claims", "inbox", "commands"):
        op.add_column(table, sa.Column("return_id", sa.Text(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_return_id_returns"), table, "returns", ["return_id"], ["id"])
    op.alter_column("labels", "shipment_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_labels_of_one_parcel"), "labels", "(shipment_id IS NULL) <> (return_id IS NULL)"
    )
    op.create_index(
        "uq_labels_live_return", "labels", ["return_id"], unique=True,
        postgresql_where=sa.text("refund_requested_at IS NULL"),
    )  # fmt: skip
    op.execute("""
        DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'shelfway_app') THEN
            GRANT SELECT, INSERT, UPDATE, DELETE ON returns, return_units TO shelfway_app;
        END IF; END $$;
    """)
    words("commands", "commandkind", "kind", *KINDS, "receive")
    words("cases", "casetype", "type", *CASES, "return_missing")


def downgrade() -> None:
    op.execute("DELETE FROM cases WHERE type = 'return_missing'")
    op.execute("DELETE FROM commands WHERE kind = 'receive'")
    op.execute("DELETE FROM labels WHERE return_id IS NOT NULL")
    words("cases", "casetype", "type", *CASES)
    words("commands", "commandkind", "kind", *KINDS)
    op.drop_index("uq_labels_live_return", "labels")
    op.drop_constraint(op.f("ck_labels_of_one_parcel"), "labels")
    op.alter_column("labels", "shipment_id", nullable=False)
    for table in ("labels", "claims", "inbox", "commands"):
        op.drop_column(table, "return_id")
    op.drop_table("return_units")
    op.drop_table("returns")


def words(table: str, name: str, column: str, *allowed: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sa.column(column).in_(allowed))
