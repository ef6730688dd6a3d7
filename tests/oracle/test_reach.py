"""What reaches asked items: kept bit by bit, the same as all at once, and as the whole walk says."""

import numpy as np
import pytest

from db.nouns import Snapshot
from oracle import kernel as kernels
from oracle.explain import Search
from oracle.kernel import kernel_of
from oracle.reach import reach_of

CLOSE = 4


def ring(count: int = 300, seed: int = 0) -> Snapshot:
    """Items on a noisy ring, a few neighbours each."""
    random = np.random.default_rng(seed)
    angle = np.sort(random.random(count)) * 2 * np.pi
    vectors = np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    near = np.argsort(-cosines, axis=1)[:, :8]
    start = np.zeros(count, dtype=np.int64)
    return Snapshot(1, np.arange(1, count + 1), vectors, near, np.take_along_axis(cosines, near, 1), start)


@pytest.fixture(params=["columns", "regions"])
def snapshot(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """A small graph, walked as one and as a large one."""
    if request.param == "regions":
        monkeypatch.setattr(kernels, "LARGE", 100)
    return ring()


def whole(snapshot: Snapshot, rows: np.ndarray) -> np.ndarray:
    unit = np.zeros((len(snapshot.ids), len(rows)), dtype=np.float32)
    unit[rows, np.arange(len(rows))] = 1.0
    return kernel_of(snapshot).spread(unit, tolerance=1e-3)


def test_it_is_what_the_walk_brings_however_it_was_gathered(snapshot: Snapshot) -> None:
    rows = np.random.default_rng(1).permutation(300)[:200]
    reach, all_of_it = reach_of(snapshot, CLOSE), whole(snapshot, rows)
    for part in (rows[:1], np.sort(rows[:70]), rows[60:130], rows):
        among = reach.among(part)
    found = among.block(np.arange(200))
    np.testing.assert_allclose(found, all_of_it[rows], atol=2e-2 * all_of_it.max())
    np.testing.assert_allclose(among.own, np.diagonal(found))
    np.testing.assert_allclose(among.at(np.arange(5), np.arange(5) + 7), found[np.arange(5), np.arange(5) + 7])


def test_a_close_neighbour_gets_its_share(snapshot: Snapshot) -> None:
    rows = np.array([5, 99, 3, 250])
    beside = snapshot.neighbours[rows, CLOSE]
    expected = whole(snapshot, rows)[beside, np.arange(4)]
    np.testing.assert_allclose(reach_of(snapshot, CLOSE).near(rows), expected, atol=2e-2 * expected.max())


def test_mass_arrives_the_same_among_the_asked_and_everywhere(snapshot: Snapshot) -> None:
    random, reach = np.random.default_rng(2), reach_of(snapshot, CLOSE)
    reach.among(random.permutation(300)[:150])  # asked about for another notion
    for rows in (random.permutation(300)[:30], random.permutation(300)[:200]):
        mass = random.random((len(rows), 3)).astype(np.float32)
        np.testing.assert_allclose(reach.flow(rows, mass)[rows], reach.among(rows) @ mass, rtol=1e-3, atol=1e-3)


def test_all_starts_are_tried_in_a_short_log_and_when_it_has_grown() -> None:
    last = Search(answered=1000, worth=-0.2)
    assert last.due(100)
    assert not last.due(1012)
    assert last.due(1200)
