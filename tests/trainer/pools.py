"""Pools for the tests of the contrastive loss, and the loss as the formula says it: plain loops, plain exponentials."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from trainer.objectives.contrast import Objective
from trainer.pool import Pool

REFERENCE = json.loads((Path(__file__).parent / "contrastive_reference.json").read_text(encoding="utf-8"))["values"]
WIDE = ("pos", "neg", "confirmed", "same", "said", "reference", "detected")


def closed_form(rows: int, columns: int, shift: float) -> Tensor:
    """X[i, j] = sin(1.3 i + 2.1 j + 0.7 i j + shift), unit rows: inputs without random numbers."""
    i, j = torch.arange(rows, dtype=torch.float64)[:, None], torch.arange(columns, dtype=torch.float64)[None]
    return normalize(torch.sin(1.3 * i + 2.1 * j + 0.7 * i * j + shift), dim=1)


def make_pool(anchors: Tensor, keys: Tensor, pull: Tensor, push: Tensor, **more: Any) -> Pool:
    """A pool of these weights; no key is any anchor's own item unless ids are given."""
    nothing = torch.zeros(len(anchors), len(keys), dtype=anchors.dtype)
    given = {
        "anchor_ids": torch.arange(len(anchors)), "key_ids": -1 - torch.arange(len(keys)), "confirmed": nothing,
        "same": nothing, "said": nothing.to(torch.int8),
    }  # fmt: skip
    return Pool(anchors=anchors, keys=keys, pos=pull.to(anchors), neg=push.to(anchors), **{**given, **more})


def by_labels(views: Tensor, labels: Tensor, **more: Any) -> Pool:
    """Anchors and keys are the same rows; equal labels pull, others push, nobody meets itself."""
    equal = labels[:, None] == labels[None]
    return make_pool(views, views, equal & ~torch.eye(len(views), dtype=torch.bool), ~equal, **more)


def random_pool(seed: int, batch: int = 7, keys: int = 9, dim: int = 5, *, rich: bool = False) -> Pool:
    """Weighted, asymmetric: the first anchor has no positive, the second no negative. rich: all a policy may add."""
    random = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random, dtype=torch.float64)

    anchors, others = normalize(draw(batch, dim) - 0.4, dim=1), normalize(draw(keys, dim) - 0.4, dim=1)
    kind = draw(batch, keys)
    pull, push, said = draw(batch, keys) * (kind < 0.3), draw(batch, keys) * (kind > 0.4), 2.0 * (kind > 0.8)
    near = torch.arange(2, batch, 3)  # every third anchor has a close positive, so that debiasing hits its floor
    others[near] = normalize(anchors[near] + 0.3 * others[near], dim=1)
    pull[near, near], push[near, near], said[near, near] = 5.0, 0.0, 0.0
    pull[0], push[1], said[1] = 0.0, 0.0, 0.0
    pool = make_pool(anchors.requires_grad_(), others.requires_grad_(), pull, push * (said == 0), confirmed=said)
    if not rich:
        return pool
    made = normalize(draw(batch, 3, dim) - 0.4, dim=2)
    weight = draw(batch, 3)
    weight[1] = 0.0
    share = torch.tensor([0.0, 0.2, 0.95], dtype=torch.float64).repeat(batch)[:batch]
    return replace(pool, synthetic=made, synthetic_weight=weight, tau_plus=share, tilt=0.7, normalise=True)


def turned(pool: Pool, order: Tensor) -> Pool:
    """The same pool with its keys in another order."""
    wide = {name: getattr(pool, name)[:, order] for name in WIDE if getattr(pool, name) is not None}
    return replace(pool, keys=pool.keys[order], key_ids=pool.key_ids[order], **wide)


def cast(pool: Pool, dtype: torch.dtype) -> Pool:
    """Every float of the pool in another precision, as leaves of their own."""
    values = {one.name: getattr(pool, one.name) for one in fields(pool)}
    floats = {k: v.detach().to(dtype) for k, v in values.items() if isinstance(v, Tensor) and v.is_floating_point()}
    moved = replace(pool, **floats)
    moved.anchors.requires_grad_()
    moved.keys.requires_grad_()
    return moved


def gradients(value: Tensor, pool: Pool) -> tuple[Tensor, Tensor]:
    """With respect to anchors and keys."""
    to_anchors, to_keys = torch.autograd.grad(value, (pool.anchors, pool.keys), allow_unused=True)
    return to_anchors, to_keys


def in_loops(pool: Pool, objective: Objective) -> float:
    """The mean loss, one exponential at a time."""
    losses = [_anchor(pool, objective, row) for row in range(len(pool.anchors))]
    counted = [loss for loss in losses if loss is not None]
    return objective.scale * sum(counted) / max(1, len(counted))


def _anchor(pool: Pool, objective: Objective, i: int) -> float | None:
    tau, n_keys = objective.temperature, range(len(pool.keys))
    s = [(pool.anchors[i] @ key).item() / tau for key in pool.keys]
    positives = [j for j in n_keys if pool.pos[i, j] > 0]
    mass = _unlabelled(pool, tau, i, s) + sum(float(pool.confirmed[i, j]) * math.exp(s[j]) for j in n_keys)
    if not positives or (objective.denominator == "none" and mass == 0):
        return None
    pulled = sum(math.exp(s[j]) for j in positives)
    if objective.aggregate == "in":
        return math.log(pulled + mass) - math.log(pulled)
    inside = {"self": lambda j: math.exp(s[j]), "all": lambda j: pulled, "none": lambda j: 0.0}[objective.denominator]
    total = sum(float(pool.pos[i, j]) for j in positives)
    return sum(float(pool.pos[i, j]) / total * (math.log(mass + inside(j)) - s[j]) for j in positives)


def _unlabelled(pool: Pool, tau: float, i: int, s: list[float]) -> float:
    terms = [(float(weight), score) for weight, score in zip(pool.neg[i], s, strict=True) if weight > 0]
    if pool.synthetic is not None and pool.synthetic_weight is not None:
        made = zip(pool.synthetic_weight[i], pool.synthetic[i], strict=True)
        terms += [(float(weight), (pool.anchors[i] @ row).item() / tau) for weight, row in made if weight > 0]
    if not terms:
        return 0.0
    n = len(terms) if pool.count is None else float(pool.count[i])
    omega = [weight * math.exp(pool.tilt * score) for weight, score in terms]
    G = sum(o * math.exp(score) for o, (_, score) in zip(omega, terms, strict=True))
    G = n * G / sum(omega) if pool.normalise else G
    share = 0.0 if pool.tau_plus is None else float(pool.tau_plus[i])
    standing = [j for j in range(len(s)) if pool.pos[i, j] > 0 and pool.own[i, j]]
    standing = standing or [j for j in range(len(s)) if pool.pos[i, j] > 0]
    if share == 0 or not standing:
        return G
    weights = [float(pool.pos[i, j]) for j in standing]
    P = sum(w * math.exp(s[j]) for w, j in zip(weights, standing, strict=True)) / sum(weights)
    return max(n * math.exp(-1 / tau), (G - share * n * P) / (1 - share))
