"""Rules of the literature ask what other people's code of the same rules asks, given the same luck."""

from typing import Any

import numpy as np
import pytest

from db.nouns import Snapshot
from oracle import plugins
from oracle.acquisition._clusters import cuts_of
from oracle.acquisition.npu import leaf_similarity
from oracle.constraints import ConstraintGraph
from tests.oracle.conftest import blobs, say

WHY = "needs the packages of other people's systems: pip install 'pairwright[benchmarks]'"
Pair = tuple[int, int]


def ours(name: str, snapshot: Snapshot, labels: list[int], count: int, **settings: object) -> list[Pair]:
    """Pairs of rows a rule asks a truthful person, one a screen."""
    rule, graph = plugins.load("oracle.acquisition", name, screen=1, **settings), ConstraintGraph()
    asked: list[Pair] = []
    while len(asked) < count and (found := rule.propose(snapshot, graph, 1)):
        a, b = (snapshot.position[item] for item in found[0].pairs()[0])
        answer(graph, snapshot, labels, (a, b))
        asked.append((a, b))
    return asked


def answer(graph: ConstraintGraph, snapshot: Snapshot, labels: list[int], pair: Pair) -> None:
    a, b = (int(snapshot.ids[row]) for row in pair)
    graph.add(say(graph.size + 1, a, b, "same" if labels[pair[0]] == labels[pair[1]] else "different"))


class Person:
    """Answers the package truthfully, and keeps what it was asked."""

    def __init__(self, labels: list[int], most: int, spent: type[Exception]) -> None:
        self.labels, self.max_queries_cnt, self.spent, self.asked = labels, most, spent, list[Pair]()

    def query(self, i: int, j: int) -> bool:
        if len(self.asked) >= self.max_queries_cnt:
            raise self.spent
        self.asked.append((int(i), int(j)))
        return self.labels[i] == self.labels[j]


def placed(asked: list[Pair], first: int) -> list[int]:
    """Items in the order in which they are first asked about."""
    return list(dict.fromkeys([first, *(row for pair in asked for row in pair)]))


@pytest.fixture
def package() -> Any:
    with np.errstate():  # the package turns every floating point warning of the process into an error
        return pytest.importorskip("active_semi_clustering.active.pairwise_constraints", reason=WHY)


# farthest first -------------------------------------------------------------------------------------------------------
def theirs(package: Any, name: str, snapshot: Snapshot, labels: list[int], first: int, groups: int) -> list[Pair]:
    """What the package asks if it begins with the row `first`."""
    person = Person(labels, 50, package.example_oracle.MaximumQueriesExceeded)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(np.random, "choice", lambda rows: first if isinstance(rows, int) else min(rows))
        getattr(package, name)(n_clusters=groups).fit(snapshot.vectors.astype(np.float64), person)
    return person.asked


@pytest.mark.parametrize("seed", range(4))
def test_minmax_places_items_in_the_order_of_the_package(package: Any, seed: int) -> None:
    labels = [row % 4 for row in range(60)]
    snapshot = blobs(labels, seed=seed, spread=0.6)
    own = ours("minmax", snapshot, labels, 50, seed=seed)
    known = theirs(package, "MinMax", snapshot, labels, own[0][0], 4)
    mine, other = placed(own, own[0][0]), placed(known, own[0][0])
    both = min(len(mine), len(other)) - 1  # the last one may be left unfinished
    assert both > 15
    assert mine[:both] == other[:both]


@pytest.mark.parametrize("seed", range(4))
def test_exploring_places_items_in_the_order_of_the_package(package: Any, seed: int) -> None:
    labels = [row % 6 for row in range(60)]
    snapshot = blobs(labels, seed=seed, spread=0.6)
    own = ours("explore_consolidate", snapshot, labels, 50, seed=seed, groups=6)
    known = theirs(package, "ExploreConsolidate", snapshot, labels, own[0][0], 6)
    mine, other = placed(own, own[0][0]), placed(known, own[0][0])
    explored = next(at for at in range(6, 40) if len({labels[row] for row in other[:at]}) == 6)
    assert mine[:explored] == other[:explored]


# NPU ------------------------------------------------------------------------------------------------------------------
def test_npu_has_the_membership_of_the_package(package: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot, random = blobs([row % 3 for row in range(30)]), np.random.default_rng(0)
    leaves = random.integers(0, 6, (30, 50))
    groups = [[0, 3], [1, 4, 7], [2]]
    forest = type("Forest", (), {"__init__": lambda self, **_: None, "fit": lambda *_: None,
                                 "apply": lambda *_: leaves})  # fmt: skip
    monkeypatch.setattr(package.npu, "RandomForestClassifier", forest)
    clusterer = type("Clusterer", (), {"labels_": snapshot.start})
    row, chance = package.NPU()._most_informative(snapshot.vectors, clusterer, groups)
    alike = leaf_similarity(leaves, [np.array(rows) for rows in groups])[row]
    assert alike / alike.sum() == pytest.approx(chance)


# COBRAS ---------------------------------------------------------------------------------------------------------------
def cobras_of_the_package(snapshot: Snapshot, labels: list[int], count: int) -> list[Pair]:
    """Pairs the authors' code asks with our cuts; of two groups the closest centres, as our rule has it."""
    cobras = pytest.importorskip("cobras_ts.cobras", reason=WHY)
    parts = pytest.importorskip("cobras_ts.superinstance_kmeans", reason=WHY)
    vectors, cuts, asked = snapshot.vectors, cuts_of(snapshot, 0), list[Pair]()

    class Cobras(cobras.COBRAS):  # type: ignore[misc, name-defined]
        def create_superinstance(self, indices: list[int], parent: Any = None) -> Any:
            made = parts.SuperInstance_kmeans(self.data, indices, self.train_indices, parent)
            made.representative_idx = cuts.medoid(np.array(indices))  # of two items either is nearest to the mean
            return made

        def split_superinstance(self, si: Any, k: int) -> list[Any]:
            si.children = [self.create_superinstance(rows.tolist(), si) for rows in cuts.cut(np.array(si.indices), k)]
            return list(si.children)

    class Truth:
        continue_cluster_process = update_clustering = staticmethod(lambda *_: True)

        def query_points(self, a: int, b: int) -> bool:
            asked.append((a, b))
            return labels[a] == labels[b]

    def closest(one: Any, other: Any) -> tuple[Any, Any]:
        pairs = [(a, b) for a in one.super_instances for b in other.super_instances]
        return max(
            pairs, key=lambda pair: float(vectors[pair[0].representative_idx] @ vectors[pair[1].representative_idx])
        )

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cobras.Cluster, "get_comparison_points", closest)
        Cobras(vectors.astype(np.float64), Truth(), count, store_intermediate_results=False).cluster()
    return asked


def unimplied(snapshot: Snapshot, labels: list[int], pairs: list[Pair]) -> list[Pair]:
    """Those that no earlier answers imply."""
    graph, kept = ConstraintGraph(), []
    for a, b in pairs:
        if graph.relation(int(snapshot.ids[a]), int(snapshot.ids[b])) is None:
            answer(graph, snapshot, labels, (a, b))
            kept.append((min(a, b), max(a, b)))
    return kept


@pytest.mark.parametrize(("seed", "groups"), list(zip(range(6), [2, 3, 4, 5, 8, 3], strict=True)))
def test_cobras_asks_what_the_authors_code_asks(seed: int, groups: int) -> None:
    labels = [row % groups for row in range(100)]
    snapshot = blobs(labels, seed=seed, spread=0.7)
    known = unimplied(snapshot, labels, cobras_of_the_package(snapshot, labels, 80))
    own = [(min(pair), max(pair)) for pair in ours("cobras", snapshot, labels, len(known))]
    assert len(known) > 30
    assert own == known[: len(own)]
    assert len(own) > 30
