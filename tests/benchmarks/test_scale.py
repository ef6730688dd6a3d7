"""The benchmark of growth: its model finds known laws, its made-up items lie among real ones, its page is in sync."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks._runs import lines
from benchmarks.scale import sets
from benchmarks.scale.__main__ import FILE, jobs_of, parser
from benchmarks.scale.model import between, fit, fits
from benchmarks.scale.report import megabytes, models, page, seconds
from benchmarks.scale.steps import STEPS

DOCS = Path(__file__).parents[2] / "docs"
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
LAWS = {
    "straight": lambda n: 0.4 + 3e-6 * n,
    "sorting": lambda n: 0.02 + 2e-7 * n * np.log(n),
    "power": lambda n: 3e-9 * n**1.7,
}


@pytest.mark.parametrize("law", LAWS)
def test_a_known_law_is_found_and_goes_on_where_it_leads(law: str) -> None:
    noise = np.exp(0.001 * np.random.default_rng(0).normal(size=len(SIZES)))
    found = fit(SIZES, [LAWS[law](n) * by for n, by in zip(SIZES, noise, strict=True)])
    assert found is not None and found.family == law and found.worst < 1.01
    assert found.at(1e9) == pytest.approx(LAWS[law](1e9), rel=0.05)


def test_the_exponent_of_a_power_is_found_under_noise() -> None:
    random = np.random.default_rng(1)
    for exponent in (0.5, 1.4, 2.0):
        costs = [1e-6 * n**exponent * np.exp(0.1 * random.normal()) for n in SIZES * 3]
        power = next(one for one in fits(SIZES * 3, costs) if one.family == "power")
        assert power.b == pytest.approx(exponent, abs=0.06)
        assert 1.02 < power.worst < 1.5
        least, most = between(fits(SIZES * 3, costs), 1e9)
        assert least <= power.at(1e9) <= most


def test_two_sizes_are_no_law() -> None:
    assert fits((10, 100), (1.0, 2.0)) == [] and fit((10, 10, 100), (1.0, 1.1, 2.0)) is None
    assert fit((10, 100, 1000), (0.0, 1.0, 2.0)) is None


def test_made_up_items_are_new_real_ones_come_first_and_stay_near() -> None:
    random = np.random.default_rng(0)
    centres = 3 * random.normal(size=(4, 16))
    real = (centres[np.arange(200) % 4] + random.normal(scale=0.3, size=(200, 16))).astype(np.float32)
    near = np.argsort(((real[:, None] - real) ** 2).sum(2), axis=1)[:, 1:6]
    made = np.concatenate(list(sets.resampled(real, near, 1000, 3)))
    again = np.concatenate(list(sets.resampled(real, near, 1000, 3)))
    np.testing.assert_array_equal(made, again)
    np.testing.assert_array_equal(made[:200], real.astype(np.float16))
    assert len(np.unique(made, axis=0)) == 1000
    came = sets.origins(200, 1000, 3)
    nearest = ((made[:, None].astype(np.float32) - centres) ** 2).sum(2).argmin(1)
    assert (nearest == came % 4).all(), "an item stays in the group of the real one it comes from"


def test_every_size_takes_the_steps_that_fit_it() -> None:
    given = parser().parse_args(["run", "--seeds", "0", "1"])
    assert {key for key, _ in jobs_of(given, 10**6)} >= {("propose", 10**6, 0), ("propose", 10**6, 1)}
    assert not {"prepare", "import", "exact", "index", "umap"} & {key[0] for key, _ in jobs_of(given, 10**6)}
    assert "prepare" not in {key[0] for size in (1, 10**9) for key, _ in jobs_of(given, size)}


def test_the_page_is_what_the_results_say() -> None:
    again = "run: python -m benchmarks.scale report"
    assert (DOCS / "benchmarks" / "scale.md").read_text(encoding="utf-8") == page(lines(FILE)), again
    assert (DOCS / "benchmarks" / "scale.svg").exists(), again


def test_a_goal_is_met_or_missed_as_measured() -> None:
    machine = {"processors": 2, "processor": "x"}
    common = {"seed": 0, "real": 9, "date": "today", "load": 1.0, "machine": machine, "items": 10**6}
    found = [
        common | {"step": "propose", "seconds": 1.5, "cpu_s": 0.9, "memory_mb": 5000.0, "cold_ms": 9.0},
        common | {"step": "index_lists", "seconds": 3.0, "cpu_s": 3.0, "memory_mb": 100.0, "kind": "lists",
                  "search_ms": 4.9, "search_p95_ms": 6.0, "found_at_10": 0.96},
    ]  # fmt: skip
    text = page(found)
    assert "| 32 questions after a screen of answers | 1 s | 1.50 s (processor 0.90 s): **missed** |" in text
    assert "| a search | 5 ms | 4.90 ms (recall@10 0.960): met |" in text
    assert "| online update | 10 s | not measured |" in text
    assert f"4.9 GB ({STEPS['propose'].title}): **missed**" in text
    assert "Nothing measured yet" in page([])


def test_figures_are_told_in_the_unit_somebody_would_use() -> None:
    assert [seconds(x) for x in (0.0021, 4.51, 300, 9000, 1e6, 1e8)] == [
        "2.1 ms", "4.51 s", "5 min", "2.5 h", "11.6 days", "3.17 years"]  # fmt: skip
    assert [megabytes(x) for x in (3.14, 2048, 3 * 2**20)] == ["3.14 MB", "2 GB", "3 TB"]


def test_what_looks_slower_than_linear_is_a_constant_and_a_line() -> None:
    found = [
        {"step": "embed", "items": n, "seed": 0, "cpu_s": 4 + 0.01 * n + 0.2 * (n == 1000)} for n in (300, 1000, 3000)
    ]
    assert models(found, "embed", "cpu_s")[0].family == "straight"
    rooted = [{"step": "embed", "items": n, "seed": 0, "cpu_s": n**0.5} for n in (300, 1000, 3000)]
    assert {one.family for one in models(rooted, "embed", "cpu_s")} == {"straight", "sorting"}
