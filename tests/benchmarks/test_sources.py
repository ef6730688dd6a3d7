"""The benchmark of sources: splits, shares and the page, on made-up lines."""

import numpy as np
import pytest

from benchmarks.sources.report import gains, page
from benchmarks.sources.sets import SETS, split
from benchmarks.sources.trial import by_chance, shared


def line(system: str, seed: int, knn: float, precision: float | None = None) -> dict[str, object]:
    right = None if precision is None else {"location": precision}
    return {
        "set": "fsa", "system": system, "seed": seed, "epochs": 1, "batch": 2, "pictures": 10, "asked": 5, "steps": 5,
        "train_s": 2.0, "knn": {"location": knn}, "chance": {"location": 0.25}, "precision": right, "share": 0.5,
        "draw_s": 0.1,
    }  # fmt: skip


def test_a_split_keeps_whole_values_on_one_side_and_loses_nothing() -> None:
    rows = [{"date": str(number // 7)} for number in range(70)]
    first, second = split(rows, "date")
    assert sorted([*first, *second]) == list(range(70)) and len(first) == 42
    assert not {rows[at]["date"] for at in first} & {rows[at]["date"] for at in second}


def test_shares_are_over_pairs_whose_labels_are_known() -> None:
    codes = np.array([0, 0, 1, -1])
    assert shared(codes, np.array([[0, 1], [0, 2], [0, 3]])) == 0.5
    assert shared(codes, np.array([[0, 3]])) is None
    assert by_chance(codes) == pytest.approx(2 / 6)


def test_the_page_says_gains_by_seed_and_names_what_made_it_worse() -> None:
    found = [line("simclr", 0, 0.5), line("simclr", 1, 0.6), line("attribute:by=year", 0, 0.4, 0.3),
             line("attribute:by=year", 1, 0.52, 0.3), line("attribute:by=location", 0, 0.7, 1.0)]  # fmt: skip
    assert gains("attribute:by=year", "location", found) == pytest.approx([-0.1, -0.08])
    text = page(found)
    assert "| `attribute:by=year` | 2 | 50 | 30.0 ± 0.0 | 46.0 ± 6.0 | -9.0 ± 1.0 | 2 s |" in text
    assert "Worse than without: `attribute:by=year` on fsa location (-9.0)." in text
    assert set(SETS) == {"traffic", "fsa", "fruits"}
