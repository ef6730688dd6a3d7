"""The time model of screens."""

import pytest

from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from oracle import timing


def screen(kind: Kind, count: int, same: int, seconds: float | None = None) -> tuple[Question, Answer]:
    question = Question(1, kind, 1, tuple(range(2, 2 + count)), "test", id=1)
    verdicts = [
        PairVerdict(a, b, Verdict.SAME if n < same else Verdict.DIFFERENT) for n, (a, b) in enumerate(question.pairs())
    ]
    return question, Answer(1, tuple(verdicts), "ann", "k", seconds)


def test_a_pair_takes_two_looks_a_decision_and_a_key() -> None:
    assert timing.seconds(*screen(Kind.PAIR, 1, 1)) == pytest.approx(2 * 0.3 + 1.35 + 0.2)


def test_every_tick_costs_a_click() -> None:
    few, many = timing.seconds(*screen(Kind.TICK, 12, 2)), timing.seconds(*screen(Kind.TICK, 12, 5))
    assert many - few == pytest.approx(3 * 1.3)


def test_strangers_are_clicked_where_most_belong() -> None:
    assert timing.seconds(*screen(Kind.ODD, 12, 11)) < timing.seconds(*screen(Kind.TICK, 12, 11))


def test_twelve_verdicts_on_one_screen_take_less_time_than_twelve_pairs() -> None:
    assert timing.seconds(*screen(Kind.TICK, 12, 6)) < 12 * timing.seconds(*screen(Kind.PAIR, 1, 1))


def test_a_measured_time_goes_before_the_model() -> None:
    assert timing.seconds(*screen(Kind.TICK, 12, 2, seconds=3.5)) == 3.5


def test_a_question_left_alone_costs_looking_and_skipping() -> None:
    question, _ = screen(Kind.TICK, 12, 0)
    assert timing.seconds(question, None) == pytest.approx(timing.looking(question) + 1.35 + 0.2)


def test_the_expected_time_follows_the_expected_clicks() -> None:
    question = Question(1, Kind.TICK, 1, (2, 3), "test", expected=(1.0, 0.0))
    assert timing.expected_seconds(question) == pytest.approx(timing.seconds(*screen(Kind.TICK, 2, 1)))
