"""Words near the name of something the run is for: captions that talk about one of the classes.

    keep i  where  max_c <t_i, m_c> > threshold,    at least the share min_ratio with the highest

t_i are the words beside a picture and m_c the names of the classes, both as a tower reads them. Looks at words alone:
what they say of their picture may still be wrong.

Source: Xu, Xie, Po-Yao Huang, Yu, Howes, Ghosh, Zettlemoyer, Feichtenhofer 2023, "CiT: curation in training for
effective vision-language data", arXiv 2301.02241, section 3 and algorithm 1. Official code: facebookresearch/CiT (not
used here).
Differs from the paper: every batch looks at a new super-batch, where the paper curates anew every hundred steps; of
more than a batch needs, it is drawn who comes. With a frozen tower who is near a name stays so; one that is trained
(`words.train=true`) curates by what it has learnt so far, as in the paper.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from db.errors import BadInput
from trainer.attributes import Attributes
from trainer.candidates import Candidates, Draw, best, checked_filter

if TYPE_CHECKING:
    from trainer.modalities import Words

LEAST = 2  # pairs of a batch, so that there is a negative


@dataclass(frozen=True)
class Selector:
    """filter: share of the super-batch that is left out at least. threshold: cosine in [-1, 1]. min_ratio: share of the
    super-batch that is kept at least. names: of the classes, separated by commas; empty for those that stand in
    `column`."""

    reads: ClassVar[tuple[str, ...]] = ("told", "wanted")

    filter: float = 0.8
    threshold: float = 0.55
    min_ratio: float = 0.01
    names: str = ""
    column: str = "label"

    def __post_init__(self) -> None:
        checked_filter(self.filter)
        if not -1 <= self.threshold <= 1 or not 0 <= self.min_ratio <= 1:
            raise BadInput(
                f"threshold in [-1, 1] and min_ratio in [0, 1] expected, got {self.threshold} and {self.min_ratio}."
            )

    def learn_of(self, attributes: Attributes) -> None:
        """Raises: BadInput or NotFound where there is no name."""
        self.classes(attributes)

    def classes(self, attributes: Attributes) -> list[str]:
        """The names themselves."""
        found = {name.strip() for name in self.names.split(",")} - {""}
        if not self.names:
            known = attributes.codes(self.column) >= 0
            found = {str(one).strip() for one in attributes.values[self.column][known]}
        if not found:
            raise BadInput("no class has a name. Say selector.names=apple,pear or selector.column=COLUMN.")
        return sorted(found)

    def wanted(self, words: "Words", attributes: Attributes) -> Tensor | None:
        """(C, ..) rows of the names, as the column reads them."""
        return torch.from_numpy(words.read(self.classes(attributes)))

    def __call__(self, candidates: Candidates, count: int, draw: Draw) -> Tensor:
        near = (candidates.at("told") @ candidates.at("wanted").T).amax(1)  # (S,)
        least = min(max(math.ceil(self.min_ratio * len(near)), LEAST), count, len(near))
        if (passing := int((near > self.threshold).sum())) <= least:
            return best(near, least, draw)
        return best((near > self.threshold).to(near), min(passing, count), draw)
