"""The page of the synthetic benchmark says what was measured, met or missed."""

from typing import Any

import numpy as np

from benchmarks.synthetic.__main__ import main
from benchmarks.synthetic.heard import figures
from benchmarks.synthetic.report import page


def trained(system: str, knn: float, synthetic: int = 0, seed: int = 0) -> dict[str, Any]:
    return {"experiment": "train", "system": system, "seed": seed, "knn": knn, "train_s": 3.0, "synthetic": synthetic}


def test_the_page_tells_bars_that_are_met_and_bars_that_are_missed() -> None:
    wu = {
        "experiment": "generate", "system": "wu", "seed": 0, "pictures": 4, "steps": 9, "accepted": 0.5, "apart": 0.1,
        "learn_s": 60.0, "make_s": 2.0, "early": {"similarity": 0.9}, "last": {"similarity": 0.7},
    }  # fmt: skip
    plain = {"experiment": "plain", "system": "clsp:w=1", "seed": 0, "equal": True}
    found = [
        wu, plain, trained("start", 0.70), trained("simclr", 0.75), trained("clsp:clsp:accepted", 0.76, 40),
        trained("wu:wu:accepted", 0.705, 30),
    ]  # fmt: skip
    text = page(found)
    assert "| `wu` | 1 | 9 | 4 | 50.0 | 10.0 | 60 s | 2 s |" in text
    assert "| `clsp:clsp:accepted` | 1 | 40 | 76.0 | +1.0 | 3 s |" in text
    assert "CLSP with weight 1 is bit for bit the plain generator" in text
    assert "their similarity falls, from 0.900 to 0.700" in text
    assert "`clsp:clsp:accepted` is +6.0 points over the untrained network: bar of +1 met" in text
    assert "`wu:wu:accepted` is +0.5 points over the untrained network: bar of +1 missed" in text
    assert "One seed: no gain" in text
    rising = page([{**wu, "last": {"similarity": 0.95}}, {**plain, "equal": False}])
    assert "similarity does not fall" in rising and "is NOT the plain generator" in rising
    assert main.key_of(found[0]) != main.key_of(found[1])


def test_the_page_tells_how_often_a_sounds_picture_is_read_as_what_was_said() -> None:
    said = np.arange(40) % 2
    part = np.repeat(["taught", "unheard", "strange"], (20, 12, 8))
    told = figures(np.where(part == "strange", 1 - said, said), said, part, 0)
    assert [told[name]["right"] for name in ("taught", "unheard", "strange")] == [1.0, 1.0, 0.0]
    assert all(0.3 < one["shuffled"] < 0.7 for one in told.values()) and told["unheard"]["pictures"] == 12
    line = {
        "experiment": "heard", "system": "audiotoken", "seed": 3, "steps": 9, "make_s": 60.0, "reader": 0.95,
        "machine": {"processor": "Small", "processors": 2}, "date": "2026-01-02", **told,
    }  # fmt: skip
    text = page([line])
    assert "| it learnt from | 1 | 20 | 100.0 |" in text and "| new, of two other speakers | 1 | 8 | 0.0 |" in text
    assert "reads 95.0 % of the real pictures" in text and "Seed 3; Small, 2 processors, 2026-01-02." in text
