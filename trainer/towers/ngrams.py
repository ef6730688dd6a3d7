"""Texts by their letters: counts of words and of runs of letters inside words, hashed into a row. Nothing to download.

Finds shared words and stems, in any language with spaces; knows nothing of meaning. Source: Weinberger, Dasgupta,
Langford, Smola, Attenberg 2009, "Feature hashing for large scale multitask learning", arXiv 0902.2206.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.errors import BadInput


@dataclass(frozen=True)
class Tower:
    """dim: numbers of a row, at least 16. shortest, longest: of the runs of letters."""

    dim: int = 1024
    shortest: int = 3
    longest: int = 5

    def __post_init__(self) -> None:
        if self.dim < 16 or not 1 <= self.shortest <= self.longest:
            raise BadInput(
                f"dim = at least 16 and 1 <= shortest <= longest expected, got {self.dim}, {self.shortest} and "
                f"{self.longest}."
            )

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> (N, dim) float32 rows of length 1; zeros for a text without a letter."""
        if not len(texts):
            return np.zeros((0, self.dim), np.float32)
        from sklearn.feature_extraction.text import HashingVectorizer

        reach = (self.shortest, self.longest)
        reader = HashingVectorizer(analyzer="char_wb", ngram_range=reach, n_features=self.dim)
        return np.asarray(reader.transform(texts).toarray(), np.float32)
