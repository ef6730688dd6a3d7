"""One contrastive loss for every way to curate negatives, in log space, so that no temperature overflows.

Every function takes scores s_ij = <z_i, c_j> / tau, one anchor a row, and is exact in value and gradient; weights enter
as log(weight) inside a log-sum-exp, so weight 0 has exactly zero gradient.

    omega_ij = w_ij exp(beta s_ij)                                               unlabelled candidates U
    G_i      = sum_U omega exp(s)   or, normalised,   n_i sum_U omega exp(s) / sum_U omega
    P_i      = sum_p d_ip exp(s_ip) / sum_p d_ip                                 positives that stand for the class
    N^U_i    = max( n_i exp(-1/tau), (G_i - tau+_i n_i P_i) / (1 - tau+_i) )     debiased;  tau+ = 0: N^U = G
    N_i      = N^U_i + sum_K k_ij exp(s_ij)                                      confirmed negatives K, never debiased

    out:  L_i = sum_p pi_ip (log D_ip - s_ip),   D_ip = N_i + { exp(s_ip) self | sum_p' exp(s_ip') all | 0 none }
    in:   L_i = log(sum_p exp(s_ip) + N_i) - log sum_p exp(s_ip)

Source: Oord et al. 2018 (InfoNCE), arXiv 1807.03748, eq. 4; Khosla et al. 2020 (SupCon), arXiv 2004.11362, eq. 2 and 3;
Chuang et al. 2020 (debiased), arXiv 2007.00224, section 4, github.com/chingyaoc/DCL; Robinson et al. 2021 (hard
negatives, HCL), arXiv 2010.04592, section 3, github.com/joshr17/HCL; Yeh et al. 2022 (decoupled), arXiv 2110.06848.
Differs from the papers: a second stratum K. The published HCL code overflows in float32 (tau .02, beta 2); this cannot,
because it never leaves log space.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


@dataclass(frozen=True, eq=False)
class Masses:
    """What pushes one anchor, as logarithms (-inf where nothing does), each (B,).

    log_G: unlabelled before debiasing. log_N_U: after. log_K: confirmed. log_N: both strata. clamped: bool, debiasing
    would leave less than the floor, so the unlabelled negatives of this anchor give no gradient.
    """

    log_G: Tensor
    log_N_U: Tensor
    log_K: Tensor
    log_N: Tensor
    clamped: Tensor


def log_weight(weight: Tensor) -> Tensor:
    """log(weight), -inf where the weight is 0, with a finite gradient there."""
    used = weight > 0
    return torch.where(used, torch.where(used, weight, 1.0).log(), -torch.inf)


def log_sum(log_terms: Tensor) -> Tensor:
    """log sum_j exp(log_terms_ij). (..., K) -> (...); -inf with gradient 0 where every term is -inf."""
    empty = (log_terms == -torch.inf).all(-1)
    safe = log_terms.masked_fill(empty[..., None], 0.0)
    return torch.logsumexp(safe, -1).masked_fill(empty, -torch.inf)


def log_mean(scores: Tensor, log_weights: Tensor) -> Tensor:
    """log of the weighted mean of exp(scores). (B, K) -> (B,); -inf where no weight is above 0."""
    total = log_sum(log_weights)
    return log_sum(scores + log_weights) - total.masked_fill(total == -torch.inf, 0.0)


def log_add(one: Tensor, other: Tensor) -> Tensor:
    """log(exp(one) + exp(other)), also where both are -inf."""
    return log_sum(torch.stack([one, other], -1))


def log1mexp(d: Tensor) -> Tensor:
    """log(1 - exp(d)) for d < 0, without cancellation at either end."""
    near = d > -math.log(2)
    return torch.where(near, (-torch.expm1(d)).log(), torch.log1p(-d.clamp_max(-math.log(2)).exp()))


def log_unlabelled(
    scores: Tensor, weight: Tensor, count: Tensor, *, tilt: float = 0.0, normalise: bool = False
) -> Tensor:
    """log G: how much the unlabelled candidates push before debiasing.

    Args: scores, weight: (B, K). count: (B,) n_i. tilt: beta, more weight to similar candidates; it is not detached.
    Returns: (B,); -inf where no candidate has weight.
    """
    log_omega = log_weight(weight) + tilt * scores  # (B, K)
    if not normalise:
        return log_sum(scores + log_omega)
    return log_mean(scores, log_omega) + log_weight(count)


def log_debiased(log_G: Tensor, log_P: Tensor, count: Tensor, tau_plus: Tensor, temperature: float) -> Masses:
    """Subtract the share tau+ of false negatives, n tau+ P, but leave at least the floor n exp(-1/tau).

    Args: each (B,); tau_plus in [0, 1). Rows with tau+ = 0 or without candidates stay log_G, without a floor.
    Returns: Masses without confirmed negatives.
    """
    log_n = log_weight(count)
    log_floor = log_n - 1 / temperature
    d = log_weight(tau_plus) + log_n + log_P - log_G
    possible = d < 0
    log_rest = log_G + log1mexp(torch.where(possible, d, -1.0)) - torch.log1p(-tau_plus)
    applies = (tau_plus > 0) & (log_G > -torch.inf)
    clamped = applies & ~(possible & (log_rest > log_floor))
    log_N_U = torch.where(applies, torch.where(clamped, log_floor, log_rest), log_G)
    return Masses(log_G, log_N_U, torch.full_like(log_G, -torch.inf), log_N_U, clamped)


def anchor_losses(scores: Tensor, pull: Tensor, log_N: Tensor, denominator: str, aggregate: str) -> Tensor:
    """L_i of every anchor from its positives and the mass that pushes it.

    Args: scores, pull: (B, K), pull >= 0. log_N: (B,). denominator: 'self', 'all' or 'none'. aggregate: 'out' or 'in'.
    Returns: (B,) in nats; exactly 0 for an anchor that `active` leaves out.
    """
    kept = active(pull, log_N, denominator)
    pi = pull / pull.sum(1, keepdim=True).clamp_min(torch.finfo(pull.dtype).tiny)  # (B, K), rows sum to 1
    log_pull = log_sum(scores.masked_fill(pull <= 0, -torch.inf)).masked_fill(~kept, 0.0)
    drawn = (pi * scores).sum(1)
    if aggregate == "in":
        losses = -logsigmoid(log_pull - log_N)
    elif denominator == "self":
        losses = -(pi * logsigmoid(scores - log_N[:, None])).sum(1)
    elif denominator == "all":
        losses = log_add(log_N, log_pull) - drawn
    else:
        losses = log_N - drawn
    return torch.where(kept, losses, 0.0)


def active(pull: Tensor, log_N: Tensor, denominator: str) -> Tensor:
    """(B,) bool: the anchor has a positive and, where nothing else is in the denominator, a negative."""
    kept = (pull > 0).any(1)
    return kept & (log_N > -torch.inf) if denominator == "none" else kept
