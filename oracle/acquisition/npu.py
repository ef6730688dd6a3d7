"""Place the item whose group is least certain for the number of questions it will cost.

    p(x in N_i) = mean forest similarity of x to N_i / sum of the same over all neighbourhoods
    score(x)    = entropy of p(x in N_1), ..., p(x in N_l) / expected questions, sum_i i p(x in N_(i)), likeliest first

Forest similarity of two items: share of the trees of a random forest, trained on the labels of the current partition,
in which both reach the same leaf. The chosen item is compared with the neighbourhoods, likeliest first.
Source: Xiong, Azimi and Fern 2014, "Active learning of constraints for semi-supervised clustering", IEEE TKDE 26(1).
Code by others: PyPI active-semi-supervised-clustering, where the expected questions go by the order in which the
neighbourhoods were founded; from it, an item that shares no leaf with any neighbourhood counts as uniform.
Differs: the partition is our belief instead of constrained k-means; the forest learns from at most `learn_from` items,
its leaves may be kept larger (`leaf`).
"""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from db.nouns import Question, Snapshot
from oracle.acquisition._neighbourhoods import Neighbourhoods, Round, all_at_least, neighbourhoods
from oracle.acquisition._screens import generator
from oracle.belief import infer
from oracle.bounds import Whole
from oracle.constraints import ConstraintGraph

REASON = "The group of this one is very uncertain for the few questions it takes to find it."


@dataclass(frozen=True)
class Acquisition:
    """seed: of the forest, and breaks ties. screen: most groups one item is shown beside. trees: of the forest.

    learn_from: most items the forest is trained on, those with answers first. leaf: fewest of them in a leaf.
    """

    seed: Whole = 0
    screen: int = 12
    trees: int = 50
    learn_from: int = 800
    leaf: int = 1

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen, trees=self.trees, learn_from=self.learn_from, leaf=self.leaf)

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, each one item beside its likeliest groups; half placed items first."""
        belief, known = infer(snapshot, graph), neighbourhoods(snapshot, graph)
        chance = self._membership(snapshot, belief.labels, known)  # (N, L)
        score = normalised_uncertainty(chance) + 1e-6 * generator(self.seed, graph).random(len(chance))
        rows = known.unplaced[np.argsort(-score[known.unplaced], kind="stable")].tolist()
        table = Round(snapshot, graph, belief, known, self.screen, criterion, "npu", REASON)
        return table.place(rows, lambda row: np.argsort(-chance[row], kind="stable"), n)

    def _membership(self, snapshot: Snapshot, labels: np.ndarray, known: Neighbourhoods) -> np.ndarray:
        """(N, L) p(x in N_i), rows sum to 1."""
        if len(known.rows) < 2:
            return np.ones((len(labels), len(known.rows)))
        alike = leaf_similarity(self._leaves(snapshot, labels, known), known.rows)
        total = alike.sum(1, keepdims=True)
        return np.where(total > 0, alike / np.maximum(total, 1e-12), 1 / len(known.rows))

    def _leaves(self, snapshot: Snapshot, labels: np.ndarray, known: Neighbourhoods) -> np.ndarray:
        """(N, T) leaf of every item in every tree."""
        shuffled = np.random.default_rng(self.seed).permutation(len(labels))
        rows = shuffled[np.argsort(known.of[shuffled] < 0, kind="stable")][: self.learn_from]
        forest = RandomForestClassifier(self.trees, min_samples_leaf=self.leaf, random_state=self.seed)
        return np.asarray(forest.fit(snapshot.vectors[rows], labels[rows]).apply(snapshot.vectors))


def leaf_similarity(leaves: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """(N, L) mean share of the trees in which an item shares its leaf with a member of a group; leaves (N, T)."""
    found = np.zeros((len(leaves), len(groups)))
    for tree in leaves.T:
        share = np.zeros((int(tree.max()) + 1, len(groups)))  # of each group, in each leaf
        for place, rows in enumerate(groups):
            share[:, place] = np.bincount(tree[rows], minlength=len(share)) / len(rows)
        found += share[tree]
    return found / leaves.shape[1]


def normalised_uncertainty(chance: np.ndarray) -> np.ndarray:
    """(N,) entropy in nats over expected questions; chance (N, L) rows sum to 1. 0 with fewer than two groups."""
    if chance.shape[1] < 2:
        return np.zeros(len(chance))
    entropy = -(chance * np.log(np.clip(chance, 1e-12, 1.0))).sum(1)
    expected = -np.sort(-chance, axis=1) @ np.arange(1, chance.shape[1] + 1)
    return np.asarray(entropy / expected)
