"""How often each annotator is wrong, from gold pairs, from pairs answered twice, and from what all others say.

A vote that others judge right with chance p has likelihood (1 - e) p + e (1 - p) under error rate e: a pair nobody else
tells anything about (p = 1/2) leaves the annotator at what is believed of them already. Beta(1, 19) times these is the
posterior of e, kept on a grid, so its mean and its interval are exact; p depends on the others' rates, so the rounds go
on until nobody moves.
Source: Dawid and Skene 1979, "Maximum likelihood estimation of observer error-rates using the EM algorithm".
Differs: two classes (same, different), one symmetric rate per annotator; the whole posterior in place of a point; the
rest of the partition (`oracle.crossfit`) as a further witness.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.special import log_expit

from db.errors import BadInput
from db.nouns import Statement
from oracle.evidence import Pair, answer_weight, direction, pair_of

WRONG, RIGHT = 1.0, 19.0  # prior Beta(1, 19) on the error rate
ROUNDS = 30
HIGHEST = 0.45
GOLD_NATS = 12.0
SETTLED = 0.475  # a chance this far from 1/2 counts as gold
ECHO = 0.25  # share of a vote that a repetition by the same source counts: who errs for a reason errs again
POINTS = 80
GRID = ((np.arange(POINTS) + 0.5) / POINTS) ** 2  # (P,) error rates, dense near 0
PRIOR = (WRONG - 1) * np.log(GRID) + (RIGHT - 1) * np.log1p(-GRID) + np.log(np.sqrt(GRID))  # the last: grid spacing
INTERVAL = (0.05, 0.95)


@dataclass(frozen=True)
class Annotator:
    """What is known about one source.

    answers: pair verdicts that weigh something. error_rate: posterior mean, in (0, 1); low, high: its 90 % credible
    interval. gold: (right, of) pairs of known truth, or that all other answers settle. retest: (agree, of) pairs
    answered again by the same source.
    """

    source: str
    answers: int
    error_rate: float
    low: float
    high: float
    gold: tuple[int, int] = (0, 0)
    retest: tuple[int, int] = (0, 0)


def annotators(
    statements: Iterable[Statement],
    *,
    known: Mapping[Pair, bool] | None = None,
    expected: Mapping[Pair, float] | None = None,
    share_same: float = 0.5,
    half_life: float | None = None,
) -> dict[str, Annotator]:
    """Every source of the log with its error rate, by name. The order of the statements is irrelevant.

    Args:
        known: truth of gold pairs (True: same), keyed by sorted pair.
        expected: chance in (0, 1) that a pair is the same by all answers about other pairs (`expected_by_others`).
        share_same: how often a pair is the same before anybody speaks, in (0, 1).
        half_life: so many answers of their own later an answer counts half; None: all count alike.
    Raises: BadInput for a half_life that is not above 0.
    """
    if half_life is not None and not half_life > 0:
        raise BadInput(f"half_life = a number of answers above 0 expected, got {half_life}. Leave it out for none.")
    votes = _Votes(statements, half_life)
    posterior = _posterior(votes, votes.before(known or {}, expected or {}, share_same))
    truth = {pair: chance > 0.5 for pair, chance in (expected or {}).items() if abs(chance - 0.5) > SETTLED}
    truth.update(known or {})
    return {source: _annotator(source, votes, posterior[row], truth) for row, source in enumerate(votes.sources)}


def error_rates(
    statements: Iterable[Statement],
    *,
    known: Mapping[Pair, bool] | None = None,
    expected: Mapping[Pair, float] | None = None,
    share_same: float = 0.5,
) -> dict[str, float]:
    """Error rate of every source, in (0, 0.45]. Arguments as for `annotators`."""
    found = annotators(statements, known=known, expected=expected, share_same=share_same)
    return {source: min(HIGHEST, one.error_rate) for source, one in found.items()}


class _Votes:
    """Votes laid out in arrays. A cell is everything one source said about one pair."""

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
        self.age = _fading(source, half_life) * _echoes(self.cell, self.sign)  # (V,) how much each vote counts

    def before(self, known: Mapping[Pair, bool], expected: Mapping[Pair, float], share_same: float) -> np.ndarray:
        """(pairs,) log-odds of same before anybody's vote on the pair."""
        chance = np.array([expected.get(pair, 0.5) for pair in self.pairs])
        start = np.log(share_same / (1 - share_same)) + np.log(chance / (1 - chance))
        gold = np.array([known.get(pair) is not None for pair in self.pairs], dtype=bool)
        truth = np.array([GOLD_NATS if known.get(pair) else -GOLD_NATS for pair in self.pairs])
        return np.where(gold, truth, start)

    def per_cell(self, values: np.ndarray) -> np.ndarray:
        """(C, ...) sums over the votes of each cell. values: (V, ...)."""
        collect = sparse.csr_array((np.ones(len(self.cell)), (self.cell, np.arange(len(self.cell)))),
                                   shape=(len(self.source_of), len(self.cell)))  # fmt: skip
        return np.asarray(collect @ values)

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


def _posterior(votes: _Votes, before: np.ndarray) -> np.ndarray:
    """(S, P) probability of every error rate of the grid, rows sum to 1."""
    right = np.clip(0.5 + votes.confidence[:, None] * (0.5 - GRID), 1e-9, 1 - 1e-9)  # (V, P) chance of a right vote
    says_same = votes.sign[:, None] > 0
    if_same = votes.per_cell(votes.age[:, None] * np.log(np.where(says_same, right, 1 - right)))  # (C, P)
    if_different = votes.per_cell(votes.age[:, None] * np.log(np.where(says_same, 1 - right, right)))
    rates = np.full(len(votes.sources), WRONG / (WRONG + RIGHT))
    posterior = np.zeros((len(rates), POINTS))
    for _ in range(ROUNDS):
        own = votes.nats(rates)
        odds = before + np.bincount(votes.pair_of, own, minlength=len(votes.pairs))
        others = (odds[votes.pair_of] - own)[:, None]  # (C, 1) log-odds of same without this source
        fit = np.logaddexp(log_expit(others) + if_same, log_expit(-others) + if_different)
        for row in range(len(rates)):
            score = PRIOR + fit[votes.source_of == row].sum(0)
            posterior[row] = np.exp(score - score.max())
        posterior /= posterior.sum(1, keepdims=True)
        again = posterior @ GRID
        if np.abs(again - rates).max(initial=0.0) < 1e-5:
            break
        rates = again
    return posterior


def _annotator(source: str, votes: _Votes, posterior: np.ndarray, known: Mapping[Pair, bool]) -> Annotator:
    row = votes.sources.index(source)
    low, high = np.interp(INTERVAL, np.cumsum(posterior) - posterior / 2, GRID)
    mine = np.flatnonzero(votes.source_of[votes.cell] == row)
    said = [(votes.pairs[votes.pair_of[votes.cell[vote]]], votes.sign[vote] > 0) for vote in mine]
    judged = [same == known[pair] for pair, same in said if pair in known]
    mean = float(posterior @ GRID)
    return Annotator(source, len(mine), mean, float(low), float(high), (sum(judged), len(judged)), _retest(said))


def _retest(said: list[tuple[Pair, bool]]) -> tuple[int, int]:
    """(agree, of): later votes of one source about a pair, against its first."""
    first: dict[Pair, bool] = {}
    again = [same == first.setdefault(pair, same) for pair, same in said]
    return sum(again) - len(first), len(again) - len(first)
