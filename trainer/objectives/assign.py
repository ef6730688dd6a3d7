"""Predict to which prototypes another view of the picture is assigned: rows are scores, one a prototype.

    L = - mean_i sum_c q_ic log softmax(s_i / tau)_c,      q_i = sum_j pi_ij q_j,   sum_j pi_ij = 1

s_i are the scores of an anchor, pi its positives' shares, q_j the assignment of key j, without gradient:

    sinkhorn (SwAV)    Q = diag(u) exp(S / epsilon) diag(v): every key has mass 1, every prototype the same mass
    softmax (DINO)     q_j = softmax((s_j - centre) / sharp),   centre <- m centre + (1 - m) mean_j s_j

So a must-link makes an anchor predict its partner's assignment too; a cannot-link only takes a key out of that sum.
Source: Caron et al. 2020, "Unsupervised learning of visual features by contrasting cluster assignments" (SwAV), arXiv
2006.09882, equations 2 to 4; Caron et al. 2021, "Emerging properties in self-supervised vision transformers" (DINO),
arXiv 2104.14294, equations 1 to 4. Written from the papers; values are compared with lightly's.
Differs from the papers: assignments of several keys are averaged; Sinkhorn finds u and v in float64 from scores less
the highest of their key: nothing overflows, and for cosines an epsilon of .003 is still exact.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Positive
from trainer.objectives._mixture import mixture
from trainer.pool import Pool

ASSIGNMENTS = ("sinkhorn", "softmax")


@dataclass
class Objective:
    """temperature: tau > 0 of the prediction. assignment: 'sinkhorn' or 'softmax'. epsilon > 0, iterations >= 1: of
    Sinkhorn. sharp > 0, momentum in [0, 1): temperature of the softmax, and how slowly its centre moves."""

    repels: ClassVar[bool] = False
    temperature: Positive = 0.1
    assignment: str = "sinkhorn"
    epsilon: Positive = 0.05
    iterations: int = 3
    sharp: Positive = 0.04
    momentum: float = 0.9
    _centre: Tensor | None = field(default=None, init=False, repr=False, compare=False)
    _last: tuple[Tensor, Tensor] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.assignment not in ASSIGNMENTS:
            raise BadInput(f"assignment = one of {', '.join(ASSIGNMENTS)} expected, got '{self.assignment}'.")
        for name in ("temperature", "epsilon", "sharp", "iterations"):
            if not getattr(self, name) > 0:
                raise BadInput(f"{name} > 0 expected, got {getattr(self, name)}.")
        if not 0 <= self.momentum < 1:
            raise BadInput(f"momentum = at least 0 and below 1 expected, got {self.momentum}.")

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in nats. The mean is over the anchors that have a positive; exactly 0 where none has."""
        with torch.autocast(pool.anchors.device.type, enabled=False):
            dtype = torch.promote_types(pool.anchors.dtype, torch.float32)
            pull = pool.pos.to(dtype)
            total = pull.sum(1, keepdim=True)  # (B, 1)
            share = pull / total.clamp_min(torch.finfo(dtype).tiny)  # pi (B, K)
            wanted = mixture(share, self.assigned(pool.keys.to(dtype)))  # (B, C)
            log_said = torch.log_softmax(pool.anchors.to(dtype) / self.temperature, 1)
            return -(wanted * log_said).sum() / (total > 0).sum().clamp_min(1)

    @torch.no_grad()
    def assigned(self, scores: Tensor) -> Tensor:
        """(K, C) scores -> (K, C) shares of the prototypes, rows sum to 1. Views that face the same keys in one step
        share what was made of them."""
        if self._last is None or self._last[0] is not scores:
            self._last = scores, self._shares(scores)
        return self._last[1]

    def _shares(self, scores: Tensor) -> Tensor:
        if self.assignment == "sinkhorn":
            return sinkhorn(scores, self.epsilon, self.iterations)
        centre = 0.0 if self._centre is None else self._centre.to(scores)
        return torch.softmax((scores - centre) / self.sharp, 1)

    @torch.no_grad()
    def after_keys(self, keys: Tensor) -> None:
        """(V B, C) scores of all views that gave keys: the centre moves towards their mean."""
        self._last = None
        if self.assignment == "softmax":
            mean = keys.mean(0)
            before = torch.zeros_like(mean) if self._centre is None else self._centre.to(mean)
            self._centre = self.momentum * before + (1 - self.momentum) * mean

    def state(self) -> dict[str, Tensor]:
        """The centre, if there is one yet."""
        return {} if self._centre is None else {"centre": self._centre}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with a stored centre."""
        self._last = None
        self._centre = state["centre"].clone() if "centre" in state else None


def sinkhorn(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Share the keys out evenly among the prototypes, in proportion to exp(scores / epsilon).

    (K, C) -> (K, C). Each iteration gives every prototype the same mass, then every key the mass 1.
    """
    wide = scores.double() / epsilon
    top = wide.amax(1)
    E, u = (wide - top[:, None]).exp(), (top - top.max()).exp()  # (K, C), (K,)
    for _ in range(iterations):
        v = 1 / (E.T @ u).clamp_min(torch.finfo(E.dtype).tiny)  # (C,)
        u = 1 / (E @ v)
    return (u[:, None] * E * v).to(scores.dtype)
