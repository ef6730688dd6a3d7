"""What a token may be used for.

Revision: 0003. After: 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Tokens issued before may do what they could."""
    with op.batch_alter_table("tokens") as table:
        table.add_column(sa.Column("scopes", JSON, nullable=True))


def downgrade() -> None:
    """A token that was limited must not wake up unlimited."""
    op.execute(sa.text("DELETE FROM tokens WHERE scopes IS NOT NULL"))
    with op.batch_alter_table("tokens") as table:
        table.drop_column("scopes")
