"""Who reads the words of a criterion.

Revision: 0009. After: 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those of before are read by their letters."""
    with op.batch_alter_table("criteria") as table:
        table.add_column(sa.Column("words", sa.String(length=200), nullable=True))


def downgrade() -> None:
    """They are read by their letters again."""
    with op.batch_alter_table("criteria") as table:
        table.drop_column("words")
