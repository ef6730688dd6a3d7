"""How large the shares of "same" are, from audit answers and from what a belief without them claimed of their pairs.

    claim x = log-odds that a pair is the same, by a belief that never heard the answer
    truth:    logit p = shift + slope x, with one shift and slope for pairs together and one for pairs apart
    answer:   "same" with chance p (1 - e) + (1 - p) e, e = how often answers are wrong
    prior:    shift ~ Student t (3 degrees; scale 1.1 together, 0.7 apart), log slope ~ N(0, 0.3), e ~ Beta; on a grid
    share:    mean of p over all pairs of the stratum, by the claims of the belief on the screen
    truth is one partition: items out of place come in whole numbers, Poisson about what the share expects
    where the audits do not speak against it, "none at all" is within the interval (`Drawn.perfect`)

With few audits a share is little more than the belief's own claim, with an interval as wide as such claims were found
to be off (docs/benchmarks/quality.md); with many they decide alone. Pairs of one screen share an anchor, so one counts
as 1 / 1.3, and an anchor out of place lowers the share together as it raises the share apart: both are drawn so.

Sources: Cox 1958, "Two further applications of a model for binary regression" (shift and slope); Särndal, Swensson and
Wretman 1992, "Model assisted survey sampling"; Joseph, Gyorkos and Coupal 1995, "Bayesian estimation of disease
prevalence and the parameters of diagnostic tests in the absence of a gold standard" (e); Kish 1965, "Survey sampling".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import poisson

from oracle.claims import BINS, CENTRES, Claims
from oracle.slips import ErrorRate

SHIFTS = np.linspace(-6.0, 6.0, 121)
SLOPES = np.array([0.5, 0.6, 0.72, 0.85, 1.0, 1.18, 1.4, 1.65])
TAIL, SCALES, BEND = 3.0, (1.1, 0.7), 0.3  # of the prior: degrees, scale of the shift together and apart; of the slope
ALIKE = 1.3  # answers of a screen by independent ones
PLAUSIBLE = 1.35  # nats: half the 90 % point of chi-square with one degree
DRAWS = 4000
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Heard:
    """Audit answers by what was claimed before. same, different: (2, BINS) answers about pairs together, and apart."""

    same: np.ndarray
    different: np.ndarray

    @classmethod
    def of(cls, together: np.ndarray, bins: np.ndarray, same: np.ndarray, weight: np.ndarray) -> "Heard":
        """(P,) each: whether the pair was together, the bin of its claim, the answer, how many pairs it stands for."""
        found = np.zeros((2, 2, BINS))
        for place, rows in enumerate((together, ~together)):
            if rows.any():
                worth = weight[rows] * weight[rows].sum() / (weight[rows] ** 2).sum() / ALIKE  # Kish
                np.add.at(found[place], (np.where(same[rows], 0, 1), bins[rows]), worth)
        return cls(found[:, 0], found[:, 1])


@dataclass(frozen=True, eq=False)
class Drawn:
    """Draws from the posterior, (M,) each. together, apart: shares of same; left: of the pairs no answer settles.

    perfect: whether the answers allow that all pairs together are the same; that none apart are. error: posterior mean
    of how often an audit answer is wrong.
    """

    together: np.ndarray
    apart: np.ndarray
    left: np.ndarray
    perfect: tuple[bool, bool]
    error: float


def draw(heard: Heard, claims: Claims, error: ErrorRate, *, count: int = DRAWS, seed: int = 0) -> Drawn:
    """Draws of what is true of all pairs."""
    rng = np.random.default_rng(seed)
    rates, prior = error.grid()  # (E,)
    chance = expit(SHIFTS[:, None, None] + SLOPES[:, None] * CENTRES).reshape(-1, BINS)  # (K, BINS)
    logs = [_posterior(heard.same[s], heard.different[s], chance, rates, SCALES[s]) for s in (0, 1)]
    peaks = [one.max(1, keepdims=True) for one in logs]
    mass = [np.exp(one - peak) for one, peak in zip(logs, peaks, strict=True)]  # (E, K)
    weight = prior + sum(np.log(one.sum(1)) + peak[:, 0] for one, peak in zip(mass, peaks, strict=True))
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    chosen, level = rng.choice(len(rates), count, p=weight), rng.random(count)
    shares, left = chance @ claims.shares.T, chance @ claims.left.T  # (K, 2)
    picked = [_pick(mass[s], shares[:, s], chosen, (level, 1 - level)[s]) for s in (0, 1)]
    together, apart = (shares[one, s] for s, one in enumerate(picked))
    open_ = np.column_stack([left[one, s] for s, one in enumerate(picked)]) @ claims.left_sizes
    whole = _whole(together, apart, claims, rng.random(count))
    perfect = _perfect(heard.different[0], heard.same[0], error), _perfect(heard.same[1], heard.different[1], error)
    return Drawn(*whole, open_ / max(claims.left_sizes.sum(), 1.0), perfect, float(weight @ rates))


def _perfect(against: np.ndarray, speaking: np.ndarray, error: ErrorRate) -> bool:
    """Whether all answers against may be errors: a likelihood ratio test against the share that fits best."""
    rates, prior = error.grid()
    wrong, right = float(against.sum()), float(speaking.sum())
    prior = prior - prior.max()
    said = np.maximum(rates, wrong / max(wrong + right, TINY))
    none, best = (wrong * np.log(q + TINY) + right * np.log(1 - q + TINY) + prior for q in (rates, said))
    return bool(best.max() - none.max() < PLAUSIBLE)


def _posterior(
    same: np.ndarray, different: np.ndarray, chance: np.ndarray, rates: np.ndarray, scale: float
) -> np.ndarray:
    """(E, K) log of prior times likelihood of one stratum."""
    prior = -(TAIL + 1) / 2 * np.log1p((SHIFTS / scale) ** 2 / TAIL)[:, None] - 0.5 * (np.log(SLOPES) / BEND) ** 2
    used = (same + different) > 0
    said = rates[:, None, None] + (1 - 2 * rates[:, None, None]) * chance[:, used]  # (E, K, U)
    told = np.log(said + TINY) @ same[used] + np.log(1 - said + TINY) @ different[used]
    return np.asarray(told + prior.ravel())


def _pick(mass: np.ndarray, share: np.ndarray, rows: np.ndarray, level: np.ndarray) -> np.ndarray:
    """(M,) places on the grid, at `level` in [0, 1) of each chosen row of (E, K) masses, ordered by their share."""
    order = np.argsort(share, kind="stable")
    summed = np.cumsum(mass[:, order], axis=1)
    found = np.empty(len(rows), dtype=np.int64)
    for row in np.unique(rows):
        here = rows == row
        found[here] = np.searchsorted(summed[row], level[here] * summed[row, -1])
    return order[np.minimum(found, len(order) - 1)]


def _whole(together: np.ndarray, apart: np.ndarray, claims: Claims, luck: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of one partition: the expected number of items out of place becomes a drawn one."""
    recall = together * claims.sizes[0] / np.maximum(together * claims.sizes[0] + apart * claims.sizes[1], TINY)
    inside, outside = (_lumped(one, claims.items, luck) for one in (1 - together, 1 - recall))
    return np.clip(1 - (1 - together) * inside, 0.0, 1.0), np.clip(apart * outside, 0.0, 1.0)


def _lumped(wrong: np.ndarray, items: int, luck: np.ndarray) -> np.ndarray:
    """(M,) drawn by expected number of items out of place. wrong: (M,) share of pairs; one item spoils about two."""
    expected = np.maximum(wrong * items / 2, TINY)
    return np.asarray(poisson.ppf(luck, expected) / expected)


def interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """The middle `level` of some draws."""
    tail = 50 * (1 - level)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def figures(together: np.ndarray, apart: np.ndarray, sizes: Sequence[float] | np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 of all pairs by the shares of same among pairs together and apart, (M,) each."""
    hit, missed = together * sizes[0], apart * sizes[1]
    return {
        "precision": together,
        "recall": hit / np.maximum(hit + missed, TINY),
        "f1": 2 * hit / np.maximum(sizes[0] + hit + missed, TINY),
    }
