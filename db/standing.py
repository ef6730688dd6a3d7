"""What the log says now: an event counts unless a counting event supersedes it. The read side of `db.feedback`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db import horizon
from db.catalog import CHUNK
from db.nouns import Kind, PairVerdict, Question, Statement, Verdict
from db.queue import questions
from db.tables import AnswerRow, QuestionRow, VerdictRow


@dataclass(frozen=True)
class LoggedAnswer:
    """One event as the history shows it. kind: answer or undo. undone: something later took it back."""

    id: int
    kind: str
    question: Question
    verdicts: tuple[PairVerdict, ...]
    source: str
    key: str
    seconds: float | None
    late: bool
    supersedes: int | None
    undone: bool
    created_at: datetime


@dataclass(frozen=True)
class Counts:
    """How much was said. screens: standing answers; verdicts: standing pair verdicts, in all and by kind."""

    screens: int = 0
    verdicts: int = 0
    same: int = 0
    different: int = 0
    not_comparable: int = 0
    unsure: int = 0
    skip: int = 0
    undone: int = 0
    late: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Changes:
    """What became of the log since an event: statements that stand now, answers that do not any more."""

    added: tuple[Statement, ...]
    removed: tuple[int, ...]
    last_event: int


def statements(s: Session, criterion: int, *, after: int = 0) -> list[Statement]:
    """Every standing verdict about two items of events after `after`, in the order they were said.

    Those about words are not among them, see `captions`. Answers taken back are left out.
    What was known before and is taken back since: see `changes`.
    """
    return _statements(s, criterion, after, _dead(_superseding(s, criterion)))


def captions(s: Session, criterion: int, texts: Mapping[int, str]) -> list[Statement]:
    """Every standing verdict about the words beside a picture, the item on both sides, in the order they were said.

    texts: the words of now, by item. What was said of other words, before they were changed, is left out.
    """
    dead = _dead(_superseding(s, criterion))
    rows = _said(s, criterion, 0, QuestionRow.kind == Kind.CAPTION.value, QuestionRow.text)
    return [_statement(tuple(row)[:-1]) for row in rows if row.answer_id not in dead and texts.get(row.a) == row.text]


def last_event(s: Session, criterion: int) -> int:
    """Id of the newest event, undos included; 0 if there is none. Nothing older will appear later."""
    mine = (AnswerRow.criterion_id == criterion, horizon.settled(s, AnswerRow.xid))
    return s.scalar(select(func.max(AnswerRow.id)).where(*mine)) or 0


def changes(s: Session, criterion: int, after: int) -> Changes:
    """The exact difference between what stood at event `after` and what stands now."""
    links = _superseding(s, criterion)
    before, today = _dead([link for link in links if link[0] <= after]), _dead(links)
    added = _statements(s, criterion, after, today)
    back = {event for event in before - today if event <= after}
    if back:
        added = [one for one in _statements(s, criterion, 0, today) if one.answer in back] + added
    undos = {event for event, _ in links}
    removed = sorted(event for event in today - before - undos if event <= after)
    return Changes(tuple(added), tuple(removed), last_event(s, criterion))


def log(s: Session, criterion: int, limit: int = 100, before: int | None = None) -> list[LoggedAnswer]:
    """The newest events first, undone ones and undos included; `before` continues below an id."""
    query = select(AnswerRow).where(AnswerRow.criterion_id == criterion)
    if before is not None:
        query = query.where(AnswerRow.id < before)
    rows = list(s.scalars(query.order_by(AnswerRow.id.desc()).limit(limit)))
    asked = questions(s, [row.question_id for row in rows])
    said = _verdicts(s, [row.id for row in rows])
    dead = _dead(_superseding(s, criterion))
    return [_logged(row, asked[row.question_id], said.get(row.id, ()), row.id in dead) for row in rows]


def history(s: Session, criterion: int) -> Iterator[LoggedAnswer]:
    """Every event, the oldest first, undone ones and undos included; a thousand are in memory at once."""
    dead, after = _dead(_superseding(s, criterion)), 0
    query = select(AnswerRow).where(AnswerRow.criterion_id == criterion, horizon.settled(s, AnswerRow.xid))
    while rows := list(s.scalars(query.where(AnswerRow.id > after).order_by(AnswerRow.id).limit(CHUNK))):
        after = rows[-1].id
        asked, said = questions(s, [row.question_id for row in rows]), _verdicts(s, [row.id for row in rows])
        yield from (_logged(row, asked[row.question_id], said.get(row.id, ()), row.id in dead) for row in rows)


def times(s: Session, answers: list[int]) -> dict[int, datetime]:
    """When each of these answers was given."""
    found: dict[int, datetime] = {}
    for start in range(0, len(answers), CHUNK):
        query = select(AnswerRow.id, AnswerRow.created_at).where(AnswerRow.id.in_(answers[start : start + CHUNK]))
        found |= {row.id: row.created_at for row in s.execute(query)}
    return found


def counts(s: Session, criterion: int) -> Counts:
    """How many answers and verdicts stand, and how long they took."""
    dead = _dead(_superseding(s, criterion))
    answers = s.execute(
        select(AnswerRow.id, AnswerRow.late, AnswerRow.seconds).where(
            AnswerRow.criterion_id == criterion, AnswerRow.kind == "answer"
        )
    ).all()
    standing = [row for row in answers if row.id not in dead]
    tally = dict.fromkeys((verdict.value for verdict in Verdict), 0)
    pairs = select(VerdictRow.answer_id, VerdictRow.verdict, func.count()).join(AnswerRow)
    grouped = pairs.where(AnswerRow.criterion_id == criterion).group_by(VerdictRow.answer_id, VerdictRow.verdict)
    for answer, verdict, number in s.execute(grouped):
        tally[verdict] += number if answer not in dead else 0
    return Counts(
        screens=len(standing),
        verdicts=sum(tally.values()),
        undone=len(answers) - len(standing),
        late=sum(row.late for row in standing),
        seconds=sum(row.seconds or 0.0 for row in standing),
        **tally,
    )


def _superseding(s: Session, criterion: int) -> list[tuple[int, int]]:
    """(event, the event it supersedes), oldest first."""
    mine = (AnswerRow.criterion_id == criterion, AnswerRow.supersedes.is_not(None), horizon.settled(s, AnswerRow.xid))
    rows = s.execute(select(AnswerRow.id, AnswerRow.supersedes).where(*mine).order_by(AnswerRow.id))
    return [(event, superseded or 0) for event, superseded in rows]


def _dead(links: Iterable[tuple[int, int]]) -> set[int]:
    """Events that do not count. An event has at most one superseding it, and that one is younger: newest first."""
    dead: set[int] = set()
    for event, superseded in sorted(links, reverse=True):
        if event not in dead:
            dead.add(superseded)
    return dead


def _statements(s: Session, criterion: int, after: int, dead: set[int]) -> list[Statement]:
    rows = _said(s, criterion, after, QuestionRow.kind != Kind.CAPTION.value)
    return [_statement(tuple(row)) for row in rows if row.answer_id not in dead]


def _said(s: Session, criterion: int, after: int, which: ColumnElement[bool], *others: Any) -> list[Any]:
    """Verdicts of settled events, in the order of Statement's fields, then other columns."""
    said = (VerdictRow.answer_id, VerdictRow.a, VerdictRow.b, VerdictRow.verdict)
    more = (AnswerRow.source, VerdictRow.confidence, VerdictRow.background, QuestionRow.audit, QuestionRow.probability)
    joined = select(*said, *more, *others).join(AnswerRow, AnswerRow.id == VerdictRow.answer_id)
    query = joined.join(QuestionRow, QuestionRow.id == AnswerRow.question_id)
    mine = (AnswerRow.criterion_id == criterion, AnswerRow.id > after, horizon.settled(s, AnswerRow.xid))
    return list(s.execute(query.where(*mine, which).order_by(VerdictRow.answer_id, VerdictRow.id)))


def _statement(row: Sequence[Any]) -> Statement:
    answer, a, b, verdict, *more = row
    return Statement(answer, a, b, Verdict(verdict), *more)


def _verdicts(s: Session, answers: list[int]) -> dict[int, tuple[PairVerdict, ...]]:
    found: dict[int, tuple[PairVerdict, ...]] = {}
    for start in range(0, len(answers), CHUNK):
        query = select(VerdictRow).where(VerdictRow.answer_id.in_(answers[start : start + CHUNK]))
        for row in s.scalars(query.order_by(VerdictRow.id)):
            one = PairVerdict(row.a, row.b, Verdict(row.verdict), row.confidence, row.background)
            found[row.answer_id] = (*found.get(row.answer_id, ()), one)
    return found


def _logged(row: AnswerRow, asked: Question, said: tuple[PairVerdict, ...], undone: bool) -> LoggedAnswer:
    return LoggedAnswer(
        id=row.id,
        kind=row.kind,
        question=asked,
        verdicts=said,
        source=row.source,
        key=row.key,
        seconds=row.seconds,
        late=row.late,
        supersedes=row.supersedes,
        undone=undone,
        created_at=row.created_at,
    )
