"""Peers run as their authors wrote them: the quick versions of slow loops take the very same steps."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from benchmarks.label_efficiency.sets import LabelledSet, labelled
from benchmarks.label_efficiency.systems import find
from tests.benchmarks.test_label_efficiency import blobs, trial_of

WHY = "needs the packages of other people's systems: pip install 'pairwright[benchmarks]'"


@pytest.fixture
def quick() -> Iterator[Any]:
    with np.errstate():  # the package turns every floating point warning of the process into an error
        pytest.importorskip("active_semi_clustering", reason=WHY)
    from benchmarks.label_efficiency.peers import _quick

    with np.errstate(all="ignore"):
        yield _quick


@pytest.fixture
def cloud() -> LabelledSet:
    """Groups that overlap, so that answers matter."""
    random, truth = np.random.default_rng(5), np.repeat(np.arange(3), 20)
    return labelled("cloud", 1.5 * np.eye(6)[truth] + random.standard_normal((60, 6)), truth)


def answers(data: LabelledSet, count: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    drawn = np.random.default_rng(2).integers(len(data.truth), size=(count, 2)).tolist()
    pairs = [(i, j) for i, j in drawn if i != j]
    same = [data.truth[i] == data.truth[j] for i, j in pairs]
    return [p for p, yes in zip(pairs, same, strict=True) if yes], [
        p for p, yes in zip(pairs, same, strict=True) if not yes
    ]


def seed(number: int) -> None:
    """The package draws from the global generator."""
    np.random.seed(number)  # noqa: NPY002


class Truth:
    """The oracle as the package asks it; keeps the log."""

    def __init__(self, data: LabelledSet, most: int) -> None:
        self.data, self.max_queries_cnt, self.log = data, most, []  # type: ignore[var-annotated]

    def query(self, i: int, j: int) -> bool:
        from active_semi_clustering.active.pairwise_constraints.example_oracle import MaximumQueriesExceeded

        if len(self.log) >= self.max_queries_cnt:
            raise MaximumQueriesExceeded
        self.log.append((int(i), int(j)))
        return bool(self.data.truth[i] == self.data.truth[j])


def test_the_closure_by_components_is_the_packages_own(quick: Any, cloud: LabelledSet) -> None:
    from active_semi_clustering.semi_supervised.pairwise_constraints.constraints import preprocess_constraints

    must, cannot = answers(cloud, 80)
    theirs, ours = preprocess_constraints(must, cannot, 60), quick.closure(must, cannot, 60)
    for their, our in zip(theirs[:2], ours[:2], strict=True):
        assert {row: set(links) - {row} for row, links in their.items() if set(links) - {row}} == {
            row: set(links.tolist()) for row, links in our.items() if len(links)
        }
    assert sorted(map(sorted, theirs[2])) == sorted(map(sorted, ours[2]))


def test_a_cannot_link_inside_a_group_of_must_links_is_refused(quick: Any) -> None:
    with pytest.raises(quick.InconsistentConstraintsException):
        quick.closure([(0, 1), (1, 2)], [(0, 2)], 3)


@pytest.mark.parametrize(("module", "name"), [("pckmeans", "PCKMeans"), ("mpckmeans", "MPCKMeans")])
def test_the_quick_clusterer_finds_the_same_groups(
    quick: Any, cloud: LabelledSet, monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    from active_semi_clustering.semi_supervised.pairwise_constraints.constraints import preprocess_constraints

    must, cannot = answers(cloud, 40)
    rows, parent = cloud.features.astype(float), getattr(quick, module)
    seed(1)
    ours = getattr(quick, name)(3).fit(rows, ml=must, cl=cannot).labels_
    monkeypatch.setattr(parent, "preprocess_constraints", preprocess_constraints)
    seed(1)
    theirs = getattr(parent, name)(3).fit(rows, ml=must, cl=cannot).labels_
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(("module", "name"), [("explore_consolidate", "ExploreConsolidate"), ("min_max", "MinMax")])
def test_the_quick_strategy_asks_the_same_pairs(quick: Any, cloud: LabelledSet, module: str, name: str) -> None:
    rows, logs = cloud.features.astype(float), []
    for family in (quick, getattr(quick, module)):
        seed(4)
        oracle = Truth(cloud, 50)
        getattr(family, name)(3).fit(rows, oracle)
        logs.append(oracle.log)
    assert logs[0] == logs[1]


def test_the_quick_npu_asks_the_same_pairs(quick: Any, cloud: LabelledSet) -> None:
    rows, logs = cloud.features.astype(float), []
    for family in (quick.NPU, quick.npu.NPU):
        seed(4)
        oracle = Truth(cloud, 12)
        family(quick.PCKMeans(3)).fit(rows, oracle)
        logs.append(oracle.log)
    assert logs[0] == logs[1]


@pytest.mark.parametrize("name", ["random-pckmeans", "explore-mpckmeans", "minmax-pckmeans"])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_a_strategy_spends_its_budget_and_finds_plain_groups(quick: Any, name: str, noise: float) -> None:
    trial = trial_of(blobs(), 40, noise)
    find(name, {})(trial)
    assert trial.oracle.verdicts == 40
    assert set(trial.verdicts.at) == {"10", "40"}
    assert noise or trial.verdicts.at["40"]["ari"] > 0.5


def test_cobras_finds_plain_groups() -> None:
    pytest.importorskip("cobras_ts", reason=WHY)
    trial = trial_of(blobs(), 60)
    find("cobras", {})(trial)
    assert trial.verdicts.at["60"]["ari"] > 0.9
    assert not hasattr(np, "int")


def test_quick_merging_asks_the_same_pairs_as_cobras(cloud: LabelledSet, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cobras_ts", reason=WHY)
    from benchmarks.label_efficiency.peers import cobras

    logs: list[list[tuple[int, int]]] = []

    def logged(self: Any, i: int, j: int) -> bool:
        logs[-1].append((i, j))
        return self.trial.ask(int(i), int(j), self.labels)

    monkeypatch.setattr(cobras._Cobras, "query_points", logged)
    for noise in (0.0, 0.2):
        for merging in (
            cobras._Cobras.merge_containing_clusters,
            cobras.cobras_kmeans.COBRAS.merge_containing_clusters,
        ):
            with monkeypatch.context() as patched:
                patched.setattr(cobras._Cobras, "merge_containing_clusters", merging)
                logs.append([])
                find("cobras", {})(trial_of(cloud, 80, noise))
        assert logs[-1] == logs[-2]
        assert len(logs[-1]) > 30
