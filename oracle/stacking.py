"""One probability from several scores: softmax(w . scores), w the most likely on held-out scores, near a prior.

Scores of one expert may be on any scale: the weight is its inverse temperature. What is fitted on predictions that did
not see the thing itself is calibrated as far as the things to come are like those before.
"""

import numpy as np

ROUNDS = 25
HALVINGS = 12


def probabilities(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(N, K) from scores (E, N, K) and weights (E,)."""
    logits = np.tensordot(weights, scores, 1)
    logits -= logits.max(1, keepdims=True)
    found = np.exp(logits)
    return np.asarray(found / found.sum(1, keepdims=True))


def loss(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray, prior: np.ndarray, trust: float) -> float:
    """Negative log-likelihood in nats, and the price of leaving the prior."""
    sure = probabilities(scores, weights)[np.arange(len(truth)), truth]
    leaving = trust * float((((weights - prior) / prior) ** 2).sum())
    return float(-np.log(np.maximum(sure, 1e-12)).sum() + leaving)


def fitted(scores: np.ndarray, truth: np.ndarray, prior: np.ndarray, trust: float = 10.0) -> np.ndarray:
    """(E,) weights >= 0. scores: (E, N, K), held out. truth: (N,). prior: (E,) > 0, worth `trust` things.

    Newton's method on a convex loss, each step halved until it helps and cut at 0.
    """
    weights = prior.astype(np.float64).copy()
    if not len(truth):
        return weights
    best = loss(scores, truth, weights, prior, trust)
    for _ in range(ROUNDS):
        step = _step(scores, truth, weights, prior, trust)
        for _ in range(HALVINGS):
            tried = np.maximum(weights - step, 0.0)
            value = loss(scores, truth, tried, prior, trust)
            if value < best:
                break
            step = step / 2
        else:
            break
        done, weights, best = best - value < 1e-6 * (1 + abs(best)), tried, value
        if done:
            break
    return weights


def _step(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray, prior: np.ndarray, trust: float) -> np.ndarray:
    found = probabilities(scores, weights)
    said = scores[:, np.arange(len(truth)), truth]  # (E, N)
    means = (scores * found).sum(2)  # (E, N)
    slope = (means - said).sum(1) + 2 * trust * (weights - prior) / prior**2
    spread = np.einsum("enk,fnk,nk->ef", scores, scores, found) - means @ means.T
    return np.asarray(np.linalg.solve(spread + np.diag(2 * trust / prior**2) + 1e-9 * np.eye(len(prior)), slope))
