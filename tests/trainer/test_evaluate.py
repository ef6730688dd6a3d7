"""Quality figures against scikit-learn and plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import pair_confusion_matrix

from db.errors import BadInput
from trainer.evaluate import FIGURES, bootstrap, kmeans_ari, label_codes, scores

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=2, max_size=60)


def world(truth: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors with some signal of the truth and their neighbours."""
    rng = np.random.default_rng(seed)
    vectors = np.eye(8)[np.array(truth)] + 0.4 * rng.normal(size=(len(truth), 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    return vectors, np.argsort(-cosines, axis=1)[:, : min(20, len(truth) - 1)]


@settings(max_examples=60, deadline=None)
@given(rows=LABELS)
def test_partition_figures_equal_scikit_learn(rows: list[tuple[int, int]]) -> None:
    truth, found = [row[0] for row in rows], [row[1] for row in rows]
    got = scores(truth, found, *world(truth))
    (_, only_found), (only_true, both) = pair_confusion_matrix(truth, found)
    assert got["ari"] == pytest.approx(adjusted_rand_score(truth, found), abs=1e-9)
    assert got["nmi"] == pytest.approx(normalized_mutual_info_score(truth, found), abs=1e-9)
    assert got["pair_precision"] == pytest.approx(both / (both + only_found) if both + only_found else 0)
    assert got["pair_recall"] == pytest.approx(both / (both + only_true) if both + only_true else 0)
    assert set(got) == set(FIGURES) and got["clusters"] == len(set(found))


def test_a_perfect_partition_scores_one_whatever_its_groups_are_called() -> None:
    truth = [0] * 9 + [1] * 6 + [2] * 5
    got = scores([f"class {label}" for label in truth], [{0: 7, 1: 3, 2: 9}[label] for label in truth], *world(truth))
    assert all(got[name] == 1 for name in ("ari", "nmi", "accuracy", "pair_f1"))


def test_accuracy_matches_each_group_to_one_class_only() -> None:
    truth = [0, 0, 0, 1, 1, 1]
    assert scores(truth, [0, 0, 1, 1, 1, 1], *world(truth))["accuracy"] == pytest.approx(5 / 6)
    assert scores(truth, [0] * 6, *world(truth))["accuracy"] == pytest.approx(0.5)


def test_neighbours_vote_and_recall_asks_for_one_of_ten() -> None:
    truth = [0, 0, 0, 1, 1, 1, 2]
    neighbours = np.array([[1, 3], [0, 2], [3, 4], [4, 5], [3, 5], [4, 3], [0, 1]])
    got = scores(truth, truth, np.eye(7), neighbours)
    assert got["knn_accuracy"] == pytest.approx(5 / 7)  # items 2 and 6 are outvoted; item 0's tie goes to the nearer
    assert got["recall_at_10"] == pytest.approx(5 / 7)


def test_items_without_a_label_are_left_out() -> None:
    truth = [0, 0, 1, 1, 0, 1]
    vectors, neighbours = world(truth)
    blank = [0, 0, 1, 1, None, float("nan")]
    assert scores(blank, [0, 0, 1, 1, 1, 0], vectors, neighbours)["ari"] == 1
    assert label_codes(["a", "", None, float("nan"), "b", "a"]).tolist() == [0, -1, -1, -1, 1, 0]


def test_figures_without_a_single_label_are_refused() -> None:
    with pytest.raises(BadInput, match="choose a column"):
        scores(["", None, "a"], [0, 1, 2], np.eye(3), np.array([[1], [2], [0]]))
    with pytest.raises(BadInput, match="same items in the same order"):
        scores([0, 1], [0, 1, 2], np.eye(3), np.array([[1], [2], [0]]))


def test_a_bootstrap_interval_holds_the_figure_and_shrinks_with_more_items() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for each in (20, 400):
        truth = np.repeat(np.arange(3), each)
        found = np.where(rng.random(len(truth)) < 0.2, rng.integers(0, 3, len(truth)), truth)
        vectors, neighbours = world(truth.tolist())
        figures = scores(truth, found, vectors, neighbours)
        intervals = bootstrap(truth, found, neighbours, rounds=80)
        assert all(low <= figures[name] <= high for name, (low, high) in intervals.items())
        widths.append(intervals["ari"][1] - intervals["ari"][0])
    assert widths[1] < widths[0] / 2


def test_copies_of_an_item_do_not_flatter_a_random_partition() -> None:
    rng = np.random.default_rng(2)
    truth, found = rng.integers(0, 15, 40), rng.integers(0, 15, 40)
    low, high = bootstrap(truth, found, world((truth % 8).tolist())[1], rounds=200)["ari"]
    assert abs((low + high) / 2 - adjusted_rand_score(truth, found)) < 0.05


def test_the_baseline_is_told_the_number_of_groups() -> None:
    truth = [0] * 20 + [1] * 20 + [2] * 20
    vectors, _ = world(truth)
    found = kmeans_ari(vectors, [*truth[:59], None])
    assert 0.7 < found < 1
