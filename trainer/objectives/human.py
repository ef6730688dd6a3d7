"""What a person put together gathers around the running mean of its features.

    L = mean over picked anchors of 1 - cos(mu'_g, y_i),      mu'_g = (s_g mu_g + sum of new y) / (s_g + t_g)

A picked anchor is one that an answer joins to another item of the pool; items joined to each other are one group g.
s_g: features in the mean so far, t_g: new ones. The gradient flows through the new features, not through the old mean.
Source: Ghose et al. 2022, Conference on Robot Learning (PMLR 205, 2023), the loss of the human-selected items.
Differs from the paper: a mean for each group; the paper has one category at a time.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor
from torch.nn.functional import cosine_similarity

from db.errors import BadInput
from trainer.pool import Pool


@dataclass
class Objective:
    """Keeps a sum and a count for each group, and which items it knows of it. Needs `pool.features`."""

    needs: ClassVar[tuple[str, ...]] = ("features",)
    repels: ClassVar[bool] = False
    _means: "Means | None" = field(default=None, init=False, repr=False, compare=False)

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in [0, 2]; exactly 0 where nobody was picked."""
        if pool.features is None:
            raise BadInput("the objective 'human' needs pool.features (B, D), got None.")
        picked, group = picks(pool)
        if not len(picked):
            return pool.features.sum() * 0.0
        new = pool.features[picked]  # (P, D)
        sums, counts = self._before(pool, picked, group, new)
        mean = (sums + _added(new, group)) / (counts + torch.bincount(group))[:, None]  # (G, D)
        return (1 - cosine_similarity(mean[group], new, dim=1)).mean()

    def after_step(self, pool: Pool) -> None:
        """The picked features of the step join the means."""
        picked, group = picks(pool)
        if len(picked) and pool.features is not None:
            new = pool.features[picked].detach()
            self._means = self._means or Means(new.shape[1], new.dtype)
            self._means.add(pool.anchor_ids[picked], group, new)

    def state(self) -> dict[str, Tensor]:
        """The means, if there are some yet."""
        return {} if self._means is None else self._means.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with stored means."""
        self._means = Means.of(state) if state else None

    def _before(self, pool: Pool, picked: Tensor, group: Tensor, new: Tensor) -> tuple[Tensor, Tensor]:
        """(G, D) sums and (G,) counts of the groups until this step."""
        if self._means is None:
            return new.new_zeros(int(group.max()) + 1, new.shape[1]), new.new_zeros(int(group.max()) + 1)
        sums, counts = self._means.of_groups(pool.anchor_ids[picked], group)
        return sums.to(new), counts.to(new)


class Means:
    """Sums and counts of groups of items; groups that turn out to be one become one. dim: D. dtype: of the sums."""

    def __init__(self, dim: int, dtype: torch.dtype = torch.float32) -> None:
        self._ids, self._slots = torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
        self._sums, self._counts = torch.zeros(0, dim, dtype=dtype), torch.zeros(0)

    def of_groups(self, ids: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
        """ids, group: (P,) items and their group 0 .. G - 1 -> (G, D), (G,) what is known of each."""
        known = [self._known(ids[group == number]) for number in range(int(group.max()) + 1)]
        return torch.stack([self._sums[slots].sum(0) for slots in known]), torch.stack(
            [self._counts[slots].sum() for slots in known]
        )

    def add(self, ids: Tensor, group: Tensor, new: Tensor) -> None:
        """Let (P, D) features join the means of their groups."""
        sums, counts = self.of_groups(ids, group)
        for number in range(int(group.max()) + 1):
            of = group == number
            self._put(ids[of].unique().cpu(), sums[number] + new[of].sum(0).to(self._sums), counts[number] + of.sum())

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"ids": self._ids, "slots": self._slots, "sums": self._sums, "counts": self._counts}

    @classmethod
    def of(cls, state: dict[str, Tensor]) -> "Means":
        """Go on with what a checkpoint kept."""
        made = cls(state["sums"].shape[1], state["sums"].dtype)
        made._ids, made._slots = state["ids"].clone(), state["slots"].clone()
        made._sums, made._counts = state["sums"].clone(), state["counts"].clone()
        return made

    def _known(self, ids: Tensor) -> Tensor:
        return self._slots[torch.isin(self._ids, ids.cpu())].unique()

    def _put(self, ids: Tensor, total: Tensor, count: Tensor) -> None:
        """One slot for these items and for all that shared a slot with one of them."""
        old = self._known(ids)
        slot = len(self._counts) if not len(old) else int(old[0])
        if slot == len(self._counts):
            self._sums = torch.cat([self._sums, torch.zeros_like(total)[None].to(self._sums)])
            self._counts = torch.cat([self._counts, torch.zeros(1)])
        self._slots[torch.isin(self._slots, old)] = slot
        self._sums[old], self._counts[old] = 0.0, 0.0
        self._sums[slot], self._counts[slot] = total, count
        fresh = ids[~torch.isin(ids, self._ids)]
        self._ids = torch.cat([self._ids, fresh])
        self._slots = torch.cat([self._slots, torch.full_like(fresh, slot)])


def picks(pool: Pool) -> tuple[Tensor, Tensor]:
    """(P,) rows of the anchors that an answer joins to another item, and (P,) the number of their group."""
    linked = (pool.said > 0) & ~pool.own  # (B, K)
    picked = linked.any(1).nonzero()[:, 0]
    if not len(picked):
        return picked, picked
    items, place = torch.cat([pool.anchor_ids, pool.key_ids]).unique(return_inverse=True)
    one, other = linked.nonzero(as_tuple=True)
    ends = place[one].cpu().numpy(), place[len(pool.anchor_ids) + other].cpu().numpy()
    graph = coo_matrix((np.ones(len(one)), ends), shape=(len(items), len(items)))
    label = torch.from_numpy(connected_components(graph, directed=False)[1]).to(place)
    return picked, label[place[picked]].unique(return_inverse=True)[1]


def _added(rows: Tensor, group: Tensor) -> Tensor:
    """(P, D) rows -> (G, D) sums by group."""
    return rows.new_zeros(int(group.max()) + 1, rows.shape[1]).index_add(0, group, rows)
