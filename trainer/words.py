"""A head for words: from what a tower makes of a sentence to where a model would put the pictures it describes.

    q = unit(B (t - mean))      B = argmin sum_i p_i |z_i - B (t_i - mean)|^2 + ridge |B|^2

t_i are the words of item i in the principal components of what reads them: a tower, or the words' side of the very
network that the version's encoder came of (clip and its kin), which knows where it put words beside pictures. z_i is
its picture as the model sees it, p_i how far the two are believed to belong together. In closed form on what is
computed already; works for every model version, whatever taught it. Without an intercept: what all pictures share ranks
none before another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from db.errors import BadInput
from trainer.captions import RIDGE, WIDTH, Reduced, read_by

TOWER = "ngrams"
Reading = Callable[[Sequence[str]], np.ndarray]


def by_towers(*names: str) -> Reading:
    """How towers read, the rows of one beside those of the next: N texts -> (N, V)."""
    return lambda texts: np.concatenate([read_by(name, texts) for name in names or (TOWER,)], axis=1)


@dataclass(frozen=True, eq=False)
class WordsHead:
    """read: N texts -> (N, V). reduced: (V,) -> (W,), weights: (W, d)."""

    read: Reading
    reduced: Reduced
    weights: np.ndarray

    @classmethod
    def of(
        cls, vectors: np.ndarray, texts: Sequence[str], belief: np.ndarray, read: Reading | None = None
    ) -> "WordsHead":
        """vectors: (N, d) unit rows of the pictures; texts: N; belief: (N,) in [0, 1]; read: by letters where nothing
        else is said."""
        read = read or by_towers()
        distinct, codes = np.unique(np.array(texts, dtype=object), return_inverse=True)
        rows = np.asarray(read(distinct.tolist()), np.float64)[codes]
        reduced = Reduced.of(rows, WIDTH)
        found = reduced(rows)
        share = belief / max(belief.sum(), 1e-12)
        centred, pictures = found - share @ found, vectors - share @ vectors
        covariance = (centred * share[:, None]).T @ centred
        ridge = RIDGE * np.trace(covariance) / len(covariance) + 1e-12
        product = (centred * share[:, None]).T @ pictures
        return cls(read, reduced, np.linalg.solve(covariance + ridge * np.eye(len(covariance)), product))

    def __call__(self, sentence: str) -> np.ndarray:
        """(d,) float32 of unit length. Raises: BadInput for a sentence that shares no letters with any caption."""
        read = np.asarray(self.read([sentence]), np.float64)
        found = (self.reduced(read) @ self.weights)[0] if read.any() else np.zeros(self.weights.shape[1])
        length = np.linalg.norm(found)
        if not length > 1e-9:
            raise BadInput("nothing in this sentence can be read. Write some words of the captions' language.")
        return np.asarray(found / length, np.float32)
