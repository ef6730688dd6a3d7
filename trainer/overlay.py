"""What a criterion's answers add to any recipe: who meets in a batch, who attracts, who is a confirmed negative.

Answers attract (positives `must_links`), confirmed negatives go into their own stratum (`obey`), and a share of each
batch is drawn from answered items, because two random items have almost never been asked about.
"""

import numpy as np
import torch
from torch import Tensor

from db.errors import BadInput
from db.nouns import Snapshot
from oracle.belief import Belief, infer
from oracle.constraints import ConstraintGraph
from trainer.batches import Knowledge, Sampler
from trainer.positives.must_links import PositiveSource as MustLinks
from trainer.recipe import Curation

POSITIVES: tuple[Curation, ...] = (MustLinks(),)


class Overlay:
    """The belief that follows from a snapshot and the answers, over rows of the items being trained on.

    ids: (N,) int64 rising, of those items, all of them in the snapshot.
    """

    def __init__(self, snapshot: Snapshot, graph: ConstraintGraph, ids: np.ndarray, device: torch.device) -> None:
        self.belief: Belief = infer(snapshot, graph)
        self.knowledge = Knowledge.of(self.belief, device)
        place = np.searchsorted(snapshot.ids, ids)
        if (place >= len(snapshot.ids)).any() or (snapshot.ids[place] != ids).any():
            raise BadInput("every item must be in the snapshot that says what is known, and some are not.")
        self._place = torch.from_numpy(place).to(device)
        self._row = np.full(len(snapshot.ids), -1)
        self._row[place] = np.arange(len(ids))
        self._samplers: dict[int, Sampler] = {}

    def about(self, rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        """(R, O) chance that they belong together, and (R, O) int8 what was said: +1, -1 or 0."""
        one, other, joint = self._place[rows], self._place[others], self.knowledge.joint
        return joint[one] @ joint[other].T, said(self.knowledge, one, other)

    def rows(self, size: int, seed: tuple[int, ...]) -> np.ndarray:
        """At most `size` distinct rows, most of them answered about; the same seed gives the same rows."""
        if size not in self._samplers:
            self._samplers[size] = Sampler(self.belief, size, 0)
        sampler = self._samplers[size]
        sampler.random = np.random.default_rng(seed)
        drawn = self._row[sampler.rows()]
        return drawn[drawn >= 0]


def said(knowledge: Knowledge, rows: Tensor, others: Tensor) -> Tensor:
    """(R, O) int8: +1 together, -1 apart, 0 open, as far as the answers place the rows."""
    one, other = knowledge.member[rows], knowledge.member[others]
    both = (one >= 0)[:, None] & (other >= 0)[None, :]
    together = both & (one[:, None] == other[None, :])
    if not knowledge.apart.numel():
        return together.to(torch.int8)
    first, second = one.clamp_min(0), other.clamp_min(0)
    apart = both & knowledge.apart[first][:, second]
    denied = knowledge.against[rows][:, second] & (other >= 0)[None, :]
    denied |= (knowledge.against[others][:, first] & (one >= 0)[None, :]).T
    return together.to(torch.int8) - ((apart | denied) & ~together).to(torch.int8)


def nothing(rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """The same without a criterion: nobody said anything."""
    shape = (len(rows), len(others))
    device = rows.device
    return torch.zeros(shape, device=device), torch.zeros(shape, dtype=torch.int8, device=device)
