"""what was captured outside of us, on the intent and as a case"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CASES = (
    "stuck_effect", "overdue_pack", "overdue_hand_over", "tracking_silent", "unsourced", "label_impossible",
    "capture_refused", "awaiting_customer", "hold_overdue", "unknown_fact", "senseless_command",
    "tracking_contradicts", "delivery_trouble", "stock_missing",
)  # fmt: skip
NEW = "payment_contradicts"


def upgrade() -> None:
    op.add_column("intents", sa.Column("outside", sa.BigInteger(), server_default="0", nullable=False))
    received("received BETWEEN 0 AND amount AND outside BETWEEN 0 AND received")
    case_types(*CASES, NEW)


def downgrade() -> None:
    op.execute(f"DELETE FROM cases WHERE type = '{NEW}'")
    case_types(*CASES)
    received("received BETWEEN 0 AND amount")
    op.drop_column("intents", "outside")


def received(rule: str) -> None:
    op.drop_constraint(op.f("ck_intents_received"), "intents")
    op.create_check_constraint(op.f("ck_intents_received"), "intents", rule)


def case_types(*words: str) -> None:
    op.drop_constraint(op.f("ck_cases_casetype"), "cases")
    op.create_check_constraint(op.f("ck_cases_casetype"), "cases", sa.column("type").in_(words))
