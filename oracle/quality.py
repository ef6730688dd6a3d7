"""How good the groups are and how much is left to ask, from the log alone; every number says what it rests on.

    audit answers -> strata -> shares of "same" behind the annotators' errors -> precision, recall, F1 of all pairs
    p_h: share of truly same pairs in stratum h of n_h pairs
    TP = sum of n_h p_h where together;  FN = sum of n_h p_h where apart
    precision = TP / together;  recall = TP / (TP + FN);  F1 = 2 TP / (2 TP + FP + FN)

Share of positives among pairs nobody asked and nothing implies: the class prior that positive-unlabelled learning needs
(Elkan and Noto 2008, "Learning classifiers from only positive and unlabeled data"; du Plessis, Niu and Sugiyama 2014).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from db.nouns import Snapshot, Statement
from oracle.audits import Strata, Witnesses, effective, joined, separate, stratify, together, witnesses_of
from oracle.belief import Belief, infer
from oracle.constraints import ConstraintGraph
from oracle.prevalence import ErrorRate, Sample, corrected, draws, interval
from oracle.reliability import Annotator

LEVEL = 0.9
OPPOSED = (False, True, False, True)  # an anchor in the wrong group lowers "together" and raises "apart" at once
FOLDS = 5
ENOUGH = 5  # audit answers before they are worth a number
CHAIN = 2  # answers that an implied relation hangs on
WIDTH = 3.29  # standard deviations within the 90 % interval of an annotator's error rate
SURE = 0.9  # an item this likely in one group counts as settled


@dataclass(frozen=True)
class Estimate:
    """A number with its interval and what it rests on. value None: not known, `reason` says why and what helps."""

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

    unsettled: expected share of items in a wrong group, by the model's own account, in [0, 1].
    """

    items: int
    asked: int
    placed: int
    sure: int
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
    until: int | None = None,
    level: float = LEVEL,
) -> Audit:
    """Precision, recall and F1 of the partition over all pairs, from the audit answers that may judge it.

    judges: which audit answers the embedding has not learnt from. They are dealt into folds, and a fold judges the
    partition made without it: the figures are of a partition that lacks a fifth of them, and the one on the screen is
    a little better. error: how often these answers are wrong. until: the partition of the answers up to this one, all
    witnesses judging.
    """
    build, kept = separate(said, judges)
    if witnesses_of(kept, snapshot).screens < ENOUGH:
        return _nothing(said, len({one.answer for one in kept}))
    folds = _folds(kept)
    found, strata = [], []
    for fold in folds:
        told = [*build, *(one for other in folds if other is not fold for one in other)]
        without = graph([one for one in told if until is None or one.answer <= until])
        found.append(witnesses_of(fold, snapshot))
        strata.append(stratify(found[-1], snapshot, without, infer(snapshot, without).labels))
    return estimate(together(found), joined(strata), error or ErrorRate(), level=level)


def _folds(said: Sequence[Statement]) -> list[list[Statement]]:
    """Witnesses dealt by answer, in turn: one answer's pairs share an anchor and stay together."""
    answers = sorted({one.answer for one in said})
    fold_of = {answer: place % FOLDS for place, answer in enumerate(answers)}
    folds = [[one for one in said if fold_of[one.answer] == number] for number in range(FOLDS)]
    return [fold for fold in folds if fold]


def estimate(found: Witnesses, strata: Strata, error: ErrorRate, *, level: float = LEVEL) -> Audit:
    """The figures from witnesses and strata; pure arithmetic.

    As long as somebody who is never wrong is plausible, the intervals reach from there to what the error rate's own
    uncertainty allows: a "same" across groups may be either's mistake, and nothing in the answers tells.
    """
    samples = [_sample(found, strata, number, error.mean) for number in range(4)]
    drawn, wrong = draws(samples, error, opposed=OPPOSED)
    point = np.array([_point(sample, wrong) for sample in samples])
    plain = figures(point[None], strata.sizes)
    believed = [drawn, draws(samples, ErrorRate(0, 0), opposed=OPPOSED)[0]] if error.perhaps_never else [drawn]
    believed += [_unanimous(samples, one) for one in believed]
    spread = [figures(one, strata.sizes) for one in believed]
    inside = int((strata.number % 2 == 0).sum())
    rests = {"precision": inside, "positives": int((strata.number < 2).sum())}
    made = {
        name: _estimate(float(plain[name][0]), [one[name] for one in spread], level, found, rests.get(name, len(found)))
        for name in plain
    }
    if not inside:
        reason = "no audit answer fell inside a group yet, so nothing says how pure they are; they come by themselves"
        made |= {name: Estimate(None, None, None, found.screens, len(found), reason) for name in ("precision", "f1")}
    return Audit(**made, error=wrong)


def figures(shares: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
    """Figures of (M, 4) shares of same per stratum and (4,) numbers of pairs: (M,) each."""
    positive = shares * sizes  # (M, 4)
    hit, missed = positive[:, [0, 2]].sum(1), positive[:, [1, 3]].sum(1)
    grouped = sizes[0] + sizes[2]
    return {
        "precision": hit / max(grouped, 1.0),
        "recall": hit / np.maximum(hit + missed, 1e-12),
        "f1": 2 * hit / np.maximum(grouped + hit + missed, 1e-12),
        "positives": positive[:, :2].sum(1) / max(sizes[:2].sum(), 1.0),
    }


def _sample(found: Witnesses, strata: Strata, number: int, error: float) -> Sample:
    """What one stratum's witnesses are worth. Before they speak, an implied relation, a chain of two answers say, is
    believed wrong as often as one of them is."""
    rows = strata.number == number
    share, size = effective(found.same[rows].astype(float), found.weight[rows], found.screen[rows])
    if number < 2:
        return Sample(share * size, size)
    doubt, faith = 0.5, 0.5 / np.clip(CHAIN * error, 0.002, 0.5) - 0.5
    a, b = (faith, doubt) if number == 2 else (doubt, faith)
    return Sample(share * size, size, a, b)


def _unanimous(samples: Sequence[Sample], drawn: np.ndarray) -> np.ndarray:
    """The draws with every share that no witness speaks against at its very end: such intervals must reach 0 or 1
    (the modified interval of Brown, Cai and DasGupta 2001)."""
    drawn = drawn.copy()
    for number, one in enumerate(samples):
        if one.same <= 1e-9 and (one.total > 0 or number == 3):
            drawn[:, number] = 0.0
        elif one.same >= one.total - 1e-9 and (one.total > 0 or number == 2):
            drawn[:, number] = 1.0
    return drawn


def _point(sample: Sample, error: float) -> float:
    """Rogan and Gladen where there are answers, the prior's mean where there are none."""
    if sample.total <= 0:
        return sample.a / (sample.a + sample.b)
    return corrected(sample.same / sample.total, error)


def _estimate(value: float, spread: Sequence[np.ndarray], level: float, found: Witnesses, pairs: int) -> Estimate:
    lows, highs = zip(*(interval(one, level) for one in spread), strict=True)
    return Estimate(value, min(*lows, value), max(*highs, value), found.screens, pairs)


def _nothing(said: Sequence[Statement], judging: int) -> Audit:
    audits = len({one.answer for one in said if one.audit})
    if not audits:
        reason = "no audit screen was answered yet; about every tenth question is one, drawn by chance"
    elif audits < ENOUGH:
        reason = (
            f"{audits} audit screens were answered so far and {ENOUGH} are needed; about every tenth question is one"
        )
    else:
        reason = f"the model has learnt from most audit answers; {judging} may judge it and {ENOUGH} are needed"
    missing = Estimate(None, None, None, judging, 0, reason)
    return Audit(missing, missing, missing, missing, 0.0)


def error_of(known: Mapping[str, Annotator], said: Sequence[Statement]) -> ErrorRate:
    """How often these answers are wrong: their sources' rates by their share of the answers, as a Beta distribution
    as wide as their intervals."""
    about = [known[one.source] for one in said if one.source in known]
    if not about:
        return ErrorRate()
    mean = float(np.clip(np.mean([one.error_rate for one in about]), 1e-4, 0.45))
    spread = float(np.mean([one.high - one.low for one in about])) / WIDTH
    weight = max(mean * (1 - mean) / max(spread, 1e-4) ** 2 - 1, 2.0)
    return ErrorRate(mean * weight, (1 - mean) * weight)


def coverage(belief: Belief, graph: ConstraintGraph, implied: float) -> Coverage:
    """How many items and pairs are settled. implied: number of pairs that follow from the answers."""
    snapshot = belief.snapshot
    count = len(snapshot.ids)
    a, b, _, _ = graph.arrays()
    asked = np.isin(snapshot.ids, np.concatenate([a, b]))
    doubt = doubts(belief)
    placed = belief.member >= 0
    sure = placed | (doubt < 1 - SURE)
    groups = len(np.unique(belief.labels))
    pairs = count * (count - 1) / 2
    unsettled = float(doubt.mean()) if count else 0.0
    return Coverage(count, int(asked.sum()), int(placed.sum()), int(sure.sum()), groups, pairs, implied, unsettled)


def doubts(belief: Belief) -> np.ndarray:
    """(N,) chance that an item is in another group than its likeliest; 0 for those the answers placed."""
    chance = belief.joint.max(1) if belief.groups else belief.probabilities.max(1)
    return np.where(belief.member >= 0, 0.0, 1 - chance)
