"""Reviews of captions: what a ledger adds up, what every rule promises, when the advice is to stop."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import BadInput
from db.nouns import Kind, Statement, Verdict
from oracle import plugins, proofread
from oracle.captions import FAMILY
from oracle.ledger import ANYBODY, Fits, Ledger, rates_of

NAMES = plugins.names(FAMILY)
every = pytest.mark.parametrize("name", NAMES)
SAME, OTHER = Verdict.SAME, Verdict.DIFFERENT
FITS = Fits({item: 0.02 + 0.96 * item / 29 for item in range(30)}, {item: f"text {item}" for item in range(30)}, 4)


def said(*rows: tuple[int, Verdict], source: str = "ann", first: int = 1, audit: bool = False) -> list[Statement]:
    return [Statement(first + at, item, item, verdict, source, audit=audit) for at, (item, verdict) in enumerate(rows)]


@every
def test_every_rule_keeps_its_promises(name):
    rule = plugins.load(FAMILY, name, seed=3)
    ledger = Ledger.of(said((0, OTHER), (29, SAME), (5, Verdict.UNSURE)))
    found = rule.propose(FITS, ledger, 9, criterion=2)
    assert 0 < len(found) <= 9 and found == plugins.load(FAMILY, name, seed=3).propose(FITS, ledger, 9, criterion=2)
    assert len({one.anchor for one in found}) == len(found)
    for one in found:
        assert (one.kind, one.criterion, one.version, one.candidates) == (Kind.CAPTION, 2, 4, ())
        assert one.text == f"text {one.anchor}" and one.reason and 0 < one.probability <= 1
        assert 0 <= one.expected[0] <= 1
        assert not ledger.votes.get(one.anchor)  # neither of the two is in doubt
    assert rule.propose(FITS, ledger, 0) == []


@every
def test_words_without_a_doubt_left_are_never_asked_again(name):
    ledger = Ledger.of([*said(*((item, SAME) for item in range(15, 30))), *said(*((i, OTHER) for i in range(15)))])
    doubtful = {item for item in range(30) if ledger.doubt(item, FITS.of(item)) >= 0.02}
    asked = {one.anchor for one in plugins.load(FAMILY, name).propose(FITS, ledger, 40)}
    assert asked <= doubtful
    assert name != "suspicious" or asked == doubtful


def test_the_most_suspicious_words_come_first_and_a_contradiction_is_asked_again():
    rule = plugins.load(FAMILY, "suspicious")
    assert [one.anchor for one in rule.propose(FITS, Ledger(), 4)] == [0, 1, 2, 3]
    contradicted = Ledger.of([*said((25, OTHER)), *said((25, SAME), source="bo", first=9)])
    assert [one.anchor for one in rule.propose(FITS, contradicted, 30)].count(25) == 1
    against = Ledger.of(said((0, SAME)))  # the model gave it two in a hundred
    assert 0 in [one.anchor for one in rule.propose(FITS, against, 24)]


def test_what_a_training_run_doubted_comes_first_with_the_proposers_name():
    fits = replace(FITS, suspects={20: 3.0, 7: 5.5, 11: 4.0})
    found = plugins.load(FAMILY, "doubted").propose(fits, Ledger(), 5)
    assert [(one.anchor, one.proposer) for one in found] == [
        (7, "doubted"), (11, "doubted"), (20, "doubted"), (0, "suspicious"), (1, "suspicious")
    ]  # fmt: skip
    assert {one.probability for one in found} == {1.0} and "1 in the order of doubt, of 3" in found[0].reason
    answered = Ledger.of(said((7, OTHER), (11, Verdict.SKIP)))
    assert [one.anchor for one in plugins.load(FAMILY, "doubted").propose(fits, answered, 2)] == [20, 0]
    mixed = plugins.load(FAMILY, "mixed").propose(fits, Ledger(), 8)
    assert [one.anchor for one in mixed if not one.audit][:3] == [7, 11, 20]
    assert {one.probability for one in mixed if one.proposer == "doubted"} == {0.9}


def test_suspects_that_turn_out_to_belong_give_way():
    fits = replace(FITS, suspects={item: 9.0 - item / 10 for item in range(10, 20)})
    rule = plugins.load(FAMILY, "doubted", patience=3)
    two, three = (Ledger.of(said(*((item, SAME) for item in range(10, 10 + count)))) for count in (2, 3))
    assert rule.propose(fits, two, 1)[0].anchor == 12 and rule.propose(fits, three, 1)[0].proposer == "suspicious"
    again = Ledger.of(said((10, SAME), (11, SAME), (12, OTHER), (13, SAME)))
    assert rule.propose(fits, again, 1)[0].anchor == 14
    with pytest.raises(BadInput, match="another rule than 'doubted'"):
        plugins.load(FAMILY, "doubted", inner="doubted")


def test_one_place_in_ten_is_an_audit_with_its_probability():
    rule = plugins.load(FAMILY, "mixed", seed=1)
    rounds = [rule.propose(FITS, Ledger(size=number), 1)[0] for number in range(600)]
    audits = [one for one in rounds if one.audit]
    assert 35 <= len(audits) <= 90
    assert {round(one.probability, 6) for one in audits} == {round(0.1 / 30, 6)}
    assert len({one.anchor for one in audits}) > 15
    assert {one.probability for one in rounds if not one.audit} == {0.9}
    with pytest.raises(BadInput, match="audit = a share"):
        plugins.load(FAMILY, "mixed", audit=1.5)


def test_an_answer_that_is_silent_weighs_nothing_and_moves_the_question_back():
    ledger = Ledger.of(said((0, Verdict.SKIP), (1, Verdict.NOT_COMPARABLE)))
    assert ledger.nats == {} and ledger.silent == {0: 1, 1: 1}
    asked = [one.anchor for one in plugins.load(FAMILY, "suspicious").propose(FITS, ledger, 30)]
    assert asked[0] == 2 and asked.index(0) > 5
    tired = Ledger.of(said(*[(0, Verdict.SKIP)] * 3))
    assert 0 not in [one.anchor for one in plugins.load(FAMILY, "suspicious").propose(FITS, tired, 30)]


VOTES = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(list(Verdict)), st.sampled_from("abc")), max_size=25)


@settings(max_examples=40, deadline=None)
@given(VOTES, st.randoms())
def test_the_order_of_answers_does_not_matter(votes, random):
    rows = [Statement(at, item, item, verdict, who) for at, (item, verdict, who) in enumerate(votes)]
    turned = rows[:]
    random.shuffle(turned)
    assert Ledger.of(rows) == Ledger.of(turned)
    assert rates_of(rows, FITS) == rates_of(turned, FITS)


def test_who_repeats_himself_counts_a_quarter_and_two_people_count_twice():
    once, twice = Ledger.of(said((1, OTHER))), Ledger.of(said((1, OTHER), (1, OTHER)))
    both = Ledger.of([*said((1, OTHER)), *said((1, OTHER), source="bo", first=9)])
    assert twice.nats[1] == pytest.approx(1.25 * once.nats[1])
    assert both.nats[1] == pytest.approx(2 * once.nats[1]) and both.rejected(1)
    tied = Ledger.of([*said((1, OTHER)), *said((1, SAME), source="bo", first=9)])
    assert tied.nats[1] == 0 and not tied.rejected(1) and tied.doubt(1, 0.5) == pytest.approx(0.5)


def test_who_errs_often_is_found_out_by_the_others_and_weighs_less():
    truth = {item: item % 3 > 0 for item in range(30)}
    rows: list[Statement] = []
    for who, wrong in (("ann", 99), ("bo", 99), ("cy", 2)):  # every second answer of cy is wrong
        answers = ((item, SAME if fine != (item % wrong == 1) else OTHER) for item, fine in truth.items())
        rows += said(*answers, source=who, first=len(rows))
    rates = rates_of(sorted(rows, key=lambda one: (one.a, one.source)), Fits({}, FITS.texts))
    assert rates["cy"] > 2 * rates["ann"] and 0 < rates[ANYBODY] < 0.5
    ledger = Ledger.of(said((7, OTHER), source="cy"), rates)
    assert abs(ledger.nats[7]) < abs(Ledger.of(said((7, OTHER), source="ann"), rates).nats[7])


def test_the_advice_waits_for_answers_follows_the_chances_and_hears_the_draws():
    fits = Fits({item: 0.02 if item < 20 else 0.99 for item in range(200)}, {item: str(item) for item in range(200)})
    assert "Too early" in proofread.progress(fits, Ledger()).words
    halfway = proofread.progress(
        fits, Ledger.of(said(*((item, OTHER) for item in range(10)), *((50 + i, SAME) for i in range(15))))
    )
    assert not halfway.stop and halfway.found == 10 and halfway.left == pytest.approx(9.8 + 1.7, abs=0.5)
    rows = said(*((item, OTHER) for item in range(20)), *((50 + item, SAME) for item in range(40)))
    done = proofread.progress(fits, Ledger.of(rows))
    assert done.stop and done.found == 20 and done.words.endswith("You can stop.")
    surprised = [*rows, *said(*((100 + item, OTHER) for item in range(6)), first=900, audit=True)]
    assert not proofread.progress(fits, Ledger.of(surprised)).stop
    everything = said(*((item, OTHER if item < 20 else SAME) for item in range(200)))
    assert (
        proofread.progress(fits, Ledger.of(everything)).words
        == "Every caption was looked at; 20 of them did not belong."
    )
