"""Steps that change the groups of a posterior: dissolve, split, found, unite. Each returns whether it changed anything.

They undo what wrong answers built: a founder that belongs elsewhere, two groups glued by a few wrong "same", a group
torn by a few wrong "different".
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import entr

from oracle.posterior import Posterior
from oracle.reach import Among
from oracle.rows import TINY

STAYS = 0.2  # a group goes when its founder stays in it with less than this chance
TOGETHER = 0.3  # chance before any answer that two parts of a group, apart by the kernel, are one thing
PARTS, LEAST = 6, 2  # most parts a group is looked at in; fewest items on either side of a cut
CENTRED = 500  # members among which the most central one is sought, at most
MEMBER = 0.6  # who counts as a member when a group is taken apart
NEW, SURELY_NEW = 0.8, 0.93  # chance of a new group that founds one: if no question is worth much, and at once
WORTH = 0.1  # nats a question must tell to be worth asking before a group is founded
ALIKE, UNITED = 0.03, 0.93  # chance before any answer that two groups are one; chance that makes them one


@dataclass(frozen=True, eq=False)
class Part:
    """Some members of a group that the kernel sets apart from the rest. items, rest: positions among the asked items.

    together: chance that they belong in one group, by the answers between them.
    """

    group: int
    items: np.ndarray
    rest: np.ndarray
    together: float


def dissolve(found: Posterior) -> bool:
    """Take away the group whose founder belongs elsewhere, if there is one that somebody answered about."""
    if found.groups < 2:
        return False
    stays = np.where(found.quiet[found.founders], 1.0, found.founder_holds())
    weakest = int(stays.argmin())
    if stays[weakest] > STAYS:
        return False
    found.drop(weakest)
    return True


def split(found: Posterior) -> bool:
    """Cut off the part whose answers speak most against its group, if any do."""
    part = min(parts(found), key=lambda one: one.together, default=None)
    if part is None or part.together >= 0.5:
        return False
    items = part.rest if found.founders[part.group] in part.items else part.items
    pull = np.asarray(found.evidence[items][:, items].sum(1)).ravel()
    found.add(int(items[pull.argmax()]), items)
    return True


def parts(found: Posterior) -> list[Part]:
    """Every group taken apart by the kernel alone, farthest first; the parts that could be cut off."""
    part, group_of, number = np.full(found.count, -1), [], 0
    rows_of, reach = _members(found), np.sqrt(found.asked.kernel.own + TINY)
    for group, rows in enumerate(rows_of):
        if len(rows) >= 2 * LEAST:
            part[rows] = number + _farthest_first(found.asked.kernel, reach, rows, min(PARTS, len(rows) // 2))
            group_of += [group] * int(part[rows].max() + 1 - number)
            number = len(group_of)
    said, size = _said_between(found, part, np.array(group_of)), np.bincount(part[part >= 0], minlength=number)
    before, cuts = np.log(TOGETHER / (1 - TOGETHER)), []
    for one, group in enumerate(group_of):
        rows = rows_of[group]
        if min(size[one], len(rows) - size[one]) >= LEAST:
            inside = part[rows] == one
            cuts.append(Part(group, rows[inside], rows[~inside], float(1 / (1 + np.exp(-before - said[one])))))
    return cuts


def _members(found: Posterior) -> list[np.ndarray]:
    """Positions of each group's members, rising."""
    rows = np.flatnonzero((found.group >= 0) & (found.chance.max(1) > MEMBER))
    group = found.group[rows]
    rows, ends = rows[np.argsort(group, kind="stable")], np.cumsum(np.bincount(group, minlength=found.groups))
    return np.split(rows, ends[:-1])


def _said_between(found: Posterior, part: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(P,) net nats between each part and the rest of its group. part: (A,), -1 for none; group: (P,)."""
    one, other = part[found.asked.a], part[found.asked.b]
    across = (one >= 0) & (other >= 0) & (one != other)
    across[across] = group[one[across]] == group[other[across]]
    nats = found.nats[across]
    return np.asarray(np.bincount(np.append(one[across], other[across]), np.tile(nats, 2), minlength=len(group)))


def found_group(found: Posterior) -> bool:
    """Let the item that is surely in no group found one, if there is such an item."""
    new = found.chance[:, -1].copy()
    new[found.founders] = 0.0
    new[found.tried | found.quiet] = 0.0
    able = np.flatnonzero(new > NEW)
    idle = informative(found.chance[able, :-1], found.error_rate).max(1) < WORTH
    able = able[(new[able] > SURELY_NEW) | idle]
    if not len(able):
        return False
    weight = np.zeros(found.count)
    weight[able] = new[able]
    pull = np.asarray(found.evidence.maximum(0) @ weight)
    founder = int(able[np.lexsort((able, -new[able], -pull[able]))[0]])
    found.tried[founder] = found.long
    found.add(founder)
    return True


def unite(found: Posterior) -> bool:
    """Make one group of the two whose answers say so most, if any do."""
    if found.groups < 2:
        return False
    score = np.log(ALIKE) + found.between()
    np.fill_diagonal(score, -np.inf)
    one, other = sorted(divmod(int(score.argmax()), found.groups))
    if score[one, other] < np.log(UNITED / (1 - UNITED)):
        return False
    found.unite(one, other)
    return True


def informative(chance: np.ndarray, error_rate: float) -> np.ndarray:
    """Nats that one answer tells about a yes-no question. chance: of yes, any shape and precision; the answer is wrong
    at times, never quite never."""
    heard = (1 - 2 * error_rate) * chance + error_rate
    other = 1 - heard
    told = -(heard * np.log(heard) + other * np.log(other)) - float(entropy(np.array(error_rate)))
    return np.asarray(np.maximum(told, 0))


def entropy(chance: np.ndarray) -> np.ndarray:
    """Of a yes-no question, in nats; chance in [0, 1], any shape."""
    return np.asarray(entr(chance) + entr(1 - chance))


def _farthest_first(kernel: Among, reach: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """(n,) part of each row: the most central row, then always the row least near to those chosen."""
    sample = rows[:: 1 + len(rows) // CENTRED]
    scaled = kernel.block(sample) / reach[sample, None] / reach[sample]
    chosen = [int(np.searchsorted(rows, sample[(scaled.sum(0) + scaled.sum(1)).argmax()]))]
    near = [_near(kernel, reach, rows, rows[chosen[0]])]
    closest = near[0]
    while len(chosen) < count:
        chosen.append(int(closest.argmin()))
        near.append(_near(kernel, reach, rows, rows[chosen[-1]]))
        closest = np.maximum(closest, near[-1])
    return np.asarray(np.array(near).argmax(0))


def _near(kernel: Among, reach: np.ndarray, rows: np.ndarray, one: int) -> np.ndarray:
    """(n,) how near rows are to one of them, both ways."""
    same = np.full(len(rows), one)
    return np.asarray((kernel.at(rows, same) + kernel.at(same, rows)) / reach[rows] / reach[one])
