"""May a refreshed backbone be served? Two heads taught the same answers, one on each kind of features, are compared.

    F1      best pair F1 over thresholds on the cosine, on held-out answers
    loss    mean of -log p(what was said), p fitted on the other folds      (Platt 1999, see trainer.calibration)
    sure    share of redraws of whole answers in which the new F1 is the higher one, ties half

A refresh is promoted where its F1 is higher, by the answers and in most redraws; the loss is told beside it. Unlike an
update of the head it has to prove itself: with too few witnesses, or where both do alike, it is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from db.nouns import Snapshot, Statement
from trainer.auditing import LOOKS
from trainer.calibration import Calibration
from trainer.promotion import best_f1, cosines, rows, too_few

FOLDS, REDRAWS, MOST = 5, 400, 0.5
TINY = 1e-6


@dataclass(frozen=True)
class Judgement:
    """before, after: F1 of the head on the old features and on the new. Figures are None where witnesses are few."""

    better: bool
    reason: str
    pairs: int
    answers: int
    before: float | None = None
    after: float | None = None
    loss_before: float | None = None
    loss_after: float | None = None
    sure: float | None = None


def judged(before: Snapshot, after: Snapshot, witnesses: Sequence[Statement]) -> Judgement:
    """Compare two embeddings of the same items on answers that taught neither."""
    pairs, same, answers = rows(after, [one for one in witnesses if {one.a, one.b} <= before.position.keys()])
    count = len(np.unique(answers))
    if few := too_few(same, answers):
        return Judgement(False, f"only {few} to judge by: kept, not served", len(same), count)
    old, new = cosines(before, _positions(before, after, pairs)), cosines(after, pairs)
    f1, loss = [best_f1(one, same) for one in (old, new)], [log_loss(one, same, answers) for one in (old, new)]
    sure = rises(old, new, same, answers)
    better = f1[1] > f1[0] and sure > MOST
    words = (
        f"held-out pair F1 {f1[0]:.3f} with the head alone, {f1[1]:.3f} after the refresh (log loss {loss[0]:.3f}, "
        f"{loss[1]:.3f}; better in {sure:.0%} of redraws) on {len(same)} pairs of {count} answers"
    )
    words += ": served" if better else ": kept, not served"
    return Judgement(better, words, len(same), count, f1[0], f1[1], loss[0], loss[1], sure)


def log_loss(cosine: np.ndarray, same: np.ndarray, answers: np.ndarray) -> float:
    """Mean nats by which the cosine misses what was said, its curve fitted on other answers. All (P,)."""
    fold = np.array([blake2b(str(answer).encode(), digest_size=2).digest()[0] % FOLDS for answer in answers.tolist()])
    chance = np.full(len(same), same.mean())
    for one in np.unique(fold):
        rest = fold != one
        if rest.any():
            chance[~rest] = Calibration.fit(cosine[rest], same[rest], prior=LOOKS).probability(cosine[~rest])
    chance = chance.clip(TINY, 1 - TINY)
    return float(-np.log(np.where(same, chance, 1 - chance)).mean())


def rises(old: np.ndarray, new: np.ndarray, same: np.ndarray, answers: np.ndarray, rounds: int = REDRAWS) -> float:
    """Share of paired redraws of whole answers in which the F1 rises; a tie counts half. All (P,)."""
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(answers == answer) for answer in np.unique(answers)]
    found = 0.0
    for _ in range(rounds):
        drawn = np.concatenate([members[one] for one in rng.integers(0, len(members), len(members))])
        gain = best_f1(new[drawn], same[drawn]) - best_f1(old[drawn], same[drawn])
        found += 0.5 if gain == 0 else float(gain > 0)
    return found / rounds


def _positions(before: Snapshot, after: Snapshot, pairs: np.ndarray) -> np.ndarray:
    """(P, 2) rows of the other snapshot for the same items."""
    return np.searchsorted(before.ids, after.ids[pairs])
