"""What pushes in one step, in plain numbers: shares of the negative mass, what was taken out, what sits on a clamp.

    mass of a stratum = sum_j weight_ij exp(s_ij),  s = cosine / temperature;  its share is averaged over the anchors

Removed is what would push with full weight had nobody curated: the rest of every weight below 1, must-links included.
"""

import math
from typing import Any

import torch
from torch import Tensor

from trainer.contrast import log_sum, log_weight
from trainer.objectives.contrast import Objective as Contrast
from trainer.pool import Pool

TAKEN = 0.5  # without a detector, an open pair that lost this much of its weight counts as taken for a false negative


def report(pool: Pool, objective: Any) -> dict[str, float]:
    """One step's figures; what cannot be known in this pool is left out.

    confirmed, unlabelled, removed, synthetic: shares of the negative mass, sum 1. clamped: share of anchors whose
    debiased mass fell to the floor, so that their unlabelled negatives give no gradient. detected: pairs an anchor has
    taken for false negatives, on average; detected_precision: how many of those that were asked about are the same.
    tau_plus: estimated share of false negatives among open pairs. label_frequency: share of the true positives that
    answers have found.
    """
    with torch.no_grad():
        scores = (pool.anchors @ pool.keys.T).float() / _temperature(objective)  # (B, K)
        return {
            **_shares(pool, scores, _temperature(objective)),
            "clamped": _clamped(pool, objective),
            **_detected(pool),
            **_prior(pool),
        }


def _temperature(objective: Any) -> float:
    return float(getattr(objective, "temperature", 0.1))


def _shares(pool: Pool, scores: Tensor, temperature: float) -> dict[str, float]:
    rivals = pool.rival & ((pool.pos == 0) | (pool.said > 0))
    gone = torch.where(rivals, (1 - pool.neg - pool.confirmed).clamp_min(0), 0.0)
    parts = {
        "confirmed": _log_mass(scores, pool.confirmed),
        "unlabelled": _unlabelled(pool, scores),
        "removed": _log_mass(scores, gone),
        "synthetic": _synthetic(pool, temperature),
    }
    table = torch.stack(list(parts.values()), 1)  # (B, 4)
    filled = torch.isfinite(table).any(1)
    if not filled.any():
        return dict.fromkeys(parts, 0.0)
    share = torch.softmax(table[filled], 1).mean(0)
    return dict(zip(parts, share.tolist(), strict=True))


def _unlabelled(pool: Pool, scores: Tensor) -> Tensor:
    """(B,) log mass of the unlabelled stratum, tilted and normalised as the policy wants it."""
    tilted = _log_mass((1 + pool.tilt) * scores, pool.neg)
    if not pool.normalise:
        return tilted
    number = (pool.neg > 0).sum(1).float() if pool.count is None else pool.count.float()
    empty = ~(pool.neg > 0).any(1)
    return (tilted - _log_mass(pool.tilt * scores, pool.neg) + number.log()).masked_fill(empty, -math.inf)


def _synthetic(pool: Pool, temperature: float) -> Tensor:
    if pool.synthetic is None:
        return torch.full((len(pool.anchors),), -math.inf, device=pool.anchors.device)
    scores = torch.einsum("bd,bsd->bs", pool.anchors, pool.synthetic).float() / temperature
    return _log_mass(scores, torch.ones_like(scores) if pool.synthetic_weight is None else pool.synthetic_weight)


def _log_mass(scores: Tensor, weight: Tensor) -> Tensor:
    """(B,) log sum_j weight_ij exp(scores_ij); minus infinity for a row without weight."""
    return log_sum(scores + log_weight(weight.float()))


def _clamped(pool: Pool, objective: Any) -> float:
    """Share of the anchors with unlabelled negatives whose debiased mass the objective had to hold at its floor."""
    if pool.tau_plus is None:
        return 0.0
    measure = objective if hasattr(objective, "masses") else Contrast(temperature=_temperature(objective))
    pushed = (pool.neg > 0).any(1)
    return float((measure.masses(pool).clamped & pushed).sum() / pushed.sum().clamp_min(1))


def _detected(pool: Pool) -> dict[str, float]:
    if pool.detected is None:
        taken = (pool.said == 0) & pool.rival & (pool.pos == 0) & (pool.neg < TAKEN)
        return {"detected": float(taken.sum() / max(len(pool.anchors), 1))}
    taken = pool.detected & ~pool.own
    asked = int((taken & (pool.said != 0)).sum())
    found = {"detected": float(taken.sum() / max(len(pool.anchors), 1))}
    if asked:
        found |= {"detected_precision": int((taken & (pool.said > 0)).sum()) / asked, "detected_asked": float(asked)}
    return found


def _prior(pool: Pool) -> dict[str, float]:
    """The policy's own estimate where it has one, else the mean chance of same; and how many positives are known."""
    open_ = (pool.said == 0) & ~pool.own
    hidden = float(pool.same[open_].sum())
    known = float(((pool.said > 0) & ~pool.own).sum())
    found = {}
    if pool.tau_plus is not None:
        found["tau_plus"] = float(pool.tau_plus.float().mean())
    elif open_.any():
        found["tau_plus"] = hidden / float(open_.sum())
    return found | ({"label_frequency": known / (known + hidden)} if known + hidden > 0 else {})
