"""The page on the Quality screen says what the rows say."""

from typing import Any

import numpy as np
import pytest

from benchmarks import quality, quality_forecasts, quality_intervals
from benchmarks.quality_logs import people
from oracle.forecast import widened


def forecast_row(seed: int, low: float, high: float, real: float) -> dict[str, Any]:
    ahead = {"50": {"low": low, "f1": (low + high) / 2, "high": high, "real": real}}
    return {
        "set": "digits", "noise": "0", "seed": seed, "screens": 100, "plan": "5 draws, 10 at once", "ahead": ahead,
        "date": "2026-11-23", "machine": "2 cores, 24 GB", "reached": None,
    }  # fmt: skip


def interval_row(seed: int, truth: float) -> dict[str, Any]:
    figure = {"truth": truth, "value": 0.8, "bounds": {"0.9": [0.7, 0.9], "0.95": [0.6, 0.95]}}
    return {
        "set": "digits", "noise": "0.1", "seed": seed, "screens": 50, "audits": 9, "error": 0.1,
        "people": [[0.1, 0.12, 0.08, 0.15]], **dict.fromkeys(quality_intervals.FIGURES, figure),
        "date": "2026-11-23", "machine": "2 cores, 24 GB",
    }  # fmt: skip


def test_coverage_is_the_share_of_intervals_that_hold_the_truth() -> None:
    rows = [interval_row(20, truth) for truth in (0.75, 0.85, 0.92, 0.5)]
    assert "| 10 % | all | f1 | 4 of 4 | 0.500 | 0.750 | 0.200 |" in quality_intervals.table(rows, apart=False)
    assert "| one person | 0.10 | 4 | 0.120 | 0.020 | 1.00 |" in quality_intervals.people_table(rows)


def test_the_best_factors_are_those_whose_bands_just_hold_what_came() -> None:
    random = np.random.default_rng(0)
    rows = []
    for _ in range(300):
        low, high = sorted(random.uniform(0.3, 0.8, 2))
        ends = 1 - (1 - low) * 1.4, 1 - (1 - high) * 0.5
        real = random.choice([*ends, *ends, (low + high) / 2])  # at the very ends as often as the score tolerates
        rows.append(forecast_row(0, low, high, float(real)))
    assert quality_forecasts.best_factors(rows) == (1.4, 0.5)


def test_the_band_counts_as_the_program_shows_it() -> None:
    low, high = widened(0.6, 0.8, 50)
    found = quality_forecasts.table(
        [forecast_row(1, 0.6, 0.8, low + 0.01), forecast_row(1, 0.6, 0.8, 0.1)], apart=False
    )
    assert f"| 0.00 | 0.50 | {high - low:.2f} |" in found


@pytest.mark.parametrize(
    ("bounds", "real", "holds"),
    [((10, 50), 30, True), ((10, 50), 65, False), ((10, None), None, True), ((10, 50), None, False),
     ((None, None), 20, False), ((None, None), None, True), ((0, 20), 30, True)],
)  # fmt: skip
def test_an_interval_of_screens_holds_what_happened_or_what_did_not(
    bounds: tuple[float | None, float | None], real: int | None, holds: bool
) -> None:
    assert quality_forecasts._within(*bounds, real, 100) is holds


def test_the_page_keeps_seeds_apart_that_chose_constants() -> None:
    page = quality.page(
        [interval_row(3, 0.75), interval_row(21, 0.75)],
        [forecast_row(2, 0.5, 0.6, 0.55), forecast_row(21, 0.5, 0.6, 0.9)],
    )
    assert "Seed 21, on which no constant was chosen: 1 estimates" in page
    assert "on seeds 2; here are seeds\n21." in page
    assert "2 cores, 24 GB; 2026-11-23" in page


def test_several_people_are_wrong_each_as_often_as_told() -> None:
    assert people("0.1") == [("oracle", 0.1)]
    assert people("0.02+0.2") == [("oracle-1", 0.02), ("oracle-2", 0.2)]
