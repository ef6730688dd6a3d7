"""Names of groups.

Revision: 0005. After: 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table."""
    op.create_table(
        "group_names",
        sa.Column("id", ID, nullable=False),
        sa.Column("criterion_id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["criterion_id"], ["criteria.id"], name="fk_group_names_criterion_id"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_group_names_item_id"),
        sa.PrimaryKeyConstraint("id", name="pk_group_names"),
        sa.UniqueConstraint("source", "key", name="uq_group_names_source_key"),
    )
    op.create_index("ix_group_names_criterion_id_item_id", "group_names", ["criterion_id", "item_id"])


def downgrade() -> None:
    """Drops the names."""
    op.drop_table("group_names")
