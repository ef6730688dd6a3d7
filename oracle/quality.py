"""How good the groups are and how much is left to ask, from the log alone; every number says what it rests on.

    audit answers, each judged by a belief that never heard it -> shares of "same" among the pairs together and apart
    (`oracle.shares`) -> precision, recall, F1 of all pairs
    TP = p(together) n(together);  FN = p(apart) n(apart)
    precision = p(together);  recall = TP / (TP + FN);  F1 = 2 TP / (n(together) + TP + FN)

Share of positives among pairs nobody asked and nothing implies: the class prior that positive-unlabelled learning needs
(Elkan and Noto 2008, "Learning classifiers from only positive and unlabeled data"; du Plessis, Niu and Sugiyama 2014).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from db.errors import Refused
from db.nouns import Snapshot, Statement
from oracle.audits import Witnesses, separate, together, witnesses_of
from oracle.belief import Belief
from oracle.claims import Claims, binned, claimed, claims_of
from oracle.constraints import ConstraintGraph
from oracle.holdout import grown, without
from oracle.shares import Drawn, Heard, draw, figures, interval
from oracle.slips import ErrorRate

LEVEL = 0.9
FOLDS = 5
ENOUGH = 5  # audit screens before they are worth a number
NOBODY = np.zeros(0, dtype=np.int64)
NEARLY = 0.99  # an interval that ends above may reach 1
SURE = 0.9  # an item this likely in one group counts as settled


@dataclass(frozen=True)
class Estimate:
    """A number with its interval and what it rests on: answers, and pair verdicts among them. value None: not known,
    `reason` says why and what helps; high None: no upper end is known."""

    value: float | None
    low: float | None
    high: float | None
    answers: int
    pairs: int
    reason: str = ""


@dataclass(frozen=True)
class Audit:
    """What the audits say. positives: share of same among the pairs not asked and not implied. error: of an answer."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    positives: Estimate
    error: float


@dataclass(frozen=True)
class Coverage:
    """How much is settled. asked, placed (by answers), sure (placed, or likelier than .9 in one group): items.

    pending: items asked about whose group is still in doubt, which wait for another question. pairs, implied: all
    pairs, and those that follow from the answers. unsettled: expected share of items in a wrong group, by the model's
    own account, in [0, 1].
    """

    items: int
    asked: int
    placed: int
    sure: int
    pending: int
    groups: int
    pairs: float
    implied: float
    unsettled: float


def audit(
    snapshot: Snapshot,
    said: Sequence[Statement],
    *,
    judges: Callable[[Statement], bool] = lambda _: True,
    error: ErrorRate | None = None,
    graph: Callable[[Sequence[Statement]], ConstraintGraph] = ConstraintGraph.build,
    level: float = LEVEL,
) -> Audit:
    """Precision, recall and F1 of the partition a log led to, from the audit answers that may judge it.

    judges: which audit answers the embedding has not learnt from. error: how often these answers are wrong.
    """
    ledger = graph([])
    belief = grown(snapshot, said, ledger)
    return judged_by(separate(said, judges)[1], belief, ledger, error=error, level=level)


def judged_by(
    witnesses: Sequence[Statement],
    belief: Belief,
    graph: ConstraintGraph,
    *,
    error: ErrorRate | None = None,
    level: float = LEVEL,
    folds: int = FOLDS,
    enough: int = ENOUGH,
    stopped: Callable[[], bool] = lambda: False,
) -> Audit:
    """What audit answers say of a belief. They are dealt into folds; a fold is heard by the belief without it, whose
    claims the whole belief's claims are then read by. Witnesses newer than the graph were never heard anyway.

    enough: fewer screens say nothing; 0: without any, the belief's own claims and how far off such claims are.
    stopped: asked between two folds; Refused is raised once it says so.
    """
    if witnesses_of(witnesses, belief.snapshot).screens < enough:
        return _nothing(graph.statements, len({one.answer for one in witnesses}))
    found, inside, claims = [], [], []
    for fold in _folds(witnesses, graph, folds):
        go_on(stopped)
        heard = witnesses_of([*fold.old, *fold.new], belief.snapshot)
        kept = without(belief, graph, fold.old) if fold.old else belief
        found.append(heard)
        inside.append(kept.labels[heard.rows[:, 0]] == kept.labels[heard.rows[:, 1]])
        claims.append(binned(claimed(kept, heard.rows)))
    all_ = together([witnesses_of([], belief.snapshot), *found])
    sides, bins = np.concatenate([NOBODY, *inside]) > 0, np.concatenate([NOBODY, *claims])
    told = Heard.of(sides, bins, all_.same, all_.weight)
    return estimate(all_, int(sides.sum()), told, claims_of(belief, graph), error or ErrorRate(), level=level)


@dataclass(frozen=True)
class _Fold:
    """Witnesses that are heard together: old ones are in the graph, new ones are not."""

    old: list[Statement]
    new: list[Statement]


def _folds(said: Sequence[Statement], graph: ConstraintGraph, folds: int) -> list[_Fold]:
    """Witnesses dealt by answer, in turn: one answer's pairs share an anchor and stay together."""
    there = {one.answer for one in graph.statements}
    old = sorted({one.answer for one in said} & there)
    fold_of = {answer: place % folds for place, answer in enumerate(old)}
    dealt = [_Fold([one for one in said if fold_of.get(one.answer) == number], []) for number in range(folds)]
    dealt.append(_Fold([], [one for one in said if one.answer not in fold_of]))
    return [fold for fold in dealt if fold.old or fold.new]


def estimate(
    found: Witnesses, inside: int, heard: Heard, claims: Claims, error: ErrorRate, *, level: float = LEVEL
) -> Audit:
    """The figures from what was heard; pure arithmetic. inside: how many of the pairs were together."""
    drawn = draw(heard, claims, error)
    values = figures(drawn.together, drawn.apart, claims.sizes) | {"positives": drawn.left}
    best = _best(drawn, claims, level)
    rests = {"precision": inside}
    made = {}
    for name, one in values.items():
        low, high = interval(one, level)
        high = max(high, best.get(name, high)) if high > NEARLY else high
        made[name] = Estimate(float(np.median(one)), low, high, found.screens, rests.get(name, len(found)))
    if found.screens and not inside:
        reason = "no audit answer fell inside a group yet, so nothing says how pure they are; they come by themselves"
        made |= {name: Estimate(None, None, None, found.screens, len(found), reason) for name in ("precision", "f1")}
    return Audit(**made, error=drawn.error)


def _best(drawn: Drawn, claims: Claims, level: float) -> dict[str, float]:
    """Upper ends of the figures where the answers allow that nothing is out of place."""
    all_, none = drawn.perfect
    together = np.ones_like(drawn.together) if all_ else drawn.together
    apart = np.zeros_like(drawn.apart) if none else drawn.apart
    return {name: interval(one, level)[1] for name, one in figures(together, apart, claims.sizes).items()}


def _nothing(said: Sequence[Statement], judging: int) -> Audit:
    missing = Estimate(None, None, None, judging, 0, _why(len({one.answer for one in said if one.audit}), judging))
    return Audit(missing, missing, missing, missing, 0.0)


def _why(audits: int, judging: int) -> str:
    more = max(ENOUGH - judging, 1)
    needed = f"{more} more {'is' if more == 1 else 'are'} needed; about every tenth question is one"
    if not audits:
        return f"no audit screen was answered yet; {needed}, drawn by chance"
    if audits < ENOUGH:
        return f"not enough audit answers yet: {audits} so far, {needed}"
    return f"the model has learnt from most audit answers: {judging} may judge it, {needed}"


def go_on(stopped: Callable[[], bool]) -> None:
    """Raises Refused once somebody asked to stop."""
    if stopped():
        raise Refused("stopped before it was through; what was measured before stays.")


def coverage(belief: Belief, graph: ConstraintGraph, implied: float) -> Coverage:
    """How many items and pairs are settled. implied: number of pairs that follow from the answers."""
    snapshot = belief.snapshot
    count = len(snapshot.ids)
    a, b, _, _ = graph.arrays()
    asked = np.isin(snapshot.ids, np.concatenate([a, b]))
    doubt = doubts(belief)
    placed = belief.member >= 0
    sure = placed | (doubt < 1 - SURE)
    return Coverage(
        items=count,
        asked=int(asked.sum()),
        placed=int(placed.sum()),
        sure=int(sure.sum()),
        pending=len(belief.pending),
        groups=len(np.unique(belief.labels)),
        pairs=count * (count - 1) / 2,
        implied=implied,
        unsettled=float(doubt.mean()) if count else 0.0,
    )


def doubts(belief: Belief) -> np.ndarray:
    """(N,) chance that an item is in another group than its likeliest; 0 for those the answers placed."""
    chance = belief.joint.max(1) if belief.groups else belief.probabilities.max(1)
    return np.where(belief.member >= 0, 0.0, 1 - chance)
