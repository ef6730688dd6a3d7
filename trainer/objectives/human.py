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
    """Sums and counts of groups of items; groups that turn out to be one become one. dim: D. dtype: of the sums.

    Every known item, rising by id, has a slot; a slot holds the sum and the count of one group.
    """

    def __init__(self, dim: int, dtype: torch.dtype = torch.float32) -> None:
        self._ids, self._slots = torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
        self._sums, self._counts = torch.zeros(0, dim, dtype=dtype), torch.zeros(0)

    def of_groups(self, ids: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
        """ids, group: (P,) items and their group 0 .. G - 1 -> (G, D), (G,) what is known of each."""
        one = self._as_one(ids.cpu(), group.cpu())
        sums, counts = self._known(ids.cpu(), one[group.cpu()], len(one))
        return sums[one], counts[one]

    def add(self, ids: Tensor, group: Tensor, new: Tensor) -> None:
        """Let (P, D) features join the means of their groups."""
        ids, one = ids.cpu(), self._as_one(ids.cpu(), group.cpu())
        group = one[group.cpu()].unique(return_inverse=True)[1]
        sums, counts = self._known(ids, group, int(group.max()) + 1)
        slot = self._one_slot_each(ids, group, len(counts))
        self._sums[slot] = sums.index_add(0, group, new.cpu().to(self._sums))
        self._counts[slot] = counts + torch.bincount(group)
        self._remember(ids, slot[group])

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"ids": self._ids, "slots": self._slots, "sums": self._sums, "counts": self._counts}

    @classmethod
    def of(cls, state: dict[str, Tensor]) -> "Means":
        """Go on with what a checkpoint kept."""
        made, order = cls(state["sums"].shape[1], state["sums"].dtype), state["ids"].argsort()
        made._ids, made._slots = state["ids"][order], state["slots"][order]
        made._sums, made._counts = state["sums"].clone(), state["counts"].clone()
        return made

    def _slot_of(self, ids: Tensor) -> Tensor:
        """(P,) slots, -1 for unknown items."""
        if not len(self._ids):
            return torch.full_like(ids, -1)
        place = torch.searchsorted(self._ids, ids).clamp_max(len(self._ids) - 1)
        return torch.where(self._ids[place] == ids, self._slots[place], -1)

    def _held(self, ids: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
        """(H,), (H,) groups and the slots that their items hold already, each pair once, by group and slot."""
        slot = self._slot_of(ids)
        pairs = torch.stack([group, slot], 1)[slot >= 0].unique(dim=0)
        return pairs[:, 0], pairs[:, 1]

    def _known(self, ids: Tensor, group: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """(G, D) sums and (G,) counts of the slots that each group's items hold."""
        of, slot = self._held(ids, group)
        sums = self._sums.new_zeros(count, self._sums.shape[1]).index_add(0, of, self._sums[slot])
        return sums, self._counts.new_zeros(count).index_add(0, of, self._counts[slot])

    def _as_one(self, ids: Tensor, group: Tensor) -> Tensor:
        """(G,) the lowest group that each is one with: items of theirs hold the same slot."""
        of, slot = self._held(ids, group)
        one = torch.arange(int(group.max()) + 1)
        if len(slot) == len(slot.unique()):
            return one
        ends = of.numpy(), len(one) + slot.numpy()
        graph = coo_matrix((np.ones(len(of)), ends), shape=(len(one) + len(self._counts),) * 2)
        label = torch.from_numpy(connected_components(graph, directed=False)[1][: len(one)]).long()
        lowest = torch.full((int(label.max()) + 1,), len(one)).scatter_reduce(0, label, one, "amin")
        return lowest[label]

    def _one_slot_each(self, ids: Tensor, group: Tensor, count: int) -> Tensor:
        """(G,) one slot for each group: its first if it holds some, in place of the others, else a new one."""
        of, slot = self._held(ids, group)
        found = torch.full((count,), -1, dtype=torch.int64)
        found.scatter_reduce_(0, of, slot, "amin", include_self=False)
        if len(gone := slot[found[of] != slot]):
            into = dict(zip(gone.tolist(), found[of[found[of] != slot]].tolist(), strict=True))
            self._slots = torch.tensor([into.get(one, one) for one in self._slots.tolist()], dtype=torch.int64)
        lacking = found < 0
        more = int(lacking.sum())
        found[lacking] = len(self._counts) + torch.arange(more)
        self._sums = torch.cat([self._sums, self._sums.new_zeros(more, self._sums.shape[1])])
        self._counts = torch.cat([self._counts, self._counts.new_zeros(more)])
        return found

    def _remember(self, ids: Tensor, slots: Tensor) -> None:
        """Which slot each of the items holds from now on."""
        both, place = torch.cat([self._ids, ids]).unique(return_inverse=True)
        held = torch.empty_like(both)
        held[place[: len(self._ids)]] = self._slots
        held[place[len(self._ids) :]] = slots  # what was said last stands
        self._ids, self._slots = both, held


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
