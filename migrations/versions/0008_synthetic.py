"""Synthetic pictures: what generators made of items, and what was said about each.

Revision: 0008. After: 0006.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Two tables."""
    _pictures()
    _verdicts()


def downgrade() -> None:
    """Drops them; the files of the pictures stay in the media store."""
    for table in ("synthetic_verdicts", "synthetic_pictures"):
        op.drop_table(table)


def _pictures() -> None:
    op.create_table(
        "synthetic_pictures",
        sa.Column("id", ID, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("anchor_id", ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", ID, nullable=False),
        sa.Column("height", ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=80), nullable=False),
        sa.Column("maker", sa.String(length=64), nullable=False),
        sa.Column("seed", ID, nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_synthetic_pictures_collection_id"),
        sa.ForeignKeyConstraint(["anchor_id"], ["items.id"], name="fk_synthetic_pictures_anchor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_synthetic_pictures"),
        sa.UniqueConstraint("anchor_id", "sha256", name="uq_synthetic_pictures_anchor_id_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_synthetic_pictures_collection_id_id", "synthetic_pictures", ["collection_id", "id"])


def _verdicts() -> None:
    op.create_table(
        "synthetic_verdicts",
        sa.Column("id", ID, nullable=False),
        sa.Column("picture_id", ID, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["picture_id"], ["synthetic_pictures.id"], name="fk_synthetic_verdicts_picture_id"),
        sa.PrimaryKeyConstraint("id", name="pk_synthetic_verdicts"),
        sa.UniqueConstraint("source", "key", name="uq_synthetic_verdicts_source_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_synthetic_verdicts_picture_id", "synthetic_verdicts", ["picture_id"])
