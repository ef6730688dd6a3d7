"""The plain contrastive loss without its (B, K) matrix: rows in blocks, the gradient in closed form.

Plain means no tilt, debiasing or synthetic negative: weighted positives pull, weighted negatives push. With shares
sigma_ij = a_ij exp(s_ij) / sum_j' a_ij' exp(s_ij') of the mass a named below, the gradient dL_i / ds_ij is

    out, all    sigma - pi                              a = 1[p] + w        L = log D - sum pi s
    out, none   sigma - pi                              a = w               L = log N - sum pi s
    out, self   (sum_p r_p) sigma - r                   a = w               r_p = pi_p sigmoid(log N - s_p)
    in          sigma - sigma'                          a = 1[p] + w        a' = 1[p]

so one pass over a block gives its losses and both gradients; memory is O(block x K). First derivatives only:
`trainer.contrast` says the same with autograd, and the tests hold the two together.
Source: gradients of Khosla et al. 2020, arXiv 2004.11362, eq. 2 and 3 (their appendix), with weights.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from db.errors import BadInput

ELEMENTS = 2**19  # of one block: 2 MB in float32, small enough for the cache
Rows = Callable[[slice], tuple[Tensor, Tensor]]  # which anchors -> pull >= 0 (b, K), push >= 0 (b, K)


def by_label(labels: Tensor, key_labels: Tensor | None = None, *, dtype: torch.dtype = torch.float32) -> Rows:
    """Equal labels pull, others push: SupCon; with pair ids for labels, NT-Xent.

    Args: labels: (B,). key_labels: (K,), if the keys are not the anchors themselves; then an anchor meets every key.
    """
    others = labels if key_labels is None else key_labels

    def rows(part: slice) -> tuple[Tensor, Tensor]:
        pull = labels[part, None] == others[None]  # (b, K)
        push = ~pull
        if key_labels is None:
            pull.diagonal(part.start).fill_(False)
        return pull.to(dtype), push.to(dtype)

    return rows


def by_queue(ids: Tensor, queue_ids: Tensor, *, dtype: torch.dtype = torch.float32) -> Rows:
    """MoCo: keys are the anchors' own keys and then a queue; the own key pulls, the queue pushes except the own item.

    Args: ids: (B,). queue_ids: (Q,). For keys (B + Q, d).
    """

    def rows(part: slice) -> tuple[Tensor, Tensor]:
        size = part.stop - part.start
        pull = torch.zeros(size, len(ids) + len(queue_ids), dtype=dtype, device=ids.device)
        pull.diagonal(part.start).fill_(1.0)
        push = torch.zeros_like(pull)
        push[:, len(ids) :] = ids[part, None] != queue_ids[None]
        return pull, push

    return rows


def in_blocks(
    anchors: Tensor,
    keys: Tensor,
    rows: Rows,
    *,
    temperature: float,
    denominator: str = "all",
    aggregate: str = "out",
    elements: int = ELEMENTS,
) -> Tensor:
    """The mean loss over anchors that have a positive, as `trainer.contrast.anchor_losses` defines it.

    Args: anchors: (B, d), keys: (K, d), unit rows. rows: weights of a block, `push` of both strata together.
        elements: size of a block, in scores.
    Returns: () in nats, once differentiable. Exactly 0 if no anchor has a positive.
    """
    form = aggregate if aggregate == "in" else denominator
    size = max(1, elements // max(1, len(keys)))
    mean: Tensor = _InBlocks.apply(anchors, keys, rows, temperature, form, size)
    return mean


class _InBlocks(torch.autograd.Function):
    """Gradients are made with the losses, scaled by what arrives later."""

    @staticmethod
    def forward(
        ctx: Any, anchors: Tensor, keys: Tensor, rows: Rows, temperature: float, form: str, size: int
    ) -> Tensor:
        wants_anchors, wants_keys = ctx.needs_input_grad[:2]
        to_anchors = torch.zeros_like(anchors) if wants_anchors else None
        to_keys = torch.zeros_like(keys) if wants_keys else None
        total, count = anchors.new_zeros(()), anchors.new_zeros(())
        for start in range(0, len(anchors), size):
            part = slice(start, min(start + size, len(anchors)))
            scaled = anchors[part] / temperature  # (b, d)
            losses, slope, kept = block(scaled @ keys.T, *rows(part), form)
            total, count = total + losses.sum(), count + kept.sum()
            if to_anchors is not None:
                torch.mm(slope, keys, out=to_anchors[part])
            if to_keys is not None:
                to_keys.addmm_(slope.T, scaled)
        count = count.clamp_min(1)
        ctx.gradients = (
            None if to_anchors is None else to_anchors.div_(temperature * count),
            None if to_keys is None else to_keys.div_(count),
        )
        return total / count

    @staticmethod
    def backward(ctx: Any, arriving: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # create_graph: the second derivative would silently be 0
            raise BadInput(
                "the contrastive loss in blocks has no second derivative. Use the objective with blocks=False."
            )
        to_anchors, to_keys = (None if one is None else one * arriving for one in ctx.gradients)
        return to_anchors, to_keys, None, None, None, None


def block(scores: Tensor, pull: Tensor, push: Tensor, form: str) -> tuple[Tensor, Tensor, Tensor]:
    """Losses (b,), their slopes dL/ds (b, K) and which anchors count (b,), from scores, pull and push (b, K)."""
    pulled = pull.sum(1, keepdim=True)
    kept = pulled[:, 0] > 0
    pi = pull / pulled.clamp_min(torch.finfo(pull.dtype).tiny)  # (b, K)
    if form == "self":
        log_N, share = _shares(scores, push)
        at = pull.nonzero(as_tuple=True)  # few of the (b, K), and logarithms are dear
        gap, among = log_N[at[0]] - scores[at], pi[at]
        losses = torch.zeros_like(pi).index_put_(at, -among * logsigmoid(-gap)).sum(1)
        slack = torch.zeros_like(pi).index_put_(at, among * gap.sigmoid())
        slope = share.mul_(slack.sum(1, keepdim=True)).sub_(slack)
    elif form == "in":
        positive = (pull > 0).to(push.dtype)
        log_D, share = _shares(scores, push + positive)
        log_pull, among = _shares(scores, positive)
        losses, slope = log_D - log_pull, share - among
    else:
        mass = push if form == "none" else push + (pull > 0)
        log_D, share = _shares(scores, mass)
        kept = kept & (log_D > -torch.inf)
        losses, slope = log_D - (pi * scores).sum(1), share - pi
    return losses.masked_fill(~kept, 0.0), slope.mul_(kept[:, None]), kept


def _shares(scores: Tensor, mass: Tensor) -> tuple[Tensor, Tensor]:
    """log sum_j mass_ij exp(s_ij) (b,) and each term's share of the sum (b, K); -inf and 0 for a row without mass."""
    limits = torch.finfo(scores.dtype)
    terms = scores.masked_fill(mass.logical_not(), -torch.inf)
    top = terms.amax(1, keepdim=True).clamp_min_(limits.min)
    terms.sub_(top).exp_().mul_(mass)
    total = terms.sum(1, keepdim=True)
    return (top + total.log())[:, 0], terms.div_(total.clamp_min(limits.tiny))
