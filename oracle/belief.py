"""What the answers and the embedding together say about who belongs with whom.

    answers + kernel among the asked items -> the groups that explain them (`oracle.explain`)
    -> their mass walks the neighbour graph -> chance of every item, asked or not -> the partition

Answers may be wrong: an asked item follows its answers as far as the rest of the log makes them credible. Only what
answers say walks the graph: predictions that fed themselves would make coarse notions worse with every answer.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse

from db.nouns import Snapshot
from oracle.agreement import leaning
from oracle.constraints import ConstraintGraph
from oracle.explain import NEVER, OFTEN, Last, Search, explain
from oracle.granularity import fitting, novel
from oracle.grouping import answered_groups
from oracle.housing import houses
from oracle.moves import Part, parts
from oracle.posterior import TINY, Asked, Posterior
from oracle.reach import reach_of
from oracle.remember import Memory
from oracle.rows import row_max, row_sums

HOME = 0.4  # an unasked item leaves its start group for a group at least this likely
CLOSE = 4  # which of its neighbours tells how far an item surely reaches
PLACED, PLACED_EARLY = 0.8, 0.93  # an asked item less sure of its group waits for another question
EARLY = 3  # supported items a group below which it is early
TRIED = 14  # answers about one item after which it waits no longer


@dataclass(frozen=True, eq=False)
class Belief:
    """The posterior partition of one snapshot under one state of the log.

    probabilities: (N, G) float64, rows sum to 1; columns are groups. fresh: (N,) chance that an item is in none of
    them. labels: (N,) int64, the current partition. member: (N,) group the answers put an item in, -1 if they do not.
    against: (N, G) bool, answers say "not this group". between: (G, G) net nats of the answers between two groups,
    below 0 for groups known to differ. error_rate: how often an answer is wrong, as the log shows. asked: (A,) rows
    answered about. pending: rows among them whose group is still in doubt. founders: (G,) the row that holds each
    group. found: the explanation of the answers, None before any; search: how it was searched for.
    """

    snapshot: Snapshot
    probabilities: np.ndarray
    fresh: np.ndarray
    labels: np.ndarray
    member: np.ndarray
    against: np.ndarray
    between: np.ndarray
    error_rate: float
    asked: np.ndarray
    pending: np.ndarray
    founders: np.ndarray
    start: np.ndarray
    found: Posterior | None = None
    search: Search = NEVER

    @property
    def groups(self) -> int:
        """Number of groups the answers have found."""
        return self.between.shape[0]

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What each group falls into by the kernel alone, in rows."""
        taken = parts(self.found) if self.found is not None else []
        return tuple(Part(p.group, self.asked[p.items], self.asked[p.rest], p.together) for p in taken)

    @property
    def apart(self) -> np.ndarray:
        """(G, G) bool: groups known to differ."""
        return np.asarray(self.between < 0)

    @property
    def joint(self) -> np.ndarray:
        """(N, G+1): chance of each group, and last of a group not seen yet."""
        return np.column_stack([self.probabilities * (1 - self.fresh[:, None]), self.fresh])

    def same(self, i: int, j: int) -> float:
        """Chance that two rows belong together, in [0, 1]; by cosine where no group is known yet."""
        if not self.groups:
            rows = self.snapshot.vectors[[i, j]]
            return float(np.clip((rows[0] @ rows[1] + 1) / 2, 0.0, 1.0) * (1.0 if self._start_together(i, j) else 0.5))
        together = float(self.probabilities[i] @ self.probabilities[j])
        return float(np.clip(together * (1 - self.fresh[i]) * (1 - self.fresh[j]), 0.0, 1.0))

    def _start_together(self, i: int, j: int) -> bool:
        return bool(self.snapshot.start[i] == self.snapshot.start[j])


def infer(snapshot: Snapshot, graph: ConstraintGraph) -> Belief:
    """The belief that follows from a snapshot and the answers.

    The search starts from the groups found last time for this graph too, so along one log it is steady; the same log in
    a new graph gives the same belief unless answers contradict each other.
    """
    return _MEMORY.get(graph, snapshot, None, lambda: _sealed(_inferred(snapshot, graph)))


def _inferred(snapshot: Snapshot, graph: ConstraintGraph) -> Belief:
    asked = _asked(snapshot, graph)
    if asked is None:
        return _unanswered(snapshot, graph)
    return _answered(snapshot, asked, _MEMORY.last(graph))


_MEMORY: Memory[Belief] = Memory()


def _sealed(belief: Belief) -> Belief:
    """Others will read it: nobody may change it."""
    for array in (belief.probabilities, belief.fresh, belief.labels, belief.member, belief.against, belief.between):
        array.flags.writeable = False
    return belief


def _last(belief: Belief, snapshot: Snapshot, items: np.ndarray) -> Last | None:
    """An earlier belief, and the place of each item id in its explanation."""
    if belief.found is None:
        return None
    known = belief.snapshot.ids[belief.asked]
    place = np.searchsorted(known, items).clip(0, len(known) - 1)
    return Last(belief.found, np.where(known[place] == items, place, -1), belief.search, belief.snapshot is snapshot)


def _asked(snapshot: Snapshot, graph: ConstraintGraph) -> Asked | None:
    """The answers about items of the snapshot and the kernel among these items; None if there are none."""
    first, second, sign, weight = graph.arrays()
    a, b = _rows(snapshot, first), _rows(snapshot, second)
    known = (a >= 0) & (b >= 0)
    if not known.any():
        return None
    rows, places = np.unique(np.stack([a[known], b[known]]), return_inverse=True)
    one, other = places.reshape(2, -1)
    answers = (sign * weight)[known] / np.log((1 - graph.error_rate) / graph.error_rate)
    reach = reach_of(snapshot, CLOSE)
    return Asked(rows, one, other, answers, reach.among(rows), float(np.median(reach.near(rows))))


def _rows(snapshot: Snapshot, items: np.ndarray) -> np.ndarray:
    """Positions of item ids, -1 for those the snapshot does not hold."""
    if not len(snapshot.ids):
        return np.full(len(items), -1)
    place = np.searchsorted(snapshot.ids, items).clip(0, len(snapshot.ids) - 1)
    return np.where(snapshot.ids[place] == items, place, -1)


def _answered(snapshot: Snapshot, asked: Asked, last: Belief | None) -> Belief:
    rows = asked.rows
    found, search = explain(asked, None if last is None else _last(last, snapshot, snapshot.ids[rows]))
    probabilities, fresh = _everybody(snapshot, found)
    member = np.full(len(snapshot.ids), -1)
    sure = (found.group >= 0) & found.supported & (found.chance.max(1) > 0.5)
    member[rows[sure]] = found.group[sure]
    against = np.zeros(probabilities.shape, dtype=bool)
    against[rows] = found.evidence @ (member[rows][:, None] == np.arange(found.groups)) < 0  # net nats
    between = found.between()
    start = fitting(snapshot, rows[sure], found.group[sure])
    leant = leaning(probabilities, snapshot.start, rows[sure], found.group[sure], found.prior[sure, :-1])
    leant[rows] = probabilities[rows]
    strange = _strange(start, rows[sure], found.group[sure], fresh, rows)
    labels = _labels(start, leant, strange, member, against, between, rows)
    _keep_together(labels, found, member, against)
    return Belief(snapshot, probabilities, fresh, labels, member, against, between, found.error_rate,
                  rows, _pending(found), rows[found.founders], start, found, search)  # fmt: skip


def _strange(
    start: np.ndarray, known: np.ndarray, group: np.ndarray, fresh: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    """(N,) chance that an item is in none of the groups: by the walk and, unless it was asked, by its start cluster."""
    unmet = np.ones(int(start.max(initial=0)) + 1, dtype=bool)
    unmet[start[known]] = False
    strange = np.where(unmet[start], np.maximum(fresh, novel(start[known], group)), fresh)
    strange[asked] = fresh[asked]
    return strange


def _everybody(snapshot: Snapshot, found: Posterior) -> tuple[np.ndarray, np.ndarray]:
    """(N, G) chance of each group and (N,) of none of them: what reaches an item, or its posterior if it was asked."""
    rows = found.asked.rows
    flow = reach_of(snapshot, CLOSE).flow(rows, found.mass)
    fresh = found.newness(row_sums(flow))
    probabilities = found.shaped(flow)
    asked = found.chance[:, :-1] + np.float32(TINY)
    probabilities[rows] = asked / asked.sum(1, keepdims=True)
    fresh[rows] = found.chance[:, -1]
    return probabilities, fresh


def _pending(found: Posterior) -> np.ndarray:
    """Rows asked about whose group is not sure yet, unless they were asked about many times."""
    early = found.supported.sum() < EARLY * found.groups + 5
    times = np.bincount(np.concatenate([found.asked.a, found.asked.b]), minlength=found.count)
    open_ = (found.chance.max(1) < (PLACED_EARLY if early else PLACED)) & (times < TRIED)
    open_[found.founders] = False
    return found.asked.rows[open_]


def _labels(
    start: np.ndarray,
    posterior: np.ndarray,
    fresh: np.ndarray,
    member: np.ndarray,
    against: np.ndarray,
    between: np.ndarray,
    asked: np.ndarray,
) -> np.ndarray:
    """The partition: a likely group no answer speaks against, then the start partition."""
    house, homes = houses(member, between, start), int(start.max(initial=0)) + 1  # (G,)
    start = len(house) + start
    likely = posterior.argmax(1)  # (N,)
    homeless = row_max(posterior) * (1 - fresh) < HOME
    placed = np.where(homeless, start, house[likely])
    lives = (house[:, None] == np.arange(len(house) + homes)).astype(np.float32)  # (G, P)
    denied = (against[asked].astype(np.float32) @ lives) > 0  # (A, P)
    allowed = np.where(denied[:, house], -1.0, posterior[asked])
    lost = (allowed * (1 - fresh[asked, None])).max(1) < HOME
    outcast = denied[np.arange(len(asked)), start[asked]]  # an answer speaks against whoever lives where it started
    unplaced = np.where(outcast, start[asked] + homes, start[asked])
    placed[asked] = np.where(lost, unplaced, house[allowed.argmax(1)])
    return np.where(member >= 0, house[member], placed).astype(np.int64)


def _keep_together(labels: np.ndarray, found: Posterior, member: np.ndarray, against: np.ndarray) -> None:
    """Items whose group is in doubt go where the surest item goes that answers join them to."""
    rows, sure = found.asked.rows, found.chance.max(1)
    doubted = member[rows] < 0
    if not doubted.any():
        return
    said = _joined(found, member[rows])
    for group in np.unique(said[doubted & (said >= 0)]):
        items = np.flatnonzero(said == group)
        first = items[sure[items].argmax()]
        lost = rows[items[doubted[items] & ~against[rows[items], found.chance[first, :-1].argmax()]]]
        labels[lost] = labels[rows[first]]


def _joined(found: Posterior, member: np.ndarray) -> np.ndarray:
    """(A,) groups that answers speak of. In a long log those whose group is sure stay in it. member: (A,), -1: not."""
    if found.pairs < OFTEN:
        return answered_groups(found.evidence)
    node, doubted = member.copy(), np.flatnonzero(member < 0)
    node[doubted] = found.groups + np.arange(len(doubted))
    links = found.evidence.tocoo()
    one, other = node[links.row], node[links.col]
    pulled = (member >= 0) | (found.evidence.maximum(0) @ np.ones(len(member)) > 0)  # what nothing pulls joins nothing
    open_ = (np.maximum(one, other) >= found.groups) & pulled[links.row] & pulled[links.col]
    count = found.groups + len(doubted)
    return answered_groups(sparse.csr_matrix((links.data[open_], (one[open_], other[open_])), shape=(count, count)))[
        node
    ]


def _unanswered(snapshot: Snapshot, graph: ConstraintGraph) -> Belief:
    """Before any answer that tells groups apart: the start partition."""
    count, none = len(snapshot.ids), np.zeros(0, dtype=np.int64)
    groups = int(snapshot.start.max(initial=0)) + 1
    start = np.full((count, groups), 0.2 / groups)
    start[np.arange(count), snapshot.start] += 0.8
    empty = np.zeros((count, 0), dtype=bool)
    labels, member = snapshot.start.astype(np.int64, copy=True), np.full(count, -1)
    return Belief(snapshot, start, np.full(count, 0.5), labels, member, empty,
                  np.zeros((0, 0)), graph.error_rate, none, none, none, snapshot.start)  # fmt: skip
