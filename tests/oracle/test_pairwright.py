"""The default acquisition: what it asks first, and that it needs far fewer screens than chance."""

from typing import Any

import numpy as np
import pytest

from db.nouns import Kind, Statement, Verdict
from oracle.acquisition import pairwright
from oracle.acquisition.pairwright import Acquisition
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.moves import entropy
from tests.oracle.test_belief import blobs


def play(screens: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray, ConstraintGraph]:
    """Answer so many screens truthfully; labels, final partition, graph."""
    snapshot, labels = blobs(per_group=40, groups=5, spread=0.3)
    graph, random = ConstraintGraph(), np.random.default_rng(0)
    for number in range(1, screens + 1):
        for question in Acquisition().propose(snapshot, graph, 1):
            for a, b in question.pairs():
                same = (labels[a - 1] == labels[b - 1]) != (random.random() < noise)
                graph.add(Statement(number, a, b, Verdict.SAME if same else Verdict.DIFFERENT, "o"))
    return labels, infer(snapshot, graph).labels, graph


def pair_agreement(labels: np.ndarray, found: np.ndarray) -> float:
    return float(((found[:, None] == found[None]) == (labels[:, None] == labels[None])).mean())


def test_twenty_screens_sort_two_hundred_items() -> None:
    labels, found, _ = play(20)
    assert pair_agreement(labels, found) > 0.97


def test_wrong_answers_do_not_break_it() -> None:
    labels, found, _ = play(30, noise=0.05)
    assert pair_agreement(labels, found) > 0.85


def test_several_screens_at_once_show_different_candidates() -> None:
    snapshot, _ = blobs(per_group=40)
    _, _, graph = play(3)
    questions = Acquisition().propose(snapshot, graph, 4)
    pairs = [pair for question in questions for pair in question.pairs()]
    assert len(pairs) == len(set(pairs))
    assert all(question.version == snapshot.version for question in questions)


def test_a_likely_group_is_shown_as_click_the_strangers() -> None:
    snapshot, labels = blobs(per_group=60, groups=2, spread=0.1)
    rows = [np.flatnonzero(labels == group) for group in range(2)]
    graph = ConstraintGraph()
    for number, group in enumerate(rows):
        for other in group[1:20]:
            graph.add(Statement(number * 100 + 1, int(group[0]) + 1, int(other) + 1, Verdict.SAME, "o"))
    graph.add(Statement(999, int(rows[0][0]) + 1, int(rows[1][0]) + 1, Verdict.DIFFERENT, "o"))
    assert Acquisition().propose(snapshot, graph, 1)[0].kind is Kind.ODD


def test_entropy_is_largest_at_a_coin_flip_and_zero_when_sure() -> None:
    np.testing.assert_allclose(entropy(np.array([0.5, 0.0, 1.0])), [np.log(2), 0, 0], atol=1e-7)


class _Forgetful(dict[int, list[tuple[int, float]]]):
    """Holds nothing for the next look."""

    def __contains__(self, key: object) -> bool:
        return False


@pytest.mark.parametrize("screens", [4, 12, 25])
def test_remembering_who_stands_beside_a_stranger_changes_no_question(
    screens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, _ = blobs(per_group=40, groups=5, spread=0.3)
    _, _, graph = play(screens, noise=0.05)
    found = Acquisition().propose(snapshot, graph, 32)
    made = pairwright._Screens.__init__

    def forgetful(self: pairwright._Screens, *given: Any) -> None:
        made(self, *given)
        self._beside = _Forgetful()

    monkeypatch.setattr(pairwright._Screens, "__init__", forgetful)
    assert any(len(question.pairs()) > 1 for question in found)
    assert Acquisition().propose(snapshot, graph, 32) == found


def test_when_nothing_is_left_to_learn_nothing_is_asked() -> None:
    snapshot, _ = blobs(per_group=3, groups=2, spread=0.1)
    same = {(1, 2), (3, 4), (2, 5), (5, 6)}
    graph = ConstraintGraph()
    for a in range(1, 7):
        for b in range(a + 1, 7):
            if (a, b) not in {(4, 5), (2, 6), (3, 6)}:
                verdict = Verdict.SAME if (a, b) in same else Verdict.DIFFERENT
                graph.add(Statement(6 * a + b, a, b, verdict, "o"))
    questions = Acquisition().propose(snapshot, graph, 6)
    assert all(question.candidates for question in questions)
