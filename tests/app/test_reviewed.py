"""Answers about the words beside pictures reach training: rejected words are denied, confirmed ones teach."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.reviewed import listening, mark, reviewed
from db import catalog, feedback, queue
from db.engine import open_database
from db.nouns import Kind, Question, Verdict
from tests.db.factories import World, answer, make_world, new_item
from trainer.attributes import Attributes
from trainer.recipe import build

SAID = {0: Verdict.SAME, 1: Verdict.DIFFERENT, 2: Verdict.UNSURE}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three items with words; the first were confirmed, the second rejected, the third left open."""
    database = open_database(f"sqlite:///{tmp_path / 'words.sqlite'}")
    world = make_world(database)
    with world.database.write() as s:
        catalog.add_items(s, world.collection, [new_item(n, attributes={"words": f"text {n}"}) for n in range(3)])
        about = catalog.add_criterion(s, "words fit", world.collection, "Does it belong?", captions="words")
        for place, verdict in SAID.items():
            asked = Question(about, Kind.CAPTION, world.items[place], (), "test", text=f"text {place}")
            [number] = queue.put(s, about, [asked], retire=False)
            feedback.record(s, answer(queue.question(s, number), verdict, key=str(place)))
    yield replace(world, criterion=about)
    database.close()


def metadata(world: World) -> Attributes:
    ids = np.array(world.items, np.int64)
    texts = np.array([f"text {n}" if n < 3 else None for n in range(len(ids))], dtype=object)
    unknown = np.full(len(ids), np.nan)
    return Attributes(ids, {"words": texts}, unknown, np.stack([unknown, unknown], 1))


def test_what_stands_is_read_by_column_and_what_is_open_is_not(world: World) -> None:
    assert reviewed(world.database, world.collection) == {"words": {world.items[0]: True, world.items[1]: False}}


def test_rejected_words_are_denied_and_a_selector_hears_both(world: World) -> None:
    said = reviewed(world.database, world.collection)
    found = listening(metadata(world), said, build("jest", {"text": "words"}))
    assert found.denied == {"words": {world.items[1]}}
    assert found.values["confirmed"][:4].tolist() == [1, 0, None, None]
    assert "confirmed" not in listening(metadata(world), said, build("clip", {"text": "words"})).values


def test_a_run_goes_on_only_with_the_same_verdicts(world: World) -> None:
    before = reviewed(world.database, world.collection)
    with world.database.write() as s:
        asked = Question(world.criterion, Kind.CAPTION, world.items[2], (), "test", text="text 2")
        [number] = queue.put(s, world.criterion, [asked], retire=False)
        feedback.record(s, answer(queue.question(s, number), Verdict.DIFFERENT, key="later"))
    after = reviewed(world.database, world.collection)
    assert after["words"][world.items[2]] is False
    assert mark(before) == mark(reviewed(world.database, world.collection) | before) != mark(after)
