"""Words that talk like those of a target domain: of every super-batch the k nearest.

    keep the k with the highest  mean of <t_i, d_c> over the nearest c

t_i are the words beside a picture and d_c those of the items of the target domain, both as a tower reads them. Looks at
words alone: what they say of their picture may still be wrong.

Source: Zhou, Liu, Cheng, Gan, Zhang 2021, "CUPID: adaptive curation of pre-training data for video-and-language
representation learning", arXiv 2104.00285. No official code.
Differs from the paper: the abstract could be read, the exact similarity could not: the cosine to the nearest words of
the target stands in for it, since the mean over all of them keeps but the commonest; the paper filters once before
training, here every super-batch is, and so the same share is kept.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from torch import Tensor

from db.errors import BadInput
from trainer.attributes import Attributes
from trainer.candidates import Candidates, Draw, best, checked_filter
from trainer.confirmed import said

if TYPE_CHECKING:
    from trainer.modalities import Words


@dataclass(frozen=True)
class Selector:
    """filter: share of the super-batch that is left out. column: says 1 for items of the target domain. nearest: how
    many of its texts count, 0 for all."""

    reads: ClassVar[tuple[str, ...]] = ("told", "wanted")

    filter: float = 0.8
    column: str = "target"
    nearest: int = 1

    def __post_init__(self) -> None:
        checked_filter(self.filter)
        if self.nearest < 0:
            raise BadInput(f"nearest = 0 or more expected, got {self.nearest}.")

    def learn_of(self, attributes: Attributes) -> None:
        """Raises: BadInput or NotFound where no item is of the target domain."""
        self.members(attributes)

    def members(self, attributes: Attributes) -> np.ndarray:
        """Ids of the items of the target domain."""
        inside = [number for number, yes in said(attributes, self.column).items() if yes]
        if not inside:
            raise BadInput(
                f"no item is of the target domain. Put 1 into the column '{self.column}', or name another by "
                "selector.column=COLUMN."
            )
        return np.array(inside, np.int64)

    def wanted(self, words: "Words", attributes: Attributes) -> Tensor | None:
        """(C, D) rows of the words of the target domain, equal ones once. Raises: BadInput where it has none."""
        inside = np.isin(words.ids, self.members(attributes)) & (words.codes.numpy() >= 0)
        if not inside.any():
            raise BadInput(f"no item of the target domain in '{self.column}' has words. Mark others with 1.")
        _, first = np.unique(words.codes.numpy()[inside], return_index=True)
        return words.rows[inside.nonzero()[0][first]]

    def __call__(self, candidates: Candidates, count: int, draw: Draw) -> Tensor:
        near = candidates.at("told") @ candidates.at("wanted").T  # (S, C)
        return best(near.topk(min(self.nearest or near.shape[1], near.shape[1]), dim=1).values.mean(1), count, draw)
