"""What scripted oracles say."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import BadInput, NotFound
from db.nouns import Item, Kind, Question, Verdict
from oracle.answerers import from_spec
from oracle.answerers.attribute import Answerer as Attribute


def item(number: int, **attributes: Any) -> Item:
    return Item(number, 1, f"{number:064x}", 8, 8, f"{number}.png", name=f"img{number}", attributes=attributes)


PETS = [item(1, kind="cat"), item(2, kind="cat"), item(3, kind="dog"), item(4, kind=""), item(5)]


def ask(answerer: Any, *ids: int, kind: Kind = Kind.TICK) -> list[str]:
    answer = answerer.answer(Question(1, kind, ids[0], ids[1:], "test", id=9))
    return [said.verdict.value for said in answer.verdicts]


def test_labels_say_same_for_equal_labels_and_unsure_where_one_is_missing() -> None:
    assert ask(from_spec("labels:kind", PETS), 1, 2, 3, 4, 5) == ["same", "different", "unsure", "unsure"]


def test_several_values_in_a_cell_agree_when_one_is_shared() -> None:
    dishes = [item(1, has="rice; egg"), item(2, has="egg"), item(3, has="bread"), item(4, has=["rice", "bread"])]
    assert ask(from_spec("attribute:has", dishes), 1, 2, 3, 4) == ["same", "different", "same"]


def test_numbers_agree_within_the_tolerance() -> None:
    sizes = [item(1, mm=10), item(2, mm="10.4"), item(3, mm=12.0)]
    assert ask(Attribute(sizes, "mm", tolerance=0.5), 1, 2, 3) == ["same", "different"]
    assert ask(Attribute(sizes, "mm"), 1, 2, 3) == ["different", "different"]


def test_positive_only_never_says_different() -> None:
    assert ask(from_spec("positive-only:kind", PETS), 1, 2, 3, 4) == ["same", "skip", "skip"]


def test_noise_reaches_a_positive_only_oracle_from_the_inside() -> None:
    crowd = [item(number, kind=number % 2) for number in range(1, 60)]
    said = ask(from_spec("positive-only:kind", crowd, noise=0.3, seed=1), *range(1, 60))
    assert set(said) == {"same", "skip"}
    wrong = [verdict for number, verdict in zip(range(2, 60), said, strict=True) if (verdict == "same") != (number % 2)]
    assert 5 < len(wrong) < 30


@given(st.integers(0, 5), st.sampled_from([0.05, 0.1, 0.3]))
@settings(max_examples=10, deadline=None)
def test_noise_turns_its_share_of_pairs_and_repeats_itself(seed: int, rate: float) -> None:
    crowd = [item(number, kind="one") for number in range(1, 60)]
    first, second = (
        from_spec("labels:kind", crowd, noise=rate, seed=seed),
        from_spec("labels:kind", crowd, noise=rate, seed=seed),
    )
    pairs = [(a, b) for a in range(1, 60) for b in range(1, a)]
    said = [first.verdict(a, b).verdict for a, b in pairs]
    assert said == [second.verdict(b, a).verdict for a, b in pairs]
    share = said.count(Verdict.DIFFERENT) / len(said)
    assert abs(share - rate) < 0.05


def test_an_abstaining_oracle_is_unsure_about_its_share() -> None:
    crowd = [item(number, kind="one") for number in range(1, 80)]
    said = ask(from_spec("labels:kind", crowd, abstain=0.5, seed=2), *range(1, 80))
    assert 20 < said.count("unsure") < 60
    assert "different" not in said


def test_a_merge_is_answered_by_one_verdict() -> None:
    assert ask(from_spec("labels:kind", PETS), 1, 2, 3, kind=Kind.MERGE) == ["same"]


def same_letter(one: Item, other: Item) -> str | bool | None:
    if not one.attributes.get("kind") or not other.attributes.get("kind"):
        return None
    return "not_comparable" if "dog" in (one.attributes["kind"], other.attributes["kind"]) else True


def test_a_rule_of_yours_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_rules_for_test.py").write_text("def alike(a, b):\n    return a.id % 2 == b.id % 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert ask(from_spec("rule:my_rules_for_test:alike", PETS), 1, 2, 3) == ["different", "same"]


def test_a_rule_may_return_any_verdict() -> None:
    from oracle.answerers.rule import Answerer

    assert ask(Answerer(PETS, same_letter), 1, 2, 3, 4) == ["same", "not_comparable", "unsure"]
    with pytest.raises(BadInput, match="a rule returns True, False, None"):
        ask(Answerer(PETS, lambda a, b: "maybe"), 1, 2)


@pytest.mark.parametrize("spec", ["rule:nowhere:f", "rule:os:nothing_there", "rule:justone", "rule:os:sep"])
def test_a_rule_that_cannot_be_loaded_is_explained(spec: str) -> None:
    with pytest.raises(BadInput, match="rule"):
        from_spec(spec, PETS)


def test_a_replay_repeats_the_file_by_content_hash_name_or_id(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    rows = [
        {"a": PETS[0].sha256, "b": PETS[1].sha256, "verdict": "different"},
        {"a": PETS[0].sha256, "b": PETS[1].sha256, "verdict": "same", "background": True, "confidence": 0.5},
        {"a": "img1", "b": "img3", "verdict": "different"},
        {"a": 1, "b": 4, "verdict": "unsure"},
        {"a": "f" * 64, "b": "img3", "verdict": "same"},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    answerer = from_spec(f"replay:{file}", PETS)
    assert ask(answerer, 1, 2, 3, 4, 5) == ["same", "different", "unsure", "skip"]
    answer = answerer.answer(Question(1, Kind.PAIR, 2, (1,), "test", id=1))
    assert (answer.verdicts[0].background, answer.verdicts[0].confidence) == (True, 0.5)


def test_a_replay_has_nothing_to_say_about_questions_it_does_not_hold(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("a,b,verdict\nimg1,img2,same\n")
    answerer = from_spec(f"replay:{file}", PETS)
    assert answerer.answer(Question(1, Kind.PAIR, 3, (4,), "test", id=1)) is None


def test_a_broken_replay_file_names_its_row(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("a,b,verdict\n1,2,same\n1,3,perhaps\n")
    with pytest.raises(BadInput, match=r"pairs.csv, row 2"):
        from_spec(f"replay:{file}", PETS)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("labels:colour", "no metadata column named 'colour'"),
        ("lables:kind", "Did you mean 'labels'"),
        ("labels", "lacks its column"),
        ("human", "cannot be built from text alone"),
        ("replay:nowhere.csv", "no file 'nowhere.csv'"),
    ],
)
def test_a_wrong_spec_is_explained(spec: str, words: str) -> None:
    with pytest.raises((BadInput, NotFound), match=words):
        from_spec(spec, PETS)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(BadInput, match="noise"):
        from_spec("labels:kind", PETS, noise=share)
