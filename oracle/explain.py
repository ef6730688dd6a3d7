"""The groups that explain the answers best, searched from several starts.

    starts: the groups found last time for this log; contraction of the answers, at first also without the steps below;
            contraction of the answers and of what the kernel says of near items
    each:   messages, then groups dissolve, split, are founded and unite, until nothing moves
    best:   log-chance of all answers at their best error rate + up to half of that of every item's group by the kernel
            - 3 nats per group

The start with the last groups makes the search remember: one more answer changes little, unless others explain more.
In a long log the other starts are tried again only as it grows. What was found last, messages included, then competes
with them, unless answers contradict it: where people err it may stand for their errors.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from oracle.grouping import answered_groups
from oracle.moves import dissolve, found_group, split, unite
from oracle.posterior import ANSWERS, WRONG, Asked, Posterior
from oracle.rows import TINY

ROUNDS, SWEEPS, FEWER = 4, 4, 2  # sweeps a round, fewer where an earlier search goes on
SPLITS, FOUNDED = 6, 12  # most steps of a kind in one round
CALM = 0.02  # largest change of a chance that ends the rounds
USUAL = 0.05  # error rate to start from
KERNEL_SHARE, FEW = 0.5, 50.0  # weight of the kernel beside the answers; asked items that give it half of that
HINTS, HINT, LOUDEST = 8, 0.5, 3.0  # near items that get a hint each; its weight; most nats before that
LITTLE = 1e-6  # reach too small to tell from none
OFTEN, GROWTH = 150, 1.1  # answered pairs up to which all starts are tried each time; then at every such growth
WORSE = 0.02  # nats per answer by which an explanation may get worse before all starts are tried
TRUTHFUL = 0.01  # share of contradicted answers up to which an explanation is not lost to another start
OCCAM = 3.0  # nats that one more group must earn
FEWEST = 8  # answered pairs below which the kernel gives no hints


@dataclass(frozen=True)
class Search:
    """The last search from all starts. answered: pairs it knew. worth: plausibility of what it found, per answer."""

    answered: int = 0
    worth: float = 0.0

    def due(self, answered: int) -> bool:
        """True if so much was answered since that another start may explain it better."""
        return answered < OFTEN or answered >= GROWTH * self.answered


NEVER = Search()


@dataclass(frozen=True, eq=False)
class Last:
    """What was found before, and when it was searched. place: (A,) in it of the rows asked now, -1 for new ones.
    here: it was found in the same snapshot."""

    found: Posterior
    place: np.ndarray
    search: Search
    here: bool = False

    @property
    def group(self) -> np.ndarray:
        """(A,) groups numbered anew, -1 for none."""
        group = np.where(self.place >= 0, self.found.group[self.place], -1)
        return np.unique(np.append(group, -1), return_inverse=True)[1][:-1] - 1


def explain(asked: Asked, last: Last | None = None) -> tuple[Posterior, Search]:
    """The best explanation found. A long log goes on from the last one, unless all starts are due or this explains the
    answers clearly worse than they did; then it competes with them as long as hardly any answer contradicts it."""
    tried: list[Posterior] = []
    gone_on = None if last is None or len(asked.a) < OFTEN else _gone_on(asked, last)
    if last is not None and gone_on is not None:
        as_well = plausibility(gone_on) / _answers(asked) > last.search.worth - WORSE
        if as_well and not last.search.due(len(asked.a)):
            return gone_on, last.search
        if contradicted(gone_on) <= TRUTHFUL * _answers(asked):
            tried.append(gone_on)
    for group, rate, steps in _starts(asked, last):
        tried.append(Posterior(asked, rate))
        tried[-1].begin(group)
        settle(tried[-1], rearrange=steps)
    worth = [plausibility(one) for one in tried]
    best = int(np.argmax(worth))
    return tried[best], Search(len(asked.a), worth[best] / _answers(asked))


def _gone_on(asked: Asked, last: Last) -> Posterior | None:
    """The last explanation with the answers since, messages included; None if a founder is gone."""
    found = Posterior(asked, last.found.error_rate)
    if not found.go_on(last.found, last.place, here=last.here):
        return None
    settle(found, old=last.place >= 0)
    return found


def _answers(asked: Asked) -> float:
    return float(np.abs(asked.answers).sum()) + 1.0


def settle(found: Posterior, *, rearrange: bool = True, old: np.ndarray | None = None) -> None:
    """Rounds of messages and of steps that change groups, until nothing moves.

    old: (A,) rows that were settled before; then no group is split.
    """
    before, fresh = (np.zeros((0, 0)), True) if old is None else (found.chance.copy(), False)
    old = np.ones(found.count, dtype=bool) if old is None else old
    for number in range(ROUNDS):
        found.look()
        found.sweep(SWEEPS if fresh else FEWER)
        found.learn()
        changed = rearrange and _rearrange(found, cut=fresh and number == 0)
        if not changed and before.shape == found.chance.shape and np.abs(found.chance - before)[old].max() < CALM:
            break
        before, old = np.zeros((0, 0)) if changed else found.chance.copy(), np.ones(found.count, dtype=bool)
    found.look()


def contradicted(found: Posterior) -> float:
    """How many answers an explanation takes to be wrong."""
    one, other = found.group[found.asked.a], found.group[found.asked.b]
    off = ((one == other) & (one >= 0)) != (found.asked.answers > 0)
    return float(np.abs(found.asked.answers)[off].sum())


def plausibility(found: Posterior) -> float:
    """Log-chance of the answers and of the groups, up to a constant."""
    group, answers, wrong = found.group, np.abs(found.asked.answers), contradicted(found)
    rate = (WRONG + wrong) / (ANSWERS + answers.sum())
    said = (wrong + WRONG) * np.log(rate) + (answers.sum() - wrong + ANSWERS - WRONG) * np.log(1 - rate)
    prior = found.prior[np.arange(found.count), group]  # -1 is the last column: none
    prior[found.founders] = np.clip(found.new_rate, 0.02, 0.5)
    share = KERNEL_SHARE * found.count / (found.count + FEW)
    return float(said + share * np.log(prior + TINY).sum()) - OCCAM * found.groups


def _rearrange(found: Posterior, *, cut: bool) -> bool:
    changed = False
    while dissolve(found):
        changed = True
        found.sweep(2)
    for _ in range(SPLITS if cut else 0):
        if not split(found):
            break
        changed = True
        found.sweep(2)
        found.look()
        found.sweep(2)
    for _ in range(FOUNDED):
        if not found_group(found):
            break
        changed = True
        found.look()
        found.sweep(3)
    while unite(found):
        changed = True
    return changed


def _starts(asked: Asked, last: Last | None) -> Iterator[tuple[np.ndarray, float, bool]]:
    """Groups to begin with, an error rate, and whether steps may change the groups."""
    if last is not None and last.group.max(initial=-1) >= 0:
        yield last.group, last.found.error_rate, True
    evidence = Posterior(asked, USUAL).evidence
    said = answered_groups(evidence)
    if len(asked.rows) <= FEW:
        yield said, USUAL, False  # the first answers are obeyed
    yield said, USUAL, True
    if len(asked.a) >= FEWEST and (hints := _hints(asked)) is not None:
        yield answered_groups(evidence, hints), USUAL, True


def _hints(asked: Asked) -> sparse.csr_matrix | None:
    """(A, A) nats between near items: log-odds of "same" by how far they reach each other, as the answers say it goes.

    None where nearer pairs are not oftener the same.
    """
    reach = np.sqrt(asked.kernel.own + TINY)
    near = asked.kernel.block(np.arange(len(asked.rows))) / reach[:, None] / reach
    near = (near + near.T) / 2
    near = np.where(near > -LITTLE, near, 0.0)  # the walk in big steps may fall below 0
    base, slope = _logistic(np.log(near[asked.a, asked.b] + LITTLE), asked.answers > 0)
    width = min(HINTS, len(near) - 1)
    if slope <= 0 or width < 1:
        return None
    np.fill_diagonal(near, -1.0)
    columns = np.argpartition(-near, width - 1, axis=1)[:, :width].ravel()
    rows = np.repeat(np.arange(len(near)), width)
    nats = HINT * np.clip(base + slope * np.log(near[rows, columns] + LITTLE), -LOUDEST, LOUDEST)
    hints = sparse.csr_matrix((nats, (rows, columns)), shape=near.shape)
    return ((hints + hints.T) / 2).tocsr()


def _logistic(x: np.ndarray, yes: np.ndarray) -> tuple[float, float]:
    """Base and slope of the log-odds of yes by x, the slope held back a little: Newton's method, ridge 0.1."""
    design, ridge = np.column_stack([np.ones(len(x)), x]), np.array([0.0, 0.1])
    weights = np.zeros(2)
    for _ in range(15):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (yes - chance) - ridge * weights
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag([1e-3, ridge[1]])
        weights = weights + np.linalg.solve(bend, slope)
    return float(weights[0]), float(weights[1])
