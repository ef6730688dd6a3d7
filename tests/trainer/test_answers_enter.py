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
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from db.nouns import Snapshot, Statement, Verdict
from oracle.constraints import ConstraintGraph
from oracle.plugins import load, names
from trainer import snapshot as snapshots
from trainer.auditing import audited
from trainer.choices import UpdateSettings
from trainer.head import Head
from trainer.lesson import Lesson
from trainer.pool import Pool, obey

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


def lesson(said: Sequence[Statement] = (), **settings: Any) -> Lesson:
    graph = ConstraintGraph.build([*background(), *said])
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


@pytest.mark.parametrize("name", names("trainer.negatives"))
def test_no_synthetic_has_an_item_as_parent_that_belongs_with_the_anchor(name: str) -> None:
    """Change what belongs with the anchor: its synthetic negatives stay where they are."""
    anchors, keys, said = corner()
    pool = load("trainer.negatives", name)(uncurated(anchors, keys, said))
    if pool.synthetic is None:
        pytest.skip("no synthetic negatives")
    moved = keys.clone()
    moved[:3] = torch.nn.functional.normalize(moved[:3] + 5 * torch.ones(8), dim=1)  # own image and two must-links
    other = load("trainer.negatives", name)(uncurated(anchors, moved, said))
    assert other.synthetic is not None
    torch.testing.assert_close(other.synthetic[0], pool.synthetic[0])


def corner() -> tuple[Tensor, Tensor, Tensor]:
    """One anchor in a corner, twelve keys: itself, two must-links, two cannot-links, and open ones; all unit rows."""
    random = torch.Generator().manual_seed(0)
    keys = torch.nn.functional.normalize(torch.randn(12, 8, generator=random), dim=1)
    said = torch.zeros(1, 12, dtype=torch.int8)
    said[0, 1:3], said[0, 3:5] = 1, -1
    return keys[:1].clone(), keys, said


def uncurated(anchors: Tensor, keys: Tensor, said: Tensor) -> Pool:
    """Must-links pull and the own view too, as they do when a policy is called."""
    same = torch.where(said > 0, 1.0, torch.where(said < 0, 0.0, 0.2))
    pool = Pool.of(anchors, keys, torch.arange(1), torch.arange(12), same, said)
    for name in ("own_view", "must_links"):
        pool = load("trainer.positives", name)(pool)
    return pool


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
    views, copies = taught._viewed(rows), torch.cat([rows, rows.flip(0), rows[:5]])  # other view, queue, feedback pool
    ids = taught.knowledge.ids
    pool = Pool.of(views, torch.cat([taught._viewed(rows), taught.table[copies[12:]]]), ids[rows], ids[copies],
                   taught.knowledge.same(rows, copies), taught.knowledge.said(rows, copies))  # fmt: skip
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
