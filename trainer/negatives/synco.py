"""Six kinds of synthetic negatives made from the hardest keys n and the anchor q; all unit rows, all detached.

    1 interpolate   a q + (1 - a) n, a ~ U(0, .5)      4 add noise       n + N(0, sigma^2)
    2 extrapolate   q + b (n - q),   b ~ U(1, 1.5)     5 step to q       n + delta q
    3 mix           g n + (1 - g) n', g ~ U(0, 1)      6 step by sign    n + eta sign(q)

5 and 6 are one gradient step of the similarity <n, q>, plain and by its sign, in closed form.

Source: Giakoumoglou and Stathaki 2024, "SynCo: synthetic hard negatives in contrastive learning", arXiv 2410.02401,
equations 4 to 9. Official code: github.com/giakoumoglou/synco.
Differs from the paper: warm-up as a share of the training (10 of 200 epochs); parents obey answers; as many columns as
the candidates allow.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from oracle.bounds import Share, Weight, Whole
from trainer.negatives._drawing import Drawing
from trainer.negatives._ordinary import ordinary
from trainer.negatives._parents import append, hardest, uniform
from trainer.pool import Pool


def interpolated(q: Tensor, n: Tensor, a: Tensor | float) -> Tensor:
    """Type 1, between anchor and key. Any (..., d)."""
    return normalize(a * q + (1 - a) * n, dim=-1)


def extrapolated(q: Tensor, n: Tensor, b: Tensor | float) -> Tensor:
    """Type 2, beyond the key as seen from the anchor."""
    return normalize(q + b * (n - q), dim=-1)


def mixed(n: Tensor, other: Tensor, g: Tensor | float) -> Tensor:
    """Type 3, between two keys."""
    return normalize(g * n + (1 - g) * other, dim=-1)


def noisy(n: Tensor, noise: Tensor) -> Tensor:
    """Type 4."""
    return normalize(n + noise, dim=-1)


def stepped(q: Tensor, n: Tensor, delta: float) -> Tensor:
    """Type 5, a gradient step of <n, q>."""
    return normalize(n + delta * q, dim=-1)


def signed(q: Tensor, n: Tensor, eta: float) -> Tensor:
    """Type 6, a step by the sign of the gradient."""
    return normalize(n + eta * q.sign(), dim=-1)


@dataclass
class NegativePolicy(Drawing):
    """hardest: keys that are parents. many: columns of types 1 to 3 each. few: of types 4 to 6 each. sigma, delta, eta:
    sizes of the steps. warm_up: share of the training before any."""

    hardest: Whole = 1024
    many: Whole = 256
    few: Whole = 64
    sigma: Weight = 0.01
    delta: Weight = 0.01
    eta: Weight = 0.01
    warm_up: Share = 0.05

    def __call__(self, pool: Pool) -> Pool:
        pool = ordinary(pool)
        if pool.progress < self.warm_up or not len(pool.keys):
            return pool
        parents, q = hardest(pool, self.hardest), pool.anchors.detach()[:, None]  # (B, 1, d)
        many, few = min(self.many, len(pool.keys)), min(self.few, len(pool.keys))
        one, two, three, other = (parents.drawn(many, self.random) for _ in range(4))
        four, five, six = (parents.drawn(few, self.random) for _ in range(3))
        shape = (len(q), many)
        a, b, g = (uniform(shape, low, high, self.random, one) for low, high in ((0.0, 0.5), (1.0, 1.5), (0.0, 1.0)))
        noise = self.sigma * torch.randn(four.shape, generator=self.random, dtype=torch.float64).to(four)
        made = [
            interpolated(q, one, a), extrapolated(q, two, b), mixed(three, other, g),
            noisy(four, noise), stepped(q, five, self.delta), signed(q, six, self.eta),
        ]  # fmt: skip
        synthetic, weight = append(pool, torch.cat(made, 1), parents.weight(3 * many + 3 * few))
        return replace(pool, synthetic=synthetic, synthetic_weight=weight)
