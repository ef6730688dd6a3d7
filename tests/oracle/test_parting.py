"""Cuts and parts of the constraint graph against their plain definitions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as some
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from oracle.components import parts
from oracle.conflicts import Cutter
from oracle.evidence import Pair

ITEMS = some.integers(0, 9)
PAIRS = some.tuples(ITEMS, ITEMS).filter(lambda pair: pair[0] < pair[1])


@given(some.sets(PAIRS, max_size=20), some.sets(PAIRS, max_size=6))
def test_parts_are_what_can_be_reached_without_the_pairs_left_out(links: set[Pair], without: set[Pair]) -> None:
    near = {item: {b for a, b in links if a == item} | {a for a, b in links if b == item} for item in range(10)}
    part = {item: item for item in range(10)}
    for _ in range(10):  # names spread until nothing changes
        for a, b in links - without:
            part[a] = part[b] = min(part[a], part[b])
    named = [[item for item in range(10) if part[item] == name] for name in sorted(set(part.values()))]
    assert parts(range(10), near, without) == named


@given(some.dictionaries(PAIRS, some.floats(0.1, 9.0), min_size=1, max_size=20), some.data())
def test_what_a_flow_leaves_over_is_capacity_minus_flow(nats: dict[Pair, float], data: some.DataObject) -> None:
    a, b = data.draw(some.sampled_from(sorted(nats)))
    cutter = Cutter(range(10), nats, dict.fromkeys(nats, 1.0))
    flow = maximum_flow(cutter._capacity, cutter._row(a), cutter._row(b)).flow
    plain = csr_array(cutter._capacity - flow)
    plain.eliminate_zeros()
    left, links = cutter._left_over(flow)
    assert (left != plain).nnz == 0
    assert left.nnz == plain.nnz
    np.testing.assert_array_equal(links, np.column_stack(plain.nonzero()))


@given(
    some.dictionaries(PAIRS, some.floats(0.1, 9.0), min_size=1, max_size=20),
    some.dictionaries(PAIRS, some.floats(0.1, 9.0), min_size=1, max_size=4),
)
def test_what_leads_nowhere_changes_no_cut_and_no_chain(nats: dict[Pair, float], denied: dict[Pair, float]) -> None:
    everywhere = {(item, 10 + item): 1.0 for item in range(10)}  # a dead end at every item
    further = everywhere | {(10 + item, 20 + item): 2.0 for item in range(10)}
    plain = Cutter(range(10), nats, denied)
    grown = Cutter(range(30), nats | further, denied)
    assert grown == plain
    whole = Cutter(range(10), nats, dict.fromkeys(nats, 0.0) | denied)  # ways between all ends are kept
    for a, b in denied:
        if joined(nats, a, b):
            assert grown.cut(a, b).edges == plain.cut(a, b).edges == whole.cut(a, b).edges
            assert grown.cut(a, b).support == whole.cut(a, b).support
            assert grown.chain(a, b) == whole.chain(a, b)


@given(some.dictionaries(PAIRS, some.floats(0.1, 9.0), min_size=1, max_size=20), PAIRS, PAIRS, some.data())
def test_cutters_that_cut_otherwise_are_not_equal(
    nats: dict[Pair, float], one: Pair, other: Pair, data: some.DataObject
) -> None:
    cutter = Cutter(range(10), nats, {one: 1.0})
    assert cutter == Cutter(range(10), nats, {one: 1.0})
    assert (cutter == Cutter(range(10), nats, {other: 1.0})) == (one == other)
    assert cutter != Cutter(range(10), nats, {one: 3.0})
    edge = data.draw(some.sampled_from(sorted(nats)))
    heavier = Cutter(range(10), nats | {edge: nats[edge] + 1.0}, {one: 1.0})
    assert (cutter == heavier) == (edge not in set(map(tuple, cutter._pairs.tolist())))


def joined(links: dict[Pair, float], a: int, b: int) -> bool:
    """Whether a chain leads from a to b."""
    reached = {a}
    while new := {item for pair in links if reached & {*pair} for item in pair} - reached:
        reached |= new
    return b in reached
