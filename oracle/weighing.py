"""Trust annotators as the log itself says they deserve: the step from reliability to a graph that uses it.

    log -> graph with equal weights -> what others expect -> error rates -> reweighed graph -> again -> steady

The rates are taken from a prefix of the log whose length grows by a quarter each time, so a graph is reweighed a few
dozen times in its life, and a graph built in one go from the same log comes out equal.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from db.nouns import Statement
from oracle.constraints import ConstraintGraph
from oracle.crossfit import expected_by_others
from oracle.evidence import HIGHEST_ERROR
from oracle.reliability import Annotator, annotators

FIRST = 24  # statements before anybody is judged
GROWTH = 1.25
ROUNDS = 3
WINDOW = 3000  # the newest statements of the prefix judge alone: people change, and time is short
LOWEST = 0.02  # nobody is trusted beyond this: no single answer shall outweigh two
USUAL, PRIOR_ANSWERS = 0.05, 20  # what is believed of an answer before anything is known, and how firmly


def checkpoint(size: int) -> int:
    """Length of the prefix that judges the annotators of a log of this many statements; 0: nobody is judged yet."""
    if size < FIRST:
        return 0
    length = FIRST
    while (longer := int(length * GROWTH)) <= size:
        length = longer
    return length


def weighed_graph(statements: Iterable[Statement], *, cap: int = 100) -> ConstraintGraph:
    """The graph of a whole log, every source weighed by its own error rate. The order of the log is irrelevant."""
    graph = ConstraintGraph.build(statements, cap=cap)
    weigh(graph)
    return graph


def weigh(graph: ConstraintGraph) -> None:
    """Reweigh a graph in place, by the prefix of its own log."""
    said = graph.statements
    length = checkpoint(len(said))
    found = judged(said[max(0, length - WINDOW) : length])
    graph.reweigh(trusted_rates(found), usual_rate(found))


@lru_cache(maxsize=16)  # the same prefix judges until the next checkpoint
def judged(statements: tuple[Statement, ...], *, half_life: float | None = None) -> dict[str, Annotator]:
    """Every source of a log with its error rate, all other answers heard as witnesses. It is kept: do not change it."""
    graph = ConstraintGraph.build(statements)
    found: dict[str, Annotator] = {}
    for _ in range(ROUNDS if statements else 0):
        found = annotators(statements, expected=expected_by_others(graph), half_life=half_life)
        graph.reweigh({source: _bounded(one) for source, one in found.items()})  # who differs a little may differ a lot
    return found


def trusted_rates(found: Mapping[str, Annotator]) -> dict[str, float]:
    """The error rate to weigh each source by, in [0.02, 0.49]; worse than a coin weighs next to nothing.

    Whose interval holds the usual rate is weighed as usual: chance differences shall not decide between two people.
    """
    usual = usual_rate(found)
    return {source: usual if one.low <= usual <= one.high else _bounded(one) for source, one in found.items()}


def usual_rate(found: Mapping[str, Annotator]) -> float:
    """How often an answer of this log is wrong: what a new source is taken for, and what one answer's worth means."""
    answers = sum(one.answers for one in found.values())
    wrong = sum(_bounded(one) * one.answers for one in found.values())
    return (USUAL * PRIOR_ANSWERS + wrong) / (PRIOR_ANSWERS + answers)


def _bounded(one: Annotator) -> float:
    return min(max(one.error_rate, LOWEST), HIGHEST_ERROR)


class Weigher:
    """Keeps one growing graph weighed: call `refresh` after every change."""

    def __init__(self) -> None:
        self._length = 0

    def refresh(self, graph: ConstraintGraph, *, rewritten: bool = False) -> bool:
        """Reweigh where the log has grown enough; True if it did. rewritten: earlier answers went or came back."""
        length = checkpoint(graph.size)
        if length == self._length and not (length and rewritten):
            return False
        self._length = length
        weigh(graph)
        return True
