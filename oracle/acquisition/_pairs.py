"""One pair a question: which item to ask about next, and whom to compare it with.

An item is worth its influence times its entropy, over the questions it will probably take. It is asked about until its
group is sure; every few questions the groups themselves are checked: two that may be one, one that may be two.
"""

import numpy as np

from oracle.acquisition._desk import Desk, Screen

WORTH = 0.06  # nats an answer must tell about an item that waits for its group
LEAST = 0.003  # nats below which a pair is not worth asking
CHOICES, GROUPS = 20, 6  # items and groups of each that are looked at
UNITE_EVERY, SPLIT_EVERY = 6, 3  # questions
ALIKE, LIKELY_ALIKE = 0.03, 0.12  # chance that two groups are one before any answer; from here on it is worth asking
SHARE = 0.003  # of all items, that a joined group would gain
TOGETHER = 0.95  # a group is checked where its parts belong together with less than this chance
TRIES = 20  # pairs of members looked at for one that was not asked


def best_pair(desk: Desk, turn: int, taken: set[int]) -> Screen | None:
    """The pair worth most now. turn: questions asked so far; taken: rows asked about in this round."""
    if turn % UNITE_EVERY == UNITE_EVERY - 1 and (screen := _two_groups(desk)) is not None:
        return screen
    if turn % SPLIT_EVERY == SPLIT_EVERY - 1 and (screen := _two_parts(desk)) is not None:
        return screen
    for row, value in _items(desk, taken):
        for group in _groups(desk, row):
            if (other := desk.representative(group, row)) is not None:
                reason = "Its group is not sure yet, and much around it depends on this."
                return Screen(value, other, (row,), (float(desk.chance(np.array([row]))[0, group]),), reason)
    return None


def _items(desk: Desk, taken: set[int]) -> list[tuple[int, float]]:
    """Items by worth, those that wait for their group first."""
    belief = desk.belief
    value = desk.per_question * desk.worth
    value[belief.founders] = -1.0
    waiting = belief.pending[desk.information(desk.chance(belief.pending)).max(1, initial=0.0) > WORTH]
    first = np.argpartition(-value, CHOICES)[:CHOICES] if len(value) > CHOICES else np.arange(len(value))
    best = first[np.lexsort((first, -value[first]))]
    order = [*waiting[np.argsort(-value[waiting], kind="stable")], *best[value[best] >= 0]]
    return [(int(row), float(value[row])) for row in order if int(row) not in taken]


def _groups(desk: Desk, row: int) -> list[int]:
    """The groups an answer about this item tells most of."""
    told = desk.information(desk.chance(np.array([row]))[0])
    return [int(group) for group in np.argsort(-told, kind="stable")[:GROUPS] if told[group] >= LEAST]


def _two_groups(desk: Desk) -> Screen | None:
    """Members of two groups that may be one."""
    belief, chance = desk.belief, desk.belief.probabilities
    if belief.groups < 2:
        return None
    mass = chance.sum(0) + 1e-9
    smaller = np.minimum(mass[:, None], mass)
    overlap = np.minimum(chance.T @ chance / smaller, 1.0)
    odds = np.log(ALIKE) + 3 * np.minimum(2 * overlap, 0.6) + np.clip(belief.between, -30, 30)
    alike = 1 / (1 + np.exp(-odds))
    np.fill_diagonal(alike, 0.0)
    value = alike * smaller / len(chance)
    one, other = divmod(int(value.argmax()), belief.groups)
    if alike[one, other] <= LIKELY_ALIKE or value[one, other] <= SHARE:
        return None
    pair = desk.nearest_new_pair(desk.members(one), desk.members(other), TRIES // 2)
    reason = "These may be one group: the answer settles every pair between them."
    return pair and Screen(float(value[one, other]), pair[0], (pair[1],), (float(alike[one, other]),), reason)


def _two_parts(desk: Desk) -> Screen | None:
    """Members of two parts of a group that hang together by few answers."""
    doubted = [part for part in desk.belief.parts if part.together < TOGETHER]
    if not doubted:
        return None
    value = [
        float(desk.information(np.array(part.together))) * min(len(part.items), len(part.rest)) for part in doubted
    ]
    part = doubted[int(np.argmax(value))]
    pair = desk.nearest_new_pair(part.items, part.rest, TRIES)
    reason = "One group hangs together here by few answers: is it really one?"
    return pair and Screen(max(value), pair[0], (pair[1],), (part.together,), reason)
