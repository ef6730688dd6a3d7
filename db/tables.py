"""Every table, from collections to server-sent events. Rows stay inside db; the other packages see plain nouns.

Times are seconds by the database's clock.
`answers` and `verdicts` are the log: rows are only added.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.clock import Moment, now

Id = BigInteger().with_variant(Integer, "sqlite")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Columns common to most tables are declared by these annotations."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: Id,
        float: Double(),
        str: Text(),
        bool: Boolean(),
        datetime: Moment(),
        dict[str, Any]: Json,
        dict[str, str]: Json,
        list[int]: Json,
        list[str]: Json,
        list[float]: Json,
    }


def _created() -> Mapped[datetime]:
    return mapped_column(Moment(), default=now())


class CollectionRow(Base):
    """A named set of images."""

    __tablename__ = "collections"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = _created()


class ItemRow(Base):
    """One image of one collection; the hash of its bytes is its identity."""

    __tablename__ = "items"
    __table_args__ = (UniqueConstraint("collection_id", "sha256"), Index(None, "collection_id", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    width: Mapped[int]
    height: Mapped[int]
    path: Mapped[str]
    name: Mapped[str]
    caption: Mapped[str | None]
    taken_at: Mapped[datetime | None] = mapped_column(DateTime())
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    audio: Mapped[str | None]
    attributes: Mapped[dict[str, Any]]
    groups: Mapped[dict[str, str]]
    created_at: Mapped[datetime] = _created()


class CriterionRow(Base):
    """What "same" means for one collection. captions: the column whose words are asked about, None for pairs.
    words: the towers that read them, None for the usual one."""

    __tablename__ = "criteria"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"), index=True)
    prompt: Mapped[str]
    captions: Mapped[str | None] = mapped_column(String(200))
    words: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = _created()


class QuestionRow(Base):
    """What an oracle is asked. state: open, answered or retired. answers: how many stand (not undone)."""

    __tablename__ = "questions"
    __table_args__ = (Index(None, "criterion_id", "state", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    criterion_id: Mapped[int] = mapped_column(ForeignKey("criteria.id"))
    kind: Mapped[str] = mapped_column(String(32))
    anchor: Mapped[int]
    candidates: Mapped[list[int]]
    context: Mapped[list[int]]
    expected: Mapped[list[float]]
    proposer: Mapped[str]
    probability: Mapped[float]
    audit: Mapped[bool]
    version: Mapped[int | None]
    reason: Mapped[str]
    text: Mapped[str | None]
    state: Mapped[str] = mapped_column(String(16))
    answers: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = _created()


class LeaseRow(Base):
    """One slot of one question, held by somebody until `expires_at` or used up by an answer.

    overlap: how many slots the holder's claim allowed. token: fencing; a newer holder has another one.
    """

    __tablename__ = "leases"
    __table_args__ = (UniqueConstraint("question_id", "slot"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id", ondelete="CASCADE"))
    slot: Mapped[int] = mapped_column(Integer)
    overlap: Mapped[int] = mapped_column(Integer)
    holder: Mapped[str] = mapped_column(index=True)
    token: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime]
    answer_id: Mapped[int | None] = mapped_column(ForeignKey("answers.id"))
    created_at: Mapped[datetime] = _created()


class AnswerRow(Base):
    """One event of the log: an answer, or an undo of the event it supersedes. Never updated, never deleted.

    body: SHA-256 of what was said, to tell a retry from another answer under the same key.
    xid: PostgreSQL's transaction, so that readers never step over an event that commits late.
    """

    __tablename__ = "answers"
    __table_args__ = (
        UniqueConstraint("source", "key"),
        UniqueConstraint("supersedes"),
        Index(None, "criterion_id", "id"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    criterion_id: Mapped[int] = mapped_column(ForeignKey("criteria.id"))
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    supersedes: Mapped[int | None] = mapped_column(ForeignKey("answers.id"))
    source: Mapped[str]
    key: Mapped[str]
    body: Mapped[str] = mapped_column(String(64))
    seconds: Mapped[float | None]
    late: Mapped[bool]
    xid: Mapped[int | None]
    created_at: Mapped[datetime] = _created()


class VerdictRow(Base):
    """One pair verdict of one answer."""

    __tablename__ = "verdicts"
    id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"), index=True)
    a: Mapped[int]
    b: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(16))
    confidence: Mapped[float | None]
    background: Mapped[bool]


class GroupNameRow(Base):
    """What somebody called the group that holds an item. Rows are only added; the newest about an item counts.

    name: "" takes the name away. key: of the writer, so that a retry adds nothing.
    """

    __tablename__ = "group_names"
    __table_args__ = (UniqueConstraint("source", "key"), Index(None, "criterion_id", "item_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    criterion_id: Mapped[int] = mapped_column(ForeignKey("criteria.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    name: Mapped[str] = mapped_column(String(80))
    source: Mapped[str]
    key: Mapped[str]
    created_at: Mapped[datetime] = _created()


class SessionRow(Base):
    """A robot, or a person, that streams what it sees under one criterion. state: open, paused or closed.

    key: of whoever opened it, so that a retry opens no second one.
    """

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("source", "key"), Index(None, "criterion_id", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    criterion_id: Mapped[int] = mapped_column(ForeignKey("criteria.id"))
    name: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(16))
    settings: Mapped[dict[str, Any]]
    source: Mapped[str]
    key: Mapped[str]
    body: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = _created()


class ObservationRow(Base):
    """One look at one thing. Rows are only added.

    object: what the robot calls the thing within its session, "" where it is seen this once. reply: what it was told.
    """

    __tablename__ = "observations"
    __table_args__ = (
        UniqueConstraint("source", "key"),
        Index(None, "criterion_id", "id"),
        Index(None, "session_id", "object"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"))
    criterion_id: Mapped[int] = mapped_column(ForeignKey("criteria.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    object: Mapped[str]
    seen_at: Mapped[datetime | None]
    place: Mapped[str]
    reply: Mapped[dict[str, Any]]
    source: Mapped[str]
    key: Mapped[str]
    body: Mapped[str] = mapped_column(String(64))
    xid: Mapped[int | None]
    created_at: Mapped[datetime] = _created()


class PlacementRow(Base):
    """What was done with a thing: put into a bin, put elsewhere after all, or left. Rows are only added.

    kind: placement, correction or abstention. bin: None where it was left. supersedes: what it says anew.
    """

    __tablename__ = "placements"
    __table_args__ = (
        UniqueConstraint("source", "key"),
        UniqueConstraint("supersedes"),
        Index(None, "criterion_id", "id"),
        Index(None, "session_id", "object"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"))
    criterion_id: Mapped[int] = mapped_column(ForeignKey("criteria.id"))
    observation_id: Mapped[int] = mapped_column(ForeignKey("observations.id"), index=True)
    object: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16))
    bin: Mapped[str | None] = mapped_column(String(80))
    supersedes: Mapped[int | None] = mapped_column(ForeignKey("placements.id"))
    source: Mapped[str]
    key: Mapped[str]
    body: Mapped[str] = mapped_column(String(64))
    xid: Mapped[int | None]
    created_at: Mapped[datetime] = _created()


class PlacementPairRow(Base):
    """The answer by which a placement is in the feedback log: this thing and one that lay in the bin already."""

    __tablename__ = "placement_pairs"
    id: Mapped[int] = mapped_column(primary_key=True)
    placement_id: Mapped[int] = mapped_column(ForeignKey("placements.id"), index=True)
    beside_id: Mapped[int] = mapped_column(ForeignKey("placements.id"), index=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"), unique=True)


class SyntheticRow(Base):
    """A picture that a generator made of an item. Not an item itself: import, export, search and groups never see it.

    Rows are only added. maker: checksum of the generator's weights. path is relative to the workspace.
    """

    __tablename__ = "synthetic_pictures"
    __table_args__ = (
        UniqueConstraint("anchor_id", "sha256"),
        Index(None, "collection_id", "id"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    anchor_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    path: Mapped[str]
    method: Mapped[str] = mapped_column(String(80))
    maker: Mapped[str] = mapped_column(String(64))
    seed: Mapped[int]
    settings: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = _created()


class SyntheticVerdictRow(Base):
    """What was said about a synthetic picture: accepted, rejected, or proposed again. Rows are only added; the newest
    about a picture counts."""

    __tablename__ = "synthetic_verdicts"
    __table_args__ = (UniqueConstraint("source", "key"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    picture_id: Mapped[int] = mapped_column(ForeignKey("synthetic_pictures.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    source: Mapped[str]
    key: Mapped[str]
    created_at: Mapped[datetime] = _created()


class VersionRow(Base):
    """One trained model. promotion counts this criterion's promotions; at most one version is promoted."""

    __tablename__ = "versions"
    __table_args__ = (
        Index(
            "ix_versions_promoted",
            "criterion_id",
            unique=True,
            sqlite_where=text("status = 'promoted'"),
            postgresql_where=text("status = 'promoted'"),
        ),
        Index(None, "criterion_id", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    criterion_id: Mapped[int] = mapped_column(ForeignKey("criteria.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("versions.id"))
    artifact: Mapped[str]
    last_event: Mapped[int]
    metrics: Mapped[dict[str, Any]]
    encoder: Mapped[str]
    status: Mapped[str] = mapped_column(String(16))
    promotion: Mapped[int | None] = mapped_column(Integer)
    promoted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _created()


class SnapshotRow(Base):
    """The embeddings of one version: a disposable cache, known by its manifest's checksum."""

    __tablename__ = "snapshots"
    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("versions.id"), index=True)
    artifact: Mapped[str]
    checksum: Mapped[str] = mapped_column(String(64))
    items: Mapped[int]
    created_at: Mapped[datetime] = _created()


class RunRow(Base):
    """One training run. status: running, done, failed or cancelled."""

    __tablename__ = "runs"
    __table_args__ = (Index(None, "criterion_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    criterion_id: Mapped[int] = mapped_column(ForeignKey("criteria.id"))
    trigger: Mapped[str]
    settings: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16))
    version_id: Mapped[int | None] = mapped_column(ForeignKey("versions.id"))
    note: Mapped[str]
    created_at: Mapped[datetime] = _created()
    ended_at: Mapped[datetime | None]


class RunStepRow(Base):
    """The losses of one step of a run."""

    __tablename__ = "run_steps"
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    losses: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = _created()


class JobRow(Base):
    """Durable work: import, embedding, training. state: queued, running, done, failed or cancelled."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "state", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    collection_id: Mapped[int | None] = mapped_column(ForeignKey("collections.id"))
    criterion_id: Mapped[int | None] = mapped_column(ForeignKey("criteria.id"))
    state: Mapped[str] = mapped_column(String(16))
    worker: Mapped[str | None]
    token: Mapped[int] = mapped_column(Integer)
    lease_s: Mapped[float | None]
    expires_at: Mapped[datetime | None]
    cancelling: Mapped[bool]
    progress: Mapped[float]
    note: Mapped[str]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = _created()
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class LeaderRow(Base):
    """Who leads (one trainer per criterion), and the fencing token that grows with every change of leader."""

    __tablename__ = "leaders"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    token: Mapped[int]
    expires_at: Mapped[datetime]


class UserRow(Base):
    """A person or robot that may sign in. failures and locked_until throttle guessing."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password: Mapped[str]
    active: Mapped[bool]
    failures: Mapped[int] = mapped_column(Integer)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = _created()


class TokenRow(Base):
    """A session or bearer token; only its SHA-256 is stored. scopes: None for all that the owner's role allows."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    label: Mapped[str]
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    scopes: Mapped[list[str] | None]
    created_at: Mapped[datetime] = _created()


class ReplyRow(Base):
    """What was replied to a write with an idempotency key. status: None while it is being worked on."""

    __tablename__ = "replies"
    __table_args__ = (UniqueConstraint("source", "key"), Index(None, "created_at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    key: Mapped[str] = mapped_column(String(200))
    request: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(Integer)
    media_type: Mapped[str]
    body: Mapped[str | None]
    created_at: Mapped[datetime] = _created()


class EventRow(Base):
    """Something the screens should hear about, for every process that listens."""

    __tablename__ = "events"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    payload: Mapped[dict[str, Any]]
    criterion_id: Mapped[int | None] = mapped_column(ForeignKey("criteria.id"))
    xid: Mapped[int | None]
    created_at: Mapped[datetime] = _created()


class AuditRow(Base):
    """What somebody did to the installation, not to a question. Never updated, never deleted."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "actor", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(String(40))
    target: Mapped[str]
    detail: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = _created()
