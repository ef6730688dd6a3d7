"""IFND: k-means of the growing embedding names false negatives, more of them the further training is.

    kappa_i = <z_i, c_own> - <z_i, c_next>;  accepted: the highest kappa, a share that rises from 0 to 1 over training
    F_i = accepted keys in the cluster of an accepted anchor, in most of several k-means;   w = 0 on F_i

Family: removal of false negatives
Source: Chen, Hung, Tseng, Chien, Yang 2022, "Incremental false negative detection for contrastive learning",
arXiv 2106.03719. Official code: tsaishien-chen/IFND.
Parts: two views; the encoder itself as target; both views of the batch as candidates; own view; negatives `ifnd`;
contrast (all).
Needs: pictures.
Differs from the paper: the confidence kappa is a margin of our own, as the published formula was not at hand; several
clusterings vote in place of a hierarchy, once an epoch over the whole collection; batches in place of a queue.
Checked by: properties of the clusters and the rate; the contract of methods.
"""

from dataclasses import dataclass
from typing import Annotated

from oracle.bounds import Bounds, Count, Positive, Whole
from trainer.negatives.ifnd import NegativePolicy
from trainer.objectives.contrast import Objective
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Method:
    """coarsest: centres of the first clustering. levels: clusterings, each with twice as many centres. mode:
    'eliminate' or 'attract'. temperature: tau > 0. seed: of k-means."""

    coarsest: Annotated[int, Bounds(2)] = 10
    levels: Count = 3
    mode: str = "eliminate"
    temperature: Positive = 0.2
    seed: Whole = 0

    def recipe(self) -> Recipe:
        policy = NegativePolicy(self.coarsest, self.levels, self.mode, self.seed)
        return Recipe((Term(Objective(self.temperature, denominator="all"), policy),))
