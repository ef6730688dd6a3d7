"""How good are features for telling classes apart? Neighbours vote, or a linear classifier is fitted.

Source: Wu, Xiong, Yu, Lin 2018, "Unsupervised feature learning via non-parametric instance discrimination",
arXiv 1805.01978 (the kNN probe; here each neighbour has one vote); Zhang, Isola, Efros 2016, arXiv 1603.09246 (linear).
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from db.errors import BadInput

VOTERS = 20
SAMPLE = 2000  # pictures looked at while training: a third of a CPU second with the small network, ± 2 % of accuracy


def knn_accuracy(
    known: np.ndarray, labels: np.ndarray, asked: np.ndarray, truth: np.ndarray, voters: int = VOTERS
) -> float:
    """Share of `asked` (M, D) whose `voters` nearest rows of `known` (N, D) by cosine name the true class.

    labels (N,), truth (M,): int64 >= 0. The nearer neighbours break a tie.
    """
    return float((voted(known, labels, asked, voters) == truth).mean())


def voted(known: np.ndarray, labels: np.ndarray, asked: np.ndarray, voters: int = VOTERS) -> np.ndarray:
    """(M,) class that the nearest rows of `known` vote for."""
    return _vote(_unit(asked) @ _unit(known).T, labels, voters)


def knn_left_out(features: np.ndarray, labels: np.ndarray, voters: int = VOTERS) -> float:
    """The same for a collection without a test part: every item asks all others."""
    if len(features) < 2:
        raise BadInput(f"{len(features)} labelled items = at least 2 expected. Choose a column that is filled in.")
    rows = _unit(features)
    cosine = rows @ rows.T
    np.fill_diagonal(cosine, -np.inf)
    return float((_vote(cosine, labels, min(voters, len(rows) - 1)) == labels).mean())


def sampled(truth: np.ndarray, seed: int, most: int = SAMPLE) -> np.ndarray:
    """(M,) rising rows whose class is known (>= 0), at most so many, the same for the same seed."""
    rows = np.flatnonzero(truth >= 0)
    return rows if len(rows) <= most else np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def linear_accuracy(known: np.ndarray, labels: np.ndarray, asked: np.ndarray, truth: np.ndarray) -> float:
    """Share of `asked` that a logistic regression on standardised features names right."""
    scale = StandardScaler().fit(known)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 300 steps order the classes well enough
        fitted = LogisticRegression(C=0.1, max_iter=300).fit(scale.transform(known), labels)
    return float((fitted.predict(scale.transform(asked)) == truth).mean())


def _vote(cosine: np.ndarray, labels: np.ndarray, voters: int) -> np.ndarray:
    """(M,) winning class."""
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :voters]
    votes = np.zeros((len(cosine), int(labels.max()) + 1))
    for place in range(nearest.shape[1]):
        votes[np.arange(len(cosine)), labels[nearest[:, place]]] += 1 - 1e-4 * place
    return votes.argmax(1)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
