"""Bridges and chains, against plain loops."""

from hypothesis import given, settings
from hypothesis import strategies as st

from db.nouns import Statement, Verdict
from oracle.bridges import bridges
from oracle.components import parts
from oracle.constraints import ConstraintGraph

edges = st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1]), max_size=18)


def neighbours(found: set[tuple[int, int]]) -> dict[int, set[int]]:
    links: dict[int, set[int]] = {item: set() for pair in found for item in pair}
    for a, b in found:
        links[a].add(b)
        links[b].add(a)
    return links


@given(edges)
@settings(max_examples=150, deadline=None)
def test_a_bridge_is_an_edge_without_which_its_component_falls_apart(found: set[tuple[int, int]]) -> None:
    links = neighbours(found)
    for members in parts(links, links):
        inside = [pair for pair in found if pair[0] in members]
        expected = {}
        for pair in inside:
            halves = parts(members, links, {pair})
            if len(halves) == 2:
                expected[pair] = min(map(len, halves))
        assert bridges(members, links) == expected


@given(edges, edges)
@settings(max_examples=100, deadline=None)
def test_a_chain_is_as_short_as_can_be(same: set[tuple[int, int]], different: set[tuple[int, int]]) -> None:
    told = [
        *((pair, Verdict.SAME) for pair in sorted(same)),
        *((pair, Verdict.DIFFERENT) for pair in sorted(different)),
    ]
    graph = ConstraintGraph.build(Statement(n, *pair, verdict, "ann") for n, (pair, verdict) in enumerate(told))
    if graph.conflicts(settled=True):
        return
    for a in range(10):
        for b in range(a):
            implied = graph.implied(a, b)
            assert (len(implied.chain) if implied else None) == shortest(same, different, a, b)


def shortest(same: set[tuple[int, int]], different: set[tuple[int, int]], a: int, b: int) -> int | None:
    """Fewest answers from a to b over at most one "different", by widening circles over (item, walls crossed)."""
    circle, seen = {(a, 0)}, set()
    for steps in range(25):
        if any((b, walls) in circle for walls in (0, 1)):
            return steps
        seen |= circle
        circle = {
            (v, walls + crossed)
            for u, walls in circle
            for pairs, crossed in ((same, 0), (different, 1))
            for pair in pairs
            for v, w in (pair, pair[::-1])
            if w == u and walls + crossed <= 1
        } - seen
    return None
