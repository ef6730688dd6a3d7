"""Inverted lists in memory: the items around the centres nearest to a query are compared.

Source: Jégou, Douze, Schmid 2011, "Product quantization for nearest neighbor search", section IV, without the
quantization; code: faiss (Douze et al. 2024, arXiv 2401.08281).
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from oracle.bounds import Bounds, Whole
from trainer.index import WANTED_RECALL, Index, build_index
from trainer.searching import Shelf


@dataclass(frozen=True)
class Engine:
    """recall: measured share of the true 10 nearest that is reached. Nothing is kept: building takes about as long as
    reading a file of the same size with its checksum."""

    recall: Annotated[float, Bounds(0, 1, above=True)] = WANTED_RECALL
    seed: Whole = 0

    def opened(self, vectors: np.ndarray, shelf: Shelf) -> Index:
        """Ready to search."""
        return build_index(vectors, recall=self.recall, exact_up_to=min(len(vectors), 1), seed=self.seed)
