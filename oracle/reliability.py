"""How often each annotator is wrong, from what they say about the same pairs.

Source: Dawid and Skene 1979, "Maximum likelihood estimation of observer error-rates using the EM algorithm".
Differs: two classes (same, different), one symmetric error rate per annotator, prior Beta(1, 19) with mean .05. A pair
only one person answered leaves that person at what is believed of them already.
"""

from collections.abc import Iterable, Mapping
from math import exp, log

from db.nouns import Statement
from oracle.evidence import Pair, answer_weight, direction, pair_of

WRONG, RIGHT = 1.0, 19.0  # prior Beta(1, 19) on the error rate
ROUNDS = 50
HIGHEST = 0.45


def error_rates(
    statements: Iterable[Statement], *, known: Mapping[Pair, bool] | None = None, share_same: float = 0.5
) -> dict[str, float]:
    """Error rate of every source, in (0, 0.45].

    Args:
        known: truth of gold pairs (True: same), keyed by sorted pair.
        share_same: how often a pair is the same before anybody speaks, in (0, 1).
    """
    votes = list(_votes(statements))
    rates = dict.fromkeys(sorted({source for _, source, _ in votes}), WRONG / (WRONG + RIGHT))
    for _ in range(ROUNDS):
        belief = _belief(votes, rates, known or {}, share_same)
        again = _rates(votes, belief, rates)
        moved = max((abs(again[source] - rates[source]) for source in rates), default=0.0)
        rates = again
        if moved < 1e-6:
            break
    return rates


def _votes(statements: Iterable[Statement]) -> Iterable[tuple[Pair, str, int]]:
    for said in statements:
        if sign := direction(said):
            yield pair_of(said.a, said.b), said.source, sign


def _belief(
    votes: list[tuple[Pair, str, int]], rates: Mapping[str, float], known: Mapping[Pair, bool], share_same: float
) -> dict[Pair, float]:
    """Chance that each pair is the same, given who said what."""
    start = log(share_same / (1 - share_same))
    nats: dict[Pair, float] = {}
    for pair, source, sign in votes:
        nats[pair] = nats.get(pair, start) + sign * answer_weight(rates[source])
    belief = {pair: 1 / (1 + exp(-score)) for pair, score in nats.items()}
    return belief | {pair: float(same) for pair, same in known.items() if pair in belief}


def _rates(
    votes: list[tuple[Pair, str, int]], belief: Mapping[Pair, float], sources: Iterable[str]
) -> dict[str, float]:
    """Posterior mean error rate of every source."""
    wrong, total = dict.fromkeys(sources, WRONG), dict.fromkeys(sources, WRONG + RIGHT)
    for pair, source, sign in votes:
        wrong[source] += 1 - belief[pair] if sign > 0 else belief[pair]
        total[source] += 1.0
    return {source: min(HIGHEST, wrong[source] / total[source]) for source in wrong}
