"""Compare methods before training: which pairs each would create, graded by answers.

Drawing the pairs takes torch and seconds, so it happens in a process of its own (`app.compare_job`). What it drew is
judged here by the answers of now, so that a grade shows at once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import ValidationError

from app import compared, comparing
from app.api import views
from app.api.asked import answered
from app.api.compare_shapes import (
    CancelIn,
    ComparedOut,
    CompareIn,
    CompareOut,
    ComparisonOut,
    GradeIn,
    MethodOut,
    PairOut,
    ShareOut,
    SightOut,
)
from app.api.context import Annotator, Here, Viewer
from app.api.shapes import AnswerOut, JobOut, Which
from app.relating import relatable
from db import catalog, feedback, jobs, versions
from db.errors import NotFound
from db.nouns import Item, PairVerdict, Statement, Verdict
from oracle.constraints import ConstraintGraph
from oracle.weighing import weighed_graph
from trainer.systems import systems

router = APIRouter(prefix="/compare", tags=["compare"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
WAITING = ["queued", "running"]
SHOWN = 24  # pairs of a kind
STRIPS = ("positives", "push", "detected")
PROPOSER = "compare"


@router.get("")
def compare(here: Here, person: Viewer, criterion: Which) -> CompareOut:
    """The methods there are, and the last comparison by what the answers say now."""
    with here.database.read() as s:
        about = catalog.criterion(s, criterion)
        said = list(feedback.statements(s, about.id))
        served = versions.current(s, about.id)
        done = jobs.newest(s, [comparing.KIND], about.id, ["done"])
        waiting = jobs.newest(s, [comparing.KIND], about.id, WAITING)
        items = catalog.items_by_id(s, _shown(done.result if done else None))
        size = next(one.items for one in catalog.collections(s) if one.id == about.collection)
    found = None
    if done is not None and done.result:
        sight = Sight(said, weighed_graph(said), _own(said, person.name), items)
        found = _readable(done.result, sight, served.id if served else None)
    return CompareOut(
        criterion=about.id, items=size, answers=len({one.answer for one in said}), methods=_methods(),
        related=relatable(here.database, about.collection), compared=found, job=views.job(waiting) if waiting else None,
    )  # fmt: skip


@router.post("", status_code=202)
def start(here: Here, _: Annotator, given: CompareIn) -> JobOut:
    """Compare in the background. The same wish that waits already is handed back; another one takes its place."""
    wish = comparing.Wish(tuple(given.methods), given.options, given.embedding, given.batch, given.seed)
    payload = wish.payload()
    with here.database.write() as s:
        about = catalog.criterion(s, given.criterion).id
        there = jobs.newest(s, [comparing.KIND], about, WAITING)
        if there is not None and dict(there.payload) != payload:
            jobs.cancel(s, there.id)
            there = None
        job = there or jobs.job(s, jobs.enqueue(s, comparing.KIND, payload, criterion=about))
    here.comparer.wake()
    return views.job(job)


@router.post("/cancel")
def cancel(here: Here, _: Annotator, given: CancelIn) -> JobOut:
    """Stop the comparison under way; the last one stays."""
    with here.database.write() as s:
        about = catalog.criterion(s, given.criterion).id
        there = jobs.newest(s, [comparing.KIND], about, WAITING)
        if there is None:
            raise NotFound("no comparison is under way. There is nothing to cancel.")
        jobs.cancel(s, there.id)
        return views.job(jobs.job(s, there.id))


@router.post("/grade", status_code=201)
def grade(here: Here, person: Annotator, given: GradeIn, reply: Response, key: Key = None) -> AnswerOut:
    """Grade a pair: an ordinary answer to a question about it, in the log as any other, undone as any other."""
    said = PairVerdict(given.a, given.b, Verdict(given.verdict))
    reason = "You asked which pairs a method would create."
    receipt, stored = answered(
        here, person, given.criterion, said, key, proposer=PROPOSER, reason=reason, seconds=given.seconds
    )
    reply.headers["Idempotency-Replayed"] = str(stored.replayed).lower()
    return receipt


@dataclass(frozen=True)
class Sight:
    """What a comparison is read with: the standing answers, what follows, the caller's own, and the pictures."""

    said: Sequence[Statement]
    graph: ConstraintGraph
    own: Mapping[frozenset[int], int]
    items: Mapping[int, Item]


@lru_cache(maxsize=1)
def _methods() -> list[MethodOut]:
    """Read from the files once: they do not change while the server runs."""
    return [
        MethodOut(
            name=one.name, idea=one.title.partition(": ")[2], family=one.said["Family"], needs=one.said["Needs"],
            settings=one.settings,
        )
        for one in systems()
    ]  # fmt: skip


def _shown(result: Mapping[str, Any] | None) -> list[int]:
    """Items of the pairs that are shown."""
    methods = (result or {}).get("methods", [])
    rows = (row for one in methods for kind in STRIPS for row in one.get("rows", {}).get(kind, [])[:SHOWN])
    return sorted({int(item) for row in rows for item in row[:2]})


def _own(said: Iterable[Statement], name: str) -> dict[frozenset[int], int]:
    """The caller's newest answer about each pair that says nothing else, so that it can be taken back alone."""
    said = list(said)
    alone = Counter(one.answer for one in said)
    mine = [one for one in said if one.source == name and alone[one.answer] == 1]
    return {frozenset((one.a, one.b)): one.answer for one in sorted(mine, key=lambda one: one.answer)}


def _readable(result: Mapping[str, Any], sight: Sight, served: int | None) -> ComparisonOut | None:
    """The comparison; None where an older release wrote it."""
    try:
        return _comparison(result, sight, served)
    except (KeyError, ValidationError):
        return None


def _comparison(result: Mapping[str, Any], sight: Sight, served: int | None) -> ComparisonOut:
    answers = {one.answer for one in sight.said}
    kept = ("version", "embedding", "batch", "seed", "options")
    return ComparisonOut(
        **{name: result[name] for name in kept},
        stale=result["embedding"] == "served" and result["version"] != served,
        learnt=sum(answer <= result["learnt"] for answer in answers),
        methods=[_compared(one, sight, len(answers)) for one in result["methods"]],
        sights=[SightOut(**one) for one in result["sights"]],
    )


def _compared(one: Mapping[str, Any], sight: Sight, answers: int) -> ComparedOut:
    figures = compared.judged(one["rows"], sight.graph)
    return ComparedOut(
        **{name: one[name] for name in ("name", "settings", "repels", "each")},
        notes=compared.notes(one, answers),
        refused=one["refused"] is not None,
        precision=ShareOut(**asdict(figures.precision)),
        false=ShareOut(**asdict(figures.false)),
        false_push=ShareOut(**asdict(figures.false_push)),
        found=ShareOut(**asdict(figures.detected)),
        positives=_pairs(one, "positives", sight),
        push=_pairs(one, "push", sight),
        detected=_pairs(one, "detected", sight),
    )


def _pairs(one: Mapping[str, Any], kind: str, sight: Sight) -> list[PairOut]:
    """The first of a kind, with their pictures; a pair whose item is gone is left out."""
    found, terms = [], one["terms"]
    for row in one["rows"][kind][:SHOWN]:
        a, b, said = sight.items.get(int(row[0])), sight.items.get(int(row[1])), compared.relation(sight.graph, row)
        if a is None or b is None:
            continue
        term = terms[int(row[4])] if len(terms) > 1 else ""
        own = sight.own.get(frozenset((a.id, b.id)))
        verdict = said.value if said else None
        found.append(
            PairOut(a=views.media(a), b=views.media(b), cosine=row[3], verdict=verdict, answer=own, term=term)  # type: ignore[arg-type]
        )
    return found
