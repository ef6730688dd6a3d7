"""The offline protocol of Ghose et al. on TrashNet: pools of positives per category, F1 at the best threshold.

Source: Ghose et al. 2022, Conference on Robot Learning (PMLR 205, 2023); no official code, no arXiv number known to us.
Three random pools of 40 positives per category; a candidate's score is the mean of its top-5 cosines to the pool; F1 at
the best threshold. Differs from the paper: TrashNet's six categories instead of their ten of 1,502 crops, which are not
public; one hidden layer on frozen features, views made by dropping and shaking features instead of augmenting pixels.
`picking` and `sorter` are ours, scored by themselves; `sorter` knows all pools at once, as the bins of one session.
"""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as fn

from benchmarks.label_efficiency.sets import Folders
from benchmarks.robot.sets import belt
from oracle.bins import unit
from oracle.picking import picking
from oracle.sorting import Costs, Sorter

POOL, TOP, THRESHOLDS = 40, 5, np.linspace(0.1, 0.95, 86)
WIDTH, CLUSTERS, EPOCHS, BATCH = 256, 10, 15, 256
TAU_INS, TAU_CLU, DROP, SHAKE = 0.5, 1.0, 0.3, 0.1
GHOSE_HEADS = {"human": (0, 0, 1), "contrastive": (1, 1, 0), "ghose": (1, 1, 1)}


def protocol(seed: int, folders: Folders) -> dict[str, Any]:
    """A line of results: mean F1 over categories, for one draw of the pools."""
    there = belt("trashnet", 0, folders)
    features = np.concatenate(there.views)
    random = np.random.default_rng(seed)
    pools = [random.permutation(np.flatnonzero(there.bins == one))[:POOL] for one in np.unique(there.bins)]
    found: dict[str, list[float]] = {}
    whitened = _unit(features - features.mean(0))
    alike = {"raw": [_unit(features)] * len(pools)}
    alike |= {name: [_learnt(whitened, pool, GHOSE_HEADS[name], seed) for pool in pools] for name in ("human", "ghose")}
    alike["contrastive"] = [_learnt(whitened, pools[0], GHOSE_HEADS["contrastive"], seed)] * len(pools)
    ours = np.array([unit(one) for one in features])
    for number, pool in enumerate(pools):
        rest = np.setdiff1d(np.arange(len(features)), pool)
        truth = there.bins[rest] == number
        for name, seen in alike.items():
            cosines = np.sort(seen[number][rest] @ seen[number][pool].T, axis=1)[:, -TOP:].mean(1)
            found.setdefault(name, []).append(best_f1(cosines, truth))
        model = picking(ours[pool], ours[rest])
        found.setdefault("picking", []).append(best_f1(model.scores(ours[rest]), truth))
    found["sorter"] = _sorter(features, there.bins, pools)
    return {"what": "ghose", "set": "trashnet", "seed": seed, "items": len(features), "pool": POOL,
            "f1": {name: float(np.mean(values)) for name, values in found.items()}}  # fmt: skip


def best_f1(scores: np.ndarray, truth: np.ndarray) -> float:
    """At the best of the paper's thresholds, or of as many quantiles of the scores: ours are no cosines, and heads that
    squeeze all cosines together shall not suffer from it."""
    tried = np.concatenate([THRESHOLDS, np.quantile(scores, np.linspace(0, 1, len(THRESHOLDS)))])
    return max(_f1(scores >= threshold, truth) for threshold in tried)


def _f1(said: np.ndarray, truth: np.ndarray) -> float:
    return float(2 * (said & truth).sum() / max(said.sum() + truth.sum(), 1))


def _sorter(features: np.ndarray, bins: np.ndarray, pools: list[np.ndarray]) -> list[float]:
    """All pools at once as bins of one session, as the product is used."""
    sorter = Sorter(features.shape[1])
    for number, pool in enumerate(pools):
        for thing in pool.tolist():
            sorter.see(thing, features[thing])
            sorter.put(thing, str(number))
    rest = np.setdiff1d(np.arange(len(features)), np.concatenate(pools))
    chances = np.zeros((len(rest), len(pools)))
    for at, thing in enumerate(rest.tolist()):
        for name, chance in sorter.look(unit(features[thing])[None], Costs()).ranking:
            chances[at, int(name)] = chance
    return [best_f1(chances[:, number], bins[rest] == number) for number in range(len(pools))]


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


class _Network(nn.Module):
    """y = f(x), an instance head h and a cluster head g."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.f = nn.Sequential(nn.Linear(dim, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
        self.h = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 128))
        self.g = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLUSTERS), nn.Softmax(dim=1))


def _learnt(features: np.ndarray, pool: np.ndarray, weights: tuple[int, int, int], seed: int) -> np.ndarray:
    """(N, WIDTH) unit rows after training with these weights of instance, cluster and human loss."""
    torch.manual_seed(seed)
    network, x = _Network(features.shape[1]), torch.tensor(features)
    picked = x[torch.tensor(pool)]
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-4)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = _loss(network, x[rows], picked, weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return np.asarray(fn.normalize(network.f(x), dim=1))


def _loss(network: _Network, x: torch.Tensor, picked: torch.Tensor, weights: tuple[int, int, int]) -> torch.Tensor:
    """L = w_ins L_ins + w_clu L_clu + w_human L_human."""
    total = torch.zeros(())
    if weights[0] or weights[1]:
        a, b = (network.f(_shaken(x)) for _ in range(2))
        p, q = network.g(a), network.g(b)
        entropy = sum((-mean * mean.log()).sum() for mean in (p.mean(0), q.mean(0)))
        total = weights[0] * _nt_xent(network.h(a), network.h(b), TAU_INS)
        total = total + weights[1] * (_nt_xent(p.T, q.T, TAU_CLU) - entropy)
    if weights[2]:
        y = network.f(picked)
        total = total + (1 - fn.cosine_similarity(y, y.mean(0, keepdim=True).detach())).mean()
    return total


def _shaken(x: torch.Tensor) -> torch.Tensor:
    return fn.dropout(x, DROP) + SHAKE * torch.randn_like(x) / x.shape[1] ** 0.5


def _nt_xent(a: torch.Tensor, b: torch.Tensor, tau: float) -> torch.Tensor:
    z = fn.normalize(torch.cat([a, b]), dim=1)
    logits = (z @ z.T / tau).fill_diagonal_(-torch.inf)
    return fn.cross_entropy(logits, torch.arange(len(z)).roll(len(a)))
