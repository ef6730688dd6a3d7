"""Chance of every asked item to be in each group, when answers may be wrong: belief propagation over the answers.

    groups -> their mass walks the kernel -> prior of every item, its own mass left out
           -> messages along the answers   -> posterior = prior x messages -> how often answers err -> again

1. An answer with e nats sends from partner j to item i, for group g: log(1 + (exp(e) - 1) c_jg), c_j what j is without
   that answer. "Same" with a partner of g speaks for g, "different" (e < 0) against it; a doubtful partner says little.
2. A group is held by its founder, the item its answers pull at most: only the founder is certain.
3. prior_ig = (flow_ig / mass_g^beta)^temperature, but open to any group that answers pull towards where hardly anything
   reaches an item, few items are supported by answers, or the kernel predicts these badly, each left out of its own
   flow: the temperature and the open share are fitted to them.
4. p(new) falls with what reaches the item, and with the rate at which asked items turn out to be new.
5. An answer is wrong with the chance that all else gives to the other verdict; Beta(3, 57) on how often that is.
Source: Pearl 1988, "Probabilistic reasoning in intelligent systems" (loopy belief propagation).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse

from oracle.grouping import signed_evidence
from oracle.reach import Among
from oracle.rows import BLOCK, row_max, row_sums
from oracle.walked import Walked, walked

TINY = 1e-12
BETA = 0.5  # how much large groups are held back
FLOOR, SHRINK = 0.03, 5.0  # share of the prior spread evenly: FLOOR, more while fewer than about SHRINK items are held
KINSHIP = 0.3  # how much two items that are both new count as members of the same new group
HALF, NEW_ITEMS = 0.5, 10.0  # the guess that every second item is new, and its weight in asked items
LONG = 1000  # answered pairs
WRONG, ANSWERS = 3.0, 60.0  # prior of the error rate: so many wrong ones of so many answers
LOWEST, HIGHEST = 0.04, 0.35  # bounds of the error rate
HELD, FOUNDER = 9.0, 8.0  # nats: most that one pair says; what a founder is worth
PULLED = 0.15  # of hundreds of small groups, the one an answer joins an item to is no long shot
UNSURE = (FLOOR, 0.06, 0.12, 0.25, 0.5, 0.8, 0.95)  # shares of the prior that the kernel may leave open
TEMPERATURES = (0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0)
SURE = 0.7  # from here on an item speaks for its group about other groups
JUDGED = 500  # items that judge the temperature, at most
FLOAT = np.float32


@dataclass(frozen=True, eq=False)
class Asked:
    """What was answered, and how the asked items reach each other. A items, M answered pairs.

    rows: (A,) int64 positions in the snapshot. a, b: (M,) int64 positions in `rows`. answers: (M,) net answers for
    "same", in answers of the usual source. kernel: what reaches them from each other. near: what reaches a close
    neighbour.
    """

    rows: np.ndarray
    a: np.ndarray
    b: np.ndarray
    answers: np.ndarray
    kernel: Among
    near: float


class Posterior:
    """One attempt to explain the answers, from groups to start with. G groups; the last column is "none of them".

    chance: (A, G+1), rows sum to 1. told: (A, G+1) log-likelihood from answers alone. prior: (A, G+1). mass: (A, G)
    what each item adds to a group. founders: the item that holds each group. supported: (A,) answers join it to its
    founder. In a long log, tried: (A,) founded a group in this search. quiet: (A,) nobody answered about it since the
    search that this one goes on from. hopeful: (A,) has its chance to be new at the next look.
    """

    def __init__(self, asked: Asked, error_rate: float) -> None:
        self.asked, self.count, self.pairs = asked, len(asked.rows), len(asked.a)
        self._from, self._to = np.concatenate([asked.a, asked.b]), np.concatenate([asked.b, asked.a])  # (2M,)
        self._back = np.roll(np.arange(2 * self.pairs), -self.pairs)
        self._gather = sparse.csr_matrix(
            (np.ones(2 * self.pairs, FLOAT), (self._to, np.arange(2 * self.pairs))), shape=(self.count, 2 * self.pairs)
        )
        self._layout = signed_evidence(asked.a, asked.b, np.arange(1.0, self.pairs + 1), self.count)
        self._pair = self._layout.data.astype(np.int64) - 1  # which pair stands in each entry
        self._own = asked.kernel.own[:, None]  # (A, 1)
        self.temperature, self.unsure, self.new_rate = 1.0, FLOOR, HALF
        self.tried, self.quiet, self.hopeful = np.zeros((3, self.count), dtype=bool)
        self._walked: Walked | None = None
        self.trust(error_rate)

    def trust(self, error_rate: float) -> None:
        """Take answers to be wrong this often."""
        self.error_rate = error_rate
        worth = np.log((1 - error_rate) / error_rate)
        self.nats = np.clip(self.asked.answers * worth, -HELD, HELD)  # (M,)
        self._gain = np.expm1(np.tile(self.nats, 2))[:, None].astype(FLOAT)  # (2M, 1)
        self.evidence = self._laid_out(self.nats)  # (A, A)
        self._pulls = self._laid_out(np.maximum(self.nats, 0).astype(FLOAT))

    def _laid_out(self, values: np.ndarray) -> sparse.csr_matrix:
        """(A, A) symmetric, from a value for each answered pair: (M,). Their places are sorted only once."""
        places = self._layout
        return sparse.csr_matrix((values[self._pair], places.indices, places.indptr), shape=places.shape)

    def begin(self, group: np.ndarray) -> None:
        """Start from groups: (A,) int64, -1 for none. Without any, the most asked item founds one."""
        if group.max(initial=-1) < 0:
            group = np.full(self.count, -1)
            group[np.bincount(self._to, minlength=self.count).argmax()] = 0
        count = int(group.max()) + 1
        pull = np.bincount(self._to, self._inside(group) * np.tile(self.nats, 2), minlength=self.count)
        order = np.lexsort((-pull, group))
        self.founders = order[np.searchsorted(group[order], np.arange(count))].tolist()
        known = _one_hot(group, count + 1)
        self.told = np.clip(self.evidence @ known, -12.0, 12.0).astype(FLOAT)
        self.chance = np.where(group[:, None] >= 0, 0.95 * known + 0.05 / (count + 1), 1 / (count + 1)).astype(FLOAT)
        self.factors = np.ones((2 * self.pairs, count + 1), FLOAT)
        self._hold()

    def go_on(self, last: "Posterior", place: np.ndarray, *, here: bool = False) -> bool:
        """Start where another attempt ended; False if a founder is gone. place: (A,) in it, -1 for new rows.

        How often items are new starts afresh, so that a new group gets its chance; in a long log only for items that
        somebody answered about since. here: the other looked at the same kernel.
        """
        known, back = place >= 0, np.full(last.count, -1)
        back[place[known]] = np.flatnonzero(known)
        if (back[last.founders] < 0).any():
            return False
        self.founders = back[last.founders].tolist()
        self.chance = np.full((self.count, last.groups + 1), 1 / (last.groups + 1), FLOAT)
        self.chance[known] = last.chance[place[known]]
        self._hold()
        before = back[last.asked.a] * self.count + back[last.asked.b]
        pairs, order = self.asked.a * self.count + self.asked.b, np.argsort(before)
        found = order[np.searchsorted(before, pairs, sorter=order).clip(0, len(before) - 1)]
        old = np.flatnonzero(before[found] == pairs)
        if self.long:
            self.quiet[known] = self.heard[known] == last.heard[place[known]]
            self.hopeful, self.new_rate = ~self.quiet, last.new_rate
        if here and last._walked is not None and known.sum() == last.count:
            self._walked = last._walked.moved(self.asked.kernel, place)
        self.factors = np.ones((2 * self.pairs, last.groups + 1), FLOAT)
        self.factors[old] = last.factors[found[old]]
        self.factors[old + self.pairs] = last.factors[found[old] + last.pairs]
        self._send()
        return True

    @property
    def groups(self) -> int:
        return len(self.founders)

    @cached_property
    def heard(self) -> np.ndarray:
        """(A,) answers about each item."""
        return np.bincount(self._to, np.abs(np.tile(self.asked.answers, 2)), minlength=self.count)

    @property
    def long(self) -> bool:
        """True if so much was answered that a few answers more say nothing about how often items are new."""
        return self.pairs >= LONG

    @property
    def group(self) -> np.ndarray:
        """(A,) the likeliest group, -1 for none."""
        best = self.chance.argmax(1)
        return np.where(best < self.groups, best, -1)

    @property
    def supported(self) -> np.ndarray:
        """(A,) bool: a chain of "same" answers within its group joins it to the founder."""
        group, one, other = self.group, self.asked.a, self.asked.b
        pulls = (group[one] == group[other]) & (group[one] >= 0) & (self.nats > 0)
        one, other, held = one[pulls], other[pulls], np.zeros(self.count, dtype=bool)
        held[self.founders] = True
        while (new := held[one] != held[other]).any():
            held[one[new]] = held[other[new]] = True
        return held

    # one round ----------------------------------------------------------------------------------------------------
    def look(self) -> None:
        """Mass from what answers say, and the prior that follows from it."""
        supported = self.supported
        self.mass = self._masses(supported)
        self._walked = walked(self.asked.kernel, self.mass, self._walked)
        flow = np.maximum(self._walked.arrived - self._own * self.mass, 0.0)  # (A, G)
        self.total = flow.sum(0) + FLOAT(TINY)
        reached = flow.sum(1)
        self._typical = float(np.median(reached)) + TINY
        self._held = int(supported.sum())
        self.temperature, self.unsure = self._fitted(flow, supported)
        new = self.newness(reached)
        if self.hopeful.any():
            new[self.hopeful] = self.newness(reached[self.hopeful], HALF)
            self.hopeful[:] = False
        prior = np.column_stack([self.shaped(flow, self._pulled()) * (1 - new[:, None]), new])
        self.prior = prior / prior.sum(1, keepdims=True)

    def sweep(self, times: int) -> None:
        """Send messages along the answers so many times."""
        prior = np.log(self.prior + FLOAT(TINY))
        for _ in range(times):
            self._send()
            self.chance = softmax(prior + self.told)
            self._hold()

    def _send(self) -> None:
        """Every item tells its partners what it is, as far as it knows it from the others."""
        partner = self._without_answer()
        partner[:, -1] *= FLOAT(KINSHIP)
        partner *= self._gain
        partner += FLOAT(1)
        self.factors = partner
        self.told = self._gather @ np.log(partner)
        self.told[self.founders] = 0.0
        self.told[self.founders, range(self.groups)] = FOUNDER

    def learn(self) -> None:
        """Refit how often an asked item is new, and how often an answer is wrong."""
        new = self.chance[:, -1].copy()
        new[self.founders] = 0.0
        self.new_rate = float((0.5 * NEW_ITEMS + new.sum()) / (NEW_ITEMS + self.count))
        known = self._without_answer()[:, :-1]
        one, other = known[: self.pairs], known[self.pairs :]
        sure = (row_max(one) > SURE) & (row_max(other) > SURE)
        same = (one * other).sum(1)
        off = np.where(self.nats > 0, 1 - same, same)[sure]
        wrong = off * self.error_rate / (off * self.error_rate + (1 - off) * (1 - self.error_rate))
        self.trust(float(np.clip((WRONG + wrong.sum()) / (ANSWERS + sure.sum()), LOWEST, HIGHEST)))

    # shapes of the prior ------------------------------------------------------------------------------------------
    def shaped(self, flow: np.ndarray, toward: np.ndarray | None = None) -> np.ndarray:
        """(N, G) chance of each group for items in some group, from the mass that reaches them. flow: (N, G) float32.

        toward: (N, G) where the share goes that the kernel does not decide, rows sum to 1; else evenly.
        """
        shares, even = np.empty_like(flow), FLOAT(1 / flow.shape[1])
        for at in range(0, len(flow), BLOCK):
            block = slice(at, at + BLOCK)
            shares[block] = self._sharp(np.log(flow[block] + FLOAT(TINY)), self.temperature)
            open_ = self._open(flow[block], self.unsure)[:, None]
            shares[block] *= 1 - open_
            shares[block] += open_ * (even if toward is None else toward[block])
        return shares

    def _sharp(self, log_flow: np.ndarray, temperature: float) -> np.ndarray:
        """(N, G) shares if the kernel decided all."""
        held_back = (temperature * BETA * np.log(self.total)).astype(FLOAT)
        scores = log_flow * FLOAT(temperature)
        scores -= held_back
        return softmax(scores)

    def _open(self, flow: np.ndarray, unsure: float) -> np.ndarray:
        """(N,) the share that the kernel does not decide."""
        least, near = FLOAT(max(unsure, SHRINK / (SHRINK + self._held))), FLOAT(self.asked.near)
        return np.asarray(np.maximum(least, near / (near + row_sums(flow))))

    def _pulled(self) -> np.ndarray:
        """(A, G) even shares, but no less than PULLED for groups whose members answers join an item to."""
        pulled = self._pulls @ _one_hot(self.group, self.groups)
        pulled /= np.maximum(pulled.sum(1, keepdims=True), FLOAT(TINY))
        share = np.maximum(FLOAT(1 / self.groups), FLOAT(PULLED) * pulled)
        return np.asarray(share / share.sum(1, keepdims=True))

    def newness(self, reached: np.ndarray, rate: float | np.ndarray | None = None) -> np.ndarray:
        """(N,) chance of a group not seen yet, before any answer about the item. reached: (N,) mass. rate: of new
        items, as learnt unless given."""
        rate = self.new_rate if rate is None else rate
        thin = 2 / (1 + (reached / FLOAT(self._typical)) ** FLOAT(0.7))  # about 1 where as much arrives as usual
        return np.clip(rate * thin, 0.002, 0.95)

    # between groups -----------------------------------------------------------------------------------------------
    def between(self) -> np.ndarray:
        """(G, G) net nats between the sure members of every two groups."""
        member = self.chance[:, :-1] * (self.chance[:, :-1] == row_max(self.chance[:, :-1])[:, None])
        member *= member > SURE
        return np.asarray(member.T @ (self.evidence @ member))

    def founder_holds(self) -> np.ndarray:
        """(G,) chance that a founder, judged like any other item, stays in its group."""
        rows, own = np.array(self.founders), np.arange(self.groups)
        prior = self.prior[rows].copy()
        prior[own, own] += prior[:, -1]
        prior[:, -1] = TINY
        said = self._gather[rows]
        return softmax(np.log(prior + FLOAT(TINY)) + _rows_times(said, np.log(self.factors[said.indices])))[own, own]

    def add(self, founder: int, members: np.ndarray | None = None) -> None:
        """A new group held by this item; members, if given, start in it."""
        last = self.groups
        for name, value in (("chance", 1e-4), ("factors", 1.0), ("told", 0.0), ("prior", 1 / max(self.count, 4))):
            setattr(self, name, np.insert(getattr(self, name), last, value, axis=1))
        self._walked = self._walked and self._walked.with_room()
        self.prior /= self.prior.sum(1, keepdims=True)
        self.founders.append(int(founder))
        if members is not None:
            self.chance[members] = 0.05 / (last + 2)
            self.chance[members, last] = 0.95
            self.factors[:] = 1.0
        self._hold()

    def drop(self, group: int) -> None:
        """Take a group away; its members are free again."""
        self._without(group)
        self.chance = (self.chance + 1e-3) / (self.chance + 1e-3).sum(1, keepdims=True)
        self._hold()

    def unite(self, keep: int, gone: int) -> None:
        """Make one group of two."""
        self.chance[:, keep] += self.chance[:, gone]
        self.prior[:, keep] += self.prior[:, gone]
        for name in ("factors", "told"):
            table = getattr(self, name)
            table[:, keep] = np.maximum(table[:, keep], table[:, gone])
        self._without(gone)

    def _without(self, group: int) -> None:
        for name in ("chance", "factors", "told", "prior"):
            setattr(self, name, np.delete(getattr(self, name), group, axis=1))
        self._walked = self._walked and self._walked.without(group)
        self.prior /= self.prior.sum(1, keepdims=True)
        del self.founders[group]

    def _hold(self) -> None:
        self.chance[self.founders] = 1e-4
        self.chance[self.founders, range(self.groups)] = 1.0 - 1e-4 * self.groups

    def _inside(self, group: np.ndarray) -> np.ndarray:
        """(2M,) bool: both items of the answer are in the same group."""
        return (group[self._from] == group[self._to]) & (group[self._from] >= 0)

    def _without_answer(self) -> np.ndarray:
        """(2M, G+1) what the sender of each message is if the answer that carries it were not there."""
        chance = (self.chance + FLOAT(TINY))[self._from]
        chance[: self.pairs] /= self.factors[self.pairs :]
        chance[self.pairs :] /= self.factors[: self.pairs]
        chance /= row_sums(chance)[:, None]
        return chance

    def _masses(self, supported: np.ndarray) -> np.ndarray:
        """(A, G) by answers alone, as far as these are clear, agree with the posterior, and join the item to others."""
        said = self._said(slice(None))
        even = 1 / max(self.groups, 2)
        clear = np.clip((row_max(said) - even) / (1 - even), 0.0, None)
        agreed = self.chance[np.arange(self.count), said.argmax(1)]
        return np.asarray(said * (clear * agreed * supported)[:, None])

    def _said(self, rows: np.ndarray | slice) -> np.ndarray:
        """(R, G) shares of the groups by answers alone."""
        said = softmax(self.told[rows])[:, :-1]
        return np.asarray(said / (said.sum(1, keepdims=True) + FLOAT(TINY)))

    def _fitted(self, flow: np.ndarray, supported: np.ndarray) -> tuple[float, float]:
        """The temperature, and the share left open, under which the flow best predicts what answers say of items."""
        rows = np.flatnonzero(supported & (self.group >= 0))
        if len(rows) < 12 or self.groups < 2:
            return 1.0, FLOOR
        rows = rows[:: 1 + len(rows) // JUDGED]
        said, flow = self._said(rows), flow[rows]
        log_flow = np.log(flow + FLOAT(TINY))
        right = np.stack([(self._sharp(log_flow, one) * said).sum(1) for one in TEMPERATURES])  # (T, R)
        open_ = np.stack([self._open(flow, one) for one in UNSURE])  # (U, R)
        odd = 0.02 * np.abs(np.log(TEMPERATURES))

        def scores(right: np.ndarray, open_: np.ndarray) -> np.ndarray:
            return np.asarray(np.log((1 - open_) * right + open_ / self.groups + TINY).mean(-1), dtype=np.float64)

        first = int((scores(right, open_[0]) - odd).argmax())  # at the least share left open
        both = [first, TEMPERATURES.index(1.0)]
        worth = scores(right[both, None], open_) - odd[both, None]  # (2, U)
        temperature, unsure = divmod(int(worth.argmax()), len(UNSURE))
        return TEMPERATURES[both[temperature]], UNSURE[unsure]


def _one_hot(group: np.ndarray, count: int) -> np.ndarray:
    """(A, count), rows of 0 for -1."""
    return np.asarray(group[:, None] == np.arange(count), dtype=FLOAT)


def _rows_times(picked: sparse.csr_matrix, values: np.ndarray) -> np.ndarray:
    """(R, G) from a (R, 2M) matrix and the rows its entries stand for, (nnz, G)."""
    own = sparse.csr_matrix((picked.data, np.arange(picked.nnz), picked.indptr), shape=(picked.shape[0], picked.nnz))
    return np.asarray(own @ values)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows to chances."""
    grown = scores - row_max(scores)[:, None]
    np.exp(grown, out=grown)
    grown /= row_sums(grown)[:, None]
    return grown
