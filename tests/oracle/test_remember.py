"""Beliefs are worked out once per state of the graph, and never outlive it."""

import gc
from weakref import ref

import numpy as np
import pytest

from db.nouns import Statement, Verdict
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.remember import GRAPHS, Memory
from tests.oracle.test_belief import blobs, said


def test_a_belief_is_worked_out_once_until_the_graph_changes() -> None:
    snapshot, labels = blobs()
    graph = said(labels, [(0, 1), (2, 3)])
    first = infer(snapshot, graph)
    assert infer(snapshot, graph) is first
    graph.add(Statement(9, 4, 5, Verdict.SAME, "truth"))
    second = infer(snapshot, graph)
    assert second is not first
    graph.remove(9)
    np.testing.assert_array_equal(infer(snapshot, graph).probabilities, first.probabilities)
    graph.reweigh({"truth": 0.3})
    assert infer(snapshot, graph).error_rate == graph.error_rate


def test_another_snapshot_or_other_settings_get_a_belief_of_their_own() -> None:
    (snapshot, labels), (other, _) = blobs(), blobs()
    graph = said(labels, [(0, 1), (2, 3)])
    first = infer(snapshot, graph)
    assert infer(other, graph).snapshot is other
    assert infer(snapshot, graph) is not first
    np.testing.assert_array_equal(infer(snapshot, graph).labels, first.labels)


def test_nobody_can_change_a_belief_that_others_will_read() -> None:
    snapshot, labels = blobs()
    for graph in (ConstraintGraph(), said(labels, [(0, 1), (2, 3)])):
        with pytest.raises(ValueError, match="read-only"):
            infer(snapshot, graph).labels[0] = 7


def test_what_is_remembered_goes_with_its_graph() -> None:
    snapshot, labels = blobs()
    graph = said(labels, [(0, 1)])
    belief = ref(infer(snapshot, graph))
    assert belief() is not None
    del graph
    gc.collect()
    assert belief() is None


def test_only_the_last_few_graphs_are_remembered() -> None:
    memory: Memory[object] = Memory()
    graphs = [ConstraintGraph() for _ in range(GRAPHS + 1)]
    made = [memory.get(graph, None, 0, object) for graph in graphs]
    assert memory.get(graphs[1], None, 0, object) is made[1]
    assert memory.get(graphs[0], None, 0, object) is not made[0]
