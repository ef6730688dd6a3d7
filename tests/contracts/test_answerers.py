"""Every file of oracle/answerers keeps the same promises."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from db import catalog, feedback, queue
from db.engine import Database, open_database
from db.nouns import Answer, Item, Kind, PairVerdict, Question, Verdict
from oracle import plugins
from oracle.answerers import from_spec

FAMILY = "oracle.answerers"
every = pytest.mark.parametrize("name", plugins.names(FAMILY))
Build = Callable[..., Any]


@pytest.fixture
def database(tmp_path: Path, items: list[Item]) -> Iterator[Database]:
    """A database with those items and one queued question a person has answered."""
    opened = open_database(f"sqlite:///{tmp_path}/db.sqlite")
    with opened.write() as s:
        collection = catalog.add_collection(s, "pets")
        rows = [catalog.NewItem(one.sha256, 8, 8, one.path, one.name, attributes=one.attributes) for one in items]
        catalog.add_items(s, collection, rows)
        catalog.add_criterion(s, "kind", collection, "Same kind?")
    yield opened
    opened.close()


@pytest.fixture
def asked(database: Database) -> list[Question]:
    """Queued questions of every layout, each answered by a person already."""
    with database.write() as s:
        ids = [one.id for one in catalog.items(s, 1)]
        anchor, *others = ids[:-1]
        shapes = [(Kind.PAIR, others[:1]), (Kind.TICK, others), (Kind.ODD, others), (Kind.MERGE, others[:2])]
        context = {Kind.MERGE: (others[3],)}
        new = [Question(1, kind, anchor, tuple(shown), "test", context=context.get(kind, ())) for kind, shown in shapes]
        questions = [queue.question(s, one) for one in queue.put(s, 1, new)]
        for question in questions:
            said = tuple(PairVerdict(a, b, Verdict.UNSURE) for a, b in question.pairs())
            feedback.record(s, Answer(question.id or 0, said, "ann", f"key-{question.id}"))
    return questions


@pytest.fixture
def build(database: Database, replay_file: Path) -> Build:
    """Build an answerer from what its settings are called; a setting of another name needs a default."""
    with database.read() as s:
        items = catalog.items(s, 1)
    inner = from_spec("labels:kind", items)
    known = {"items": items, "column": "kind", "inner": inner, "file": replay_file, "rule": same_kind,
             "database": database, "members": {"ann": inner, "bo": inner}}  # fmt: skip

    def built(name: str, **settings: Any) -> Any:
        found = plugins.find(FAMILY, name)
        needed = [f.name for f in fields(found) if f.default is MISSING and f.default_factory is MISSING and f.init]
        return plugins.load(FAMILY, name, **{key: known[key] for key in needed}, **settings)

    return built


def same_kind(one: Item, other: Item) -> bool:
    return bool(one.attributes["kind"] == other.attributes["kind"])


@every
def test_an_answer_is_whole_and_the_log_takes_it(
    name: str, build: Build, asked: list[Question], database: Database
) -> None:
    for question in asked:
        answer = build(name).answer(question)
        assert answer is not None
        assert answer.question == question.id
        assert [(said.a, said.b) for said in answer.verdicts] == list(question.pairs())
        with database.write() as s:
            first = feedback.record(s, answer)
            assert feedback.record(s, answer).replayed
        with database.read() as s:
            (logged,) = [event for event in feedback.log(s, 1) if event.id == first.id]
        assert logged.verdicts == answer.verdicts


@every
def test_the_same_seed_gives_the_same_answers(name: str, build: Build, asked: list[Question]) -> None:
    one, other = build(name), build(name)
    assert [one.answer(question) for question in asked] == [other.answer(question) for question in asked]
    assert one.answer(asked[0]) == other.answer(asked[0])


@every
def test_a_spent_budget_ends_the_answers(name: str, build: Build, asked: list[Question]) -> None:
    answerer = build(name, budget=2)
    assert [answerer.answer(question) is not None for question in asked[:4]] == [True, True, False, False]


@every
def test_the_order_of_a_pair_does_not_matter(name: str, build: Build, asked: list[Question]) -> None:
    if name == "human":
        pytest.skip("a person answers the question as it stands in the log")
    answerer, pair = build(name), asked[0]
    turned = Question(1, Kind.PAIR, pair.candidates[0], (pair.anchor,), "test", id=pair.id)
    assert answerer.answer(pair).verdicts[0].verdict is answerer.answer(turned).verdicts[0].verdict


@every
def test_a_misspelt_setting_is_explained(name: str, build: Build) -> None:
    with pytest.raises(plugins.BadInput, match="Did you mean 'budget'"):
        build(name, budgett=3)
