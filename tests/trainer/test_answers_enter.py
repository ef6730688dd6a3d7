"""How an answer enters a step, cell by cell: from the log through belief, pool and policy to the objective's gradient.

| verdict                          | effect                                                                     |
| same, said by somebody           | attracts                                                                   |
| same, only detected              | eliminated, does not attract                                               |
| different                        | confirmed with weight >= 1, never debiased, overrides detection            |
| unsure, not comparable, skip, -  | stays unlabelled with weight 1 - p(same)                                   |
| own image and its copies         | push nowhere: batch, queue, feedback pool                                  |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from db.nouns import Snapshot, Statement, Verdict
from oracle.constraints import ConstraintGraph
from oracle.plugins import load, names, settings_of
from trainer import snapshot as snapshots
from trainer.auditing import audited
from trainer.choices import UpdateSettings
from trainer.head import Head
from trainer.lesson import Lesson
from trainer.pool import Pool, obey
from trainer.queue import Queue

ITEMS, GROUPS = 60, 3
TRUTH = np.arange(ITEMS) % GROUPS
A, B, OTHER = 1, 4, 2  # ids; A and B are of one group, OTHER of another
WEIGHTLESS = (Verdict.UNSURE, Verdict.NOT_COMPARABLE, Verdict.SKIP)
CPU = torch.device("cpu")


def features() -> np.ndarray:
    random = np.random.default_rng(0)
    return (3 * np.eye(GROUPS, 16)[TRUTH] + random.standard_normal((ITEMS, 16))).astype(np.float32)


HEAD = Head.from_features(features(), size=8)
SEEN: Snapshot = snapshots.build(np.arange(1, ITEMS + 1), HEAD.embed(features()))


def background(count: int = 80) -> list[Statement]:
    """Truthful answers about others than A, B and OTHER, some of them audits."""
    random, found = np.random.default_rng(1), []
    for number in range(count):
        i, j = random.choice(np.arange(5, ITEMS), 2, replace=False)
        verdict = Verdict.SAME if TRUTH[i] == TRUTH[j] else Verdict.DIFFERENT
        found.append(Statement(100 + number, int(i) + 1, int(j) + 1, verdict, "o", audit=number % 3 == 0))
    return found


@lru_cache(maxsize=4)  # what a graph implies is worked out once
def graph_of(said: tuple[Statement, ...]) -> ConstraintGraph:
    return ConstraintGraph.build([*background(), *said])


def lesson(said: Sequence[Statement] = (), **settings: Any) -> Lesson:
    graph = graph_of(tuple(said))
    chosen = UpdateSettings(batch=ITEMS, **settings)
    return Lesson(HEAD, HEAD.reduce(features()), SEEN, graph, chosen, 0, CPU, audited(SEEN, graph))


def everybody(said: Sequence[Statement] = (), **settings: Any) -> Pool:
    """The curated pool of one batch that holds every item once, so that column j is item j + 1."""
    return lesson(said, **settings).pool(torch.arange(ITEMS))


def cell(pool: Pool, name: str, a: int, b: int) -> float:
    return float(getattr(pool, name)[a - 1, b - 1])


def pull(pool: Pool, a: int, b: int) -> float:
    """Gradient of the contrastive loss by the cosine of one pair: below 0 draws them together, above 0 apart."""
    keys = pool.keys.detach()[None].expand(len(pool.anchors), -1, -1).clone()
    row = replace(pool, **{n: getattr(pool, n)[a - 1 : a] for n in ("anchors", "anchor_ids", "pos", "neg", "confirmed",
                                                                       "same", "said", "reference")})  # fmt: skip
    mine = keys[a - 1].requires_grad_()
    row = replace(row, anchors=row.anchors.detach(), keys=mine)
    (found,) = torch.autograd.grad(load("trainer.objectives", UpdateSettings().objective)(row), mine)
    return float(found[b - 1] @ row.anchors[0])


def one(verdict: Verdict, a: int = A, b: int = B, **more: Any) -> list[Statement]:
    return [Statement(1, a, b, verdict, "me", **more)]


# same ---------------------------------------------------------------------------------------------------------------
def test_a_single_same_attracts() -> None:
    before, after = everybody(), everybody(one(Verdict.SAME))
    assert cell(after, "said", A, B) == cell(after, "said", B, A) == 1
    assert cell(after, "pos", A, B) > 0 == cell(after, "neg", A, B) == cell(after, "confirmed", A, B)
    assert pull(after, A, B) < min(0.0, pull(before, A, B))


def test_a_same_because_of_the_background_does_not_attract() -> None:
    after = everybody(one(Verdict.SAME, background=True))
    assert cell(after, "said", A, B) == 0 and cell(after, "neg", A, B) == pytest.approx(1 - cell(after, "same", A, B))


@dataclass(frozen=True)
class Detector:
    """Takes every open or said pair for a false negative."""

    def __call__(self, pool: Pool) -> Pool:
        return replace(pool, detected=~pool.own, neg=torch.zeros_like(pool.neg))


def detected(said: Sequence[Statement] = ()) -> Pool:
    """As `everybody`, with a detector in place of the policy and no positives but the own view and the answers."""
    taught = lesson(said, positives=("own_view", "must_links"))
    taught.policy = Detector()
    return taught.pool(torch.arange(ITEMS))


@dataclass(frozen=True)
class Careless:
    """Lets everything push and pull, whatever was said."""

    def __call__(self, pool: Pool) -> Pool:
        every = torch.ones_like(pool.neg)
        return replace(pool, neg=every, pos=every, confirmed=every)


def test_not_even_a_careless_policy_overrides_an_answer() -> None:
    taught = lesson([*one(Verdict.SAME), *one(Verdict.DIFFERENT, A, OTHER)])
    taught.policy = Careless()
    pool = taught.pool(torch.arange(ITEMS))
    together = (pool.said > 0) | pool.own
    assert cell(pool, "said", A, B) == 1 and not pool.neg[together].any() and not pool.confirmed[together].any()
    assert cell(pool, "pos", A, OTHER) == cell(pool, "neg", A, OTHER) == 0 and cell(pool, "confirmed", A, OTHER) >= 1


def test_what_is_only_detected_is_eliminated_and_does_not_attract() -> None:
    pool = detected()
    assert cell(pool, "said", A, B) == 0
    assert cell(pool, "neg", A, B) == cell(pool, "pos", A, B) == cell(pool, "confirmed", A, B) == 0
    assert pull(pool, A, B) == 0


@pytest.mark.parametrize("name", names("trainer.negatives"))
def test_no_policy_attracts_what_nobody_called_same_unless_it_says_so(name: str) -> None:
    if "attraction" in name:
        pytest.skip("attraction is what this one is for")
    pool = everybody(positives=("own_view", "must_links"), negatives=name)
    open_ = (pool.said == 0) & ~pool.own
    assert not pool.pos[open_].any()


# different ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", names("trainer.negatives"))
def test_a_single_different_moves_to_the_confirmed_with_weight_of_one_or_more(name: str) -> None:
    before, after = everybody(negatives=name), everybody(one(Verdict.DIFFERENT, A, OTHER), negatives=name)
    assert cell(before, "said", A, OTHER) == 0 == cell(before, "confirmed", A, OTHER)
    assert cell(after, "said", A, OTHER) == -1
    assert cell(after, "confirmed", A, OTHER) >= 1 and cell(after, "confirmed", OTHER, A) >= 1
    assert cell(after, "neg", A, OTHER) == cell(after, "pos", A, OTHER) == 0


def test_a_different_pushes_more_than_before() -> None:
    before, after = everybody(), everybody(one(Verdict.DIFFERENT, A, OTHER))
    assert pull(after, A, OTHER) > max(0.0, pull(before, A, OTHER))


def test_a_different_overrides_any_detection() -> None:
    pool = detected(one(Verdict.DIFFERENT, A, OTHER))
    assert bool(pool.detected is not None and pool.detected[A - 1, OTHER - 1])
    assert cell(pool, "confirmed", A, OTHER) >= 1 and pull(pool, A, OTHER) > 0


def test_confirmed_negatives_are_never_debiased() -> None:
    """Where every negative is confirmed, a prior of false negatives changes nothing."""
    pool = everybody(one(Verdict.DIFFERENT, A, OTHER))
    only = replace(pool, neg=torch.zeros_like(pool.neg))
    objective = load("trainer.objectives", UpdateSettings().objective)
    biased = replace(only, tau_plus=torch.full((ITEMS,), 0.3), count=torch.zeros(ITEMS))
    torch.testing.assert_close(objective(biased), objective(only))


def corner() -> tuple[Tensor, Tensor, Tensor]:
    """One anchor, twelve keys: itself, two must-links, two cannot-links, and open ones; all unit rows."""
    random = torch.Generator().manual_seed(0)
    keys = torch.nn.functional.normalize(torch.randn(12, 8, generator=random), dim=1)
    said = torch.zeros(1, 12, dtype=torch.int8)
    said[0, 1:3], said[0, 3:5] = 1, -1
    return keys[:1].clone(), keys, said


def mixed(name: str, keys: Tensor, **settings: Any) -> Tensor | None:
    """What a policy makes up for the anchor in the corner, late in training, must-links and own view pulling."""
    anchors, _, said = corner()
    same = torch.where(said > 0, 1.0, torch.where(said < 0, 0.0, 0.2))
    pool = Pool.of(anchors, keys, torch.arange(1), torch.arange(12), same, said)
    for source in ("own_view", "must_links"):
        pool = load("trainer.positives", source)(pool)
    return load("trainer.negatives", name, **settings)(replace(pool, progress=1.0)).synthetic


MIXING = [name for name in names("trainer.negatives") if "hardest" in settings_of("trainer.negatives", name)]


@pytest.mark.parametrize("name", MIXING)
def test_what_belongs_with_the_anchor_is_no_parent_of_a_synthetic(name: str) -> None:
    """Move its own image and its must-links: what is made up stays where it is. Move an open key: it does not."""
    keys = corner()[1]
    nearer = torch.nn.functional.normalize(keys + 3 * keys[:1], dim=1)
    related = torch.cat([nearer[:3], keys[3:]])
    torch.testing.assert_close(mixed(name, related), mixed(name, keys))
    assert not torch.equal(mixed(name, torch.cat([keys[:5], nearer[5:]])), mixed(name, keys))


@pytest.mark.parametrize("name", MIXING)
def test_a_different_is_the_preferred_parent_of_synthetics(name: str) -> None:
    """With room for two parents they are the two that somebody called different, although others are nearer."""
    anchors, keys, _ = corner()
    keys[3:5] = torch.nn.functional.normalize(keys[3:5] - 2 * anchors, dim=1)
    made = mixed(name, keys, hardest=2)
    moved = keys.clone()
    moved[5:] = torch.nn.functional.normalize(keys[5:] + 0.5 * anchors, dim=1)
    torch.testing.assert_close(mixed(name, moved, hardest=2), made)


# unsure, not comparable, skip, none ---------------------------------------------------------------------------------
@pytest.mark.parametrize("verdict", WEIGHTLESS)
def test_no_verdict_leaves_a_pair_as_if_nobody_had_been_asked(verdict: Verdict) -> None:
    never, asked = everybody(), everybody(one(verdict))
    for name in ("pos", "neg", "confirmed", "same", "said"):
        torch.testing.assert_close(getattr(asked, name), getattr(never, name))


@pytest.mark.parametrize("verdict", [*WEIGHTLESS, None])
def test_an_open_pair_pushes_with_one_minus_its_chance_of_same(verdict: Verdict | None) -> None:
    pool = everybody(one(verdict) if verdict else [], positives=("own_view", "must_links"))
    open_ = (pool.said == 0) & ~pool.own
    torch.testing.assert_close(pool.neg[open_], 1 - pool.same[open_])
    assert cell(pool, "said", A, B) == 0 and not pool.pos[open_].any() and not pool.confirmed[open_].any()


# own image ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", names("trainer.negatives"))
def test_the_own_image_and_its_copies_push_nowhere(name: str) -> None:
    """Other view, queue and feedback pool are all keys with item ids: a copy is whatever has the anchor's id."""
    taught, rows = lesson(negatives=name), torch.arange(12)
    ids, queue = taught.knowledge.ids, Queue(20, taught.table.all().shape[1])
    queue.push(taught.table[rows.flip(0)], ids[rows.flip(0)])
    key_ids = torch.cat([ids[rows], queue.ids, ids[rows[:5]]])  # other view, queue, feedback pool
    keys = torch.cat([taught._viewed(rows), queue.keys, taught.table[rows[:5]]])
    same, said = taught.knowledge.between(rows, key_ids - 1)
    pool = Pool.of(taught._viewed(rows), keys, ids[rows], key_ids, same, said)
    for source in taught.sources:
        pool = source(pool)
    pool = obey(taught.policy(pool))
    assert int(pool.own.sum()) == 29
    assert not pool.neg[pool.own].any() and not pool.confirmed[pool.own].any()


def test_the_feedback_pool_brings_partners_that_are_not_in_the_batch() -> None:
    said = [*one(Verdict.SAME), *one(Verdict.DIFFERENT, A, OTHER)]
    taught = lesson(said, partners=50)
    rows = torch.tensor([A - 1, 30, 31])
    pool = taught.pool(rows)
    found = pool.key_ids[3:].tolist()
    assert {B, OTHER} <= set(found) and not set(found) & {A, 31, 32}
    at = {item: 3 + place for place, item in enumerate(found)}
    assert pool.pos[0, at[B]] > 0 and pool.confirmed[0, at[OTHER]] >= 1


def test_with_no_feedback_pool_a_batch_has_no_keys_but_its_own() -> None:
    assert len(lesson(one(Verdict.SAME), partners=0).pool(torch.tensor([A - 1, 30])).keys) == 2
