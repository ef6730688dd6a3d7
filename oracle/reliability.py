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
from math import log

import numpy as np

from db.errors import BadInput
from db.nouns import Statement
from oracle.evidence import Pair
from oracle.votes import GRID, HIGHEST, Judge, Votes

SETTLED = 0.475  # a chance this far from 1/2 counts as gold
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
    votes = Votes(statements, half_life)
    if not votes.sources:
        return {}
    start = log(share_same / (1 - share_same))
    posterior = Judge(votes).posterior(start + votes.gold(known or {}), votes.log_odds(expected or {}))
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


def _annotator(source: str, votes: Votes, posterior: np.ndarray, known: Mapping[Pair, bool]) -> Annotator:
    row = votes.sources.index(source)
    low, high = np.interp(INTERVAL, np.cumsum(posterior) - posterior / 2, GRID)
    mine = np.flatnonzero(votes.source_of[votes.cell] == row)
    said = [(votes.pairs[votes.pair_of[votes.cell[vote]]], votes.sign[vote] > 0) for vote in mine]
    judged = [same == known[pair] for pair, same in said if pair in known]
    mean = float(posterior @ GRID)
    return Annotator(source, len(mine), mean, float(low), float(high), (int(sum(judged)), len(judged)), _retest(said))


def _retest(said: list[tuple[Pair, bool]]) -> tuple[int, int]:
    """(agree, of): later votes of one source about a pair, against its first."""
    first: dict[Pair, bool] = {}
    again = [same == first.setdefault(pair, same) for pair, same in said]
    return int(sum(again)) - len(first), len(again) - len(first)
