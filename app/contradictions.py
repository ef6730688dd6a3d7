"""Contradictions as people read them: who said what about which pair, the chain that says otherwise, what to ask again.

A contradiction is a pair said to be different although a chain of "same" joins its ends, or a pair about which answers
disagree (`oracle.conflicts`). The pairs to ask again are the lighter side of the weakest cut, the most doubtful first.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from db.nouns import Statement
from oracle.chains import distances, walk_back
from oracle.conflicts import Conflict
from oracle.constraints import ConstraintGraph
from oracle.evidence import Pair, pair_of
from oracle.weighing import weighed_graph

MOST_AGAIN = 6  # pairs to ask again, of one contradiction
MOST_LINKS = 12  # answers of a chain that are shown


@dataclass(frozen=True)
class Contradiction:
    """pair: said to be different. against, support: weight of the answers for "different" and for "same", in nats.

    again: pairs worth asking again; chain: answers that join the pair all the same, in walking order, empty where the
    answers disagree about the pair itself.
    """

    pair: Pair
    against: float
    support: float
    settled: bool
    again: tuple[Pair, ...]
    chain: tuple[Pair, ...]

    @property
    def items(self) -> set[int]:
        """All items it shows."""
        return {item for pair in (self.pair, *self.again, *self.chain) for item in pair}


def contradictions(said: Sequence[Statement], settled: bool = False) -> list[Contradiction]:
    """Open ones first, the heaviest first among them. settled: also those that later answers outvoted."""
    graph = weighed_graph(said)
    links = _links(graph)
    found = [_one(conflict, links) for conflict in graph.conflicts(settled=settled)]
    return sorted(found, key=lambda one: (one.settled, -min(one.against, one.support), one.pair))


def said_about(said: Sequence[Statement]) -> dict[Pair, list[Statement]]:
    """Every standing verdict by its pair, in the order of the log."""
    found: dict[Pair, list[Statement]] = defaultdict(list)
    for one in said:
        found[pair_of(one.a, one.b)].append(one)
    return found


def _one(conflict: Conflict, links: dict[int, set[int]]) -> Contradiction:
    pair = pair_of(conflict.a, conflict.b)
    reached = distances(pair[0], links, {pair})
    chain = walk_back(pair[1], reached)[:MOST_LINKS] if pair[1] in reached else []
    again = conflict.suspects[:MOST_AGAIN] or (pair,)
    return Contradiction(pair, conflict.against, conflict.support, conflict.settled, tuple(again), tuple(chain))


def _links(graph: ConstraintGraph) -> dict[int, set[int]]:
    """Who is joined to whom by an answer that says "same", on balance."""
    links: dict[int, set[int]] = defaultdict(set)
    a, b, sign, _ = graph.arrays()
    for one, other in zip(a[sign > 0].tolist(), b[sign > 0].tolist(), strict=True):
        links[one].add(other)
        links[other].add(one)
    return links
