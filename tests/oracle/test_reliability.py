"""Estimating how often each annotator is wrong."""

import numpy as np
import pytest

from db.nouns import Statement, Verdict
from oracle.reliability import error_rates


def crowd(rates: dict[str, float], pairs: int, seed: int = 0) -> tuple[list[Statement], dict[tuple[int, int], bool]]:
    """Everybody answers every pair, wrong as often as said."""
    rng = np.random.default_rng(seed)
    truth = {(2 * n, 2 * n + 1): bool(rng.random() < 0.5) for n in range(pairs)}
    log = []
    for number, (pair, same) in enumerate(truth.items()):
        for place, (source, rate) in enumerate(rates.items()):
            says = same != (rng.random() < rate)
            verdict = Verdict.SAME if says else Verdict.DIFFERENT
            log.append(Statement(10 * number + place, *pair, verdict, source))
    return log, truth


def test_the_error_rates_of_a_crowd_are_recovered() -> None:
    rates = {"ann": 0.02, "bo": 0.1, "cy": 0.3}
    found = error_rates(crowd(rates, 600)[0])
    assert found == pytest.approx(rates, abs=0.04)


def test_gold_pairs_tell_about_somebody_who_answers_alone() -> None:
    log, truth = crowd({"robot": 0.3}, 300)
    assert error_rates(log)["robot"] < 0.1
    assert error_rates(log, known=truth)["robot"] == pytest.approx(0.3, abs=0.06)


def test_without_answers_nobody_has_a_rate() -> None:
    assert error_rates([]) == {}


def test_unsure_and_background_say_nothing_about_reliability() -> None:
    log = [Statement(1, 1, 2, Verdict.UNSURE, "ann"), Statement(2, 1, 2, Verdict.SAME, "bo", background=True)]
    assert error_rates(log) == {}


def test_the_order_of_answers_does_not_matter() -> None:
    log = crowd({"ann": 0.1, "bo": 0.2}, 50)[0]
    assert error_rates(log) == pytest.approx(error_rates(log[::-1]))
