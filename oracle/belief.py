"""What the answers and the embedding together say about who belongs with whom.

    answers -> groups of asked items -> their mass walks the neighbour graph -> prior of every item -> times its own
    answers

1. `grouping`: groups the answers speak of, by net evidence.
2. An asked item's posterior from answers alone: "same" as a partner of group g adds log((1-e) q_g + e (1-q_g)),
"different"
   log(e q_g + (1-e)(1-q_g)), e the error the evidence assumes. Only this posterior walks the graph: predictions that
   fed
   themselves would make coarse notions worse with every answer.
3. F = (I - alpha D^-1 W)^-1 Y; prior_ig = F_ig / (group mass)^beta, tempered by a fit on answers left out in turn.
4. p(new) shrinks with the mass that reaches an item and with the rate at which groups were found lately (Good-Turing).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from db.nouns import Snapshot
from oracle.constraints import ConstraintGraph
from oracle.grouping import answered_groups, membership, signed_evidence
from oracle.housing import houses
from oracle.kernel import Kernel, kernel_of
from oracle.remember import Memory

TINY = 1e-12
HOME = 0.4  # an unasked item leaves its start group for a group at least this likely
BLOCK = 4096  # rows normalised together
JUDGED = 500  # answers left out that judge the temperature, at most
PSEUDO = 10.0  # weight of the guess that every second item is in a group not seen yet, in asked items
TEMPERATURES = (0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0)


@dataclass(frozen=True, eq=False)
class Belief:
    """The posterior partition of one snapshot under one state of the log.

    probabilities: (N, G) float32, rows sum to 1; columns are groups. fresh: (N,) chance that an item is in none of
    them.
    labels: (N,) int64, the current partition with every answer obeyed. member: (N,) group the answers put an item in,
    -1 if
    they do not. against: (N, G) bool, net answers say "not this group". between: (G, G) net nats of
    the answers between two groups, below 0 for groups known to differ.
    """

    snapshot: Snapshot
    probabilities: np.ndarray
    fresh: np.ndarray
    labels: np.ndarray
    member: np.ndarray
    against: np.ndarray
    between: np.ndarray
    error_rate: float

    @property
    def groups(self) -> int:
        """Number of groups the answers have found."""
        return self.between.shape[0]

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


@dataclass(frozen=True)
class Settings:
    """beta: how much large groups are held back, in [0, 1]. floor: smallest share spread over all groups."""

    beta: float = 0.5
    floor: float = 0.02
    k: int = 12
    alpha: float = 0.97


def infer(snapshot: Snapshot, graph: ConstraintGraph, settings: Settings | None = None) -> Belief:
    """The belief that follows from a snapshot and the answers; the same inputs give the same belief. It is kept until
    the graph changes: its arrays cannot be written to."""
    way = settings or Settings()
    return _MEMORY.get(graph, snapshot, way, lambda: _sealed(_inferred(snapshot, graph, way)))


_MEMORY: Memory[Belief] = Memory()


def _sealed(belief: Belief) -> Belief:
    for array in (belief.probabilities, belief.fresh, belief.labels, belief.member, belief.against, belief.between):
        array.flags.writeable = False
    return belief


def _inferred(snapshot: Snapshot, graph: ConstraintGraph, settings: Settings) -> Belief:
    evidence, error_rate = _evidence(snapshot, graph)
    member = answered_groups(evidence)
    count = int(member.max(initial=-1)) + 1
    if count == 0:
        return _unanswered(snapshot, graph, error_rate)
    kernel = kernel_of(snapshot, k=settings.k, alpha=settings.alpha)
    told = _told(evidence, member, count)  # (N, G) log-likelihood from answers alone
    mass = _mass(told, member)
    prior, reach = _prior(kernel, mass, member, settings)
    fresh = _fresh(evidence, member, reach, told, prior)
    asked = np.flatnonzero(np.diff(evidence.indptr))
    posterior = prior  # of an item nobody asked about
    posterior[asked] = _softmax(np.log(prior[asked] + TINY) + told[asked])
    against = np.zeros(told.shape, dtype=bool)
    against[asked] = (evidence[asked] @ membership(member, count)).toarray() < 0  # net nats of each group
    sides = membership(member, count)
    between = np.asarray((sides.T @ evidence @ sides).todense())
    labels = _labels(snapshot, posterior, fresh, member, against, between)
    return Belief(snapshot, posterior, fresh, labels, member, against, between, error_rate)


def _evidence(snapshot: Snapshot, graph: ConstraintGraph) -> tuple[sparse.csr_matrix, float]:
    """Signed evidence between rows, answers about items outside the snapshot left out."""
    a, b, sign, weight = graph.arrays()
    rows_a, rows_b = _rows(snapshot, a), _rows(snapshot, b)
    known = (rows_a >= 0) & (rows_b >= 0)
    nats = (sign * weight)[known]
    return signed_evidence(rows_a[known], rows_b[known], nats, len(snapshot.ids)), graph.error_rate


def _rows(snapshot: Snapshot, items: np.ndarray) -> np.ndarray:
    """Positions of item ids, -1 for those the snapshot does not hold."""
    place = np.searchsorted(snapshot.ids, items).clip(0, len(snapshot.ids) - 1)
    return np.where(snapshot.ids[place] == items, place, -1)


def _told(evidence: sparse.csr_matrix, member: np.ndarray, count: int) -> np.ndarray:
    """(N, G) log-likelihood of each item's own answers, partners held in their groups. 0 where nothing was said."""
    links = evidence.tocoo()
    partner = member[links.col]
    known = partner >= 0
    row, group, nats = links.row[known], partner[known], links.data[known]
    told = np.zeros((evidence.shape[0], count), dtype=np.float32)  # only rows that were asked are ever touched
    np.add.at(told, (row, group), nats)
    told[row] = np.clip(told[row], -12.0, 12.0)
    return told


def _mass(told: np.ndarray, member: np.ndarray) -> np.ndarray:
    """(N, G) what each member of a group sends out: its posterior from answers alone, as far as they are sure."""
    rows, mass = np.flatnonzero(member >= 0), np.zeros_like(told)
    mass[rows] = _softmax(told[rows]) * _certainty(told[rows])[:, None]
    return mass


def _softmax(scores: np.ndarray) -> np.ndarray:
    grown = np.exp(scores - scores.max(1, keepdims=True))
    return grown / grown.sum(1, keepdims=True)


def _certainty(told: np.ndarray) -> np.ndarray:
    """(N,) how sure the answers are, 0 at uniform and 1 at certainty."""
    count = told.shape[1]
    if count < 2:
        return np.ones(len(told))
    return np.clip((_softmax(told).max(1) - 1 / count) / (1 - 1 / count), 0.0, 1.0)


def _prior(kernel: Kernel, mass: np.ndarray, member: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Prediction for every item from the others' answers: (N, G) rows sum to 1, and (N,) total mass that reaches it."""
    flow = kernel.spread(mass, sources=np.flatnonzero(member >= 0))
    temperature = _temperature(kernel, mass, flow, member, settings)
    return _normalise(flow, flow.sum(0), temperature, settings), flow.sum(1)


def _normalise(flow: np.ndarray, total: np.ndarray, temperature: float, settings: Settings) -> np.ndarray:
    """(N, G) shares by flow / total^beta, to the power of the temperature, and never quite 0."""
    shares, tiny = np.empty_like(flow), np.float32(TINY)
    scale = np.exp(-temperature * settings.beta * np.log(total + tiny))  # (G,)
    for at in range(0, len(flow), BLOCK):  # what fits the cache is gone over many times for the price of one
        block = flow[at : at + BLOCK] + tiny
        block /= block.sum(1, keepdims=True)
        if temperature != 1.0:
            np.log(block, out=block)
            block *= np.float32(temperature)
            np.exp(block, out=block)
        block *= scale
        block *= (1 - settings.floor) / block.sum(1, keepdims=True)
        block += settings.floor / flow.shape[1]
        shares[at : at + BLOCK] = block
    return shares


def _temperature(kernel: Kernel, mass: np.ndarray, flow: np.ndarray, member: np.ndarray, settings: Settings) -> float:
    """The sharpening that best predicts answers left out: half the asked items from the other half."""
    rows = np.flatnonzero(member >= 0)
    if len(rows) < 16 or mass.shape[1] < 2:
        return 1.0
    left_out, kept = rows[1::2], np.zeros_like(mass)
    kept[rows[::2]] = mass[rows[::2]]
    left_out = left_out[:: 1 + len(left_out) // JUDGED]
    start = flow / 2 if kernel.long is None else None
    half, total = kernel.spread_at(kept, left_out, start, tolerance=1e-2, sources=rows[::2])
    truth = member[left_out]

    def score(temperature: float) -> float:
        guess = _normalise(half, total, temperature, settings)
        return float(np.log(guess[np.arange(len(truth)), truth]).mean()) - 0.02 * abs(float(np.log(temperature)))

    return max(TEMPERATURES, key=score)


def _fresh(
    evidence: sparse.csr_matrix, member: np.ndarray, reach: np.ndarray, told: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """(N,) chance of a group not seen yet. How often that happens is fitted to the asked items by a few rounds of EM:
    members are explained, items that every likely group denied are not. Less where much mass arrives."""
    asked = np.diff(evidence.indptr) > 0
    thin = 2 / (1 + (reach / (np.median(reach[asked]) + TINY)) ** 0.7)  # (N,) about 1 where reach is ordinary
    rows = np.flatnonzero(asked)
    known = np.zeros(len(reach))  # (N,) log-chance of what was said if in a known group
    known[rows] = np.log((prior[rows] * np.exp(told[rows])).sum(1) + TINY)

    def chance(among: np.ndarray | slice, rate: float) -> np.ndarray:
        odds = np.clip(rate * thin[among], 0.002, 0.95)
        new = odds / (odds + (1 - odds) * np.exp(np.minimum(known[among], 50.0)))
        return np.where(member[among] >= 0, 0.0, new)

    rate = 0.5
    for _ in range(11):
        rate = float((0.5 * PSEUDO + chance(rows, rate).sum()) / (PSEUDO + len(rows)))
    return np.clip(chance(slice(None), rate), 0.0, 0.95)


def _labels(
    snapshot: Snapshot,
    posterior: np.ndarray,
    fresh: np.ndarray,
    member: np.ndarray,
    against: np.ndarray,
    between: np.ndarray,
) -> np.ndarray:
    """The partition: answers first, then a likely group no answer speaks against, then the start partition."""
    house, homes = houses(member, between, snapshot.start), int(snapshot.start.max(initial=0)) + 1  # (G,)
    places = len(house) + homes
    start = len(house) + snapshot.start
    likely = posterior.argmax(1)  # (N,)
    homeless = np.take_along_axis(posterior, likely[:, None], 1)[:, 0] * (1 - fresh) < HOME
    placed = np.where(homeless, start, house[likely])
    asked = np.flatnonzero(against.any(1))
    denied = (
        against[asked].astype(np.float32) @ (house[:, None] == np.arange(places)).astype(np.float32)
    ) > 0  # (A, P)
    allowed = np.where(denied[:, house], -1.0, posterior[asked])
    lost = (allowed * (1 - fresh[asked, None])).max(1) < HOME
    outcast = denied[np.arange(len(asked)), start[asked]]  # an answer speaks against whoever lives where it started
    unplaced = np.where(outcast, start[asked] + homes, start[asked])
    placed[asked] = np.where(lost, unplaced, house[allowed.argmax(1)])
    return np.where(member >= 0, house[member], placed).astype(np.int64)


def _unanswered(snapshot: Snapshot, graph: ConstraintGraph, error_rate: float) -> Belief:
    """Before any answer that tells groups apart: the start partition."""
    count = len(snapshot.ids)
    groups = int(snapshot.start.max(initial=0)) + 1
    start = np.full((count, groups), 0.2 / groups)
    start[np.arange(count), snapshot.start] += 0.8
    empty = np.zeros((count, 0), dtype=bool)
    return Belief(
        snapshot,
        start,
        np.full(count, 0.5),
        snapshot.start.astype(np.int64),
        np.full(count, -1),
        empty,
        np.zeros((0, 0)),
        error_rate,
    )
