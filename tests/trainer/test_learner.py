"""From answers to a candidate."""

import numpy as np
import pytest

from db.errors import BadInput
from db.nouns import Statement, Verdict
from oracle.constraints import ConstraintGraph
from trainer import head as heads
from trainer import lesson, table
from trainer.head import Head
from trainer.learner import Learner, Settings
from trainer.promotion import is_held_out
from trainer.snapshot import unit

SHORT = Settings(steps=30)


def features(items: int = 90, groups: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features in which a loud nuisance hides the true groups."""
    rng = np.random.default_rng(seed)
    truth, nuisance = rng.integers(0, groups, items), rng.integers(0, groups, items)
    quiet, loud = rng.normal(size=(groups, 12)), 2 * rng.normal(size=(groups, 12))
    rows = np.concatenate([quiet[truth], loud[nuisance]], axis=1) + 0.3 * rng.normal(size=(items, 24))
    return rows.astype(np.float32), 10 + np.arange(items), truth


def answers(truth: np.ndarray, ids: np.ndarray, count: int, *, audit: bool = False, seed: int = 1) -> list[Statement]:
    rng = np.random.default_rng(seed)
    pairs = [rng.choice(len(ids), 2, replace=False) for _ in range(count)]
    said = [Verdict.SAME if truth[a] == truth[b] else Verdict.DIFFERENT for a, b in pairs]
    rows = enumerate(zip(pairs, said, strict=True))
    return [Statement(n, int(ids[a]), int(ids[b]), v, "t", audit=audit) for n, ((a, b), v) in rows]


def test_version_zero_is_the_raw_embedding_and_follows_from_the_seed() -> None:
    rows, ids, _ = features()
    first, second = Learner(rows, ids, seed=3).start(), Learner(rows, ids, seed=3).start()
    assert first.version == 0 and np.array_equal(first.vectors, second.vectors)
    centred = rows - rows.mean(0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    assert np.corrcoef((centred @ centred.T).ravel(), (first.vectors @ first.vectors.T).ravel())[0, 1] > 0.99


def test_answers_make_a_better_embedding() -> None:
    rows, ids, truth = features()
    learner = Learner(rows, ids)
    before = learner.start()
    candidate = learner.learn(ConstraintGraph.build(answers(truth, ids, 150)))
    assert candidate is not None and candidate.better

    def gap(vectors: np.ndarray) -> float:
        cosines, same = vectors @ vectors.T, truth[:, None] == truth[None, :]
        return float(cosines[same].mean() - cosines[~same].mean())

    assert gap(candidate.snapshot.vectors) > gap(before.vectors) + 0.1
    assert learner.snapshot is before, "nothing is served before it is accepted"
    assert learner.accept(candidate, version=17).version == 17


def test_the_same_answers_teach_the_same_thing() -> None:
    rows, ids, truth = features()
    graph = ConstraintGraph.build(answers(truth, ids, 40))
    first, second = (Learner(rows, ids, settings=SHORT).learn(graph) for _ in range(2))
    assert first is not None and second is not None
    assert np.array_equal(first.snapshot.vectors, second.snapshot.vectors)


def test_a_stored_head_goes_on_where_it_was() -> None:
    rows, ids, truth = features()
    graph = ConstraintGraph.build(answers(truth, ids, 40))
    kept = Learner(rows, ids, settings=SHORT)
    candidate = kept.learn(graph)
    assert candidate is not None
    kept.accept(candidate, version=5)
    restored = Learner(rows, ids, settings=SHORT)
    restored.resume(type(candidate.head).from_bytes(candidate.head.to_bytes()), version=5)
    assert np.array_equal(restored.snapshot.vectors, kept.snapshot.vectors)
    one, other = kept.learn(graph), restored.learn(graph)
    assert one is not None and other is not None
    assert np.array_equal(one.snapshot.vectors, other.snapshot.vectors)


def test_witnesses_are_never_learnt_from() -> None:
    rows, ids, truth = features()
    said = answers(truth, ids, 60, audit=True)
    witnesses = [one for one in said if is_held_out(one)]
    lied = [one for one in said if one not in witnesses] + [
        Statement(w.answer, w.a, w.b, Verdict.DIFFERENT if w.verdict is Verdict.SAME else Verdict.SAME, "t", audit=True)
        for w in witnesses
    ]
    honest, lying = (Learner(rows, ids, settings=SHORT).learn(ConstraintGraph.build(part)) for part in (said, lied))
    assert honest is not None and lying is not None
    assert np.array_equal(honest.snapshot.vectors, lying.snapshot.vectors)


def test_metrics_say_what_the_decision_rests_on() -> None:
    rows, ids, truth = features()
    told = []
    candidate = Learner(rows, ids, settings=SHORT).learn(
        ConstraintGraph.build(answers(truth, ids, 200, audit=True)), progress=lambda *step: told.append(step)
    )
    assert candidate is not None
    assert candidate.metrics["heldout_pairs"] > 50 and 0 < candidate.metrics["heldout_f1_after"] <= 1
    assert candidate.metrics["statements"] == 200 and candidate.metrics["losses"]
    assert told[-1][:2] == (30, 30)


def test_a_cancelled_run_gives_nothing() -> None:
    rows, ids, truth = features()
    graph = ConstraintGraph.build(answers(truth, ids, 20))
    assert Learner(rows, ids, settings=SHORT).learn(graph, cancelled=lambda: True) is None


def test_features_without_ids_are_refused() -> None:
    with pytest.raises(BadInput, match="as many rows"):
        Learner(np.zeros((3, 4), np.float32), np.arange(2))


def test_what_is_reduced_once_is_embedded_as_from_the_features() -> None:
    vectors, ids, truth = features()
    learner = Learner(vectors, ids, settings=Settings(steps=5))
    learner.start()
    found = learner.learn(ConstraintGraph.build(answers(truth, ids, 120)))
    assert found is not None
    np.testing.assert_array_equal(found.snapshot.vectors, unit(found.head.embed(vectors)))
    other = Head.from_features(vectors[::2], seed=1)  # taught on other items: its first step is its own
    again = Learner(vectors, ids).resume(other)
    np.testing.assert_array_equal(again.vectors, unit(other.embed(vectors)))


def test_many_items_are_taught_from_the_rows_that_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, ids, truth = features()
    graph = ConstraintGraph.build(answers(truth, ids, 120))
    monkeypatch.setattr(lesson, "REFRESH", 4)
    few = _taught(vectors, ids, graph)
    monkeypatch.setattr(table, "LARGE", 10)
    monkeypatch.setattr(heads, "BLOCK", 16)
    many = _taught(vectors, ids, graph)
    np.testing.assert_allclose(few, many, atol=1e-5)


def _taught(vectors: np.ndarray, ids: np.ndarray, graph: ConstraintGraph) -> np.ndarray:
    learner = Learner(vectors, ids, settings=Settings(steps=10))
    learner.start()
    found = learner.learn(graph)
    assert found is not None
    return found.snapshot.vectors
