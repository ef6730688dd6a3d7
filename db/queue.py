"""The question queue: proposed questions wait here and are leased, a slot at a time, to whoever answers.

A slot belongs to one holder until the lease runs out by the database's clock; UNIQUE(question, slot) is what keeps two
holders apart. An expired slot is taken over by the next claim; an answered one is used up.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Double,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from db import catalog, checks
from db.clock import SKEW_S, now
from db.dialects import is_sqlite, table
from db.errors import BadInput, NotFound, StaleLease
from db.nouns import Kind, Question
from db.tables import AnswerRow, Id, LeaseRow, QuestionRow

MOST_CANDIDATES = {Kind.PAIR: 1, Kind.TICK: 12}
MOST_OVERLAP = 10
TRIES = 20
_LEASES = table(LeaseRow)


@dataclass(frozen=True)
class Leased:
    """A question in somebody's hands. token: to be handed back with the answer."""

    question: Question
    token: str
    expires_at: datetime


def put(s: Session, criterion: int, questions: Sequence[Question], *, retire: bool = True) -> list[int]:
    """Queue questions, first come first asked; returns their ids.

    retire: questions of this criterion that nobody holds and nobody answered leave the queue first.
    Raises: BadInput for a question that is not well formed, NotFound for an item outside the collection.
    """
    there = catalog.criterion(s, criterion)
    rows = [_row(_fitting(question, there), there.id) for question in questions]
    shown = [one for row in rows for one in (row["anchor"], *row["candidates"], *row["context"])]
    catalog.require_items(s, there.collection, shown)
    if retire:
        s.execute(update(QuestionRow).where(_waiting(there.id)).values(state="retired"))
    statement = insert(QuestionRow).returning(QuestionRow.id, sort_by_parameter_order=True)
    return list(s.scalars(statement, rows)) if rows else []


def about_pair(s: Session, asked: Question) -> int:
    """Id of the question by which this proposer asks about this pair; it is put into the queue unless it is there.

    Raises: BadInput for a question that is not well formed, NotFound for an item outside the collection.
    """
    mine = (QuestionRow.criterion_id == asked.criterion, QuestionRow.proposer == asked.proposer)
    pair = {asked.anchor, *asked.candidates}
    rows = s.execute(
        select(QuestionRow.id, QuestionRow.anchor, QuestionRow.candidates).where(*mine, QuestionRow.anchor.in_(pair))
    )
    there = [row.id for row in rows if {row.anchor, *row.candidates} == pair]
    return max(there) if there else put(s, asked.criterion, [asked], retire=False)[0]


def about(s: Session, asked: Question) -> int:
    """The same for several candidates: id of the question of this kind by which this proposer asks just this.

    Raises: BadInput for a question that is not well formed, NotFound for an item outside the collection.
    """
    mine = (QuestionRow.criterion_id == asked.criterion, QuestionRow.proposer == asked.proposer)
    this = (QuestionRow.kind == asked.kind.value, QuestionRow.anchor == asked.anchor)
    rows = s.execute(select(QuestionRow.id, QuestionRow.candidates).where(*mine, *this))
    there = [row.id for row in rows if set(row.candidates) == set(asked.candidates)]
    return max(there) if there else put(s, asked.criterion, [asked], retire=False)[0]


def put_for(s: Session, criterion: int, asked: Sequence[Question], holder: str, lease_s: float = 1800) -> list[int]:
    """Queue questions that are in this holder's hands from the start: nobody else is asked them before they lapse."""
    checks.number(lease_s, "lease_s", 0, 86_400)
    made = put(s, criterion, asked, retire=False)
    token = secrets.token_hex(16)
    held = {"slot": 0, "overlap": 1, "holder": checks.text(holder, "a holder", 200), "token": token}
    for one in made:
        s.execute(insert(LeaseRow).values(question_id=one, expires_at=now() + float(lease_s), **held))
    return made


def open_count(s: Session, criterion: int) -> int:
    """How many questions wait for anybody: open, not leased, not answered yet."""
    return s.scalar(select(func.count(QuestionRow.id)).where(_waiting(criterion))) or 0


def claim(
    s: Session,
    criterion: int,
    holder: str,
    count: int,
    *,
    kind: str | None = None,
    lease_s: float = 180,
    overlap: int = 1,
    source: str | None = None,
) -> list[Leased]:
    """Lease up to `count` questions, oldest first; fewer, or none, when fewer are free.

    Args:
        holder: who waits for them, for example a browser tab; never gets one question twice.
        overlap: how many holders may answer one question.
        source: who will answer (default: the holder); is never offered what that source answered before.
    """
    checks.number(count, "count", 1, 1000)
    checks.number(overlap, "overlap", 1, MOST_OVERLAP)
    checks.number(lease_s, "lease_s", 0, 86_400)
    checks.text(holder, "a holder", 200)
    if kind is not None:
        checks.one_of(kind, "kind", [known.value for known in Kind])
    token = secrets.token_hex(16)
    given = {"criterion": criterion, "kind": kind, "holder": holder, "source": source or holder}
    statement = _claim_statement(is_sqlite(s), int(overlap), kind is not None)
    got: dict[int, datetime] = {}
    for _ in range(TRIES):  # others may win every slot we looked at, while there are more of them; then look again
        left = {"count": count - len(got), "token": token, "lease_s": float(lease_s)}
        rows = s.execute(statement, given | left).all()
        got |= {row.question_id: row.expires_at for row in rows}
        if len(got) >= count or not (rows or s.scalar(_free_statement(int(overlap), kind is not None), given)):
            break
    found = s.scalars(select(QuestionRow).where(QuestionRow.id.in_(got)).order_by(QuestionRow.id)) if got else ()
    return [Leased(_question(row), token, got[row.id]) for row in found]


@cache
def _claim_statement(on_sqlite: bool, overlap: int, of_kind: bool) -> Any:
    """One statement: find free slots and take them. SKIP LOCKED keeps PostgreSQL's claimants off each other.

    Kept, because putting it together costs more than running it.
    """
    slot = _free_slot(overlap)
    values = {
        "overlap": literal_column(str(overlap), Id),
        "holder": bindparam("holder", type_=Text()),
        "token": bindparam("token", type_=Text()),
        "expires_at": now() + bindparam("lease_s", type_=Double()),
        "answer_id": null(),
        "created_at": now(),
    }
    rows = select(QuestionRow.id, slot, *values.values()).where(*_claimable(slot, of_kind))
    rows = rows.order_by(QuestionRow.id).limit(bindparam("count", type_=Id))
    lock = rows.with_for_update(skip_locked=True, of=QuestionRow)
    inserts = (sqlite if on_sqlite else postgresql).insert(_LEASES)
    statement = inserts.from_select(["question_id", "slot", *values], lock, include_defaults=False)
    changed = {name: statement.excluded[name] for name in values}
    statement = statement.on_conflict_do_update(
        index_elements=["question_id", "slot"], set_=changed, where=~_live(_LEASES.c)
    )
    return statement.returning(_LEASES.c.question_id, _LEASES.c.expires_at)


@cache
def _free_statement(overlap: int, of_kind: bool) -> Any:
    """Whether there is anything this holder could claim."""
    return select(exists().where(*_claimable(_free_slot(overlap), of_kind)))


def _free_slot(overlap: int) -> Any:
    """The first slot of a question nobody has, NULL if all are taken."""
    numbers = (select(literal_column(str(number), Id).label("slot")) for number in range(overlap))
    slots = union_all(*numbers).subquery("slots")
    taken = aliased(LeaseRow)
    blocked = exists().where(taken.question_id == QuestionRow.id, taken.slot == slots.c.slot, _live(taken))
    free = select(func.min(slots.c.slot)).where(~blocked.correlate(QuestionRow, slots))
    return free.correlate(QuestionRow).scalar_subquery()


def _claimable(slot: Any, of_kind: bool) -> list[ColumnElement[bool]]:
    """What a claim asks for."""
    wanted = [QuestionRow.criterion_id == bindparam("criterion"), QuestionRow.state == "open", slot.is_not(None)]
    wanted += [QuestionRow.kind == bindparam("kind")] if of_kind else []
    return wanted + _not_by(bindparam("holder", type_=Text()))


def held(s: Session, criterion: int, holder: str) -> list[Leased]:
    """What a holder has in hand now, for example after a page was reloaded."""
    query = select(QuestionRow, LeaseRow).join(LeaseRow, LeaseRow.question_id == QuestionRow.id)
    mine = (QuestionRow.criterion_id == criterion, LeaseRow.holder == holder, LeaseRow.answer_id.is_(None))
    rows = s.execute(query.where(*mine, _current(LeaseRow)).order_by(QuestionRow.id))
    return [Leased(_question(row), lease.token, lease.expires_at) for row, lease in rows]


def in_hand(s: Session, criterion: int) -> list[Question]:
    """Questions somebody holds right now and has not answered, each once."""
    mine = (LeaseRow.question_id == QuestionRow.id, LeaseRow.answer_id.is_(None), _current(LeaseRow))
    rows = s.scalars(select(QuestionRow).where(QuestionRow.criterion_id == criterion, exists().where(*mine)))
    return [_question(row) for row in rows]


def renew(s: Session, question: int, token: str, lease_s: float = 180) -> datetime:
    """Keep a question longer; returns when the lease now ends. Raises StaleLease if it is another's by now."""
    checks.number(lease_s, "lease_s", 0, 86_400)
    mine = (LeaseRow.question_id == question, LeaseRow.token == token, LeaseRow.answer_id.is_(None))
    statement = update(LeaseRow).where(*mine).values(expires_at=now() + lease_s).returning(LeaseRow.expires_at)
    until = s.scalar(statement, execution_options={"synchronize_session": False})
    if until is None:
        raise StaleLease(f"the lease of question {question} is not yours any more. Claim another question.")
    return until


def release(s: Session, question: int, token: str) -> bool:
    """Give a question back unanswered; False if it was not held by this token any more."""
    mine = (LeaseRow.question_id == question, LeaseRow.token == token, LeaseRow.answer_id.is_(None))
    return s.execute(delete(LeaseRow).where(*mine)).rowcount > 0  # type: ignore[attr-defined]


def question(s: Session, id: int) -> Question:
    """One question, whatever its state. Raises NotFound."""
    row = s.get(QuestionRow, checks.row_id(id, "a question's id"))
    if row is None:
        raise NotFound(f"no question with id {id}. Claim one first.")
    return _question(row)


def questions(s: Session, ids: Sequence[int]) -> dict[int, Question]:
    """Several questions at once, by id; ids that do not exist are left out."""
    rows = s.scalars(select(QuestionRow).where(QuestionRow.id.in_(list(ids))))
    return {row.id: _question(row) for row in rows}


def sweep(s: Session, older_than_s: float = 86_400) -> int:
    """Delete retired questions nobody ever answered, after a while; returns how many went."""
    answered = exists().where(AnswerRow.question_id == QuestionRow.id)
    old = QuestionRow.created_at < now() - older_than_s
    gone = s.execute(delete(QuestionRow).where(QuestionRow.state == "retired", old, ~answered))
    return gone.rowcount  # type: ignore[attr-defined,no-any-return]


def _live(lease: Any) -> ColumnElement[bool]:
    """A slot that may not be taken: used up by an answer, or still within its time."""
    return or_(lease.answer_id.is_not(None), _current(lease))


def _current(lease: Any) -> ColumnElement[bool]:
    """Within its time. One that was given in the future is not: the clock was wrong then, and has been set right."""
    return and_(lease.expires_at > now(), lease.created_at <= now() + SKEW_S)


def _waiting(criterion: int) -> ColumnElement[bool]:
    leased = exists().where(LeaseRow.question_id == QuestionRow.id, _current(LeaseRow))
    mine = (QuestionRow.criterion_id == criterion, QuestionRow.state == "open", QuestionRow.answers == 0)
    return and_(*mine, ~leased)


def _not_by(holder: BindParameter[str]) -> list[ColumnElement[bool]]:
    """Neither in this holder's hands nor answered (and not undone) by this source."""
    mine, said, undo = aliased(LeaseRow), aliased(AnswerRow), aliased(AnswerRow)
    in_hand = exists().where(mine.question_id == QuestionRow.id, mine.holder == holder, _live(mine))
    undone = exists().where(undo.supersedes == said.id)
    by_source = (said.source == bindparam("source", type_=Text()), said.kind == "answer")
    answered = exists().where(said.question_id == QuestionRow.id, *by_source, ~undone)
    return [~in_hand, ~answered]


def _fitting(asked: Question, there: catalog.Criterion) -> Question:
    """A criterion asks about words or about pairs, never both: neither kind of verdict can reach the other's readers.

    Raises: BadInput.
    """
    if (asked.kind is Kind.CAPTION) != bool(there.captions):
        what = f"the words in the column '{there.captions}'" if there.captions else "pairs of pictures"
        raise BadInput(f"the criterion '{there.name}' asks about {what} alone. Choose another criterion for this.")
    return asked


def _row(asked: Question, criterion: int) -> dict[str, Any]:
    """The question as a row. Raises BadInput."""
    anchor, *candidates = (checks.row_id(one, "an item's id") for one in (asked.anchor, *asked.candidates))
    if Kind(asked.kind) is Kind.CAPTION:
        return _common(asked, criterion) | _caption(asked, anchor)
    most = MOST_CANDIDATES.get(Kind(asked.kind), 1000)
    if not 1 <= len(candidates) <= most or len({anchor, *candidates}) != 1 + len(candidates):
        raise BadInput(
            f"a '{asked.kind}' question needs 1 to {most} different candidates besides its anchor, "
            f"got anchor {anchor} and {len(candidates)} candidates. Propose it again."
        )
    if len(asked.expected) not in (0, len(candidates)):
        raise BadInput(f"expected must have one value per candidate ({len(candidates)}), got {len(asked.expected)}.")
    return _common(asked, criterion) | {
        "anchor": anchor,
        "candidates": candidates,
        "context": [checks.row_id(one, "an item's id") for one in asked.context],
        "text": None,
    }


def _caption(asked: Question, anchor: int) -> dict[str, Any]:
    """What is special about a question on words. Raises BadInput."""
    if asked.candidates or asked.context or len(asked.expected) > 1:
        raise BadInput(
            f"a '{asked.kind}' question is about one picture and its words, got {len(asked.candidates)} candidates. "
            "Leave them out."
        )
    words = checks.text(asked.text, "the words of a question", 100_000)
    return {"anchor": anchor, "candidates": [], "context": [], "text": words}


def _common(asked: Question, criterion: int) -> dict[str, Any]:
    """What every kind of question has. Raises BadInput."""
    return {
        "criterion_id": criterion,
        "kind": Kind(asked.kind).value,
        "expected": [checks.number(p, "expected", 0, 1) for p in asked.expected],
        "proposer": checks.text(asked.proposer, "a proposer", 200),
        "probability": checks.number(asked.probability, "probability", 0, 1, open_low=True),
        "audit": bool(asked.audit),
        "version": None if asked.version is None else int(asked.version),
        "reason": checks.text(asked.reason, "a reason", 2000, shortest=0),
        "state": "open",
        "answers": 0,
    }


def _question(row: QuestionRow) -> Question:
    return Question(
        criterion=row.criterion_id,
        kind=Kind(row.kind),
        anchor=row.anchor,
        candidates=tuple(row.candidates),
        proposer=row.proposer,
        probability=row.probability,
        audit=row.audit,
        version=row.version,
        expected=tuple(row.expected),
        context=tuple(row.context),
        reason=row.reason,
        text=row.text or "",
        id=row.id,
    )
