"""What has been said about each pair, added up: the ledger under the constraint graph.

The evidence of a pair is the sum over its statements of ±log((1 - eps) / eps) nats, eps being how often the source is
wrong. Unsure, skip and not comparable are kept and weigh nothing; so does "same, but only because of the background".
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import fsum, log

import numpy as np

from db.errors import BadInput
from db.nouns import Statement, Verdict

Pair = tuple[int, int]
Voice = tuple[str, float | None]  # source and stated confidence
LOWEST_ERROR, HIGHEST_ERROR = 1e-4, 0.49
FAINT = log(0.58 / 0.42)  # nats; less is hardly better than a coin, and is as good as nothing said


def pair_of(a: int, b: int) -> Pair:
    """The unordered pair, smaller id first."""
    return (a, b) if a < b else (b, a)


def answer_weight(error_rate: float, confidence: float | None = None) -> float:
    """Nats one answer weighs. Confidence c blends its source with a coin: eps_c = 1/2 - c (1/2 - eps)."""
    eps = min(max(error_rate, LOWEST_ERROR), HIGHEST_ERROR)
    if confidence is not None:
        eps = 0.5 - confidence * (0.5 - eps)
    return log((1 - eps) / eps)


def direction(statement: Statement) -> int:
    """+1 for same, -1 for different, 0 for everything that weighs nothing."""
    if statement.verdict is Verdict.SAME:
        return 0 if statement.background else 1
    return -1 if statement.verdict is Verdict.DIFFERENT else 0


class Evidence:
    """Statements by pair and by answer, with the net evidence of every pair. Adding costs O(1)."""

    def __init__(self, error_rate: float, error_rates: Mapping[str, float]) -> None:
        self._trust(error_rate, error_rates)
        self.size = 0
        self._voices: Counter[Voice] = Counter()  # who spoke how surely, how often
        self._by_pair: dict[Pair, list[Statement]] = {}
        self.partners: dict[int, set[int]] = {}  # everybody an item was shown with
        self._pairs_of: dict[int, list[Pair]] = {}
        self._row: dict[Pair, int] = {}
        self._columns: tuple[array[int], array[int], array[float]] = (array("q"), array("q"), array("d"))

    def _trust(self, error_rate: float, error_rates: Mapping[str, float]) -> None:
        if not 0 < error_rate < 0.5:
            raise BadInput(f"error_rate = a number between 0 and 0.5 expected, got {error_rate}. Try 0.05.")
        self.error_rate = error_rate
        self.error_rates = dict(error_rates)
        self.margin = 0.999 * answer_weight(error_rate)  # one answer's worth, with room for rounding
        self._weights: dict[Voice, float] = {}

    def reweigh(self, error_rate: float, error_rates: Mapping[str, float]) -> list[tuple[Pair, int, int]]:
        """Weigh every statement anew; the pairs whose accepted sign changed, with the sign before and after."""
        before = {pair: self.accepted(pair) for pair in self._by_pair}
        self._trust(error_rate, error_rates)
        for pair in before:
            self._refresh(pair)
        return [(pair, sign, now) for pair, sign in before.items() if (now := self.accepted(pair)) != sign]

    def add(self, statement: Statement) -> bool:
        """Take one statement in; False if it was already there. Raises BadInput for a pair of one item."""
        if statement.a == statement.b:
            raise BadInput(f"a pair needs two different items, got {statement.a} twice. Leave this statement out.")
        pair = pair_of(statement.a, statement.b)
        said = self._by_pair.setdefault(pair, [])
        if any(known.answer == statement.answer for known in said):
            return False
        said.append(statement)
        self._voices[statement.source, statement.confidence] += abs(direction(statement))
        for one, other in (pair, pair[::-1]):
            self.partners.setdefault(one, set()).add(other)
        self._pairs_of.setdefault(statement.answer, []).append(pair)
        self.size += 1
        self._refresh(pair)
        return True

    def remove(self, answer: int) -> list[Pair]:
        """Forget everything one answer stated; the pairs it touched (none if it is unknown)."""
        pairs = self._pairs_of.pop(answer, [])
        for pair in pairs:
            gone = [said for said in self._by_pair[pair] if said.answer == answer]
            self._voices.subtract((said.source, said.confidence) for said in gone if direction(said))
            self._by_pair[pair] = [said for said in self._by_pair[pair] if said.answer != answer]
            self.size -= 1
            self._refresh(pair)
            if not self._by_pair[pair]:
                del self._by_pair[pair]
                for one, other in (pair, pair[::-1]):
                    self.partners[one].discard(other)
        return pairs

    def pairs_said(self) -> Iterable[Pair]:
        """Every pair anybody said anything about."""
        return self._by_pair.keys()

    def pairs(self, answer: int) -> tuple[Pair, ...]:
        """Pairs one answer states something about."""
        return tuple(self._pairs_of.get(answer, ()))

    def _refresh(self, pair: Pair) -> None:
        """Re-add the evidence of one pair. fsum is exact, so the order of answers cannot matter."""
        score = fsum(direction(said) * self.weight(said) for said in self._by_pair[pair])
        row = self._row.get(pair)
        if row is None:
            self._row[pair] = len(self._columns[0])
            self._columns[0].append(pair[0])
            self._columns[1].append(pair[1])
            self._columns[2].append(score)
        else:
            self._columns[2][row] = score

    def weight(self, statement: Statement) -> float:
        """Nats of one statement, by the reliability of its source and its stated confidence."""
        return self._weight_of((statement.source, statement.confidence))

    def _weight_of(self, voice: Voice) -> float:
        if voice not in self._weights:
            self._weights[voice] = answer_weight(self.error_rates.get(voice[0], self.error_rate), voice[1])
        return self._weights[voice]

    @property
    def heaviest(self) -> float:
        """Nats of the heaviest single answer of the log."""
        return max((self._weight_of(voice) for voice, count in self._voices.items() if count > 0), default=0.0)

    def solid(self, pair: Pair) -> bool:
        """True if the pair's evidence is worth any single answer."""
        return abs(self.score(pair)) > 0.999 * self.heaviest

    def firm(self, pair: Pair) -> bool:
        """True if the pair's own answers carry it alone, whichever one of them is taken away or turned round."""
        return abs(self.score(pair)) > 1.999 * self.heaviest

    def score(self, pair: Pair) -> float:
        """Net evidence in nats: positive for same, negative for different, 0 if nothing was said."""
        row = self._row.get(pair)
        return 0.0 if row is None else self._columns[2][row]

    def said(self, pair: Pair) -> list[Statement]:
        """Every statement about the pair, the ones that weigh nothing too."""
        return self._by_pair.get(pair, [])

    def sides(self, pair: Pair) -> tuple[float, float]:
        """Nats for same and nats for different."""
        said = [(direction(statement), self.weight(statement)) for statement in self.said(pair)]
        return fsum(w for sign, w in said if sign > 0), fsum(w for sign, w in said if sign < 0)

    def mixed(self, pair: Pair) -> bool:
        """True if some answers say same and others different, and neither side is too faint to count."""
        if len({direction(said) for said in self.said(pair)} - {0}) < 2:
            return False
        return min(self.sides(pair)) > FAINT

    def accepted(self, pair: Pair) -> int:
        """Sign of the pair once accepted; 0 while answers disagree and neither side leads by one answer's worth, or
        while all that was said is faint."""
        score = self.score(pair)
        if abs(score) <= FAINT or (abs(score) < self.margin and self.mixed(pair)):
            return 0
        return 1 if score > 0 else -1

    def statements(self) -> Iterator[Statement]:
        """All statements, in no particular order."""
        for said in self._by_pair.values():
            yield from said

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Net evidence by pair: a, b (M,) int64 ids with a < b, sorted; sign (M,) int64 ±1; weight (M,) float64 > 0."""
        a, b = (np.array(column, dtype=np.int64) for column in self._columns[:2])
        score = np.array(self._columns[2], dtype=np.float64)
        kept = np.abs(score) > 1e-9
        a, b, score = a[kept], b[kept], score[kept]
        order = np.lexsort((b, a))
        return a[order], b[order], np.sign(score[order]).astype(np.int64), np.abs(score[order])
