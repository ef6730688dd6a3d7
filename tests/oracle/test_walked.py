"""What arrives is kept: walking again only for what changed comes to the same."""

import numpy as np
import pytest

from oracle.reach import Among
from oracle.walked import FEW, STILL, Walked, walked

COUNT, GROUPS = FEW + 40, 4


def world(seed: int = 0) -> tuple[Among, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    kept = rng.random((COUNT, COUNT), dtype=np.float32)
    return Among(kept, rng.permutation(COUNT)), rng.random((COUNT, GROUPS), dtype=np.float32), rng


def test_after_many_small_changes_all_has_arrived_but_what_is_too_small_to_matter() -> None:
    kernel, mass, rng = world()
    kept = walked(kernel, mass, None)
    for _ in range(30):
        rows = rng.choice(COUNT, 20, replace=False)
        mass = mass.copy()
        mass[rows] = rng.random((20, GROUPS))
        mass = mass + np.float32(STILL / 40)  # everybody, below what is looked at, but adding up
        kept = walked(kernel, mass, kept)
    most = STILL * np.abs(kernel.kept).sum(1).max() + 1e-2
    assert np.abs(kept.arrived - kernel @ mass).max() < most
    assert np.abs(kept.mass - mass).max() <= STILL


@pytest.mark.parametrize("changed", [0, 7])
def test_only_what_changed_walks(changed: int) -> None:
    kernel, mass, rng = world()
    before = walked(kernel, mass, None)
    rows = np.sort(rng.choice(COUNT, changed, replace=False))
    now = mass.copy()
    now[rows] += 1
    blind = np.full_like(kernel.kept, np.nan)  # whoever walked besides would show
    blind[:, kernel.place[rows]] = kernel.kept[:, kernel.place[rows]]
    after = walked(Among(blind, kernel.place), now, before)
    np.testing.assert_allclose(after.arrived, kernel @ now, rtol=1e-4)


def test_groups_come_and_go_without_a_walk() -> None:
    kernel, mass, _ = world()
    kept = walked(kernel, mass, None)
    more = np.pad(mass, ((0, 0), (0, 1)))
    np.testing.assert_allclose(kept.with_room().arrived, kernel @ more, rtol=1e-5)
    np.testing.assert_allclose(kept.without(1).arrived, kernel @ np.delete(mass, 1, axis=1), rtol=1e-5)


def test_new_items_hear_what_arrives_at_them() -> None:
    kernel, mass, rng = world()
    old = np.sort(rng.choice(COUNT, COUNT - 15, replace=False))
    fewer = Among(kernel.kept, kernel.place[old])
    place = np.full(COUNT, -1)
    place[old] = np.arange(len(old))
    scattered = np.zeros_like(mass)
    scattered[old] = mass[old]
    moved = Walked(mass[old], fewer @ mass[old]).moved(kernel, place)
    np.testing.assert_allclose(moved.arrived, kernel @ scattered, rtol=1e-4)
    np.testing.assert_array_equal(moved.mass, scattered)


def test_a_few_hundred_items_all_walk_each_time() -> None:
    kernel, mass, _ = world()
    few = Among(kernel.kept, kernel.place[:FEW])
    wrong = Walked(mass[:FEW], np.zeros_like(mass[:FEW]))
    np.testing.assert_array_equal(walked(few, mass[:FEW], wrong).arrived, few @ mass[:FEW])
