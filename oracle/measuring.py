"""Everything the Quality screen shows, measured in one go. It takes seconds, so it runs in a process of its own.

log -> annotators -> graph -> audits, coverage, effect of the last answers -> what is left, whether to stop
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from db.nouns import Snapshot, Statement
from oracle.audits import implied_pairs
from oracle.belief import infer
from oracle.changes import LAST, Change, replay
from oracle.constraints import ConstraintGraph
from oracle.quality import LEVEL, Audit, Coverage, Estimate, audit, coverage, error_of
from oracle.reliability import Annotator
from oracle.remaining import remaining
from oracle.stopping import Advice, advice
from oracle.weighing import judged, trusted_rates, usual_rate

CURVE = 6  # points of the learning curve


@dataclass(frozen=True)
class Step:
    """The pair F1 of the partition after the first `answers` answers, under today's embedding."""

    answers: int
    f1: Estimate


@dataclass(frozen=True)
class Report:
    """audit, coverage, advice, needed: see there. changes: effect of the last answers, oldest first. target: pair F1.

    curve: F1 along the log. answers: how many the whole log holds. level: of every interval.
    """

    audit: Audit
    coverage: Coverage
    advice: Advice
    needed: Estimate
    annotators: tuple[Annotator, ...]
    changes: tuple[Change, ...]
    curve: tuple[Step, ...]
    target: float
    answers: int
    level: float = LEVEL


def measure(
    snapshot: Snapshot,
    said: Sequence[Statement],
    *,
    judges: Callable[[Statement], bool] = lambda _: True,
    known: Mapping[int, Change] | None = None,
    target: float = 0.95,
    last: int = LAST,
    told: Callable[[int, int], object] = lambda *_: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Report:
    """Measure a criterion. judges: audit answers the snapshot's embedding has not learnt from.

    known: effects of answers found before over the same snapshot. told: (steps done, of how many).
    """
    people = judged(tuple(said))
    build = builder(people)
    graph = build(said)
    belief = infer(snapshot, graph)
    error = error_of(people, [one for one in said if one.audit and judges(one)])
    judge = partial(audit, snapshot, said, judges=judges, error=error, graph=build)
    found = judge()
    curve = _curve(said, found, judge, told)
    changes = replay(snapshot, said, known=known, last=last, graph=build, told=told, stopped=stopped)
    bounds = None if found.f1.low is None or found.f1.high is None else (found.f1.low, found.f1.high)
    return Report(
        audit=found,
        coverage=coverage(belief, graph, sum(implied_pairs(graph, snapshot, belief.labels))),
        advice=advice([one.changed for one in changes], f1=bounds, target=target),
        needed=remaining([one.unsettled for one in changes], found.f1, target=target),
        annotators=tuple(sorted(people.values(), key=lambda one: (-one.answers, one.source))),
        changes=tuple(changes),
        curve=curve,
        target=target,
        answers=len({one.answer for one in said}),
    )


def _curve(
    said: Sequence[Statement], found: Audit, judge: Callable[..., Audit], told: Callable[[int, int], object]
) -> tuple[Step, ...]:
    """The F1 after even shares of the answers; empty while there are too few audits."""
    answers = sorted({one.answer for one in said})
    if found.f1.value is None or len(answers) < 2 * CURVE:
        return ()
    places = [len(answers) * part // CURVE for part in range(1, CURVE)]
    steps = []
    for done, place in enumerate(places):
        told(done, CURVE + len(answers[-LAST:]))
        steps.append(Step(place, judge(until=answers[place - 1]).f1))
    return (*steps, Step(len(answers), found.f1))


def builder(people: Mapping[str, Annotator]) -> Callable[[Sequence[Statement]], ConstraintGraph]:
    """Makes graphs that trust every source as the whole log says it deserves."""
    return partial(ConstraintGraph.build, error_rate=usual_rate(people), error_rates=trusted_rates(people))
