"""The queue follows the log and the model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from db import events, feedback, queue
from db.nouns import Question
from oracle.constraints import ConstraintGraph
from oracle.weighing import weighed_graph
from tests.small_world import World, make_world
from trainer.asker import Asker
from trainer.features import feature_store
from trainer.follow import Follower
from trainer.learner import Learner


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def asker(world: World) -> Asker:
    ids, vectors = feature_store(world.workspace, world.collection, "lite0").load()
    asker = Asker(world.database, world.criterion, acquisition="pairwright", keep=4)
    asker.snapshot = Learner(vectors, ids).start()
    return asker


def claim(world: World, count: int = 1) -> list[queue.Leased]:
    with world.database.write() as s:
        return queue.claim(s, world.criterion, "person", count)


def waiting(world: World) -> int:
    with world.database.read() as s:
        return queue.open_count(s, world.criterion)


def test_without_a_model_nothing_is_asked(world: World) -> None:
    assert Asker(world.database, world.criterion, acquisition="pairwright").refresh() == 0


def test_a_full_queue_is_left_alone(world: World, asker: Asker) -> None:
    assert asker.refresh() == 4 and waiting(world) == 4
    with world.database.read() as s:
        assert events.since(s, 0)[-1].kind == "questions"
    assert asker.refresh() == 0


def test_every_answer_brings_fresh_questions(world: World, asker: Asker) -> None:
    asker.refresh()
    first = claim(world)[0]
    world.answer(first.question, "a", lease=first.token)
    assert asker.refresh() > 0
    after = claim(world, 10)
    graph = asker.follower.graph
    pairs = [pair for leased in after for pair in leased.question.pairs()]
    assert not any(graph.asked(a, b) or graph.settled(a, b) for a, b in pairs)


def test_a_new_model_asks_its_own_questions(world: World, asker: Asker) -> None:
    asker.refresh()
    assert asker.snapshot is not None
    ids, rng = asker.snapshot.ids, np.random.default_rng(5)
    asker.snapshot = Learner(rng.normal(size=(len(ids), 8)).astype(np.float32), ids).resume(
        Learner(rng.normal(size=(len(ids), 8)).astype(np.float32), ids).head, version=1
    )
    assert asker.refresh() > 0 and claim(world)[0].question.version == 1


def test_nobody_is_shown_a_pair_that_somebody_else_is_looking_at(world: World, asker: Asker) -> None:
    asker.refresh()
    held = claim(world, 3)
    world.say(world.random_pairs(1), key="moves the log")
    asker.refresh()
    shown = {frozenset(pair) for leased in held for pair in leased.question.pairs()}
    fresh: list[Question] = [leased.question for leased in claim(world, 10)]
    assert fresh and not any(frozenset(pair) in shown for question in fresh for pair in question.pairs())


def test_no_two_waiting_questions_share_a_pair_even_if_one_is_claimed_while_others_are_proposed(
    world: World, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker.refresh()
    held: list[queue.Leased] = []
    propose = asker._propose

    def meanwhile(in_hand: list[Question]) -> list[Question]:
        proposed = propose(in_hand)
        with world.database.write() as s:
            queue.put(s, world.criterion, proposed[:1], retire=True)
        held.extend(claim(world))
        return proposed + proposed[-1:]

    monkeypatch.setattr(asker, "_propose", meanwhile)
    world.say(world.random_pairs(1), key="moves the log")
    asker.refresh()
    pairs = [frozenset(pair) for leased in [*held, *claim(world, 10)] for pair in leased.question.pairs()]
    assert held and len(pairs) == len(set(pairs)) > len(held[0].question.pairs())


def test_a_follower_equals_the_log_through_answers_undos_and_their_undos(world: World) -> None:
    follower = Follower(world.criterion)
    said = world.say(world.random_pairs(6))

    def same_as_log() -> bool:
        with world.database.read() as s:
            follower.catch_up(s)
            return follower.graph == ConstraintGraph.build(feedback.statements(s, world.criterion))

    assert same_as_log() and follower.graph.size == 6
    with world.database.write() as s:
        undo = feedback.undo(s, said[2], "u1", "person").id
    assert same_as_log() and follower.graph.size == 5
    with world.database.write() as s:
        feedback.undo(s, undo, "u2", "person")
    assert same_as_log() and follower.graph.size == 6
    with world.database.read() as s:
        assert not follower.catch_up(s) and follower.events_since(s, said[3]) == 2


def test_a_follower_weighs_annotators_as_a_rebuild_from_the_log_does(world: World) -> None:
    follower = Follower(world.criterion)
    for start in range(0, 40, 8):
        said = world.say(world.random_pairs(8, seed=start), key=f"from {start}")
        with world.database.read() as s:
            follower.catch_up(s)
            assert follower.graph == weighed_graph(feedback.statements(s, world.criterion))
    assert set(follower.graph.error_rates)
    with world.database.write() as s:
        feedback.undo(s, said[0], "u1", "person")
    with world.database.read() as s:
        follower.catch_up(s)
        assert follower.graph == weighed_graph(feedback.statements(s, world.criterion))
