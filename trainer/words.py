"""A head for words: from what a tower makes of a sentence to where a model would put the pictures it describes.

    q = unit(B (t - mean))      B = argmin sum_i p_i |z_i - B (t_i - mean)|^2 + ridge |B|^2

t_i are the words of item i in the tower's principal components, z_i its picture as the model sees it, p_i how far the
two are believed to belong together. In closed form on what is computed already; works for every model version, whatever
taught it. Without an intercept: what all pictures share ranks none before another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.errors import BadInput
from trainer.captions import RIDGE, WIDTH, Reduced, read_by

TOWER = "ngrams"


@dataclass(frozen=True, eq=False)
class WordsHead:
    """tower: who reads. components: (V,) -> (W,), weights: (W, d)."""

    tower: str
    reduced: Reduced
    weights: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, texts: Sequence[str], belief: np.ndarray, tower: str = TOWER) -> "WordsHead":
        """vectors: (N, d) unit rows of the pictures; texts: N; belief: (N,) in [0, 1]."""
        distinct, codes = np.unique(np.array(texts, dtype=object), return_inverse=True)
        rows = np.asarray(read_by(tower, distinct.tolist()), np.float64)[codes]
        reduced = Reduced.of(rows, WIDTH)
        found = reduced(rows)
        share = belief / max(belief.sum(), 1e-12)
        centred, pictures = found - share @ found, vectors - share @ vectors
        covariance = (centred * share[:, None]).T @ centred
        ridge = RIDGE * np.trace(covariance) / len(covariance) + 1e-12
        product = (centred * share[:, None]).T @ pictures
        return cls(tower, reduced, np.linalg.solve(covariance + ridge * np.eye(len(covariance)), product))

    def __call__(self, sentence: str) -> np.ndarray:
        """(d,) float32 of unit length. Raises: BadInput for a sentence that shares no letters with any caption."""
        read = np.asarray(read_by(self.tower, [sentence]), np.float64)
        found = (self.reduced(read) @ self.weights)[0] if read.any() else np.zeros(self.weights.shape[1])
        length = np.linalg.norm(found)
        if not length > 1e-9:
            raise BadInput("nothing in this sentence can be read. Write some words of the captions' language.")
        return np.asarray(found / length, np.float32)
