"""Pictures and sentences where a network taught to compare them puts both: what is near the words is what they say.

    cos(z_i, t),    z_i = head(features of picture i),   t = words' side of the network (sentence)

As the network was trained, so it is asked: no head is fitted to captions. Half again as many held-out captions find
their picture as by such a head (docs/why.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from db.artifacts import ArtifactStore
from db.errors import BadInput
from trainer.columns import unit_rows
from trainer.readers import Reading, reader_of, taught_reading
from trainer.steering import steered


@dataclass(frozen=True, eq=False)
class SharedSpace:
    """place: item id -> row. pictures: (N, d) float32 unit rows. read: N texts -> (N, d) unit rows."""

    place: dict[int, int]
    pictures: np.ndarray
    read: Reading

    @classmethod
    def of(cls, store: ArtifactStore, encoder: str, features: np.ndarray, ids: np.ndarray) -> "SharedSpace | None":
        """features: (N, D) of these ids by that encoder. None where it came of no network that compares words with
        pictures, or stands beside another one."""
        read = taught_reading(store, encoder)
        if read is None:
            return None
        head = reader_of(store, encoder).network.projection
        inputs = next(head.parameters()).shape[1]
        if features.shape[1] != inputs:
            return None
        pictures = unit_rows(head, torch.from_numpy(np.array(features, np.float32))).numpy()
        return cls({item: row for row, item in enumerate(ids.tolist())}, pictures, read)

    def scores(self, sentence: str, ids: np.ndarray, liked: Sequence[int], disliked: Sequence[int]) -> np.ndarray:
        """(N,) float32 cosines of these items to the sentence, steered. Raises: BadInput for one that cannot be read,
        or where nothing is left to look for."""
        told = self.read([sentence])[0]
        if not told.any():
            raise BadInput("nothing in this sentence can be read. Write some words of the captions' language.")
        near, far = (
            self.pictures[[self.place[item] for item in some if item in self.place]] for some in (liked, disliked)
        )
        sought = steered(told, near, far)
        if not sought.any():
            raise BadInput("what is liked and what is not cancel each other out. Take one of them back.")
        rows = np.array([self.place.get(item, -1) for item in ids.tolist()])
        return np.where(rows < 0, -1.0, self.pictures[rows] @ sought).astype(np.float32)
