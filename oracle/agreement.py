"""How far the start partition agrees with the answers: items that started together mostly share a group.

    q_cg = (k_cg + FEW mean_cg) / (n_c + FEW)   asked items of start cluster c in group g, and what the kernel expects
    chance_ig ~ kernel_ig q_{c(i) g}^lambda         lambda by how well it predicts the asked items, each left out

A walk sees only what lies near; a cluster sees all of its items. Where answers cut through the clusters lambda is small
and the kernel decides alone.
"""

import numpy as np
import scipy.sparse as sparse

from oracle.rows import BLOCK

FEW = 2.0  # asked items that count as much as what the kernel expects of a cluster
LAMBDAS = np.array([0.0, 0.15, 0.3, 0.5, 0.75, 1.0])
USUAL, HELD = 0.15, 20.0  # lambda before any answer, and how strongly it is held, in nats per unit squared
JUDGED = 500  # asked items that judge lambda, at most
MISSED = 0.01  # chance that any asked item is where nothing predicts it


def leaning(
    chance: np.ndarray, start: np.ndarray, rows: np.ndarray, group: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """(N, G) chances of items nobody asked about, leaning to the groups of their start clusters.

    Args: chance (N, G) by the kernel, rows sum to 1. start (N,) start partition. rows (A,) asked items whose group
    answers support, group (A,) that group. prior (A, G) what the kernel alone predicts of them.
    """
    count, groups = int(start.max(initial=0)) + 1, chance.shape[1]
    if not len(rows) or groups < 2:
        return chance.copy()
    held = np.zeros((count, groups), dtype=chance.dtype)
    np.add.at(held, (start[rows], group), 1.0)
    expected = _means(chance, start, count)
    some = slice(None, None, 1 + len(rows) // JUDGED)
    exponent = _fitted(held, expected, start[rows[some]], group[some], prior[some])
    if exponent == 0:
        return chance.copy()
    shares, leant = (_share(held, expected) ** exponent).astype(chance.dtype), np.empty_like(chance)
    for at in range(0, len(chance), BLOCK):
        block = slice(at, at + BLOCK)
        part = chance[block] * shares[start[block]]
        leant[block] = part / part.sum(1, keepdims=True)
    return leant


def _means(chance: np.ndarray, start: np.ndarray, count: int) -> np.ndarray:
    """(C, G) mean chance over each start cluster."""
    each = np.arange(len(start) + 1)
    lives = sparse.csr_matrix((np.ones(len(start), chance.dtype), start, each), (len(start), count))
    total = np.asarray(lives.T @ chance) + 1e-3
    return np.asarray(total / total.sum(1, keepdims=True))


def _share(held: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.asarray((held + FEW * expected) / (held.sum(1, keepdims=True) + FEW))


def _fitted(held: np.ndarray, expected: np.ndarray, cluster: np.ndarray, group: np.ndarray, prior: np.ndarray) -> float:
    """The lambda under which asked items, each left out of its own cluster, are predicted best."""
    own = np.arange(len(group))
    others = held[cluster]
    others[own, group] -= 1.0
    log_share, log_prior = np.log(_share(others, expected[cluster])), np.log(prior + 1e-9)
    scores = log_prior + LAMBDAS[:, None, None] * log_share  # (L, A, G)
    scores -= scores.max(2, keepdims=True)
    chance = np.exp(scores[:, own, group]) / np.exp(scores).sum(2)
    worth = np.log(chance + MISSED).sum(1) - HELD * (LAMBDAS - USUAL) ** 2
    return float(LAMBDAS[worth.argmax()])
