"""Everything the Quality screen shows, measured in one pass along the log; it runs in a process of its own.

log -> annotators -> beliefs as the log grew -> audits, effect of the last answers -> what is left, whether to stop
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from db.nouns import Snapshot, Statement
from oracle.audits import implied_pairs, separate
from oracle.belief import Belief, infer
from oracle.changes import LARGE, LAST, Change, Watch
from oracle.constraints import ConstraintGraph
from oracle.holdout import along, even, grown
from oracle.quality import LEVEL, Audit, Coverage, Estimate, coverage, go_on, judged_by
from oracle.reliability import Annotator
from oracle.remaining import remaining
from oracle.slips import ErrorRate, error_of, sources
from oracle.stopping import Advice, advice
from oracle.weighing import judged, trusted_rates, usual_rate

CURVE = 6  # points of the learning curve
FEWER = 2  # folds of its earlier points


@dataclass(frozen=True)
class Step:
    """The pair F1 of the partition after the first `answers` answers, under today's embedding."""

    answers: int
    f1: Estimate


@dataclass(frozen=True)
class Report:
    """One measurement. audit, coverage, advice, needed (answers to `target`, a pair F1): see there.

    changes: effect of the last answers, oldest first. curve: F1 along the log. answers: how many the whole log holds.
    level: of every interval.
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

    known: effects of answers found before over the same snapshot. told: (steps done, of how many). stopped: asked
    between two steps; Refused is raised once it says so.
    """
    people = judged(tuple(said))
    ledger, answers = builder(people)([]), sorted({one.answer for one in said})
    watch = Watch(snapshot, said, known=known, last=last)
    points = even(answers, CURVE)[:-1] if len(answers) >= 2 * CURVE else []
    grows = {*even(answers), *points}
    stops = sorted({*grows, *watch.stops})
    light = set(stops) - grows if len(snapshot.ids) > LARGE else set()
    witnesses, curve, belief = separate(said, judges)[1], [], infer(snapshot, ledger)
    for done, (stop, belief) in enumerate(along(snapshot, said, ledger, stops, light=light)):
        go_on(stopped)
        told(done, len(stops) + 1)
        watch.see(stop, belief)
        if stop in points:
            error = error_of(belief, witnesses, [one for one in said if one.answer <= stop])
            then = judged_by(witnesses, belief, ledger, folds=FEWER, error=error, stopped=stopped)
            curve.append(Step(answers.index(stop) + 1, then.f1))
    found = judged_by(witnesses, belief, ledger, error=error_of(belief, witnesses, said), stopped=stopped)
    f1, covered = found.f1, coverage(belief, ledger, sum(implied_pairs(ledger, snapshot, belief.labels)))
    bounds = None if f1.low is None or f1.high is None else (f1.low, f1.high)
    return Report(
        audit=found,
        coverage=covered,
        advice=advice([one.changed for one in watch.changes], f1=bounds, target=target, pending=covered.pending),
        needed=remaining([one.unsettled for one in watch.changes], f1, target=target),
        annotators=_annotators(people, belief, said),
        changes=tuple(watch.changes),
        curve=tuple(one for one in [*curve, Step(len(answers), f1)] if points and f1.value is not None),
        target=target,
        answers=len(answers),
    )


def _annotators(people: Mapping[str, Annotator], belief: Belief, said: Sequence[Statement]) -> tuple[Annotator, ...]:
    """Everybody, the busiest first, with the error rate that the groups found now give them."""
    rates = sources(belief, said)
    known = [one for one in people.values() if one.source in rates]
    found = [
        replace(one, error_rate=mean, low=low, high=high) for one in known for mean, low, high in [rates[one.source]]
    ]
    return tuple(sorted(found, key=lambda one: (-one.answers, one.source)))


@dataclass(frozen=True)
class Beginning:
    """Where a forecast sets out. build: makes graphs of this log. f1: as the audits say. error: of any answer."""

    build: Callable[[Sequence[Statement]], ConstraintGraph]
    f1: Estimate
    error: ErrorRate


def beginning(
    snapshot: Snapshot,
    said: Sequence[Statement],
    *,
    judges: Callable[[Statement], bool] = lambda _: True,
    stopped: Callable[[], bool] = lambda: False,
) -> Beginning:
    """How good the groups are and how often answers are wrong, without all the rest of a measurement."""
    build = builder(judged(tuple(said)))
    ledger, witnesses = build([]), separate(said, judges)[1]
    belief = grown(snapshot, said, ledger)
    error = error_of(belief, witnesses, said)
    found = judged_by(witnesses, belief, ledger, error=error, stopped=stopped, enough=0)
    return Beginning(build, found.f1, error_of(belief, said, said))


def builder(people: Mapping[str, Annotator]) -> Callable[[Sequence[Statement]], ConstraintGraph]:
    """Makes graphs that trust every source as the whole log says it deserves."""
    return partial(ConstraintGraph.build, error_rate=usual_rate(people), error_rates=trusted_rates(people))
