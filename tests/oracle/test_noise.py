"""Every noise model errs as its closed form says."""

from collections import Counter
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BadInput, NotFound
from db.nouns import Item, Kind, PairVerdict, Question, Verdict
from oracle.answerers import adversarial, confused, crew, drifting, from_spec, misled, noisy, timed
from oracle.noise import Faults, Ground, drift_of, faulty, model_names, model_of, person_of

N = 400
KINDS = ("glass", "paper", "metal", "plastic")
ITEMS = [
    Item(1 + n, 1, f"{n:064x}", 8, 8, "x", attributes={"kind": KINDS[n % 4], "half": "odd" if n % 2 else "even"})
    for n in range(N)
]
LABEL = {item.id: item.attributes["kind"] for item in ITEMS}
PAIRS = [(a, b) for a in range(1, N + 1, 3) for b in range(a + 1, N + 1, 5)]
TRUE = from_spec("labels:kind", ITEMS)
ids = st.integers(1, N)


def ground(seed: int = 0, **more: object) -> Ground:
    return Ground(ITEMS, "kind", seed=seed, **more)  # type: ignore[arg-type]


def built(*models: str, seed: int = 0, **more: object) -> object:
    return faulty(lambda spec: from_spec(spec, ITEMS), "labels:kind", Faults(models, **more), ground(seed))  # type: ignore[arg-type]


def share_wrong(answerer: object, pairs: list[tuple[int, int]] = PAIRS) -> float:
    return float(np.mean([answerer.verdict(*pair) != TRUE.verdict(*pair) for pair in pairs]))  # type: ignore[attr-defined]


def question(number: int, a: int = 1, b: int = 2) -> Question:
    return Question(1, Kind.PAIR, a, (b,), "test", id=number)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.6])
def test_uniform_noise_errs_at_its_rate(rate: float) -> None:
    assert share_wrong(built(f"uniform:{rate}")) == pytest.approx(rate, abs=4 * (rate / len(PAIRS)) ** 0.5)


def test_an_adversary_turns_every_verdict_round_and_half_a_one_half_of_them() -> None:
    assert share_wrong(built("adversarial")) == 1.0
    assert share_wrong(built("adversarial:0.5")) == pytest.approx(0.5, abs=0.02)
    silent = from_spec("labels:kind", ITEMS, abstain=0.5)
    lies = adversarial.Answerer(silent)
    unsure = [pair for pair in PAIRS if silent.verdict(*pair).verdict is Verdict.UNSURE]
    assert unsure and all(lies.verdict(*pair).verdict is Verdict.UNSURE for pair in unsure)


def test_abstention_happens_at_its_rate_and_takes_no_side() -> None:
    said = Counter(built("abstain:0.3").verdict(*pair).verdict for pair in PAIRS)  # type: ignore[attr-defined]
    assert said[Verdict.UNSURE] / len(PAIRS) == pytest.approx(0.3, abs=0.02)
    assert share_wrong(built("abstain:0.3")) == pytest.approx(0.3, abs=0.02), "and nothing else is wrong"


def test_the_confusion_rows_are_what_was_asked_for() -> None:
    items = [Item(n, 1, f"{n:064x}", 8, 8, "x", attributes={"kind": KINDS[n % 4]}) for n in range(1, 8001)]
    rows = "glass>plastic=0.3,glass>metal=0.1,paper>glass=0.25"
    found = confused.Answerer(from_spec("labels:kind", items), items, "kind", rows)
    seen = Counter((item.attributes["kind"], found.taken_for(item.id)) for item in items)
    expected = {("glass", "plastic"): 0.3, ("glass", "metal"): 0.1, ("glass", "glass"): 0.6, ("paper", "glass"): 0.25,
                ("paper", "paper"): 0.75, ("metal", "metal"): 1.0, ("plastic", "plastic"): 1.0}  # fmt: skip
    assert set(seen) == set(expected)
    for cell, share in expected.items():
        assert seen[cell] / 2000 == pytest.approx(share, abs=0.04), cell


@given(ids, ids, ids, st.integers(0, 50))
def test_what_a_confused_person_says_agrees_with_itself(a: int, b: int, c: int, seed: int) -> None:
    found = confused.Answerer(TRUE, ITEMS, "kind", "glass>plastic=0.5,paper>metal=0.5", seed=seed)
    same = [found.verdict(*pair).verdict is Verdict.SAME for pair in ((a, b), (b, c), (a, c))]
    assert sum(same) != 2, "whoever mistakes items still sorts them into classes"


def test_similar_strangers_and_dissimilar_kin_mislead_as_the_curve_says() -> None:
    angle = np.linspace(0, np.pi / 2, N)
    vectors = {n + 1: np.array([np.cos(x), np.sin(x)]) for n, x in enumerate(angle)}
    found = misled.Answerer(TRUE, 0.4, 0.7, 0.1, seed=3, vectors=vectors)
    for low, high in ((0.0, 0.4), (0.6, 0.8), (0.95, 1.0)):
        for truth in (Verdict.SAME, Verdict.DIFFERENT):
            cosine = {pair: float(vectors[pair[0]] @ vectors[pair[1]]) for pair in PAIRS}
            chosen = [p for p in PAIRS if low <= cosine[p] <= high and TRUE.verdict(*p).verdict is truth]
            sign = 1 if truth is Verdict.DIFFERENT else -1
            expected = np.mean([0.4 / (1 + exp(-sign * (cosine[p] - 0.7) / 0.1)) for p in chosen])
            assert len(chosen) > 100 and share_wrong(found, chosen) == pytest.approx(expected, abs=0.06)


@given(ids, ids)
def test_looks_never_matter_where_nothing_is_known_of_them(a: int, b: int) -> None:
    assert misled.Answerer(TRUE, 0.9).verdict(a, b) == TRUE.verdict(a, b)


def test_latency_has_its_median_and_spread() -> None:
    slow = timed.Answerer(TRUE, median=4.0, spread=0.5, seed=1)
    logs = [log(slow.answer(question(n)).seconds) for n in range(1, 4001)]  # type: ignore[union-attr, arg-type]
    assert exp(np.median(logs)) == pytest.approx(4.0, rel=0.04)
    assert np.std(logs) == pytest.approx(0.5, rel=0.05)
    assert timed.Answerer(TRUE, median=2.5, spread=0).answer(question(7)).seconds == 2.5  # type: ignore[union-attr]


def test_a_drift_switches_the_column_at_its_screen() -> None:
    found = built(drift="half@3")
    said = [found.answer(question(n, 1, 3)).verdicts[0].verdict for n in range(1, 7)]  # type: ignore[attr-defined]
    assert said == [Verdict.DIFFERENT] * 3 + [Verdict.SAME] * 3, "glass and metal differ, both are even"


def test_each_of_several_people_errs_in_their_own_way() -> None:
    found = built(people=("ann", "bo=uniform:0.3", "eve=adversarial+latency:9,spread=0"), latency="2,spread=0")
    assert isinstance(found, crew.Answerer)
    assert [share_wrong(found.members[name]) for name in ("ann", "eve")] == [0.0, 1.0]
    assert share_wrong(found.members["bo"]) == pytest.approx(0.3, abs=0.02)
    answers = [found.answer(question(n)) for n in range(1, 301)]
    turns = Counter(one.source for one in answers if one)
    assert set(turns) == {"ann", "bo", "eve"} and min(turns.values()) > 60
    assert {(one.source == "eve", one.seconds) for one in answers if one} == {(True, 9.0), (False, 2.0)}


def test_two_careless_people_err_about_different_pairs() -> None:
    found = built(people=("ann=uniform:0.2", "bo=uniform:0.2"))
    ann, bo = (found.members[name] for name in ("ann", "bo"))  # type: ignore[attr-defined]
    both = np.mean([ann.verdict(*p) != TRUE.verdict(*p) and bo.verdict(*p) != TRUE.verdict(*p) for p in PAIRS])
    assert both == pytest.approx(0.04, abs=0.015), "independent: the product of the rates"


def test_models_stack_and_the_same_one_twice_is_drawn_twice() -> None:
    assert share_wrong(built("uniform:0.2", "uniform:0.2")) == pytest.approx(2 * 0.2 * 0.8, abs=0.02)


MODELS = ("uniform:0.3", "abstain:0.3", "adversarial:0.4", "classes:glass>plastic=0.4")


@given(ids, ids, st.sampled_from(MODELS), st.integers(0, 9))
def test_a_model_repeats_itself_and_does_not_mind_the_order(a: int, b: int, model: str, seed: int) -> None:
    one, other = built(model, seed=seed), built(model, seed=seed)
    said: PairVerdict = one.verdict(a, b)  # type: ignore[attr-defined]
    assert said == other.verdict(a, b) and said.verdict is one.verdict(b, a).verdict  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", MODELS)
def test_another_seed_errs_about_other_pairs(model: str) -> None:
    one, other = built(model, seed=1), built(model, seed=2)
    assert [one.verdict(*p) for p in PAIRS] != [other.verdict(*p) for p in PAIRS]  # type: ignore[attr-defined]


def test_every_wrapper_that_names_its_main_setting_is_a_model() -> None:
    assert model_names() == ["abstain", "adversarial", "classes", "latency", "similar", "uniform"]
    assert model_of("similar:0.3,width=0.1") == ("misled", {"highest": "0.3", "width": "0.1"})
    assert person_of("ann=uniform:0.1+latency:3") == ("ann", ("uniform:0.1", "latency:3"))
    assert drift_of("a@b@12") == ("a@b", 12)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (Faults(("unifrom:0.1",)), "Did you mean 'uniform'"),
        (Faults(("labels:kind",)), "no noise model named 'labels'"),
        (Faults(("uniform:1.5",)), "rate"),
        (Faults(("uniform:often",)), "float expected"),
        (Faults(("abstain:nan",)), "rate"),
        (Faults(("adversarial:0",)), "rate"),
        (Faults(("similar:0.2,width=0",)), "width"),
        (Faults(("similar:0.2,middle=nan",)), "middle"),
        (Faults(("classes:glas>paper=0.1",)), "Did you mean 'glass'"),
        (Faults(("classes:glass>paper=0.7,glass>metal=0.7",)), "at most 1 together"),
        (Faults(("classes:glass>glass=0.1",)), "other classes"),
        (Faults(("classes:glass",)), "TRUE>TAKEN_FOR=SHARE"),
        (Faults(people=("ann", "ann=uniform:0.1")), "two annotators"),
        (Faults(people=("=uniform:0.1",)), "NAME=MODEL"),
        (Faults(latency="-1"), "median"),
        (Faults(latency="2,spread=9"), "spread"),
        (Faults(drift="half"), "COLUMN@SCREEN"),
        (Faults(drift="haf@3"), "Did you mean 'half'"),
    ],
)
def test_what_cannot_be_read_is_explained(faults: Faults, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        faulty(lambda spec: from_spec(spec, ITEMS), "labels:kind", faults, ground())
    assert "\n" not in str(caught.value)


def test_a_model_of_classes_needs_classes_and_a_drift_a_column() -> None:
    rule = lambda spec: from_spec("labels:kind", ITEMS)  # noqa: E731
    with pytest.raises(BadInput, match="needs a column"):
        faulty(rule, "rule:m:f", Faults(("classes:a>b=0.1",)), Ground(ITEMS))
    with pytest.raises(BadInput, match="reads a column"):
        faulty(rule, "rule:m:f", Faults(drift="half@3"), Ground(ITEMS))
    with pytest.raises(NotFound):
        noisy.Answerer(from_spec("labels:knd", ITEMS))
    with pytest.raises(BadInput, match="at"):
        drifting.Answerer(TRUE, at=-1)
