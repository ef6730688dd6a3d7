"""Everybody's votes in arrays, and the posterior of everybody's error rate.

A cell is everything one source said about one pair. Under error rate e a vote that the others judge right with chance p
has likelihood (1 - e) p + e (1 - p).
"""

from collections.abc import Iterable, Mapping

import numpy as np
from scipy.special import log_expit

from db.nouns import Statement
from oracle.evidence import Pair, answer_weight, direction, pair_of

WRONG, RIGHT = 1.0, 19.0  # prior Beta(1, 19) on the error rate
ROUNDS = 30
HIGHEST = 0.45  # from here on a source is no witness about others
GOLD_NATS = 12.0
ECHO = 0.25  # share of a vote that a repetition by the same source counts: who errs for a reason errs again
TEMPERS = (1.0, 0.6, 0.35, 0.2, 0.1)  # how far the partition may be believed, as a factor on its log-odds
POINTS = 80
GRID = ((np.arange(POINTS) + 0.5) / POINTS) ** 2  # (P,) error rates, dense near 0
PRIOR = (WRONG - 1) * np.log(GRID) + (RIGHT - 1) * np.log1p(-GRID) + np.log(np.sqrt(GRID))  # the last: grid spacing


class Votes:
    """The votes of a log, whatever its order. V votes, C cells."""

    def __init__(self, statements: Iterable[Statement], half_life: float | None) -> None:
        said = sorted((one for one in statements if direction(one)), key=_when)
        self.pairs = sorted({pair_of(one.a, one.b) for one in said})
        self.sources = sorted({one.source for one in said})
        row_of, column_of = _places(self.pairs), _places(self.sources)
        pair = np.array([row_of[pair_of(one.a, one.b)] for one in said], dtype=np.int64)
        source = np.array([column_of[one.source] for one in said], dtype=np.int64)
        self.sign = np.array([direction(one) for one in said], dtype=np.int64)  # (V,)
        self.confidence = np.array([1.0 if one.confidence is None else one.confidence for one in said])
        cells, self.cell = np.unique(source * len(self.pairs) + pair, return_inverse=True)
        self.source_of, self.pair_of = np.divmod(cells, max(len(self.pairs), 1))  # (C,), sorted by source
        self.counts = _fading(source, half_life) * _echoes(self.cell, self.sign)  # (V,) how much each vote counts

    def log_odds(self, chance: Mapping[Pair, float]) -> np.ndarray:
        """(pairs,) log-odds of a chance by pair; 0 where it is not given."""
        p = np.array([chance.get(pair, 0.5) for pair in self.pairs])
        return np.asarray(np.log(p / (1 - p)))

    def gold(self, known: Mapping[Pair, bool]) -> np.ndarray:
        """(pairs,) log-odds of pairs of known truth; 0 for the others."""
        return np.array([GOLD_NATS * (2 * known[pair] - 1) if pair in known else 0.0 for pair in self.pairs])

    def per_cell(self, values: np.ndarray) -> np.ndarray:
        """(C, ...) sums over the votes of each cell. values: (V, ...)."""
        order = np.argsort(self.cell, kind="stable")
        starts = np.searchsorted(self.cell[order], np.arange(len(self.source_of)))
        return np.asarray(np.add.reduceat(values[order], starts, axis=0))

    def nats(self, rates: np.ndarray) -> np.ndarray:
        """(C,) net nats for same that each cell adds. rates: (S,)."""
        one_vote = np.array([answer_weight(min(rate, 0.5)) if rate < HIGHEST else 0.0 for rate in rates])
        blended = 0.5 - self.confidence * (0.5 - 1 / (1 + np.exp(one_vote[self.source_of[self.cell]])))
        return self.per_cell(self.sign * np.log((1 - blended) / blended))


def _when(said: Statement) -> tuple[int, Pair, str, bool]:
    return said.answer, pair_of(said.a, said.b), said.source, direction(said) > 0


def _places(names: list) -> dict:  # type: ignore[type-arg]
    return {name: place for place, name in enumerate(names)}


def _fading(source: np.ndarray, half_life: float | None) -> np.ndarray:
    """(V,) how much each vote still counts: halves with every `half_life` later votes of the same source."""
    if half_life is None:
        return np.ones(len(source))
    later = np.zeros(len(source))
    for one in np.unique(source):
        mine = np.flatnonzero(source == one)
        later[mine] = np.arange(len(mine))[::-1]
    return np.asarray(0.5 ** (later / half_life))


def _echoes(cell: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """(V,) ECHO for a vote that repeats an earlier one of its cell, else 1: who errs for a reason errs again."""
    _, first = np.unique(np.column_stack([cell, sign]), axis=0, return_index=True)
    counts = np.full(len(cell), ECHO)
    counts[first] = 1.0
    return counts


class Judge:
    """Error rates by rounds: judge the votes of each source by the other sources, then again with the new rates."""

    def __init__(self, votes: Votes) -> None:
        right = np.clip(0.5 + votes.confidence[:, None] * (0.5 - GRID), 1e-9, 1 - 1e-9)  # (V, P) chance of a right vote
        says_same = votes.sign[:, None] > 0
        self.votes = votes
        self.if_same = votes.per_cell(votes.counts[:, None] * np.log(np.where(says_same, right, 1 - right)))  # (C, P)
        self.if_different = votes.per_cell(votes.counts[:, None] * np.log(np.where(says_same, 1 - right, right)))

    def posterior(self, gold: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """(S, P) chance of every error rate of the grid, rows sum to 1. gold, expected: (pairs,) log-odds of same.

        How far `expected` may be believed is not known either: every temper is tried, and weighed by how well the
        votes then fit.
        """
        tried = [self._under(gold + temper * expected) for temper in (TEMPERS if expected.any() else TEMPERS[:1])]
        fits = np.array([fit for _, fit in tried])
        weights = np.exp(fits - fits.max())
        return np.asarray(np.tensordot(weights / weights.sum(), np.stack([found for found, _ in tried]), 1))

    def _under(self, before: np.ndarray) -> tuple[np.ndarray, float]:
        """The posterior if pairs have these log-odds before any vote on them, and its log-likelihood."""
        rates = np.full(len(self.votes.sources), WRONG / (WRONG + RIGHT))
        for _ in range(ROUNDS):
            posterior = self._round(before, rates)
            again = posterior @ GRID
            moved, rates = np.abs(again - rates).max(initial=0.0), again
            if moved < 1e-4:
                break
        return posterior, self._fit(before, rates)

    def _round(self, before: np.ndarray, rates: np.ndarray) -> np.ndarray:
        votes, own = self.votes, self.votes.nats(rates)
        odds = before + np.bincount(votes.pair_of, own, minlength=len(votes.pairs))
        others = (odds[votes.pair_of] - own)[:, None]  # (C, 1) log-odds of same without this source
        fit = np.logaddexp(log_expit(others) + self.if_same, log_expit(-others) + self.if_different)
        ends = np.searchsorted(votes.source_of, np.arange(len(rates)))
        score = PRIOR + np.add.reduceat(fit, ends, axis=0)
        grown = np.exp(score - score.max(1, keepdims=True))
        return np.asarray(grown / grown.sum(1, keepdims=True))

    def _fit(self, before: np.ndarray, rates: np.ndarray) -> float:
        """Log-likelihood of all votes, and of the rates under their prior."""
        votes, point = self.votes, np.searchsorted(GRID, rates).clip(0, POINTS - 1)
        cells, chosen = np.arange(len(votes.source_of)), point[votes.source_of]
        same, different = (np.bincount(votes.pair_of, table[cells, chosen], minlength=len(votes.pairs))
                           for table in (self.if_same, self.if_different))  # fmt: skip
        fit = np.logaddexp(log_expit(before) + same, log_expit(-before) + different)
        return float(fit.sum() + PRIOR[point].sum())
