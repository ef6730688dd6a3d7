"""The run of COBRAS, played again from the answers."""

from itertools import combinations

import numpy as np

from db.nouns import Kind, Snapshot
from oracle.acquisition._clusters import cuts_of
from oracle.acquisition.cobras import CUT, JOIN, Acquisition, _closeness, _merged, _Run
from oracle.constraints import ConstraintGraph
from tests.oracle.conftest import blobs, say

ONE = Acquisition(screen=1)


def next_pair(snapshot: Snapshot, graph: ConstraintGraph) -> tuple[int, int]:
    (question,) = ONE.propose(snapshot, graph, 1)
    assert question.kind is Kind.PAIR
    return snapshot.position[question.anchor], snapshot.position[question.candidates[0]]


def halves(snapshot: Snapshot, rows: np.ndarray) -> list[np.ndarray]:
    return sorted(cuts_of(snapshot, 0).cut(rows, 2), key=len)


def centres(snapshot: Snapshot, parts: list[np.ndarray]) -> set[int]:
    """By plain loops: of each part the member nearest to the mean."""
    mean = {id(rows): snapshot.vectors[rows].mean(0) for rows in parts}
    return {
        min(rows.tolist(), key=lambda row: float(((snapshot.vectors[row] - mean[id(rows)]) ** 2).sum()))
        for rows in parts
    }


def add(graph: ConstraintGraph, snapshot: Snapshot, pair: tuple[int, int], verdict: str) -> None:
    graph.add(say(graph.size + 1, int(snapshot.ids[pair[0]]), int(snapshot.ids[pair[1]]), verdict))


def test_the_first_question_is_about_the_centres_of_two_halves() -> None:
    snapshot = blobs([row % 3 for row in range(31)])
    assert set(next_pair(snapshot, ConstraintGraph())) == centres(snapshot, halves(snapshot, np.arange(31)))
    assert ONE.propose(snapshot, ConstraintGraph(), 1)[0].reason == CUT


def test_different_halves_send_the_run_into_the_smaller_half() -> None:
    snapshot, graph = blobs([0] * 8 + [1] * 14 + [2] * 9), ConstraintGraph()
    add(graph, snapshot, next_pair(snapshot, graph), "different")
    smaller, larger = halves(snapshot, np.arange(31))
    assert len(smaller) < len(larger)
    assert set(next_pair(snapshot, graph)) == centres(snapshot, halves(snapshot, smaller))


def test_equal_halves_are_joined_and_the_larger_is_next() -> None:
    snapshot, graph = blobs([0] * 8 + [1] * 14 + [2] * 9), ConstraintGraph()
    add(graph, snapshot, next_pair(snapshot, graph), "same")
    larger = halves(snapshot, np.arange(31))[1]
    assert set(next_pair(snapshot, graph)) == centres(snapshot, halves(snapshot, larger))


def test_two_halvings_cut_into_four_parts_whose_centres_are_compared_closest_first() -> None:
    snapshot, graph = blobs([row % 4 for row in range(40)]), ConstraintGraph()
    add(graph, snapshot, next_pair(snapshot, graph), "different")
    add(graph, snapshot, next_pair(snapshot, graph), "different")
    add(graph, snapshot, next_pair(snapshot, graph), "same")
    parts = cuts_of(snapshot, 0).cut(np.arange(40), 4)
    middle = sorted(centres(snapshot, parts))
    known = [graph.relation(int(snapshot.ids[a]), int(snapshot.ids[b])) for a, b in combinations(middle, 2)]
    open_pairs = [pair for pair, verdict in zip(combinations(middle, 2), known, strict=True) if verdict is None]
    mean = {next(iter(centres(snapshot, [rows]))): snapshot.vectors[rows].mean(0) for rows in parts}
    closest = min(open_pairs, key=lambda pair: float(np.linalg.norm(mean[pair[0]] - mean[pair[1]])))
    assert set(next_pair(snapshot, graph)) == set(closest)
    assert ONE.propose(snapshot, graph, 1)[0].reason == JOIN


def test_a_truthful_person_is_led_to_the_partition_with_few_questions() -> None:
    labels = [row % 3 for row in range(24)]
    snapshot, graph, asked = blobs(labels, spread=0.2), ConstraintGraph(), 0
    while found := ONE.propose(snapshot, graph, 1):
        a, b = (snapshot.position[item] for item in found[0].pairs()[0])
        add(graph, snapshot, (a, b), "same" if labels[a] == labels[b] else "different")
        asked += 1
    assert asked < 24 * 3
    for a, b in combinations(range(24), 2):
        verdict = graph.relation(int(snapshot.ids[a]), int(snapshot.ids[b]))
        assert str(verdict) == ("same" if labels[a] == labels[b] else "different")


def test_a_liar_does_not_stop_the_run() -> None:
    snapshot, graph, rng = blobs([row % 3 for row in range(20)]), ConstraintGraph(), np.random.default_rng(0)
    for _ in range(300):
        found = ONE.propose(snapshot, graph, 1)
        if not found:
            break
        add(graph, snapshot, tuple(snapshot.position[one] for one in found[0].pairs()[0]),  # type: ignore[arg-type]
            str(rng.choice(["same", "different"])))  # fmt: skip
    assert found == []


def test_joining_shows_one_centre_beside_those_of_several_groups() -> None:
    snapshot, graph = blobs([row % 4 for row in range(40)]), ConstraintGraph()
    for verdict in ("different", "different", "same"):
        add(graph, snapshot, next_pair(snapshot, graph), verdict)
    (question,) = Acquisition(screen=12).propose(snapshot, graph, 1)
    assert question.reason == JOIN
    assert question.kind is Kind.TICK
    assert 2 <= len(question.candidates) <= 3


def test_what_answers_have_joined_is_not_cut() -> None:
    snapshot = blobs([0] * 12)
    graph = ConstraintGraph.build(say(n, int(snapshot.ids[0]), int(snapshot.ids[n]), "same") for n in range(1, 12))
    assert ONE.propose(snapshot, graph, 3) == []


def test_equal_pictures_are_left_in_one_part() -> None:
    snapshot = blobs([0] * 9, spread=0.0)
    assert len(ONE.propose(snapshot, ConstraintGraph(), 5)) <= 5


def test_groups_are_as_close_as_their_closest_parts() -> None:
    vectors = blobs([0] * 9).vectors
    groups = [vectors[[0, 4]], vectors[[2]], vectors[[7, 1, 5]]]
    near = _closeness(groups)
    for x, y in combinations(range(3), 2):
        expected = -min(float(np.linalg.norm(a - b)) for a in groups[x] for b in groups[y])
        assert near[x, y] == near[y, x]
        assert abs(near[x, y] - expected) < 1e-6
    joined = _merged(near, 0, 2, np.maximum)
    assert _merged(near, 0, 2, np.minimum)[0, 1] < joined[0, 1]
    assert joined.shape == (2, 2)
    assert joined[0, 1] == max(near[0, 1], near[2, 1])


def test_a_part_that_cannot_be_cut_stays_in_its_group() -> None:
    snapshot = blobs([0] * 4 + [1] * 5, spread=0.0)
    run = _Run(snapshot, ConstraintGraph(), cuts_of(snapshot, 0), 1)
    run.clusters, run.apart = [[np.arange(4), np.array([8])], [np.arange(4, 8)]], ~np.eye(2, dtype=bool)
    run._cut(0, 0, 2)
    assert [[rows.tolist() for rows in cluster] for cluster in run.clusters] == [[[0, 1, 2, 3], [8]], [[4, 5, 6, 7]]]
    assert run.apart[0, 1]


def test_what_is_left_of_a_group_keeps_its_place_and_forgets_who_differs() -> None:
    snapshot = blobs([row % 3 for row in range(12)])
    run = _Run(snapshot, ConstraintGraph(), cuts_of(snapshot, 0), 1)
    run.clusters = [[np.arange(3)], [np.arange(3, 9), np.array([9])], [np.array([10, 11])]]
    run.apart = ~np.eye(3, dtype=bool)
    run._cut(1, 0, 2)
    assert [len(cluster) for cluster in run.clusters] == [1, 1, 1, 1, 1]
    assert run.clusters[1][0].tolist() == [9]
    assert np.argwhere(run.apart).tolist() == [[0, 2], [2, 0]]
