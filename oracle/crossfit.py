"""What all the other answers say about a pair: the yardstick for somebody's answer about it.

    answers of the other pairs -> groups by net evidence -> chance that the pair belongs together

The pairs are dealt into folds. A fold's pairs are judged by groups found without them, so no answer helps to prove
itself right. Groups: strongest net evidence first (`oracle.contraction`), then single items change sides.
"""

from collections.abc import Iterable, Mapping
from math import tanh

from oracle.constraints import ConstraintGraph
from oracle.contraction import NOTHING, Links, contracted, links_of
from oracle.evidence import Pair, pair_of

FOLDS = 5
SWEEPS = 3
Nats = Mapping[Pair, float]


def expected_by_others(graph: ConstraintGraph, *, folds: int = FOLDS) -> dict[Pair, float]:
    """Chance that each answered pair is the same by all answers about other pairs; 0.5 where they do not tell.

    Pairs of the same fold do not testify for each other. Keys are sorted pairs; values in (0, 1).
    """
    nats = {pair: graph.evidence(*pair) for pair in sorted({pair_of(said.a, said.b) for said in graph.statements})}
    found: dict[Pair, float] = {}
    for fold in range(folds):
        asked = [pair for pair in nats if _fold(pair, folds) == fold]
        others = {pair: score for pair, score in nats.items() if _fold(pair, folds) != fold and abs(score) > NOTHING}
        found |= _judged(asked, others)
    return found


def _fold(pair: Pair, folds: int) -> int:
    """Where a pair is dealt: the same on every machine, whatever the order of the log."""
    mixed = (pair[0] * 0x9E3779B97F4A7C15 + pair[1] * 0xC2B2AE3D27D4EB4F) & 0xFFFFFFFFFFFFFFFF
    return (mixed >> 33) % folds


def _judged(asked: Iterable[Pair], others: Nats) -> dict[Pair, float]:
    """Each pair by the groups of its two items: how sure they are in them, times what stands between the groups."""
    links = links_of(others.items())
    group = grouped(links)
    between = _between(others, group)
    sure = {item: tanh(sum(nats for other, nats in near.items() if group[other] == group[item]) / 2)
            for item, near in links.items()}  # fmt: skip
    alone = _alone(group)
    found = {}
    for a, b in asked:
        if a not in group or b not in group:
            found[a, b] = 0.5
            continue
        held = (1.0 if a in alone else max(sure[a], 0.0)) * (1.0 if b in alone else max(sure[b], 0.0))
        one, other = group[a], group[b]
        said = 1.0 if one == other else tanh(between.get(pair_of(one, other), 0.0) / 2)
        found[a, b] = min(max((1 + held * said) / 2, 1e-3), 1 - 1e-3)
    return found


def _between(nats: Nats, group: Mapping[int, int]) -> dict[Pair, float]:
    """Net nats between every two groups that were compared."""
    found: dict[Pair, float] = {}
    for (a, b), score in nats.items():
        if group[a] != group[b]:
            key = pair_of(group[a], group[b])
            found[key] = found.get(key, 0.0) + score
    return found


def _alone(group: Mapping[int, int]) -> set[int]:
    """Items that are a group of their own."""
    size: dict[int, int] = {}
    for place in group.values():
        size[place] = size.get(place, 0) + 1
    return {item for item, place in group.items() if size[place] == 1}


def grouped(links: Links) -> dict[int, int]:
    """Group of every item, named after one of its members: correlation clustering of the net evidence."""
    group = contracted(links)
    for _ in range(SWEEPS):
        if not _change_sides(links, group):
            break
    return group


def _change_sides(links: Links, group: dict[int, int]) -> bool:
    """Each item goes where its own net evidence is highest; True if any went."""
    moved = False
    for item in sorted(links):
        votes: dict[int, float] = {}
        for other, nats in links[item].items():
            votes[group[other]] = votes.get(group[other], 0.0) + nats
        best = max(votes, key=lambda place: (votes[place], -place))
        if group[item] != best and votes[best] > max(votes.get(group[item], 0.0), 0.0) + NOTHING:
            group[item], moved = best, True
    return moved
