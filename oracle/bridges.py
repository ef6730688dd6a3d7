"""Answers that alone hold two parts of a component together.

A bridge is an edge without which its component falls apart. One wrong answer on a bridge glues two groups into one, so
wide bridges wait for a second answer (no mega-groups), and what hangs on a weak bridge is not settled yet.
"""

from collections.abc import Sequence

from oracle.evidence import Pair, pair_of


def bridges(members: Sequence[int], links: dict[int, set[int]]) -> dict[Pair, int]:
    """Every bridge of one connected component, with the number of items on its smaller side.

    Source: Tarjan 1974, "A note on finding the bridges of a graph", with an own stack in place of recursion.
    """
    order, parent = _walk(min(members), links)
    rank = {item: place for place, item in enumerate(order)}
    low = dict(rank)
    below = dict.fromkeys(order, 1)
    found = {}
    for item in reversed(order):
        up = parent[item]
        for other in links[item]:
            if other != up:
                low[item] = min(low[item], low[other] if parent[other] == item else rank[other])
        if up is not None:
            below[up] += below[item]
            if low[item] > rank[up]:
                found[pair_of(item, up)] = min(below[item], len(order) - below[item])
    return found


def _walk(start: int, links: dict[int, set[int]]) -> tuple[list[int], dict[int, int | None]]:
    """Depth-first order and the parent of every item."""
    order: list[int] = [start]
    parent: dict[int, int | None] = {start: None}
    stack = [(start, iter(sorted(links[start])))]
    while stack:
        here, rest = stack[-1]
        there = next((item for item in rest if item not in parent), None)
        if there is None:
            stack.pop()
            continue
        parent[there] = here
        order.append(there)
        stack.append((there, iter(sorted(links[there]))))
    return order, parent
