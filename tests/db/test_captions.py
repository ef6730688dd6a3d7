"""Verdicts about the words beside a picture: in the one log, and out of reach of everything that is about pairs."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db import catalog, feedback, migrate, queue
from db.engine import open_database
from db.errors import BadInput, Conflict
from db.nouns import Kind, Question, Verdict
from tests.db.factories import World, answer, make_world, new_item


def worded(world: World) -> World:
    """The same world, asked about its words; the first three items have some."""
    with world.database.write() as s:
        catalog.add_items(s, world.collection, [new_item(n, attributes={"words": f"text {n}"}) for n in range(3)])
        about = catalog.add_criterion(s, "words fit", world.collection, "Does it belong?", captions="words")
    return replace(world, criterion=about)


def about(world: World, place: int, words: str | None = None) -> Question:
    said = f"text {place}" if words is None else words
    return Question(world.criterion, Kind.CAPTION, world.items[place], (), "test", text=said, expected=(0.3,))


def say(world: World, asked: Question, verdict: Verdict, key: str, source: str = "ann") -> feedback.Recorded:
    with world.database.write() as s:
        [number] = queue.put(s, world.criterion, [asked], retire=False)
        return feedback.record(s, answer(queue.question(s, number), verdict, key=key, source=source))


def texts(world: World) -> dict[int, str]:
    with world.database.read() as s:
        return catalog.texts(s, catalog.criterion(s, world.criterion))


def stands(world: World) -> list[tuple[int, Verdict]]:
    words = texts(world)
    with world.database.read() as s:
        return [(one.a, one.verdict) for one in feedback.captions(s, world.criterion, words)]


def test_a_question_on_words_is_leased_answered_and_undone_like_any_other(world):
    world = worded(world)
    with world.database.write() as s:
        queue.put(s, world.criterion, [about(world, 0)])
        [leased] = queue.claim(s, world.criterion, "tab", 1, kind="caption")
        assert (leased.question.text, leased.question.candidates) == ("text 0", ())
        assert queue.claim(s, world.criterion, "other tab", 1) == []
        given = answer(leased.question, Verdict.DIFFERENT, key="k", lease=leased.token)
        first, again = feedback.record(s, given), feedback.record(s, given)
    assert (first.id, again.replayed, first.late) == (again.id, True, False)
    assert stands(world) == [(world.items[0], Verdict.DIFFERENT)]
    with world.database.write() as s:
        feedback.undo(s, first.id, "u", "ann")
        assert [one.question.id for one in queue.claim(s, world.criterion, "tab", 1)] == [leased.question.id]
    assert stands(world) == []


def test_no_reader_of_pairs_ever_sees_a_verdict_about_words(world):
    pairs, world = world, worded(world)
    said = say(world, about(world, 1), Verdict.SAME, "k")
    [beside] = pairs.ask(1)
    with world.database.write() as s:
        feedback.record(s, answer(queue.question(s, beside), key="pair"))
    with world.database.read() as s:
        assert feedback.statements(s, world.criterion) == []
        assert feedback.changes(s, world.criterion, 0) == feedback.Changes((), (), said.id)
        assert len(feedback.statements(s, pairs.criterion)) == 1
        assert feedback.captions(s, pairs.criterion, texts(world)) == []
        assert feedback.counts(s, world.criterion).same == 1


def test_neither_kind_of_question_gets_into_the_other_criterion(world):
    pairs, world = world, worded(world)
    with world.database.write() as s, pytest.raises(BadInput, match="asks about the words in the column 'words' alone"):
        queue.put(s, world.criterion, [pairs.question(0)])
    with world.database.write() as s, pytest.raises(BadInput, match="asks about pairs of pictures alone"):
        queue.put(s, pairs.criterion, [about(world, 0)])


@pytest.mark.parametrize("change", [{"text": ""}, {"candidates": (2,)}, {"context": (2,)}, {"expected": (0.1, 0.2)}])
def test_a_question_on_words_that_is_not_well_formed_is_refused(world, change):
    world = worded(world)
    with world.database.write() as s, pytest.raises(BadInput):
        queue.put(s, world.criterion, [replace(about(world, 0), **change)])


def test_an_answer_holds_for_the_words_it_was_given_about(world):
    world = worded(world)
    say(world, about(world, 2), Verdict.DIFFERENT, "k")
    with world.database.write() as s:
        catalog.add_items(s, world.collection, [new_item(2, attributes={"words": "put right"})])
    assert stands(world) == []
    say(world, about(world, 2, "put right"), Verdict.SAME, "k2")
    assert stands(world) == [(world.items[2], Verdict.SAME)]


def test_a_criterion_keeps_its_column(world):
    world = worded(world)
    with world.database.write() as s:
        same = catalog.add_criterion(s, "words fit", world.collection, "Does it belong?", captions="words")
        assert same == world.criterion
        with pytest.raises(Conflict):
            catalog.add_criterion(s, "words fit", world.collection, "Does it belong?", captions="other")
        with pytest.raises(Conflict, match="already asks"):
            catalog.add_criterion(s, "words fit", world.collection, "Does it belong?", captions="words", words="minilm")
        meant = catalog.add_criterion(s, "meant", world.collection, "Fits?", captions="words", words="ngrams+minilm")
        assert catalog.criterion(s, meant).words == "ngrams+minilm" and catalog.criterion(s, same).words == ""


def test_the_caption_of_an_import_is_a_column_like_any_other(world):
    with world.database.write() as s:
        catalog.add_items(s, world.collection, [new_item(5, caption=" a boat ")])
        made = catalog.criterion(s, catalog.add_criterion(s, "c", world.collection, "Fits?", captions="caption"))
        assert catalog.texts(s, made) == {world.items[5]: "a boat"}


NUMBER = itertools.count()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans()), max_size=6))
def test_undo_equals_never_having_answered(sqlite_database, said):
    made = worded(fresh(sqlite_database))
    expected = []
    for place, verdict, undone in said:
        word = Verdict.SAME if verdict else Verdict.DIFFERENT
        event = say(made, about(made, place), word, f"k{next(NUMBER)}")
        if undone:
            with made.database.write() as s:
                feedback.undo(s, event.id, f"u{event.id}", "ann")
        else:
            expected.append((made.items[place], word))
    assert stands(made) == expected


def fresh(database):
    """A world beside the others in one database."""
    world = make_world(database, 4)
    with database.write() as s:
        s.execute(text("UPDATE criteria SET name = name || ' ' || id"))
    return world


def test_going_back_takes_verdicts_about_words_along_and_leaves_those_about_pairs(url):
    database = open_database(url)
    pairs = make_world(database)
    world = worded(pairs)
    event = say(world, about(world, 0), Verdict.SAME, "k")
    [beside] = pairs.ask(1)
    with database.write() as s:
        feedback.record(s, answer(queue.question(s, beside), key="pair"))
        feedback.undo(s, event.id, "u", "ann")
    database.close()
    migrate.downgrade(url, "0006")
    migrate.upgrade(url)
    database = open_database(url)
    with database.read() as s:
        assert len(feedback.statements(s, pairs.criterion)) == 1
        assert [one.name for one in catalog.criteria(s)] == ["kind", "words fit"]
        assert not any(one.captions for one in catalog.criteria(s))
        assert s.scalar(text("SELECT count(*) FROM answers")) == 1
    database.close()
