"""Find false negatives by likeness to any view of the anchor's picture, and cancel them.

    score_ij = max (or mean) over the views v of the picture of anchor i of <v, c_j>,   its own keys left out
    F_i      = the `most` highest, if above `cutoff`;  shared by all views of the picture
    eliminate: w_ij = 0 on F_i          attract: F_i joins the positives

Views are the anchors and keys of the picture, and its support views where a run makes some (the methods `fnc_*` do, the
online loop does not). Eliminate is the default: attraction is what wrong detections hurt most. `detected` holds F as
found, so that answers can tell how often it was right.

Source: Huynh, Kornblith, Walter, Maire, Khademi 2022, "Boosting contrastive self-supervised learning with false
negative cancellation" (FNC), arXiv 2011.11765, section 3. Official code: github.com/google-research/fnc.
Differs from the paper: a key that an answer calls different neither pulls nor is cancelled; one that is likely the same
pushes nowhere.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Cosine
from trainer.negatives._ordinary import ordinary
from trainer.pool import Pool


@dataclass(frozen=True)
class NegativePolicy:
    """most: of F, >= 1. cutoff: cosine in [-1, 1]. mode: 'eliminate' or 'attract'. views: 'max' or 'mean'."""

    most: int = 10
    cutoff: Cosine = 0.7
    mode: str = "eliminate"
    views: str = "max"

    def __post_init__(self) -> None:
        for name, known in (("mode", ("eliminate", "attract")), ("views", ("max", "mean"))):
            if getattr(self, name) not in known:
                raise BadInput(f"{name} = {' or '.join(known)} expected, got '{getattr(self, name)}'.")
        if self.most < 1:
            raise BadInput(f"most = 1 or more expected, got {self.most}.")

    def __call__(self, pool: Pool) -> Pool:
        return cancelled(pool, self._detected(pool), attract=self.mode == "attract")

    @torch.no_grad()
    def _detected(self, pool: Pool) -> Tensor:
        """(B, K) bool"""
        score = self._by_picture(pool).masked_fill(~pool.rival, -torch.inf)
        best = score.topk(min(self.most, score.shape[1]), dim=1).indices
        return torch.zeros_like(pool.own).scatter(1, best, value=True) & (score > self.cutoff)

    def _by_picture(self, pool: Pool) -> Tensor:
        """(B, K) likeness to the views of the same picture among anchors and keys, and to its support views."""
        pictures, picture = torch.unique(pool.anchor_ids, return_inverse=True)
        place = torch.searchsorted(pictures, pool.key_ids).clamp_max(len(pictures) - 1)
        known = pictures[place] == pool.key_ids
        views, of = torch.cat([pool.anchors, pool.keys[known]]), torch.cat([picture, place[known]])
        if pool.support is not None:
            views = torch.cat([views, pool.support.flatten(0, 1)])
            of = torch.cat([of, picture.repeat_interleave(pool.support.shape[1])])
        score = views @ pool.keys.T  # (views, K)
        whole = score.new_zeros(len(pictures), score.shape[1])
        kind = "amax" if self.views == "max" else "mean"
        place = of[:, None].expand_as(score)
        return whole.scatter_reduce(0, place, score, kind, include_self=False)[picture]


def cancelled(pool: Pool, detected: Tensor, *, attract: bool) -> Pool:
    """Detected false negatives pull, or do nothing, unless an answer calls them different; the others push as ever.

    What pulls already keeps its own weight.
    """
    detected = detected & pool.rival
    taken, pool = detected & (pool.said >= 0), ordinary(pool)
    pos = torch.where(taken & attract & (pool.pos == 0), 1.0, pool.pos)
    return replace(pool, pos=pos, neg=pool.neg.masked_fill(taken, 0.0), detected=detected)
