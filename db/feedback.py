"""The feedback log: every answer and every undo is one event, added once and never changed.

What stands is computed from the events (`db.standing`): one counts unless a counting event supersedes it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from db import checks, events, horizon
from db.clock import now
from db.dialects import upsert
from db.errors import BadInput, Conflict, NotFound
from db.nouns import Answer, PairVerdict, Question, Verdict
from db.queue import question as find_question
from db.standing import Changes, Counts, LoggedAnswer, changes, counts, last_event, log, statements
from db.tables import AnswerRow, LeaseRow, QuestionRow, VerdictRow

__all__ = [
    "Changes",
    "Counts",
    "LoggedAnswer",
    "Recorded",
    "changes",
    "counts",
    "last_event",
    "log",
    "record",
    "statements",
    "undo",
]

WEIGHTLESS = {Verdict.UNSURE, Verdict.SKIP}
PATIENCE = 3  # a question that this many could not answer leaves the queue


@dataclass(frozen=True)
class Recorded:
    """The receipt of an event. A retry gets an equal one, with `replayed` set.

    late: it came after its lease had run out; it is kept all the same.
    """

    id: int
    replayed: bool = field(default=False, compare=False)
    late: bool = False


def record(s: Session, answer: Answer) -> Recorded:
    """Add one answer to the log, once per (source, key) however often it is sent.

    Raises: BadInput if it is not a whole answer to its question or the key was used for another one, NotFound for the
    question.
    """
    body = _digest("answer", answer.question, sorted(_said(one) for one in answer.verdicts))
    if earlier := _replay(s, answer.source, answer.key, body):
        return earlier
    asked = find_question(s, answer.question)
    verdicts = _whole(asked, answer.verdicts)
    row = {
        "criterion_id": asked.criterion,
        "question_id": answer.question,
        "kind": "answer",
        "source": checks.text(answer.source, "a source", 200),
        "key": checks.text(answer.key, "an idempotency key", 200),
        "body": body,
        "seconds": None if answer.seconds is None else checks.number(answer.seconds, "seconds", 0, 1e9),
        "late": not _on_time(s, answer),
    }
    event = _add_event(s, row)
    if event is None:  # the same request won on another connection a moment ago
        return _replay(s, answer.source, answer.key, body) or _busy()
    s.execute(insert(VerdictRow), [{"answer_id": event, **one} for one in verdicts])
    _settle(s, answer, event, useless=all(one["verdict"] in WEIGHTLESS for one in verdicts))
    told = {"answer": event, "question": answer.question, "source": answer.source}
    events.publish(s, "answer", told, asked.criterion)
    return Recorded(event, late=bool(row["late"]))


def undo(s: Session, answer_id: int, key: str, source: str) -> Recorded:
    """Take an answer back, as if it had never been given; undoing an undo brings it back. The question is open again.

    Raises: NotFound for the event, Conflict if it is undone already, BadInput if the key was used for something else.
    """
    body = _digest("undo", answer_id)
    if earlier := _replay(s, source, key, body):
        return earlier
    target = s.get(AnswerRow, checks.row_id(answer_id, "an answer's id"))
    if target is None:
        raise NotFound(f"no answer with id {answer_id}. Look it up in the log.")
    row = {
        "criterion_id": target.criterion_id,
        "question_id": target.question_id,
        "kind": "undo",
        "supersedes": answer_id,
        "source": checks.text(source, "a source", 200),
        "key": checks.text(key, "an idempotency key", 200),
        "body": body,
        "late": False,
    }
    event = _add_event(s, row)
    if event is None:
        if earlier := _replay(s, source, key, body):
            return earlier
        raise Conflict(f"answer {answer_id} is undone already. Reload to see what stands.")
    _reopen(s, target)
    told = {"answer": event, "undone": answer_id, "source": source}
    events.publish(s, "undo", told, target.criterion_id)
    return Recorded(event)


def _replay(s: Session, source: str, key: str, body: str) -> Recorded | None:
    """The receipt given earlier for this key, if any. Raises BadInput if it was for something else."""
    columns = (AnswerRow.id, AnswerRow.body, AnswerRow.late)
    row = s.execute(select(*columns).where(AnswerRow.source == source, AnswerRow.key == key)).first()
    if row is None:
        return None
    if row.body != body:
        raise BadInput(f"the idempotency key '{key:.80}' was used for another answer. Use a new key for each answer.")
    return Recorded(row.id, replayed=True, late=row.late)


def _busy() -> Recorded:
    raise Conflict("the same answer is being saved on another connection. Send it again.")


def _add_event(s: Session, row: dict[str, Any]) -> int | None:
    """Id of the new event; None if its key, or what it supersedes, is taken."""
    xid = horizon.transaction(s)  # before the row takes its id
    statement = upsert(s, AnswerRow).values(**row, xid=xid).on_conflict_do_nothing()
    return s.scalar(statement.returning(AnswerRow.id))  # type: ignore[no-any-return]


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _said(one: PairVerdict) -> list[Any]:
    return [int(one.a), int(one.b), str(one.verdict), one.confidence or 0, bool(one.background)]


def _whole(asked: Question, verdicts: Sequence[PairVerdict]) -> list[dict[str, Any]]:
    """One row per pair of the question, as the question states the pair. Raises BadInput unless every pair is there."""
    pairs = {frozenset(pair): pair for pair in asked.pairs()}
    rows: dict[frozenset[int], dict[str, Any]] = {}
    for one in verdicts:
        pair = frozenset((one.a, one.b))
        if pair not in pairs:
            raise BadInput(f"pair ({one.a}, {one.b}) is not a pair of question {asked.id}. Answer only what it asks.")
        if pair in rows:
            raise BadInput(f"pair ({one.a}, {one.b}) has two verdicts. Give one verdict per pair.")
        rows[pair] = _verdict_row(pairs[pair], one)
    if missing := [pair for key, pair in pairs.items() if key not in rows]:
        raise BadInput(
            f"question {asked.id} asks {len(pairs)} pairs, got {len(rows)} verdicts; {missing[0]} is missing. "
            "Give every pair a verdict, 'skip' included."
        )
    return list(rows.values())


def _verdict_row(pair: tuple[int, int], one: PairVerdict) -> dict[str, Any]:
    sure = one.confidence
    return {
        "a": pair[0],
        "b": pair[1],
        "verdict": checks.one_of(str(one.verdict), "verdict", [known.value for known in Verdict]),
        "confidence": None if sure is None else checks.number(sure, "confidence", 0, 1, open_low=True),
        "background": bool(one.background),
    }


def _on_time(s: Session, answer: Answer) -> bool:
    """An answer without a lease is always on time."""
    if answer.lease is None:
        return True
    mine = (LeaseRow.question_id == answer.question, LeaseRow.token == answer.lease, LeaseRow.answer_id.is_(None))
    return s.scalar(select(LeaseRow.id).where(*mine, LeaseRow.expires_at > now())) is not None


def _settle(s: Session, answer: Answer, event: int, *, useless: bool) -> None:
    """Use up the slot, and close the question once it has the answers it wants.

    An answer without weight (unsure, skip) gives its slot to somebody else, until PATIENCE of them.
    """
    quiet = {"synchronize_session": False}
    mine = (LeaseRow.question_id == answer.question, LeaseRow.token == answer.lease, LeaseRow.answer_id.is_(None))
    given = QuestionRow.answers + 1
    overlap = 1
    if answer.lease is not None:
        overlap = s.scalar(select(LeaseRow.overlap).where(*mine)) or 1
        taken = delete(LeaseRow).where(*mine) if useless else update(LeaseRow).where(*mine).values(answer_id=event)
        s.execute(taken, execution_options=quiet)
    statement = update(QuestionRow).where(QuestionRow.id == answer.question).values(answers=given)
    count = s.scalar(statement.returning(QuestionRow.answers), execution_options=quiet) or 0
    if count >= (PATIENCE if useless else overlap):
        closed = update(QuestionRow).where(QuestionRow.id == answer.question).values(state="answered")
        s.execute(closed, execution_options=quiet)


def _reopen(s: Session, target: AnswerRow) -> None:
    """An undone answer gives its slot back and the question may be asked again; a restored one counts again."""
    change = -1 if target.kind == "answer" else 1
    state = "open" if change < 0 else "answered"
    s.execute(delete(LeaseRow).where(LeaseRow.answer_id == target.id))
    mine = update(QuestionRow).where(QuestionRow.id == target.question_id)
    s.execute(mine.values(answers=QuestionRow.answers + change, state=state))
