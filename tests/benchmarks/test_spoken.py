"""The benchmark of words and recordings: draws, shares and the page, on made-up lines."""

from pathlib import Path

import numpy as np

from benchmarks.spoken.report import SYSTEMS, bars, page
from benchmarks.spoken.sets import SIDE, WORDS, Spoken, written
from benchmarks.spoken.trial import nearest
from oracle import plugins
from trainer.recipe import FAMILY


def line(system: str, seed: int, **figures: float) -> dict[str, object]:
    return {"set": "digits_spoken", "system": system, "seed": seed, "steps": 300, "train_s": 9.0, **figures}


def test_a_recording_is_drawn_of_the_digit_in_the_picture() -> None:
    paths = np.array([Path(f"{digit}-{take}.wav") for digit in range(10) for take in range(3)], object)
    spoken = Spoken(paths, np.repeat(np.arange(10), 3))
    digits = np.array([3, 3, 3, 3, 9, 0])
    drawn = spoken.drawn(digits, np.random.default_rng(0))
    assert [int(path.name[0]) for path in drawn] == digits.tolist() and len({*drawn[:4]}) > 1


def test_pictures_are_ten_digits_in_squares() -> None:
    pixels, digits = written()
    assert pixels.shape == (1797, SIDE, SIDE, 3) and {*digits.tolist()} == {*range(len(WORDS))}
    assert pixels.max() > 200 and pixels.min() == 0


def test_the_nearest_of_the_known_decides() -> None:
    known = np.eye(3)
    asked = np.array([[0.9, 0.1, 0], [0, 0.8, 0.7], [0, 0.2, 0.9]])
    assert nearest(asked, np.array([0, 1, 1]), known, np.arange(3)) == 2 / 3


def test_the_page_tells_met_bars_and_missed_ones() -> None:
    found = [line("start", 0, knn_recordings=0.9, knn_new_speakers=0.7, r_at_1=0.1),
             line("clip", 0, zero_shot_pictures=0.9), line("clip", 1, zero_shot_pictures=0.8),
             line("xdc", 0, knn_recordings=0.92, knn_new_speakers=0.8), line("avid", 0, r_at_1=0.39)]  # fmt: skip
    text = page(found)
    assert "| `clip` | 2 | 85.0 ± 5.0 | - |" in text
    assert "Met: `clip` picture: word 85.0 (bar 80.0), `xdc` kNN new speakers 80.0 (bar 78.0)." in text
    assert "`avid` picture: recording 39.0 (bar 40.0)" in text and "`xdc` kNN recordings 92.0 (bar 98.0)" in text
    assert page([]).endswith("Nothing measured yet.\n")


def test_every_system_that_is_measured_exists() -> None:
    assert {*SYSTEMS} <= {*plugins.names(FAMILY)}
    assert bars("clap", {}).keys() == {"zero_shot_pictures", "zero_shot_recordings"}
