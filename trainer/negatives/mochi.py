"""Mix the hardest negatives with each other, and with the anchor, into harder ones.

    h  = normalise(a n_i + (1 - a) n_j),  a ~ U(0, 1)         `mixed` of them
    h' = normalise(b q + (1 - b) n_j),    b ~ U(0, .5)        `with_anchor` of them;  n among the `hardest` keys

Detached: synthetic negatives push the anchor, nothing pushes them.

Source: Kalantidis, Sariyildiz, Pion, Weinzaepfel, Larlus 2020, "Hard negative mixing for contrastive learning" (MoCHi),
arXiv 2010.01028, equations 3 and 4.
Differs from the paper: parents obey answers (`_parents`); fewer columns where there are fewer candidates.
"""

from dataclasses import dataclass, replace

import torch
from torch.nn.functional import normalize

from oracle.bounds import Share, Whole
from trainer.negatives._drawing import Drawing
from trainer.negatives._ordinary import ordinary
from trainer.negatives._parents import append, hardest, uniform
from trainer.pool import Pool


@dataclass
class NegativePolicy(Drawing):
    """hardest: N, keys that are mixed. mixed: s. with_anchor: s'. warm_up: share of the training before any mixing."""

    hardest: Whole = 1024
    mixed: Whole = 1024
    with_anchor: Whole = 128
    warm_up: Share = 0.05

    def __call__(self, pool: Pool) -> Pool:
        pool = ordinary(pool)
        if pool.progress < self.warm_up or not len(pool.keys):
            return pool
        parents = hardest(pool, self.hardest)
        mixed, with_anchor = (min(count, len(pool.keys)) for count in (self.mixed, self.with_anchor))
        one, other, near = (parents.drawn(n, self.random) for n in (mixed, mixed, with_anchor))
        a = uniform((len(one), mixed), 0.0, 1.0, self.random, one)
        b = uniform((len(one), with_anchor), 0.0, 0.5, self.random, one)
        anchors = pool.anchors.detach()[:, None]  # (B, 1, d)
        made = normalize(torch.cat([a * one + (1 - a) * other, b * anchors + (1 - b) * near], 1), dim=2)
        synthetic, weight = append(pool, made, parents.weight(mixed + with_anchor))
        return replace(pool, synthetic=synthetic, synthetic_weight=weight)
