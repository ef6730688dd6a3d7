"""What was done with the things that sessions saw: put into a bin, put elsewhere after all, or left lying.

The newest statement about a thing stands; it supersedes the one before. Nothing here ever says that two things do not
belong together. In the feedback log a placement is one ordinary answer: the thing is the same as one that lies in that
bin already (the one put there last). A correction takes back what had been concluded from the wrong place.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from db import checks, feedback, horizon, kept, observations, queue, sessions
from db.errors import BadInput, Conflict
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from db.observations import Observation, Thing, thing_of
from db.sessions import RobotSession
from db.tables import AnswerRow, PlacementPairRow, PlacementRow

PLACEMENT, CORRECTION, ABSTENTION = "placement", "correction", "abstention"
KINDS = (PLACEMENT, CORRECTION, ABSTENTION)
PROPOSER = "session"


@dataclass(frozen=True)
class Placement:
    """One statement. bin: None where the thing was left lying."""

    id: int
    session: int
    observation: int
    object: str
    kind: str
    bin: str | None
    supersedes: int | None
    source: str
    created_at: datetime

    @property
    def thing(self) -> Thing:
        """What it is about."""
        return thing_of(self.session, self.object, self.observation)


def add(s: Session, seen: Observation, kind: str, bin: str | None, source: str, key: str) -> tuple[Placement, bool]:
    """Write a statement about what was seen down; (it, whether it was there before).

    Raises: BadInput for a bin that does not fit the kind or a key used otherwise, Conflict where the session is not
    open or there is nothing to correct.
    """
    checks.one_of(kind, "kind", KINDS)
    given = _bin(kind, bin)
    row = {**kept.signed(source, key, seen.thing, kind, given), "session_id": seen.session}
    if (known := kept.earlier(s, PlacementRow, row)) is not None:
        return _noun(known), True
    there = sessions.working(s, seen.session, alone=True)
    before = standing(s, seen)
    if kind == CORRECTION and before is None:
        raise Conflict("nothing was said about this thing yet, so there is nothing to correct. Say a placement.")
    made = kept.add(s, PlacementRow, {
        **row, "criterion_id": there.criterion, "observation_id": seen.id, "object": seen.object, "kind": kind,
        "bin": given, "supersedes": before.id if before else None,
    })  # fmt: skip
    said = placement(s, made)
    _pair_anew(s, there, said, before)
    sessions.tell(s, there.id, there.criterion, kind, placement=made, bin=given, source=source)
    return said, False


def placement(s: Session, id: int) -> Placement:
    """One statement that is known to be there."""
    return _noun(s.get_one(PlacementRow, id))


def standing(s: Session, seen: Observation) -> Placement | None:
    """What is said about a thing now."""
    mine = PlacementRow.object == seen.object if seen.object else PlacementRow.observation_id == seen.id
    query = select(PlacementRow).where(PlacementRow.session_id == seen.session, mine)
    row = s.scalar(query.order_by(PlacementRow.id.desc()).limit(1))
    return None if row is None else _noun(row)


def page(s: Session, session: int, before: int | None, limit: int) -> list[Placement]:
    """Statements of a session, newest first, superseded ones too; those below the id `before`."""
    query = select(PlacementRow).where(PlacementRow.session_id == session)
    if before is not None:
        query = query.where(PlacementRow.id < before)
    return [_noun(row) for row in s.scalars(query.order_by(PlacementRow.id.desc()).limit(limit))]


def bins(s: Session, criterion: int) -> dict[str, int]:
    """Things that lie in each bin now, whichever session put them there; by name."""
    later = aliased(PlacementRow)
    query = select(PlacementRow.bin, func.count()).outerjoin(later, later.supersedes == PlacementRow.id)
    mine = (PlacementRow.criterion_id == criterion, PlacementRow.bin.is_not(None), later.id.is_(None))
    rows = s.execute(query.where(*mine).group_by(PlacementRow.bin).order_by(PlacementRow.bin))
    return {str(name): int(count) for name, count in rows}


def since(s: Session, criterion: int, after: int) -> list[Placement]:
    """Statements of every session under a criterion after an id, oldest first. None is ever stepped over."""
    mine = (PlacementRow.criterion_id == criterion, PlacementRow.id > after)
    query = select(PlacementRow).where(*mine, horizon.settled(s, PlacementRow.xid))
    return [_noun(row) for row in s.scalars(query.order_by(PlacementRow.id))]


def _bin(kind: str, bin: str | None) -> str | None:
    if (bin is None) is not (kind == ABSTENTION):
        said = "an abstention names no bin" if bin is not None else f"a {kind} needs the bin"
        raise BadInput(f"bin = {bin!r:.80}: {said}. Correct it.")
    return None if bin is None else checks.name(bin, "bin")


def _pair_anew(s: Session, there: RobotSession, said: Placement, before: Placement | None) -> None:
    """Put a statement into the feedback log, and mend what leant on the one it supersedes."""
    leaning = [] if before is None else _leaning(s, before.id)
    if before is not None:
        _take_back(s, [answer for _, answer in [*_pairs(s, before.id), *leaning]], said)
    for one in [said, *(placement(s, number) for number, _ in leaning)]:
        if one.bin is not None:
            _pair(s, there.criterion, one, said.source)


def _pair(s: Session, criterion: int, said: Placement, source: str) -> None:
    """Answer that a thing is the same as the one before it in its bin; nothing where it is the first."""
    beside = _before(s, criterion, said)
    item = observations.observation(s, said.observation).item
    other = item if beside is None else observations.observation(s, beside.observation).item
    if beside is None or other == item:
        return
    asked = Question(
        criterion, Kind.PAIR, item, (other,), PROPOSER, reason=f"Both were put into bin {said.bin}."[:200]
    )  # fmt: skip
    question = queue.about_pair(s, asked)
    key = f"placement-{said.id}-{beside.id}"
    answer = Answer(question, (PairVerdict(item, other, Verdict.SAME),), source, key)
    stored = feedback.record(s, answer)
    kept.add(s, PlacementPairRow, {"placement_id": said.id, "beside_id": beside.id, "answer_id": stored.id})


def _before(s: Session, criterion: int, said: Placement) -> Placement | None:
    """The standing placement in the same bin just before this one, of another thing."""
    later = aliased(PlacementRow)
    mine = (PlacementRow.criterion_id == criterion, PlacementRow.bin == said.bin, PlacementRow.id < said.id)
    query = select(PlacementRow).outerjoin(later, later.supersedes == PlacementRow.id).where(*mine, later.id.is_(None))
    row = s.scalar(query.order_by(PlacementRow.id.desc()).limit(1))
    return None if row is None else _noun(row)


def _pairs(s: Session, placement: int) -> list[tuple[int, int]]:
    """(placement, standing answer) that say where this one lies."""
    return _standing(s, PlacementPairRow.placement_id == placement)


def _leaning(s: Session, placement: int) -> list[tuple[int, int]]:
    """(placement, standing answer) of others that are paired with this one."""
    return _standing(s, PlacementPairRow.beside_id == placement)


def _standing(s: Session, condition: Any) -> list[tuple[int, int]]:
    undo = aliased(AnswerRow)
    query = select(PlacementPairRow.placement_id, PlacementPairRow.answer_id).where(condition)
    rows = s.execute(query.outerjoin(undo, undo.supersedes == PlacementPairRow.answer_id).where(undo.id.is_(None)))
    return [(int(placement), int(answer)) for placement, answer in rows]


def _take_back(s: Session, answers: list[int], said: Placement) -> None:
    for answer in answers:
        feedback.undo(s, answer, f"placement-{said.id}-undo-{answer}", said.source)


def _noun(row: PlacementRow) -> Placement:
    return Placement(
        row.id, row.session_id, row.observation_id, row.object, row.kind, row.bin, row.supersedes, row.source,
        row.created_at,
    )  # fmt: skip
