"""Pull every positive, push what the negative policy left: the one contrastive loss behind every named system.

    L = scale * mean over anchors with a positive of L_i,    s_ij = <z_i, c_j> / tau

L_i, the two strata of negatives and the sources are in `trainer/contrast.py`. What pushes (weights, tilt, debiasing,
synthetic columns) is read from the pool, so any negative policy works with any run; the settings are what remains:

    InfoNCE, MoCo, NT-Xent, debiased, HCL: denominator 'self'    SupCon, FNC: 'all'    decoupled: 'none'

Differs from the papers: weights per pair; P_i averages the anchor's own views if the pool has them, else its positives.
"""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from db.errors import BadInput
from oracle.bounds import Positive, Weight
from trainer.contrast import (
    Masses,
    active,
    anchor_losses,
    log_add,
    log_debiased,
    log_mean,
    log_sum,
    log_unlabelled,
    log_weight,
)
from trainer.contrast_blocks import in_blocks
from trainer.pool import Pool


@dataclass(frozen=True)
class Objective:
    """temperature: tau > 0. denominator: what besides negatives is in it, 'self' (the positive), 'all' (positives) or
    'none'. aggregate: 'out' or, with 'all', 'in'. scale: factor. blocks: rows in blocks with little memory where the
    pool is plain; off where a second derivative is needed."""

    temperature: Positive = 0.1
    denominator: str = "all"
    aggregate: str = "out"
    scale: Weight = 1.0
    blocks: bool = True

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise BadInput(f"temperature > 0 expected, got {self.temperature}. Usual values are .05 to .5.")
        for name, known in (("denominator", ("all", "self", "none")), ("aggregate", ("out", "in"))):
            if getattr(self, name) not in known:
                raise BadInput(f"{name} = one of {', '.join(known)} expected, got '{getattr(self, name)}'.")
        if self.aggregate == "in" and self.denominator != "all":
            raise BadInput(f"aggregate 'in' needs denominator 'all', got '{self.denominator}'. Change one of them.")

    def __call__(self, pool: Pool) -> Tensor:
        """Returns: () in nats, float32 or float64. Exactly 0 where no anchor has a positive."""
        with torch.autocast(pool.anchors.device.type, enabled=False):
            pool = in_float(pool)
            mean = self._in_blocks(pool) if self.blocks and plain(pool) else self._whole(pool)
        return self.scale * mean

    def masses(self, pool: Pool) -> Masses:
        """What pushes each anchor, by stratum, and whether debiasing hit its floor."""
        pool = in_float(pool)
        return self._masses(pool, self._scores(pool))

    def _scores(self, pool: Pool) -> Tensor:
        scores = pool.anchors @ pool.keys.T / self.temperature  # (B, K)
        return scores if pool.sharpness is None else scores * pool.sharpness

    def _masses(self, pool: Pool, scores: Tensor) -> Masses:
        candidates, weight = _with_synthetic(pool, scores, self.temperature)
        count = (weight > 0).sum(1).to(scores.dtype) if pool.count is None else pool.count.to(scores.dtype)
        log_G = log_unlabelled(candidates, weight, count, tilt=pool.tilt, normalise=pool.normalise)
        tau_plus = torch.zeros_like(log_G) if pool.tau_plus is None else pool.tau_plus.to(log_G.dtype)
        unlabelled = log_debiased(log_G, _log_P(pool, scores), count, tau_plus, self.temperature)
        log_K = log_sum(scores + log_weight(pool.confirmed))
        return replace(unlabelled, log_K=log_K, log_N=log_add(log_K, unlabelled.log_N_U))

    def _whole(self, pool: Pool) -> Tensor:
        scores = self._scores(pool)
        log_N = self._masses(pool, scores).log_N
        losses = anchor_losses(scores, pool.pos, log_N, self.denominator, self.aggregate)  # (B,)
        return losses.sum() / active(pool.pos, log_N, self.denominator).sum().clamp_min(1)

    def _in_blocks(self, pool: Pool) -> Tensor:
        def rows(part: slice) -> tuple[Tensor, Tensor]:
            return pool.pos[part], pool.neg[part] + pool.confirmed[part]

        return in_blocks(
            pool.anchors, pool.keys, rows, temperature=self.temperature,
            denominator=self.denominator, aggregate=self.aggregate,
        )  # fmt: skip


def plain(pool: Pool) -> bool:
    """Neither tilt, debiasing nor synthetic columns, and weights that are constants."""
    learnt = pool.pos.requires_grad or pool.neg.requires_grad or pool.confirmed.requires_grad
    bare = pool.tau_plus is None and pool.synthetic is None
    bare = bare and pool.sharpness is None
    return bare and pool.tilt == 0 and not pool.normalise and not learnt


def in_float(pool: Pool) -> Pool:
    """The same pool with every number the loss reads in float32, or in float64 where the anchors are."""
    dtype = torch.promote_types(pool.anchors.dtype, torch.float32)
    read = {"anchors", "keys", "pos", "neg", "confirmed", "synthetic", "synthetic_weight", "tau_plus", "count"}
    given = {one.name: getattr(pool, one.name) for one in fields(pool) if one.name in read}
    return replace(pool, **{name: value.to(dtype) for name, value in given.items() if value is not None})


def _with_synthetic(pool: Pool, scores: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Scores and weights of the unlabelled stratum, with the synthetic columns at its end. (B, K + S) each"""
    if pool.synthetic is None:
        return scores, pool.neg
    made = torch.einsum("bd,bsd->bs", pool.anchors, pool.synthetic) / temperature
    weight = torch.ones_like(made) if pool.synthetic_weight is None else pool.synthetic_weight
    return torch.cat([scores, made], 1), torch.cat([pool.neg, weight], 1)


def _log_P(pool: Pool, scores: Tensor) -> Tensor:
    """log P: the mean of exp(s) over the own views of each anchor, or over its positives if it has none. (B,)"""
    own = pool.pos * pool.own
    standing = torch.where(own.sum(1, keepdim=True) > 0, own, pool.pos)
    return log_mean(scores, log_weight(standing))
