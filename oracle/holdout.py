"""Beliefs that go on from another one: without some answers, or along a growing log.

A search from scratch over a long log may end in worse groups than one that grew with it, and takes longer; so whoever
measures grows the graph as the log grew, and leaves answers out by going on from the groups that had them.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from db.nouns import Snapshot, Statement
from oracle.belief import _MEMORY, Belief, _answered, _asked, _unanswered, infer
from oracle.constraints import ConstraintGraph
from oracle.explain import Search
from oracle.weighing import weighed_graph

STEPS = 12  # looks at a log from its beginning to its end
Told = Callable[[int, int], object]
CONTENT = Search(10**9, float("-inf"))  # as if all had been searched, so that nothing is


def along(
    snapshot: Snapshot,
    said: Sequence[Statement],
    ledger: ConstraintGraph,
    stops: Sequence[int],
    *,
    light: Collection[int] = (),
) -> Iterator[tuple[int, Belief]]:
    """The belief after each of these answers, in order. ledger: an empty graph; it takes the answers in on the way.

    light: stops at which nothing is searched anew.
    """
    waiting = sorted(said, key=lambda one: one.answer)
    at, found = 0, None
    for stop in sorted(set(stops)):
        begun = at
        while at < len(waiting) and waiting[at].answer <= stop:
            at += 1
        ledger.update(waiting[begun:at])
        if stop in light and found is not None:
            found = replace(_on(found, ledger), search=found.search)
            adopt(ledger, found)
        else:
            found = infer(snapshot, ledger)
        yield stop, found


def even(answers: Sequence[int], steps: int = STEPS) -> list[int]:
    """The answers that end even shares of a log, the last one among them. answers: sorted."""
    return sorted({answers[len(answers) * part // steps - 1] for part in range(1, steps + 1) if answers})


def grown(
    snapshot: Snapshot, said: Sequence[Statement], ledger: ConstraintGraph, told: Told = lambda *_: None
) -> Belief:
    """The belief of a whole log, found as the log grew. ledger: an empty graph; it holds the log afterwards.

    told(done, of): called before each look; raise in it to stop.
    """
    found = infer(snapshot, ledger)
    stops = even(sorted({one.answer for one in said}))
    told(0, len(stops))
    for done, (_, found) in enumerate(along(snapshot, said, ledger, stops), 1):  # noqa: B007
        told(done, len(stops))
    return found


def weighed(
    snapshot: Snapshot, said: Sequence[Statement], told: Told = lambda *_: None
) -> tuple[ConstraintGraph, Belief]:
    """The graph of a whole log, every source weighed by its own error rate, and the belief found as the log grew."""
    rates = weighed_graph(said)
    ledger = ConstraintGraph(rates.error_rate, error_rates=rates.error_rates, cap=rates.cap)
    return ledger, grown(snapshot, said, ledger, told)


def without(belief: Belief, graph: ConstraintGraph, said: Sequence[Statement]) -> Belief:
    """What would be believed had these answers of the graph not been given; it has them back afterwards.

    belief: of this graph. In a long log nothing is searched anew: groups lose what only these answers told, and go on.
    """
    for answer in sorted({one.answer for one in said}):
        graph.remove(answer)
    found = _on(belief, graph)
    graph.update(said)
    return found


def _on(belief: Belief, graph: ConstraintGraph) -> Belief:
    """The belief of a graph, from the groups of another one; only a short log is searched anew."""
    asked = _asked(belief.snapshot, graph)
    if asked is None:
        return _unanswered(belief.snapshot, graph)
    return _answered(belief.snapshot, asked, replace(belief, search=CONTENT))


def adopt(graph: ConstraintGraph, belief: Belief) -> None:
    """Let a copy of a graph know what is believed of it, so that inference goes on from there."""
    _MEMORY.get(graph, belief.snapshot, None, lambda: belief)
