"""The head and its update: starts as PCA, obeys the answers, same seed same head."""

import numpy as np
import pytest
import torch

from db.errors import BadInput, Broken
from db.nouns import Snapshot, Statement, Verdict
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from oracle.plugins import names
from trainer.batches import Knowledge, Sampler
from trainer.head import Head
from trainer.lesson import Lesson
from trainer.pool import Pool
from trainer.update import UpdateSettings, update

SHORT = UpdateSettings(steps=40, batch=96)


def world(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features in which the loud directions are not the notion of same: (240, 20) and labels (240,)."""
    random = np.random.default_rng(seed)
    labels, loud = random.integers(0, 3, 240), random.integers(0, 4, 240)
    features = random.standard_normal((240, 20)).astype(np.float32)
    features[:, :4] += 9 * np.eye(4)[loud]
    features[:, 4:7] += 2 * np.eye(3)[labels]
    return features, labels


def snapshot_of(vectors: np.ndarray, version: int = 0) -> Snapshot:
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    near = np.argsort(-cosines, 1)[:, :12]
    count = len(vectors)
    return Snapshot(
        version, np.arange(1, count + 1), vectors, near, np.take_along_axis(cosines, near, 1), np.zeros(count, int)
    )


def answers(labels: np.ndarray, count: int) -> ConstraintGraph:
    random, graph = np.random.default_rng(1), ConstraintGraph()
    for number in range(1, count + 1):
        i, j = random.choice(len(labels), 2, replace=False)
        verdict = Verdict.SAME if labels[i] == labels[j] else Verdict.DIFFERENT
        graph.add(Statement(number, int(i) + 1, int(j) + 1, verdict, "o"))
    return graph


def purity(vectors: np.ndarray, labels: np.ndarray) -> float:
    near = snapshot_of(vectors).neighbours[:, :5]
    return float((labels[near] == labels[:, None]).mean())


def test_an_untaught_head_is_pca() -> None:
    features, _ = world()
    embedded = Head.from_features(features, size=6).embed(features)
    centred = features - features.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:6].T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(embedded @ embedded.T, expected @ expected.T, atol=2e-4)


def test_answers_turn_the_embedding_to_the_notion_asked_for() -> None:
    features, labels = world()
    head = Head.from_features(features, size=8)
    snapshot = snapshot_of(head.embed(features))
    taught = update(head, features, snapshot.ids, answers(labels, 500), snapshot, steps=150)
    assert purity(taught.embed(features), labels) > purity(head.embed(features), labels) + 0.1


def test_the_same_seed_gives_the_same_head_and_the_old_one_stays() -> None:
    features, labels = world()
    head = Head.from_features(features, size=8)
    before, snapshot = head.to_bytes(), snapshot_of(head.embed(features))
    graph = answers(labels, 60)
    one, other = (update(head, features, snapshot.ids, graph, snapshot, seed=3, settings=SHORT) for _ in range(2))
    assert one.to_bytes() == other.to_bytes()
    assert head.to_bytes() == before != one.to_bytes()


def test_a_cancelled_update_stops_between_steps() -> None:
    features, labels = world()
    head, seen = Head.from_features(features, size=8), []
    snapshot = snapshot_of(head.embed(features))
    update(
        head,
        features,
        snapshot.ids,
        answers(labels, 20),
        snapshot,
        settings=SHORT,
        cancelled=lambda: len(seen) > 0,
        progress=lambda step, of, losses: seen.append((step, of, losses)),
    )
    assert [step for step, _, _ in seen] == [10] and all(
        np.isfinite([seen[0][2][name] for name in ("loss", "supcon", "pair", "keep")])
    )


def test_an_update_without_answers_still_works() -> None:
    features, _ = world()
    head = Head.from_features(features, size=8)
    snapshot = snapshot_of(head.embed(features))
    taught = update(head, features, snapshot.ids, ConstraintGraph(), snapshot, steps=3)
    assert np.isfinite(taught.embed(features)).all()


def test_the_cluster_objective_learns_its_prototypes() -> None:
    features, labels = world()
    head = Head.from_features(features, size=8)
    snapshot = snapshot_of(head.embed(features))
    settings = UpdateSettings(steps=5, batch=64, objectives={"supcon": 1.0, "cluster": 0.3})
    taught = update(head, features, snapshot.ids, answers(labels, 80), snapshot, settings=settings)
    assert np.isfinite(taught.embed(features)).all()


@pytest.mark.parametrize("name", names("trainer.negatives"))
def test_every_negative_policy_trains_the_head_and_reports(name: str) -> None:
    features, labels = world()
    head, told = Head.from_features(features, size=8), []
    snapshot = snapshot_of(head.embed(features))
    settings = UpdateSettings(steps=10, batch=64, negatives=name)
    taught = update(head, features, snapshot.ids, answers(labels, 80), snapshot, settings=settings, seed=5,
                    progress=lambda step, of, losses: told.append(losses))  # fmt: skip
    assert np.isfinite(taught.embed(features)).all() and taught.to_bytes() != head.to_bytes()
    assert np.isfinite(list(told[-1]["negatives"].values())).all()
    shares = [told[-1]["negatives"][part] for part in ("confirmed", "unlabelled", "removed", "synthetic")]
    assert sum(shares) == pytest.approx(1, abs=1e-4)


def test_a_policy_with_hooks_is_shown_all_items_and_every_step() -> None:
    seen: list[tuple[str, object]] = []

    class Hooked:
        def __call__(self, pool: Pool) -> Pool:
            return pool

        def refresh(self, embeddings: torch.Tensor, ids: torch.Tensor, progress: float) -> None:
            seen.append(("refresh", (tuple(embeddings.shape), len(ids), progress)))

        def after_step(self, pool: Pool) -> None:
            seen.append(("step", pool.progress))

    features, _ = world()
    head = Head.from_features(features, size=8)
    snapshot = snapshot_of(head.embed(features))
    settings = UpdateSettings(steps=100, batch=16)
    lesson = Lesson(head, head.reduce(features), snapshot, ConstraintGraph(), settings, 0, torch.device("cpu"))
    lesson.policy = Hooked()
    for _ in range(60):
        lesson.step()
    assert [what for name, what in seen if name == "refresh"] == [((240, 8), 240, 0.0), ((240, 8), 240, 0.5)]
    assert [what for name, what in seen if name == "step"] == [step / 100 for step in range(60)]


def test_a_head_survives_its_file_bit_for_bit() -> None:
    features, _ = world()
    head = Head.from_features(features, size=8)
    torch.nn.init.normal_(head.outer.weight)
    np.testing.assert_array_equal(Head.from_bytes(head.to_bytes()).embed(features), head.embed(features))


def test_a_broken_head_file_says_so() -> None:
    with pytest.raises(Broken, match="not a head"):
        Head.from_bytes(b"nonsense")


def test_too_few_features_say_so() -> None:
    with pytest.raises(BadInput, match="N >= 2"):
        Head.from_features(np.zeros((1, 4), dtype=np.float32))


def test_what_is_said_of_a_batch_follows_the_answers() -> None:
    features, labels = world()
    snapshot = snapshot_of(Head.from_features(features, size=8).embed(features))
    belief = infer(snapshot, answers(labels, 400))
    rows = torch.from_numpy(Sampler(belief, 64, 0).rows())
    said = Knowledge.of(belief, torch.device("cpu")).said(rows)
    same = torch.from_numpy(labels[rows.numpy()][:, None] == labels[rows.numpy()][None])
    assert same[said > 0].all() and not same[said < 0].any() and (said != 0).any()


def test_half_a_batch_are_placed_items() -> None:
    features, labels = world()
    snapshot = snapshot_of(Head.from_features(features, size=8).embed(features))
    belief = infer(snapshot, answers(labels, 60))
    rows = Sampler(belief, 40, 0).rows()
    assert (belief.member[rows] >= 0).mean() >= 0.3 and len(set(rows)) == len(rows)
