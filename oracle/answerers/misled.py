"""Somebody who goes by looks: takes similar strangers for kin, and dissimilar kin for strangers.

P(wrong | different) = highest * s((cosine - middle) / width), P(wrong | same) = highest * s((middle - cosine) / width),
where s is the logistic function: a psychometric curve with `highest` as its ceiling.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import exp, isfinite, nan
from typing import ClassVar

import numpy as np

from db.errors import BadInput
from db.nouns import PairVerdict, Verdict
from oracle.answerers._scripted import Scripted, chance, share
from oracle.answerers.noisy import FLIPPED

SAMPLE = 2000  # pairs that say how similar two items usually are


@dataclass
class Answerer(Scripted):
    """inner: who knows the answer. highest: error rate where looks speak clearly against the truth, in [0, 1).

    vectors: (D,) unit rows by item id; pairs without are answered rightly. middle: cosine at which looks say nothing;
    by default the median over pairs of the collection. width: how gradual it is; by default their standard deviation.
    """

    MAIN: ClassVar[str] = "highest"

    inner: Scripted
    highest: float = 0.3
    middle: float | None = None
    width: float | None = None
    seed: int = 0
    vectors: Mapping[int, np.ndarray] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        share("highest", self.highest)
        self.middle, self.width = _number("middle", self.middle), _number("width", self.width)
        if self.width is not None and not self.width > 0:
            raise BadInput(f"width = a number above 0 expected, got {self.width}. Try 0.1.")
        usual = _usual(self.vectors) if self.middle is None or self.width is None else (0.0, 1.0)
        self._middle = usual[0] if self.middle is None else self.middle
        self._width = usual[1] if self.width is None else self.width

    def verdict(self, a: int, b: int) -> PairVerdict:
        """The inner verdict, turned round the more often the more looks speak against it."""
        said = self.inner.verdict(a, b)
        wrong = chance(self.seed, "misled", a, b) < self.error(a, b, said.verdict)
        return replace(said, verdict=FLIPPED.get(said.verdict, said.verdict)) if wrong else said

    def error(self, a: int, b: int, truth: Verdict) -> float:
        """Chance that it errs about this pair."""
        if truth not in FLIPPED or a not in self.vectors or b not in self.vectors:
            return 0.0
        alike = (float(self.vectors[a] @ self.vectors[b]) - self._middle) / self._width
        against = alike if truth is Verdict.DIFFERENT else -alike
        return self.highest / (1 + exp(-max(-500.0, min(500.0, against))))


def _number(name: str, given: float | str | None) -> float | None:
    try:
        found = None if given is None else float(given)
    except ValueError:
        found = nan
    if found is not None and not isfinite(found):
        raise BadInput(f"{name} = a number expected, got '{given}'. Try 0.1.")
    return found


def _usual(vectors: Mapping[int, np.ndarray]) -> tuple[float, float]:
    """Median and standard deviation of the cosine over pairs of items, the same ones every time."""
    if len(vectors) < 2:
        return 0.0, 1.0
    rng, rows = np.random.default_rng(0), np.stack(list(vectors.values()))
    one = rng.integers(len(rows), size=SAMPLE)
    other = (one + rng.integers(1, len(rows), size=SAMPLE)) % len(rows)
    cosines = (rows[one] * rows[other]).sum(1)
    return float(np.median(cosines)), max(float(cosines.std()), 1e-6)
