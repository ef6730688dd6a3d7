"""The benchmark of curation in training: the noise it makes, a short run, and the page."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks._runs import lines
from benchmarks.curation import trial
from benchmarks.curation.__main__ import main
from benchmarks.curation.report import SYSTEMS, bar, gains, page
from benchmarks.curation.sets import CONFIRMED, NOISES, OFF, WORDS, load
from trainer.recipe import build

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "curation.md"


def line(system: str, seed: int, found: float) -> dict[str, object]:
    return {"system": system, "noise": "swapped", "seed": seed, "steps": 300, "zero_shot": found, "train_s": 9.0,
            "reference_s": 0.0}  # fmt: skip


def test_what_is_wrong_is_wrong_and_only_right_words_are_confirmed() -> None:
    for noise in NOISES:
        one, again, other = load(noise, 0), load(noise, 0), load(noise, 1)
        said = one.attributes.values["caption"]
        assert list(said) == list(again.attributes.values["caption"]) != list(other.attributes.values["caption"])
        assert 0.5 < one.wrong.mean() < 0.7 and len(one.asked) == len(one.truth) == 500
        assert set(said[~one.wrong]) <= set(WORDS)
        assert set(said[one.wrong]) <= set(OFF if noise == "off" else WORDS)
        sure = one.attributes.values["confirmed"] == 1
        assert sure.sum() == CONFIRMED and not (sure & one.wrong).any()


def test_a_run_says_what_it_chose_and_whom_it_doubts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "EPOCHS", 1)
    found = trial.measure("acid:selector.steps=2", "swapped", 0)
    assert found["steps"] == 20 and 0 <= found["zero_shot"] <= 1 and 0 < found["wrong_chosen"] < 1
    assert 0 <= found["auc"] <= 1 and 0 <= found["first"] <= 1
    assert "auc" not in trial.measure("cupid", "off", 0)


def test_gains_are_by_seed_and_the_bar_is_eight_points() -> None:
    found = [line("clip", 0, 0.7), line("clip", 1, 0.6), line("jest", 0, 0.8), line("jest", 1, 0.69)]
    assert gains("jest", found) == pytest.approx([0.1, 0.09]) and gains("clip", found) == []
    assert "`jest` met (+9.5)" in bar(found) and "missed" in bar([*found[:2], line("jest", 0, 0.75)])
    assert "| `jest` | 2 | 74.5 ± 5.5 | +9.5 ± 0.5 | - | - | - | 9.0 s | 0.0 s |" in page(found)


def test_every_selector_is_measured() -> None:
    named = {name.partition(":")[0] for systems in SYSTEMS.values() for name in systems}
    assert {type(build(name).selector).__module__.rpartition(".")[2] for name in named - {"clip"}} == {
        "learnability", "easy_reference", "metadata_similarity", "domain_similarity",
    }  # fmt: skip


def test_the_page_is_what_the_results_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(lines(main.file)), "run: python -m benchmarks.curation report"
    assert np.isfinite([one["zero_shot"] for one in lines(main.file)]).all()
