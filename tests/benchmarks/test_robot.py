"""The robot benchmark's page says what its lines say; things, not views, are held out; F1 is the best there is."""

from typing import Any

import numpy as np
import pytest

from benchmarks.robot import sets
from benchmarks.robot.__main__ import key_of
from benchmarks.robot.ghose import GHOSE_HEADS, best_f1
from benchmarks.robot.peers import PEERS
from benchmarks.robot.report import page
from benchmarks.robot.sets import Belt
from benchmarks.robot.trial import STOPS, sorting

MACHINE = {"date": "2026-01-01", "machine": {"processors": 2, "processor": "Some", "load": 1.0}}


def belt(seed: int) -> Belt:
    random = np.random.default_rng(seed)
    bins = np.arange(60) % 3
    views = [np.abs(4 * np.eye(3, 16)[one] + random.normal(size=(2, 16))).astype(np.float32) for one in bins]
    return Belt(views, bins, np.arange(18, 60), np.arange(18))


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr("benchmarks.robot.trial.belt", lambda name, seed, folders: belt(seed))
    return sorting("trashnet", 0, None) | MACHINE  # type: ignore[arg-type]


def test_a_trial_measures_at_every_stop_and_the_page_shows_it(line: dict[str, Any]) -> None:
    assert [point["share"] for point in line["curve"]] == list(STOPS) and line["full"] > 0.9
    assert all(point["asked"] <= point["placed"] <= point["seen"] for point in line["curve"])
    (early,) = (point for point in line["curve"] if point["share"] == 0.4)
    said = page([line])
    assert f"| {100 * early['ours']:.1f} ± 0.0 |" in said and "against itself with a label on every thing" in said
    assert "Nothing measured" in page([]) and key_of(line) == ("sorting", "trashnet", 0)
    again = sorting("trashnet", 0, None)  # type: ignore[arg-type]
    assert str(again["curve"]) == str(line["curve"]), "the same seed, the same figures"


def test_peers_learn_what_is_easy() -> None:
    there = belt(0)
    rows, labels = np.concatenate(there.views), np.repeat(there.bins, 2)
    for peer in PEERS.values():
        assert (peer(rows, labels, there.views) == there.bins).mean() > 0.9


def test_things_are_held_out_as_wholes(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.arange(40, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)
    columns = {"fruit": np.repeat(["a", "b"], 20), "object": np.repeat([f"o{number}" for number in range(10)], 4)}
    monkeypatch.setattr("benchmarks.label_efficiency.sets.Archive._stored", lambda *_: (features, columns))
    there = sets.belt("fruits_multi", 1, None)  # type: ignore[arg-type]
    objects = [set((views[:, 0] // 4).astype(int)) for views in there.views]
    assert all(len(one) == 1 for one in objects) and len(set().union(*objects)) == 10
    assert len(there.held) == 3 and set(there.held) | set(there.stream) == set(range(10))


def test_the_best_threshold_is_found_whatever_the_scale() -> None:
    truth = np.array([True] * 5 + [False] * 15)
    scores = np.linspace(1, 0, 20)
    assert best_f1(scores, truth) == best_f1(1000 * scores - 5, truth) == 1.0
    assert 0.3 < best_f1(np.random.default_rng(0).random(20), truth) < 1
    assert set(GHOSE_HEADS) == {"human", "contrastive", "ghose"}
