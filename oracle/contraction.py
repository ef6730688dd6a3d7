"""Correlation clustering of signed evidence: join the two groups with the highest net evidence, as long as it pulls.

Source: Keuper et al. 2015, "Efficient decomposition of image and mesh graphs by lifted multicuts", ICCV (greedy
additive edge contraction).
Differs: no lifted edges.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from oracle.evidence import Pair, pair_of

NOTHING = 1e-9  # nats that are rounding, no evidence
Links = dict[int, dict[int, float]]


def links_of(nats: Iterable[tuple[Pair, float]]) -> Links:
    """Every item's ties with their net nats, both ways."""
    links: Links = {}
    for (a, b), score in nats:
        links.setdefault(a, {})[b] = score
        links.setdefault(b, {})[a] = score
    return links


def contracted(links: Links) -> dict[int, int]:
    """Group of every item, named after one of its members. Ties are broken by item numbers: the order is irrelevant."""
    joined = {item: dict(near) for item, near in links.items()}
    members = {item: [item] for item in links}
    waiting = [(-nats, a, b) for a, near in links.items() for b, nats in near.items() if a < b and nats > NOTHING]
    heapify(waiting)
    while waiting:
        nats, a, b = heappop(waiting)
        if a not in joined or joined[a].get(b) != -nats:
            continue  # one of them was joined elsewhere meanwhile
        keep, gone = sorted((a, b), key=lambda one: (-len(joined[one]), one))
        members[keep] += members.pop(gone)
        for other, more in _merged(joined, keep, gone):
            heappush(waiting, (-more, *pair_of(keep, other)))
    return {item: name for name, items in members.items() for item in items}


def _merged(joined: Links, keep: int, gone: int) -> list[tuple[int, float]]:
    """Hand all links of `gone` to `keep`; the links that pull now, with their nats."""
    pulling = []
    del joined[keep][gone]
    for other, nats in joined.pop(gone).items():
        if other == keep:
            continue
        del joined[other][gone]
        more = joined[keep].get(other, 0.0) + nats
        joined[keep][other] = joined[other][keep] = more
        if more > NOTHING:
            pulling.append((other, more))
    return pulling
