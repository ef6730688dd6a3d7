"""The visible chain behind an implied relation: the fewest answers that lead from one item to the other."""

from collections import deque
from collections.abc import Mapping

from oracle.evidence import Pair, pair_of

Links = Mapping[int, set[int]]


def distances(start: int, links: Links, without: set[Pair] | frozenset[Pair]) -> dict[int, tuple[int, int]]:
    """Every item reachable from `start`: (steps, item before it). Ties go to the smaller id."""
    found = {start: (0, start)}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for there in sorted(links.get(here, ())):
            if there not in found and pair_of(here, there) not in without:
                found[there] = (found[here][0] + 1, here)
                waiting.append(there)
    return found


def walk_back(end: int, found: Mapping[int, tuple[int, int]]) -> list[Pair]:
    """Edges from the start of `found` to `end`, in walking order."""
    edges = []
    while found[end][0]:
        before = found[end][1]
        edges.append(pair_of(before, end))
        end = before
    return edges[::-1]


def same_chain(a: int, b: int, links: Links, without: set[Pair] | frozenset[Pair]) -> list[Pair]:
    """Shortest chain of positive edges from a to b."""
    return walk_back(b, distances(a, links, without))


def apart_chain(a: int, b: int, links: Links, walls: set[Pair], without: set[Pair] | frozenset[Pair]) -> list[Pair]:
    """Shortest chain that walks from a, crosses one negative edge of `walls`, and walks on to b."""
    from_a, from_b = distances(a, links, without), distances(b, links, without)
    crossings = []
    for u, v in walls:
        for near, far in ((u, v), (v, u)):
            if near in from_a and far in from_b:
                crossings.append((from_a[near][0] + from_b[far][0], near, far))
    _, near, far = min(crossings)
    return [*walk_back(near, from_a), pair_of(near, far), *walk_back(far, from_b)[::-1]]
