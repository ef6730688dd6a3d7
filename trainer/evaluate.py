"""How good a partition and an embedding are, over all items that carry a true label.

Every partition figure comes from one table: how many items of true class i sit in found group j. Items may carry
weights, so a bootstrap is the same sum with other weights.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from db.errors import BadInput

VOTERS = 10  # neighbours that vote in kNN accuracy, and are looked through for recall
FIGURES = (
    "ari",
    "nmi",
    "accuracy",
    "pair_precision",
    "pair_recall",
    "pair_f1",
    "knn_accuracy",
    "recall_at_10",
    "clusters",
)


def scores(labels_true: Sequence[Any], labels_pred: Any, vectors: Any, neighbours: Any) -> dict[str, float]:
    """Every quality figure of `curve.csv`. Items whose true label is None, NaN or empty are left out of the score.

    Args: labels_true (N,) of anything; labels_pred (N,) int; vectors (N, D), unit rows (kept for the signature:
    neighbours already say who is near); neighbours (N, K) int positions, nearest first.
    Returns: ari in [-1, 1], clusters a count, the rest in [0, 1].
    """
    known, truth, found = _aligned(labels_true, labels_pred)
    hits = _neighbour_hits(truth, known, np.asarray(neighbours))
    weights = np.ones(len(known))
    table = _table(truth[known], found[known], weights)
    return {**partition_figures(table, len(known)), **_means(hits, weights), "clusters": float(len(np.unique(found)))}


def bootstrap(
    labels_true: Sequence[Any],
    labels_pred: Any,
    neighbours: Any,
    *,
    seed: int = 0,
    rounds: int = 200,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """An interval for each figure: items are redrawn with replacement, the partition is kept.

    A redrawn item never counts as a pair with its own copy, which would flatter every pair figure.
    """
    known, truth, found = _aligned(labels_true, labels_pred)
    hits = _neighbour_hits(truth, known, np.asarray(neighbours))
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(rounds):
        weights = rng.multinomial(len(known), np.full(len(known), 1.0 / len(known))).astype(np.float64)
        table = _table(truth[known], found[known], weights)
        draws.append({**partition_figures(table, float((weights**2).sum())), **_means(hits, weights)})
    tail = 100 * (1 - level) / 2
    return {
        name: (float(np.percentile(column, tail)), float(np.percentile(column, 100 - tail)))
        for name in draws[0]
        for column in [[draw[name] for draw in draws]]
    }


def kmeans_ari(vectors: np.ndarray, labels: Sequence[Any], seed: int = 0) -> float:
    """The baseline to beat: k-means on the raw features, told the true number of groups, best of 10 restarts."""
    truth = label_codes(labels)
    known = np.flatnonzero(truth >= 0)
    groups = len(np.unique(truth[known]))
    found = KMeans(groups, n_init=10, random_state=seed).fit_predict(np.asarray(vectors, np.float32)[known])
    return float(adjusted_rand_score(truth[known], found))


def label_codes(labels: Sequence[Any]) -> np.ndarray:
    """(N,) int64: each distinct label its number, -1 where there is none (None, NaN or an empty text)."""
    names: dict[str, int] = {}
    missing = ("", "nan", "none", "<na>")
    texts = [str(label).strip() for label in labels]
    return np.array(
        [-1 if text.lower() in missing else names.setdefault(text, len(names)) for text in texts], dtype=np.int64
    )


def partition_figures(table: np.ndarray, squares: float) -> dict[str, float]:
    """Figures of a table (true classes x found groups) of summed weights; `squares` is the sum of squared weights.

    Pair counts leave out pairs of an item with itself: (n^2 - squares) / 2.
    """
    rows, columns, total = table.sum(1), table.sum(0), float(table.sum())
    both = (float((table**2).sum()) - squares) / 2
    same, together = (float((rows**2).sum()) - squares) / 2, (float((columns**2).sum()) - squares) / 2
    pairs = (total**2 - squares) / 2
    precision, recall = _ratio(both, together), _ratio(both, same)
    return {
        "ari": _adjusted(both, same, together, pairs),
        "nmi": _nmi(table / total, rows / total, columns / total),
        "accuracy": _accuracy(table),
        "pair_precision": precision,
        "pair_recall": recall,
        "pair_f1": _ratio(2 * precision * recall, precision + recall),
    }


def _aligned(labels_true: Sequence[Any], labels_pred: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth, found = label_codes(labels_true), np.unique(np.asarray(labels_pred), return_inverse=True)[1]
    if len(truth) != len(found):
        raise BadInput(
            f"labels_true has {len(truth)} rows and labels_pred {len(found)}: score the same items in the same order."
        )
    known = np.flatnonzero(truth >= 0)
    if len(known) < 2:
        raise BadInput(
            f"{len(known)} items carry a true label, expected at least 2: choose a column that is filled in."
        )
    return known, truth, found


def _table(truth: np.ndarray, found: np.ndarray, weights: np.ndarray) -> np.ndarray:
    classes, groups = int(truth.max()) + 1, int(found.max()) + 1
    flat = np.bincount(truth * groups + found, weights=weights, minlength=classes * groups)
    return flat.reshape(classes, groups)  # (true, found)


def _adjusted(both: float, same: float, together: float, pairs: float) -> float:
    """Hubert and Arabie 1985. One group against one group, or singletons against singletons, agree fully: 1."""
    expected, most = same * together / pairs if pairs else 0.0, (same + together) / 2
    return 1.0 if np.isclose(most, expected, rtol=1e-12, atol=1e-12) else float((both - expected) / (most - expected))


def _nmi(joint: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> float:
    cells = joint > 0
    mutual = float((joint[cells] * np.log(joint[cells] / np.outer(rows, columns)[cells])).sum())
    entropies = _entropy(rows) + _entropy(columns)
    return 1.0 if entropies == 0 else float(np.clip(2 * mutual / entropies, 0.0, 1.0))


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(max(-(shares * np.log(shares)).sum(), 0.0))


def _accuracy(table: np.ndarray) -> float:
    """Share of items right under the best one-to-one match of groups to classes (Hungarian)."""
    rows, columns = linear_sum_assignment(-table)
    return float(table[rows, columns].sum() / table.sum())


def _neighbour_hits(truth: np.ndarray, known: np.ndarray, neighbours: np.ndarray) -> dict[str, np.ndarray]:
    """Per labelled item, 0 or 1: does the vote of its neighbours name its class; is any neighbour of its class."""
    near = truth[neighbours[known, :VOTERS]] if neighbours.shape[1] else np.full((len(known), 1), -1)  # (M, K)
    own = truth[known]
    return {
        "knn_accuracy": (_vote(near, int(truth.max()) + 1) == own).astype(np.float64),
        "recall_at_10": (near == own[:, None]).any(1).astype(np.float64),
    }


def _vote(near: np.ndarray, classes: int) -> np.ndarray:
    """(M,) winning class of (M, K) neighbours' classes; the nearer neighbours break a tie. -1: nobody to ask."""
    votes = np.zeros((len(near), classes + 1))
    rows = np.arange(len(near))
    for place in range(near.shape[1]):
        votes[rows, near[:, place]] += 1.0 - 1e-4 * place  # an unlabelled neighbour (-1) votes into the last column
    winner = votes[:, :classes].argmax(1)
    return np.where(votes[:, :classes].max(1) > 0, winner, -1)


def _means(hits: dict[str, np.ndarray], weights: np.ndarray) -> dict[str, float]:
    return {name: float((hit * weights).sum() / weights.sum()) for name, hit in hits.items()}


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0
