"""a command: cancelled units are out of the closed parcel"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS = ("cancel", "accept", "reject", "pack", "hand_over", "hold", "release", "retry")
NEW = "take_out"


def upgrade() -> None:
    kinds(*KINDS, NEW)


def downgrade() -> None:
    op.execute(f"DELETE FROM commands WHERE kind = '{NEW}'")
    kinds(*KINDS)


def kinds(*words: str) -> None:
    op.drop_constraint(op.f("ck_commands_commandkind"), "commands")
    op.create_check_constraint(op.f("ck_commands_commandkind"), "commands", sa.column("kind").in_(words))
