"""Every table of the first release.

Revision: 0001. After: nothing.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
DOUBLE: sa.Double[float] = sa.Double()
MOMENT = DOUBLE  # seconds since 1970

TABLES = (
    "collections",
    "leaders",
    "users",
    "criteria",
    "items",
    "tokens",
    "events",
    "jobs",
    "questions",
    "versions",
    "answers",
    "leases",
    "runs",
    "snapshots",
    "run_steps",
    "verdicts",
)


def upgrade() -> None:
    """Create every table, those referred to first."""
    for create in (
        _collections,
        _leaders,
        _users,
        _criteria,
        _items,
        _tokens,
        _events,
        _jobs,
        _questions,
        _versions,
        _answers,
        _leases,
        _runs,
        _snapshots,
        _run_steps,
        _verdicts,
    ):
        create()


def downgrade() -> None:
    """Drop every table and all it holds."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _column(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **more)


def _collections() -> None:
    op.create_table(
        "collections",
        _column("id", ID),
        _column("name", sa.String(length=80)),
        _column("created_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_collections"),
        sa.UniqueConstraint("name", name="uq_collections_name"),
    )


def _leaders() -> None:
    op.create_table(
        "leaders",
        _column("name", sa.Text()),
        _column("holder", sa.Text()),
        _column("token", ID),
        _column("expires_at", MOMENT),
        sa.PrimaryKeyConstraint("name", name="pk_leaders"),
    )


def _users() -> None:
    op.create_table(
        "users",
        _column("id", ID),
        _column("name", sa.String(length=80)),
        _column("role", sa.String(length=16)),
        _column("password", sa.Text()),
        _column("active", sa.Boolean()),
        _column("failures", sa.Integer()),
        sa.Column("locked_until", MOMENT, nullable=True),
        _column("created_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )


def _criteria() -> None:
    op.create_table(
        "criteria",
        _column("id", ID),
        _column("name", sa.String(length=80)),
        _column("collection_id", ID),
        _column("prompt", sa.Text()),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_criteria_collection_id"),
        sa.PrimaryKeyConstraint("id", name="pk_criteria"),
        sa.UniqueConstraint("name", name="uq_criteria_name"),
    )
    op.create_index("ix_criteria_collection_id", "criteria", ["collection_id"])


def _items() -> None:
    op.create_table(
        "items",
        _column("id", ID),
        _column("collection_id", ID),
        _column("sha256", sa.String(length=64)),
        _column("width", ID),
        _column("height", ID),
        _column("path", sa.Text()),
        _column("name", sa.Text()),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("latitude", DOUBLE, nullable=True),
        sa.Column("longitude", DOUBLE, nullable=True),
        sa.Column("audio", sa.Text(), nullable=True),
        _column("attributes", JSON),
        _column("groups", JSON),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_items_collection_id"),
        sa.PrimaryKeyConstraint("id", name="pk_items"),
        sa.UniqueConstraint("collection_id", "sha256", name="uq_items_collection_id_sha256"),
    )
    op.create_index("ix_items_collection_id_id", "items", ["collection_id", "id"])
    op.create_index("ix_items_sha256", "items", ["sha256"])


def _tokens() -> None:
    op.create_table(
        "tokens",
        _column("id", ID),
        _column("user_id", ID),
        _column("kind", sa.String(length=16)),
        _column("label", sa.Text()),
        _column("hash", sa.String(length=64)),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tokens_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])


def _events() -> None:
    op.create_table(
        "events",
        _column("id", ID),
        _column("kind", sa.String(length=32)),
        _column("payload", JSON),
        sa.Column("criterion_id", ID, nullable=True),
        sa.Column("xid", ID, nullable=True),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["criterion_id"], ["criteria.id"], name="fk_events_criterion_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        _column("id", ID),
        _column("kind", sa.Text()),
        _column("payload", JSON),
        sa.Column("collection_id", ID, nullable=True),
        sa.Column("criterion_id", ID, nullable=True),
        _column("state", sa.String(length=16)),
        sa.Column("worker", sa.Text(), nullable=True),
        _column("token", sa.Integer()),
        sa.Column("lease_s", DOUBLE, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        _column("cancelling", sa.Boolean()),
        _column("progress", DOUBLE),
        _column("note", sa.Text()),
        sa.Column("result", JSON, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _column("created_at", MOMENT),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_jobs_collection_id"),
        sa.ForeignKeyConstraint(["criterion_id"], ["criteria.id"], name="fk_jobs_criterion_id"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_state_id", "jobs", ["state", "id"])


def _questions() -> None:
    op.create_table(
        "questions",
        _column("id", ID),
        _column("criterion_id", ID),
        _column("kind", sa.String(length=32)),
        _column("anchor", ID),
        _column("candidates", JSON),
        _column("context", JSON),
        _column("expected", JSON),
        _column("proposer", sa.Text()),
        _column("probability", DOUBLE),
        _column("audit", sa.Boolean()),
        sa.Column("version", ID, nullable=True),
        _column("reason", sa.Text()),
        _column("state", sa.String(length=16)),
        _column("answers", sa.Integer()),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["criterion_id"], ["criteria.id"], name="fk_questions_criterion_id"),
        sa.PrimaryKeyConstraint("id", name="pk_questions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_questions_criterion_id_state_id", "questions", ["criterion_id", "state", "id"])


def _versions() -> None:
    op.create_table(
        "versions",
        _column("id", ID),
        _column("criterion_id", ID),
        sa.Column("parent_id", ID, nullable=True),
        _column("artifact", sa.Text()),
        _column("last_event", ID),
        _column("metrics", JSON),
        _column("encoder", sa.Text()),
        _column("status", sa.String(length=16)),
        sa.Column("promotion", sa.Integer(), nullable=True),
        sa.Column("promoted_at", MOMENT, nullable=True),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["criterion_id"], ["criteria.id"], name="fk_versions_criterion_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["versions.id"], name="fk_versions_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
    )
    op.create_index("ix_versions_criterion_id_id", "versions", ["criterion_id", "id"])
    only = sa.text("status = 'promoted'")
    op.create_index(
        "ix_versions_promoted", "versions", ["criterion_id"], unique=True, sqlite_where=only, postgresql_where=only
    )


def _answers() -> None:
    op.create_table(
        "answers",
        _column("id", ID),
        _column("criterion_id", ID),
        _column("question_id", ID),
        _column("kind", sa.String(length=16)),
        sa.Column("supersedes", ID, nullable=True),
        _column("source", sa.Text()),
        _column("key", sa.Text()),
        _column("body", sa.String(length=64)),
        sa.Column("seconds", DOUBLE, nullable=True),
        _column("late", sa.Boolean()),
        sa.Column("xid", ID, nullable=True),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["criterion_id"], ["criteria.id"], name="fk_answers_criterion_id"),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name="fk_answers_question_id"),
        sa.ForeignKeyConstraint(["supersedes"], ["answers.id"], name="fk_answers_supersedes"),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
        sa.UniqueConstraint("source", "key", name="uq_answers_source_key"),
        sa.UniqueConstraint("supersedes", name="uq_answers_supersedes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_answers_criterion_id_id", "answers", ["criterion_id", "id"])
    op.create_index("ix_answers_question_id", "answers", ["question_id"])


def _leases() -> None:
    op.create_table(
        "leases",
        _column("id", ID),
        _column("question_id", ID),
        _column("slot", sa.Integer()),
        _column("overlap", sa.Integer()),
        _column("holder", sa.Text()),
        _column("token", sa.String(length=64)),
        _column("expires_at", MOMENT),
        sa.Column("answer_id", ID, nullable=True),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name="fk_leases_question_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_leases_answer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_leases"),
        sa.UniqueConstraint("question_id", "slot", name="uq_leases_question_id_slot"),
    )
    op.create_index("ix_leases_holder", "leases", ["holder"])


def _runs() -> None:
    op.create_table(
        "runs",
        _column("id", ID),
        _column("criterion_id", ID),
        _column("trigger", sa.Text()),
        _column("settings", JSON),
        _column("status", sa.String(length=16)),
        sa.Column("version_id", ID, nullable=True),
        _column("note", sa.Text()),
        _column("created_at", MOMENT),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["criterion_id"], ["criteria.id"], name="fk_runs_criterion_id"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_runs_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_criterion_id_id", "runs", ["criterion_id", "id"])


def _snapshots() -> None:
    op.create_table(
        "snapshots",
        _column("id", ID),
        _column("version_id", ID),
        _column("artifact", sa.Text()),
        _column("checksum", sa.String(length=64)),
        _column("items", ID),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_snapshots_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_snapshots"),
    )
    op.create_index("ix_snapshots_version_id", "snapshots", ["version_id"])


def _run_steps() -> None:
    op.create_table(
        "run_steps",
        _column("run_id", ID),
        _column("step", sa.Integer(), autoincrement=False),
        _column("losses", JSON),
        _column("created_at", MOMENT),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_steps_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_run_steps"),
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        _column("id", ID),
        _column("answer_id", ID),
        _column("a", ID),
        _column("b", ID),
        _column("verdict", sa.String(length=16)),
        sa.Column("confidence", DOUBLE, nullable=True),
        _column("background", sa.Boolean()),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_verdicts_answer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_verdicts"),
    )
    op.create_index("ix_verdicts_answer_id", "verdicts", ["answer_id"])
