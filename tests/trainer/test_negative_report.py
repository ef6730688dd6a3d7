"""What a step's report says about a pool, against plain loops."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.plugins import load
from trainer.negative_report import report
from trainer.pool import Pool, obey

OBJECTIVE = SimpleNamespace(temperature=0.2)
SHARES = ("confirmed", "unlabelled", "removed", "synthetic")


def some_pool(seed: int = 0, batch: int = 6, keys: int = 9) -> Pool:
    random = torch.Generator().manual_seed(seed)
    unit = torch.nn.functional.normalize
    anchors, other = (unit(torch.randn(n, 4, generator=random), dim=1) for n in (batch, keys))
    said = torch.randint(-1, 2, (batch, keys), generator=random, dtype=torch.int8)
    pool = Pool.of(anchors, other, torch.arange(batch), torch.arange(keys), torch.rand(batch, keys), said)
    return obey(load("trainer.negatives", "soft_elimination")(load("trainer.positives", "own_view")(pool)))


def slow_shares(pool: Pool, temperature: float) -> list[float]:
    """By hand, one pair at a time."""
    rows = []
    for i in range(len(pool.anchors)):
        mass = dict.fromkeys(SHARES, 0.0)
        for j in range(len(pool.keys)):
            push = math.exp(float(pool.anchors[i] @ pool.keys[j]) / temperature)
            neg, sure = float(pool.neg[i, j]), float(pool.confirmed[i, j])
            mass["confirmed"] += sure * push
            mass["unlabelled"] += neg * push
            if pool.anchor_ids[i] != pool.key_ids[j] and (pool.pos[i, j] == 0 or pool.said[i, j] > 0):
                mass["removed"] += max(0.0, 1 - neg - sure) * push
        rows.append([one / sum(mass.values()) for one in mass.values()])
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


@given(st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_shares_of_the_negative_mass_are_those_of_a_plain_loop_and_sum_to_one(seed: int) -> None:
    pool = some_pool(seed)
    found = report(pool, OBJECTIVE)
    assert [found[name] for name in SHARES] == pytest.approx(slow_shares(pool, 0.2), abs=1e-5)
    assert sum(found[name] for name in SHARES) == pytest.approx(1, abs=1e-5)


def test_nothing_is_removed_where_nothing_is_known_and_all_is_where_all_belong() -> None:
    pool = some_pool()
    nothing = torch.zeros_like(pool.said)
    bare = load("trainer.negatives", "uniform")(Pool.of(*_parts(pool), pool.same, nothing))
    assert report(bare, OBJECTIVE)["unlabelled"] == pytest.approx(1)
    alike = obey(Pool.of(*_parts(pool), pool.same, torch.ones_like(pool.said)))
    assert report(alike, OBJECTIVE)["removed"] == pytest.approx(1)


def _parts(pool: Pool) -> tuple[torch.Tensor, ...]:
    return pool.anchors, pool.keys, pool.anchor_ids, pool.key_ids


def test_synthetic_columns_have_their_share() -> None:
    pool = some_pool()
    copies = pool.keys[None].expand(len(pool.anchors), -1, -1)
    empty = replace(pool, neg=torch.zeros_like(pool.neg), confirmed=torch.zeros_like(pool.neg), said=pool.said * 0 + 1)
    found = report(replace(empty, synthetic=copies, synthetic_weight=torch.full(pool.neg.shape, 1.0)), OBJECTIVE)
    assert found["synthetic"] > 0.45 and found["synthetic"] + found["removed"] == pytest.approx(1)


def test_detection_is_judged_by_the_answers_it_overlaps() -> None:
    pool = some_pool()
    said = torch.zeros_like(pool.said)
    said[0, 6:9] = torch.tensor([1, 1, -1], dtype=torch.int8)
    detected = torch.zeros_like(pool.own)
    detected[0, 5:9] = True
    found = report(replace(pool, said=said, detected=detected), OBJECTIVE)
    assert found["detected"] == pytest.approx(4 / 6)
    assert found["detected_precision"] == pytest.approx(2 / 3) and found["detected_asked"] == 3
    assert "detected_precision" not in report(replace(pool, said=said * 0, detected=detected), OBJECTIVE)


def test_an_anchor_is_clamped_where_too_much_is_subtracted() -> None:
    anchors = torch.eye(2)
    said, ids = torch.zeros(2, 2, dtype=torch.int8), torch.arange(2)
    pool = load("trainer.positives", "own_view")(Pool.of(anchors, anchors, ids, ids, torch.zeros(2, 2), said))
    assert report(pool, OBJECTIVE)["clamped"] == 0
    assert report(replace(pool, tau_plus=torch.tensor([0.5, 0.0])), OBJECTIVE)["clamped"] == 0.5


def test_the_prior_is_the_policys_own_or_the_mean_chance() -> None:
    pool = some_pool()
    open_ = (pool.said == 0) & ~pool.own
    assert report(pool, OBJECTIVE)["tau_plus"] == pytest.approx(float(pool.same[open_].mean()))
    stated = replace(pool, tau_plus=torch.full((6,), 0.1))
    assert report(stated, OBJECTIVE)["tau_plus"] == pytest.approx(0.1)
    known = float(((pool.said > 0) & ~pool.own).sum())
    assert report(pool, OBJECTIVE)["label_frequency"] == pytest.approx(known / (known + float(pool.same[open_].sum())))
