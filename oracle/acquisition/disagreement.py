"""Ask where a committee is divided: heads that each learnt from another draw of the answered items.

    head m       centre_mg = sum over items i of group g of w_mi x_i; w ~ Poisson(1) for items answers placed, a
                 bootstrap of the answers, and Poisson(sample / size of g) for the others
    vote         head m puts item x in the group of its nearest centre, by cosine
    division     entropy of the votes for an item's group
    question     the most divided item beside the nearest member of each group voted for, most votes first

Source: Seung, Opper and Sompolinsky 1992, "Query by committee"; vote entropy after Dagan and Engelson 1995,
"Committee-based sampling for training probabilistic classifiers"; committees for pairs of a clustering after Greene and
Cunningham 2007, "Constraint selection by committee: an ensemble approach to identifying informative constraints for
semi-supervised clustering".
Differs: heads are nearest-mean classifiers, so that a committee is one product of matrices; they also learn from a few
items no answer placed, by the current partition, so that groups nobody was asked about have votes too. Where answers
have settled all groups voted for, neighbours are shown, the ones the heads are most divided about.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from db.nouns import Kind, Question, Snapshot
from oracle.acquisition._neighbourhoods import all_at_least, nearest
from oracle.acquisition._screens import Desk, chance_same, doubt, generator, question
from oracle.belief import Belief, infer
from oracle.bounds import Whole
from oracle.constraints import ConstraintGraph

REASON = "Models that learnt from different parts of the answers disagree about these."


@dataclass(frozen=True)
class Acquisition:
    """seed: of the bootstrap. screen: most candidates on one screen. members: heads in the committee.

    sample: items of a group, not placed by answers, a head learns from, on average.
    """

    seed: Whole = 0
    screen: int = 12
    members: int = 8
    sample: int = 8

    def __post_init__(self) -> None:
        all_at_least(1, screen=self.screen, sample=self.sample)
        all_at_least(2, members=self.members)

    def propose(self, snapshot: Snapshot, graph: ConstraintGraph, n: int, *, criterion: int = 0) -> list[Question]:
        """Up to n screens, most divided item first; its neighbours are no anchors of the same round."""
        if not len(snapshot.ids):
            return []
        belief, desk, rng = infer(snapshot, graph), Desk(snapshot, graph), generator(self.seed, graph)
        group, taught = belief.labels, belief.member >= 0
        share = np.minimum(1.0, self.sample / np.bincount(group)[group])
        weight = rng.poisson(np.where(taught, 1.0, share), (self.members, len(group)))
        votes = committee(snapshot.vectors, group, weight)  # (M, N)
        order = np.argsort(-vote_entropy(votes) + 1e-6 * rng.random(votes.shape[1]), kind="stable")
        found: list[Question] = []
        passed = np.zeros(len(snapshot.ids), dtype=bool)
        for anchor in map(int, order):
            if len(found) >= n:
                break
            rows = [] if passed[anchor] else self._beside(desk, belief, votes, anchor)
            if len(rows):
                passed[snapshot.neighbours[anchor]] = True
                desk.take(anchor, rows)
                kind = Kind.PAIR if len(rows) == 1 else Kind.TICK
                found.append(
                    question(snapshot, kind, anchor, rows, criterion=criterion, proposer="disagreement",
                             reason=REASON, expected=chance_same(belief, anchor, np.array(rows)))
                )  # fmt: skip
        return found

    def _beside(self, desk: Desk, belief: Belief, votes: np.ndarray, anchor: int) -> list[int]:
        """The nearest member of each open group voted for, asked ones if there are; else divided open neighbours."""
        open_rows = desk.open_rows(anchor)
        voted, count = np.unique(votes[:, anchor], return_counts=True)
        found: list[int] = []
        for name in voted[np.argsort(-count, kind="stable")]:
            members = np.flatnonzero(belief.labels == name)
            members = members[members != anchor]
            if open_rows[members].all():  # else answers have compared it with this group
                asked = members[belief.member[members] >= 0]
                found += nearest(desk.snapshot, anchor, asked if len(asked) else members, 1)
        if found:
            return found[: self.screen]
        rows = desk.snapshot.neighbours[anchor]
        rows = rows[open_rows[rows]]
        divided = doubt((votes[:, rows] == votes[:, anchor][:, None]).mean(0))
        return [int(row) for row in rows[np.argsort(-divided, kind="stable")[: self.screen]]]


def committee(vectors: np.ndarray, group: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(M, N) votes: the group of the nearest centre, for every head. group (N,) names; weight (M, N) of the lessons."""
    names, place = np.unique(group, return_inverse=True)
    votes = []
    for head in weight:
        taught = np.flatnonzero(head)
        lessons = sparse.csr_matrix((head[taught], (place[taught], taught)), (len(names), len(group)))
        centres = np.asarray(lessons @ vectors, dtype=np.float32)  # (G, D)
        length = np.linalg.norm(centres, axis=1, keepdims=True)
        cosine = vectors @ (centres / np.maximum(length, 1e-12)).T  # (N, G)
        cosine[:, length[:, 0] == 0] = -2.0  # a group this head never saw
        votes.append(names[cosine.argmax(1)])
    return np.array(votes)


def vote_entropy(votes: np.ndarray) -> np.ndarray:
    """(N,) entropy in nats of the votes each item got; votes (M, N)."""
    heads = len(votes)
    share = (votes[:, None, :] == votes[None, :, :]).mean(0)  # (M, N) share of the heads that vote as head m does
    return np.asarray(-np.log(share).sum(0) / heads)
