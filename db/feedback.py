"""The feedback log: every answer and every undo is one event, added once and never changed.

What stands is computed from the events (`db.standing`): one counts unless a counting event supersedes it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import bindparam, case, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db import checks, events, horizon
from db.clock import now
from db.dialects import is_sqlite, table
from db.errors import BadInput, Conflict, NotFound
from db.nouns import Answer, Origin, PairVerdict, Question, Verdict
from db.queue import question as find_question
from db.standing import (
    Changes,
    Counts,
    LoggedAnswer,
    captions,
    changes,
    counts,
    history,
    last_event,
    log,
    statements,
    times,
)
from db.tables import AnswerRow, LeaseRow, QuestionRow, VerdictRow

__all__ = [
    "Changes",
    "Counts",
    "LoggedAnswer",
    "Recorded",
    "captions",
    "changes",
    "counts",
    "event_of",
    "history",
    "last_event",
    "log",
    "question_of",
    "record",
    "statements",
    "times",
    "undo",
]

_ANSWERS, _LEASES, _QUESTIONS = table(AnswerRow), table(LeaseRow), table(QuestionRow)
_MINE = _LEASES.c.id == bindparam("lease")
_ENOUGH = _QUESTIONS.c.answers + 1 >= bindparam("enough")
# Made once: putting a statement together costs more than running it.
_ADD_VERDICTS = insert(table(VerdictRow))
_FREE_LEASE = delete(_LEASES).where(_MINE)
_USE_LEASE = update(_LEASES).where(_MINE).values(answer_id=bindparam("event"))
_FIND_LEASE = select(_LEASES.c.id, _LEASES.c.overlap, (_LEASES.c.expires_at > now()).label("on_time")).where(
    _LEASES.c.question_id == bindparam("asked"),
    _LEASES.c.token == bindparam("given"),
    _LEASES.c.answer_id.is_(None),
)
_COUNT_ANSWER = (
    update(_QUESTIONS)
    .where(_QUESTIONS.c.id == bindparam("asked"))
    .values(answers=_QUESTIONS.c.answers + 1, state=case((_ENOUGH, "answered"), else_=_QUESTIONS.c.state))
)

WEIGHTLESS = {Verdict.UNSURE, Verdict.SKIP}
SCREEN = 12  # most candidates a person is shown at once
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
    asked = find_question(s, answer.question)
    verdicts = _whole(asked, answer.verdicts)
    slot = _slot(s, answer)
    row = {
        "criterion_id": asked.criterion,
        "question_id": answer.question,
        "kind": "answer",
        "supersedes": None,
        "source": checks.text(answer.source, "a source", 200),
        "key": checks.text(answer.key, "an idempotency key", 200),
        "body": _digest("answer", answer.question, sorted(_said(one) for one in answer.verdicts)),
        "seconds": None if answer.seconds is None else checks.number(answer.seconds, "seconds", 0, 1e9),
        "late": slot.late,
        **_origin(answer.origin),
    }
    event = _add_event(s, row)
    if event is None:
        return _replay(s, row) or _busy()
    s.execute(_ADD_VERDICTS, [{"answer_id": event, **one} for one in verdicts])
    _settle(s, answer.question, slot, event, useless=all(one["verdict"] in WEIGHTLESS for one in verdicts))
    told = {"answer": event, "question": answer.question, "source": answer.source}
    events.publish(s, "answer", told, asked.criterion)
    return Recorded(event, late=slot.late)


def _origin(origin: Origin | None) -> dict[str, Any]:
    """The columns that an answer from elsewhere brings along."""
    return {} if origin is None else {"created_at": origin.at, "late": origin.late}


def event_of(s: Session, source: str, key: str) -> tuple[int, int] | None:
    """(event, criterion) that this source added under this key; None if it used the key for nothing yet."""
    mine = (AnswerRow.source == source, AnswerRow.key == key)
    row = s.execute(select(AnswerRow.id, AnswerRow.criterion_id).where(*mine)).first()
    return None if row is None else (row.id, row.criterion_id)


def question_of(s: Session, source: str, key: str) -> int | None:
    """The question that this source answered, or undid, under this key; None if it used the key for nothing yet."""
    return s.scalar(select(AnswerRow.question_id).where(AnswerRow.source == source, AnswerRow.key == key))


def undo(s: Session, answer_id: int, key: str, source: str, origin: Origin | None = None) -> Recorded:
    """Take an answer back, as if it had never been given; undoing an undo brings it back. The question is open again.

    origin: of an undo that is brought in from elsewhere.

    Raises: NotFound for the event, Conflict if it is undone already, BadInput if the key was used for something else.
    """
    target = s.get(AnswerRow, checks.row_id(answer_id, "an answer's id"))
    if target is None:
        raise NotFound(f"no answer with id {answer_id}. Look it up in the log.")
    row = {
        "criterion_id": target.criterion_id,
        "question_id": target.question_id,
        "kind": "undo",
        "supersedes": target.id,
        "source": checks.text(source, "a source", 200),
        "key": checks.text(key, "an idempotency key", 200),
        "body": _digest("undo", target.id),
        "seconds": None,
        "late": False,
        **_origin(origin),
    }
    event = _add_event(s, row)
    if event is None:
        return _replay(s, row) or _undone_already(target.id)
    _reopen(s, target)
    told = {"answer": event, "undone": target.id, "source": source}
    events.publish(s, "undo", told, target.criterion_id)
    return Recorded(event)


def _add_event(s: Session, row: dict[str, Any]) -> int | None:
    """Id of the new event; None if its key, or what it supersedes, is taken."""
    xid = horizon.transaction(s)  # before the row takes its id
    found: int | None = s.scalar(_add_statement(is_sqlite(s)), {**row, "xid": xid})
    return found


@cache
def _add_statement(on_sqlite: bool) -> Any:
    inserts = sqlite.insert(_ANSWERS) if on_sqlite else postgresql.insert(_ANSWERS)
    return inserts.on_conflict_do_nothing().returning(_ANSWERS.c.id)


def _replay(s: Session, row: dict[str, Any]) -> Recorded | None:
    """The receipt given earlier for this key, if any. Raises BadInput if it was for something else."""
    columns = (AnswerRow.id, AnswerRow.body, AnswerRow.late)
    mine = (AnswerRow.source == row["source"], AnswerRow.key == row["key"])
    earlier = s.execute(select(*columns).where(*mine)).first()
    if earlier is None:
        return None
    if earlier.body != row["body"]:
        raise BadInput(f"the idempotency key '{row['key']:.80}' was used for another answer. Use a new key for each.")
    return Recorded(earlier.id, replayed=True, late=earlier.late)


def _busy() -> Recorded:
    raise Conflict("the same answer is being saved on another connection. Send it again.")


def _undone_already(answer_id: int) -> Recorded:
    raise Conflict(f"answer {answer_id} is undone already. Reload to see what stands.")


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


@dataclass(frozen=True)
class _Slot:
    """What the answer's lease is worth. lease: its row, None if there is none any more."""

    lease: int | None = None
    overlap: int = 1
    late: bool = False


def _slot(s: Session, answer: Answer) -> _Slot:
    """An answer without a lease is always on time."""
    if answer.lease is None:
        return _Slot()
    row = s.execute(_FIND_LEASE, {"asked": answer.question, "given": answer.lease}).first()
    return _Slot(late=True) if row is None else _Slot(row.id, row.overlap, not row.on_time)


def _settle(s: Session, asked: int, slot: _Slot, event: int, *, useless: bool) -> None:
    """Use up the slot, and close the question once it has the answers it wants.

    An answer without weight (unsure, skip) gives its slot to somebody else, until PATIENCE of them.
    """
    if slot.lease is not None:
        s.execute(_FREE_LEASE if useless else _USE_LEASE, {"lease": slot.lease, "event": event})
    s.execute(_COUNT_ANSWER, {"asked": asked, "enough": PATIENCE if useless else slot.overlap})


def _reopen(s: Session, target: AnswerRow) -> None:
    """An undone answer gives its slot back and the question may be asked again; a restored one counts again.

    A question wider than a screen, put while looking at a whole group, is not asked of anybody else.
    """
    change = -1 if target.kind == "answer" else 1
    wide = len(find_question(s, target.question_id).candidates) > SCREEN
    state = "answered" if change > 0 else "retired" if wide else "open"
    s.execute(delete(LeaseRow).where(LeaseRow.answer_id == target.id))
    mine = update(QuestionRow).where(QuestionRow.id == target.question_id)
    s.execute(mine.values(answers=QuestionRow.answers + change, state=state))
