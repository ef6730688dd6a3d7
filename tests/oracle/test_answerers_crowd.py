"""Scripted people who take turns."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import BadInput
from db.nouns import Item, Kind, Question
from oracle.answerers import from_spec
from oracle.answerers.crowd import Answerer, rates_of

ITEMS = [Item(n, 1, f"{n:064x}", 8, 8, f"{n}.png", attributes={"kind": n % 3}) for n in range(1, 41)]
RIGHT = from_spec("labels:kind", ITEMS)


def question(number: int) -> Question:
    anchor, *others = range(1 + number % 20, 1 + number % 20 + 12)
    return Question(1, Kind.TICK, anchor, tuple(others), "test", id=number)


def test_everybody_gets_a_turn_and_is_wrong_at_their_own_rate() -> None:
    crowd = Answerer(RIGHT, rates={"ann": 0.0, "bo": 0.3})
    wrong: dict[str, list[bool]] = {"ann": [], "bo": []}
    for number in range(200):
        said, truth = crowd.answer(question(number)), RIGHT.answer(question(number))
        assert said is not None
        assert truth is not None
        pairs = zip(said.verdicts, truth.verdicts, strict=True)
        wrong[said.source] += [one.verdict is not other.verdict for one, other in pairs]
    assert not any(wrong["ann"])
    assert 700 < len(wrong["ann"]) < 1500
    assert sum(wrong["bo"]) / len(wrong["bo"]) == pytest.approx(0.3, abs=0.06)


def test_the_same_question_goes_to_the_same_person_whatever_came_before() -> None:
    one, other = Answerer(RIGHT, seed=4), Answerer(RIGHT, seed=4)
    forward = {number: one.answer(question(number)) for number in range(20)}
    backward = {number: other.answer(question(number)) for number in reversed(range(20))}
    assert forward == backward


def test_rates_are_read_as_typed() -> None:
    assert rates_of("ann:0.02, bo smith:0.2") == {"ann": 0.02, "bo smith": 0.2}
    assert rates_of("a:b:0.1") == {"a:b": 0.1}


@pytest.mark.parametrize("text", ["", "ann", "ann:", ":0.1", "ann:much", "ann:1", "ann:-0.1", "ann:nan"])
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        rates_of(text)


def test_a_crowd_of_nobody_is_refused() -> None:
    with pytest.raises(BadInput, match="at least one annotator"):
        Answerer(RIGHT, rates={})


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.sampled_from([0.0, 0.25, 0.5]), min_size=1))
@settings(max_examples=50, deadline=None)
def test_reading_what_was_written_gives_the_same_rates(rates: dict[str, float]) -> None:
    assert rates_of(",".join(f"{name}:{rate}" for name, rate in rates.items())) == rates
