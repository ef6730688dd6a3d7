"""How often answers are wrong, from a log alone: near the truth, and as unsure as it ought to be."""

from dataclasses import replace

import numpy as np
import pytest

from db.nouns import Snapshot, Statement
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.slips import ErrorRate, error_of, sources
from tests.oracle.conftest import blobs, say

LABELS = [row % 4 for row in range(120)]


@pytest.fixture(scope="module")
def world() -> Snapshot:
    return blobs(LABELS, spread=0.5, seed=3)


def log(snapshot: Snapshot, screens: int, wrong: float, source: str = "ada", first: int = 1) -> list[Statement]:
    rng, said = np.random.default_rng(first), []
    for answer in range(first, first + screens):
        one, *others = rng.choice(len(LABELS), 9, replace=False)
        for other in others:
            same = (LABELS[one] == LABELS[other]) != (rng.random() < wrong)
            a, b = int(snapshot.ids[one]), int(snapshot.ids[other])
            said.append(say(answer, a, b, "same" if same else "different", source=source))
    return said


def rate(snapshot: Snapshot, said: list[Statement], audits: list[Statement] | None = None) -> ErrorRate:
    return error_of(infer(snapshot, ConstraintGraph.build(said)), audits or said, said)


def within(found: ErrorRate, truth: float) -> bool:
    spread = (found.mean * (1 - found.mean) / (found.wrong + found.right + 1)) ** 0.5
    return abs(found.mean - truth) < 2.6 * spread + 0.005


@pytest.mark.parametrize("wrong", [0.0, 0.1, 0.2])
def test_the_error_rate_is_found_whatever_it_is(world: Snapshot, wrong: float) -> None:
    said = log(world, 80, wrong)
    place = world.position
    lies = [(LABELS[place[one.a]] == LABELS[place[one.b]]) != (str(one.verdict) == "same") for one in said]
    assert within(rate(world, said), float(np.mean(lies)))


def test_who_repeats_every_answer_is_no_more_right_for_it(world: Snapshot) -> None:
    said = log(world, 80, 0.15)
    again = [replace(one, answer=one.answer + 1000) for one in said]
    assert within(rate(world, [*said, *again]), 0.15)


def test_truthful_answers_may_be_without_any_error(world: Snapshot) -> None:
    assert rate(world, log(world, 80, 0.0)).wrong <= 1
    assert rate(world, log(world, 80, 0.15)).wrong > 10


def test_more_answers_leave_less_doubt(world: Snapshot) -> None:
    few, many = (rate(world, log(world, screens, 0.15)) for screens in (30, 120))
    assert many.wrong + many.right > 1.5 * (few.wrong + few.right)


def test_whose_answers_are_overruled_more_often_is_wrong_more_often(world: Snapshot) -> None:
    careful, careless = log(world, 60, 0.02), log(world, 60, 0.25, "ben", 500)
    both = [*careful, *careless]
    assert rate(world, both, careful).mean < 0.08 < 0.15 < rate(world, both, careless).mean


def test_before_any_answer_the_usual_is_believed(world: Snapshot) -> None:
    assert rate(world, []) == ErrorRate()


def test_everybody_has_an_error_rate_of_their_own_with_an_interval(world: Snapshot) -> None:
    both = [*log(world, 60, 0.02), *log(world, 60, 0.25, "ben", 500)]
    found = sources(infer(world, ConstraintGraph.build(both)), both)
    for source, truth in (("ada", 0.02), ("ben", 0.25)):
        mean, low, high = found[source]
        assert low <= mean <= high
        assert low - 0.01 <= truth <= high + 0.01
