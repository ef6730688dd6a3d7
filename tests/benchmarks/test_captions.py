"""The benchmark of reviews: dealing captions round, the run to its end, and the page, on made-up sets."""

import numpy as np
import pytest

from benchmarks.captions import trial
from benchmarks.captions.report import page, shares
from benchmarks.captions.sets import SETS, dealt


def line(system: str, seed: int, noise: float = 0.0, last: int | None = 400) -> dict[str, object]:
    factor = 1 if system == "random" else 4
    answers = {"0.5": 200 // factor, "0.7": 280 // factor, "0.8": 320 // factor, "0.9": last}
    before = None if system == "random" else 0.75
    advice = None if system == "random" else {"answers": 150, "recall": 0.92}
    return {
        "set": "fsa", "system": system, "noise": noise, "seed": seed, "captions": 400, "wrong": 80, "cpu_s": 2.0,
        "precision_before": before, "answers": answers, "advice": advice, "date": "2026-01-02",
        "machine": {"processors": 2, "processor": "some"},
    }  # fmt: skip


def test_a_fifth_of_the_captions_goes_round_and_none_is_lost() -> None:
    texts = {item: f"text {item}" for item in range(100)}
    shown, bad = dealt(texts, 3)
    assert len(bad) == 20 and sorted(shown.values()) == sorted(texts.values())
    assert all((shown[item] != texts[item]) == (item in bad) for item in texts)
    same = dict.fromkeys(range(10), "one text")
    assert dealt(same, 0)[1] == frozenset()  # equal words dealt to each other are not wrong


def test_a_random_review_finds_in_proportion_and_looks_again_where_answers_are_wrong() -> None:
    shown = {item: f"text {item}" for item in range(200)}
    bad = frozenset(range(0, 200, 5))
    found = trial._Run(shown, bad, 0.0, 1, None).until(0.9, stop=False)["answers"]
    assert 60 <= found["0.5"] <= 140 and 150 <= found["0.9"] <= 200
    noisy = trial._Run(shown, bad, 0.25, 1, None).until(0.9, stop=False)["answers"]
    assert noisy["0.9"] is None or noisy["0.9"] > 200


def test_the_page_counts_where_half_is_enough_and_tells_where_it_is_not() -> None:
    lines = [line("random", 0), line("random", 1), line("ngrams", 0, last=300), line("ngrams", 1, last=320)]
    assert shares("ngrams", 0.0, 0.9, lines) == [0.75, 0.8]
    assert np.mean(shares("ngrams", 0.0, 0.5, lines)) == pytest.approx(0.25)
    text = page(lines)
    assert (
        "| `ngrams` | 0 % | 2 | 75 % | 50 (25 %) | 70 (25 %) | 80 (25 %) | 310 (78 %) | 150, 92 % found | 2 s |" in text
    )
    assert "in 3 of 4 cases. More were needed: `ngrams` on fsa, 0 % wrong, recall 0.9 (78 %)." in text
    assert {"fsa", "fruits", "openmoji"} == set(SETS)


def test_what_was_not_reached_is_told() -> None:
    assert "| by chance | 0 % | 1 | - | 200 | 280 | 320 | - | - | 2 s |" in page([line("random", 0, last=None)])
