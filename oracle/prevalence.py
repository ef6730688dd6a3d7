"""How large a share is, seen through people who are wrong now and then.

    an annotator with error rate e says "same" with chance q = p (1 - e) + (1 - p) e
    plain estimate: p = (q - e) / (1 - 2e)                                           Rogan and Gladen 1978
    posterior: p ~ Beta(a, b), e ~ Beta(wrong, right), k of n answers "same"         Joseph, Gyorkos and Coupal 1995

All shares hang on the same e, so they are drawn together: the posterior is laid out on a grid and sampled. Where every
answer is right this is the Jeffreys interval, whose coverage is close to nominal (Brown, Cai and DasGupta 2001).

Sources: Rogan and Gladen 1978, "Estimating prevalence from the results of a screening test"; Joseph, Gyorkos and Coupal
1995, "Bayesian estimation of disease prevalence and the parameters of diagnostic tests in the absence of a gold
standard". Differs: sensitivity and specificity are one symmetric 1 - e.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

GRID, ERRORS, HIGHEST = 500, 60, 0.45
TINY = 1e-300


@dataclass(frozen=True)
class Sample:
    """`same` of `total` answers said same; both may be fractions. a, b: prior Beta(a, b) on the true share."""

    same: float
    total: float
    a: float = 0.5
    b: float = 0.5


@dataclass(frozen=True)
class ErrorRate:
    """How often an answer is wrong: Beta(wrong, right). Both 0: never."""

    wrong: float = 1.0
    right: float = 19.0

    @property
    def mean(self) -> float:
        """In [0, 0.45]."""
        return min(self.wrong / (self.wrong + self.right), HIGHEST) if self.wrong else 0.0

    @property
    def perhaps_never(self) -> bool:
        """Whether somebody who is never wrong is well within what is believed: nothing tells errors from positives."""
        return self.wrong <= 2.0


def draws(
    samples: Sequence[Sample],
    error: ErrorRate,
    *,
    opposed: Sequence[bool] | None = None,
    count: int = 3000,
    seed: int = 0,
) -> tuple[np.ndarray, float]:
    """Draws from the joint posterior of the true shares.

    opposed: shares that err together because the same items stand behind them, True for those that err the other way;
    by default all are independent given the error rate.
    Returns: (count, S) float64 in [0, 1], one column per sample; the posterior mean of the error rate.
    """
    rng = np.random.default_rng(seed)
    sides: Sequence[bool | None] = [None] * len(samples) if opposed is None else opposed
    rates, prior = _error_grid(error)  # (E,)
    shares = np.sin((np.arange(GRID) + 0.5) / GRID * np.pi / 2) ** 2  # (G,) even in the angle: Jeffreys' own scale
    layers = [_likelihood(one, rates, shares) for one in samples]  # (E, G) each
    peaks = [layer.max(1, keepdims=True) for layer in layers]
    mass = [np.exp(layer - peak) for layer, peak in zip(layers, peaks, strict=True)]
    weight = prior + sum(np.log(one.sum(1)) + peak[:, 0] for one, peak in zip(mass, peaks, strict=True))
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    chosen = rng.choice(len(rates), size=count, p=weight)
    common = rng.random(count)
    levels = [common if turned is False else 1 - common if turned else rng.random(count) for turned in sides]
    found = [_pick(one, chosen, level, rng) for one, level in zip(mass, levels, strict=True)]
    return np.column_stack(found) if found else np.zeros((count, 0)), float(weight @ rates)


def corrected(share: float, error: float) -> float:
    """Rogan and Gladen's estimate, kept in [0, 1]. share: observed; error: below 0.5."""
    return float(np.clip((share - error) / (1 - 2 * error), 0.0, 1.0))


def interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """The middle `level` of some draws."""
    tail = 50 * (1 - level)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def _error_grid(error: ErrorRate) -> tuple[np.ndarray, np.ndarray]:
    """Error rates and the log of their prior, (E,) each. The grid lies where the prior has its mass."""
    if error.wrong <= 0:
        return np.zeros(1), np.zeros(1)
    total = error.wrong + error.right
    mean, spread = error.wrong / total, np.sqrt(error.wrong * error.right / (total + 1)) / total
    low, high = max(0.0, mean - 6 * spread), min(HIGHEST, mean + 8 * spread)
    rates = low + (np.arange(ERRORS) + 0.5) / ERRORS * max(high - low, 1e-6)
    return rates, (error.wrong - 1) * np.log(rates) + (error.right - 1) * np.log1p(-rates)


def _likelihood(sample: Sample, rates: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(E, G) log of prior times likelihood; the grid's own spacing stands for Beta(.5, .5)."""
    said = shares * (1 - rates[:, None]) + (1 - shares) * rates[:, None]
    told = sample.same * np.log(said + TINY) + (sample.total - sample.same) * np.log1p(-said + 1e-16)
    return np.asarray(told + (sample.a - 0.5) * np.log(shares) + (sample.b - 0.5) * np.log1p(-shares))


def _pick(mass: np.ndarray, rows: np.ndarray, level: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(count,) the share at `level` in [0, 1) of each chosen row of (E, G) masses, spread within its grid cell."""
    summed = np.cumsum(mass, axis=1)
    cell = (summed[rows] < (level * summed[rows, -1])[:, None]).sum(1)
    return np.sin((cell + rng.random(len(rows))) / mass.shape[1] * np.pi / 2) ** 2
