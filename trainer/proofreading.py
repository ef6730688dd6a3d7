"""Score a collection's captions with heads that the answers teach.

texts, log -> ledger (`trainer.fits`) -> chances (`trainer.captions`) -> Fits of a version -> the rule that asks
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from oracle.ledger import SURE, Ledger
from trainer.captions import Pairs, fits, head_of, pairs_of
from trainer.head import Head

TOWERS = ("ngrams",)


def towers_of(words: str) -> tuple[str, ...]:
    """The towers that a criterion names, joined by +; the usual one where it names none."""
    return tuple(words.split("+")) if words else TOWERS


@dataclass
class Proofreader:
    """Scores the captions of one collection. The words are read once, and again when they change."""

    seed: int = 0
    towers: tuple[str, ...] = TOWERS
    _pairs: Pairs | None = None
    _known: str = ""

    def pairs(self, features: np.ndarray, ids: np.ndarray, texts: Mapping[int, str]) -> Pairs:
        """Pictures and words, ready to be scored. Raises: BadInput where there are too few."""
        known = f"{digest(texts)} {len(ids)} {features.shape}"
        if self._pairs is None or self._known != known:
            self._pairs, self._known = pairs_of(features, ids, texts, self.towers), known
        return self._pairs

    def chances(self, pairs: Pairs, ledger: Ledger) -> dict[int, float]:
        """Chance that the words of each item belong, by item."""
        found = fits(pairs, trusts(pairs, ledger), self.seed)
        return dict(zip(pairs.ids.tolist(), found.tolist(), strict=True))

    def head(self, pairs: Pairs, ledger: Ledger, chances: Mapping[int, float]) -> Head:
        """What sees pictures as their words describe them, taught on all pairs as far as they are believed."""
        bounded = {item: min(max(value, SURE), 1 - SURE) for item, value in chances.items()}
        believed = [ledger.chance(item, bounded[item]) for item in pairs.ids.tolist()]
        return head_of(pairs, np.array(believed))


def trusts(pairs: Pairs, ledger: Ledger) -> np.ndarray:
    """(N,) what the answers alone say: chance that the words belong, nan where nobody said anything."""
    return np.array([np.nan if (one := ledger.trust(item)) is None else one for item in pairs.ids.tolist()])


def digest(texts: Mapping[int, str]) -> str:
    """A short text that is another one for other words."""
    found = sha256()
    for item in sorted(texts):
        found.update(f"{item}\0{texts[item]}\0".encode())
    return found.hexdigest()[:16]
