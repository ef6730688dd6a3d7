"""Sessions of robots: what they saw, and where things were put.

Revision: 0006. After: 0005.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Four tables."""
    _sessions()
    _observations()
    _placements()
    _pairs()


def downgrade() -> None:
    """Drops them; what placements said in the feedback log stays."""
    for table in ("placement_pairs", "placements", "observations", "sessions"):
        op.drop_table(table)


def _text(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _ids(*names: str) -> list[sa.Column]:
    return [sa.Column(name, ID, nullable=False) for name in names]


def _refers(table: str, column: str, there: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{there}.id"], name=f"fk_{table}_{column}")


def _kept_once(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("source", "key", name=f"uq_{table}_source_key"),
    ]


def _sessions() -> None:
    op.create_table(
        "sessions",
        *_ids("id", "criterion_id"),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        *_text("source", "key"),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        _refers("sessions", "criterion_id", "criteria"),
        *_kept_once("sessions"),
    )
    op.create_index("ix_sessions_criterion_id_id", "sessions", ["criterion_id", "id"])


def _observations() -> None:
    op.create_table(
        "observations",
        *_ids("id", "session_id", "criterion_id", "item_id"),
        *_text("object"),
        sa.Column("seen_at", sa.Double(), nullable=True),
        *_text("place"),
        sa.Column("reply", JSON, nullable=False),
        *_text("source", "key"),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("xid", ID, nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        _refers("observations", "session_id", "sessions"),
        _refers("observations", "criterion_id", "criteria"),
        _refers("observations", "item_id", "items"),
        *_kept_once("observations"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_observations_criterion_id_id", "observations", ["criterion_id", "id"])
    op.create_index("ix_observations_session_id_object", "observations", ["session_id", "object"])


def _placements() -> None:
    op.create_table(
        "placements",
        *_ids("id", "session_id", "criterion_id", "observation_id"),
        *_text("object"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("bin", sa.String(length=80), nullable=True),
        sa.Column("supersedes", ID, nullable=True),
        *_text("source", "key"),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("xid", ID, nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        _refers("placements", "session_id", "sessions"),
        _refers("placements", "criterion_id", "criteria"),
        _refers("placements", "observation_id", "observations"),
        _refers("placements", "supersedes", "placements"),
        *_kept_once("placements"),
        sa.UniqueConstraint("supersedes", name="uq_placements_supersedes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_placements_criterion_id_id", "placements", ["criterion_id", "id"])
    op.create_index("ix_placements_session_id_object", "placements", ["session_id", "object"])
    op.create_index("ix_placements_observation_id", "placements", ["observation_id"])


def _pairs() -> None:
    op.create_table(
        "placement_pairs",
        *_ids("id", "placement_id", "beside_id", "answer_id"),
        _refers("placement_pairs", "placement_id", "placements"),
        _refers("placement_pairs", "beside_id", "placements"),
        _refers("placement_pairs", "answer_id", "answers"),
        sa.PrimaryKeyConstraint("id", name="pk_placement_pairs"),
        sa.UniqueConstraint("answer_id", name="uq_placement_pairs_answer_id"),
    )
    op.create_index("ix_placement_pairs_placement_id", "placement_pairs", ["placement_id"])
    op.create_index("ix_placement_pairs_beside_id", "placement_pairs", ["beside_id"])
