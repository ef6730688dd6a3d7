"""Clusters beside pictures (OCC, Ghose et al.): groups of both views, running means of what was picked; plain loops."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torch import Tensor
from torch.nn.functional import cosine_similarity

from db.errors import BadInput
from db.nouns import Verdict
from tests.patterns import patterns
from tests.trainer.pools import closed_form, make_pool
from tests.trainer.test_training import answered
from trainer.methods.ghose import Method as Ghose
from trainer.methods.occ import Method as Occ
from trainer.methods.pairwright import Method as Pairwright
from trainer.objectives.cluster import Objective as Columns
from trainer.objectives.contrast import Objective as Contrast
from trainer.objectives.human import Objective as Human
from trainer.overlay import Overlay
from trainer.pool import Pool
from trainer.recipe import Recipe, Term, build
from trainer.training import Training, TrainSettings
from trainer.training_state import read, restore, state_of, write

PLAN = TrainSettings(size=16, batch=32, epochs=2, projection=16)
IDS = 5 + 2 * np.arange(64)
LINKS = [(0, 6, Verdict.SAME), (0, 12, Verdict.SAME), (6, 12, Verdict.SAME), (1, 7, Verdict.SAME)]
LINKS += [(i, j, Verdict.DIFFERENT) for i in (0, 6, 12) for j in (1, 7)]


def picking(features: Tensor, links: list[tuple[int, int]], first_id: int = 0) -> Pool:
    """Items against themselves, with these must-links in both directions."""
    count = len(features)
    said = torch.eye(count, dtype=torch.int8)
    for i, j in links:
        said[i, j] = said[j, i] = 1
    ids = first_id + torch.arange(count)
    nothing = torch.zeros(count, count)
    return make_pool(features, features, nothing, nothing, anchor_ids=ids, key_ids=ids, said=said, features=features)


def columns_in_loops(one: Tensor, other: Tensor, tau: float) -> Tensor:
    """Contrast of 2 C columns minus the entropy of the mean assignment."""
    columns = [one[:, c] for c in range(one.shape[1])] + [other[:, c] for c in range(one.shape[1])]
    count, losses = one.shape[1], []
    for i in range(2 * count):
        scores = [torch.exp(cosine_similarity(columns[i], other, dim=0) / tau) for other in columns]
        mass = torch.stack([scores[k] for k in range(2 * count) if k != i]).sum()
        losses.append(-torch.log(scores[(i + count) % (2 * count)] / mass))
    used = [(one[:, c].mean() + other[:, c].mean()) / 2 for c in range(count)]
    entropy = -torch.stack([share * share.log() for share in used]).sum()
    return torch.stack(losses).mean() - entropy


def test_the_contrast_of_groups_is_the_loop_over_columns() -> None:
    random = torch.Generator().manual_seed(0)
    raw = [torch.randn(7, 4, dtype=torch.float64, generator=random).requires_grad_() for _ in range(2)]
    one, other = (torch.softmax(rows, 1) for rows in raw)
    nothing = torch.zeros(7, 7)
    pool = make_pool(one, other, nothing, nothing, anchor_groups=one, key_groups=other)
    value, expected = Columns(0.8)(pool), columns_in_loops(one, other, 0.8)
    torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)
    both = zip(torch.autograd.grad(value, raw, retain_graph=True), torch.autograd.grad(expected, raw), strict=True)
    for mine, loops in both:
        torch.testing.assert_close(mine, loops, rtol=0, atol=1e-9)


def human_in_loops(features: Tensor, groups: list[list[int]], sums: list[Tensor], counts: list[int]) -> Tensor:
    """Mean over picked items of 1 - cos(mu', y)."""
    losses = []
    for group, before, count in zip(groups, sums, counts, strict=True):
        mean = (before + torch.stack([features[i] for i in group]).sum(0)) / (count + len(group))
        losses += [1 - mean @ features[i] / (mean.norm() * features[i].norm()) for i in group]
    return torch.stack(losses).mean()


def test_picked_items_gather_around_the_running_mean_of_their_group() -> None:
    objective = Human()
    groups, links = [[0, 2, 4], [1, 5]], [(0, 2), (2, 4), (1, 5)]
    sums, counts = [torch.zeros(3, dtype=torch.float64)] * 2, [0, 0]
    for step in range(3):
        features = (1.5 * closed_form(7, 3, 0.4 + step)).requires_grad_()
        pool = picking(features, links)
        value, expected = objective(pool), human_in_loops(features, groups, sums, counts)
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-9)
        mine, loops = (torch.autograd.grad(found, features)[0] for found in (value, expected))
        torch.testing.assert_close(mine, loops, rtol=0, atol=1e-9)
        assert not mine[[3, 6]].any()
        objective.after_step(pool)
        sums = [before + features.detach()[group].sum(0) for before, group in zip(sums, groups, strict=True)]
        counts = [count + len(group) for count, group in zip(counts, groups, strict=True)]


def test_groups_that_turn_out_to_be_one_share_their_mean_and_nothing_is_counted_twice() -> None:
    objective, features = Human(), closed_form(5, 3, 0.2)
    objective.after_step(picking(features, [(0, 1), (2, 3)]))
    objective.after_step(picking(features, [(1, 2)]))
    expected = features[:4].sum(0) + features[1:3].sum(0)
    later = picking(closed_form(2, 3, 0.9), [(0, 1)], first_id=2)  # items 2 and 3 stand for all four
    found = objective(later)
    torch.testing.assert_close(
        found,
        human_in_loops(later.features, [[0, 1]], [expected], [6]),
        rtol=0,
        atol=1e-9,  # type: ignore[arg-type]
    )
    again = Human()
    again.load_state(objective.state())
    assert torch.equal(again(later), found)


def test_where_nobody_was_picked_the_loss_is_zero_and_features_are_needed() -> None:
    features = closed_form(4, 3, 0.2).requires_grad_()
    value = Human()(picking(features, []))
    assert value.item() == 0.0 and not torch.autograd.grad(value, features)[0].any()
    with pytest.raises(BadInput, match=r"needs pool\.features"):
        Human()(replace(picking(features, []), features=None))


@pytest.mark.parametrize("name", ["occ", "ghose"])
def test_the_groups_of_both_views_are_chances_and_learn_with_the_rest(name: str) -> None:
    run, seen = Training(build(name, {"groups": "5"}), patterns(64)[0], IDS, PLAN), []
    before = {key: value.clone() for key, value in run.encoders.network.state_dict().items()}
    run.step(lambda pool: seen.append(pool) or {})
    pool: Pool = seen[0]
    assert pool.anchors.shape == (64, 16) and pool.features is not None and pool.features.shape == (64, 128)
    for groups in (pool.anchor_groups, pool.key_groups):
        assert groups is not None and groups.shape == (32, 5)
        torch.testing.assert_close(groups.sum(1), torch.ones(32))
    after = run.encoders.network.state_dict()
    assert not torch.equal(before["grouping.3.weight"], after["grouping.3.weight"])
    assert run.embed(projected=True).shape == (64, 16)


def test_occ_is_contrastive_clustering_whose_positives_the_answers_extend() -> None:
    instance, clusters = Occ().recipe().terms
    assert isinstance(instance.objective, Contrast) and isinstance(clusters.objective, Columns)
    run, seen = Training(build("occ"), patterns(64)[0], IDS, PLAN, answered(LINKS)), []
    run.step(lambda pool: seen.append(pool) or {})
    linked = (seen[0].said > 0) & ~seen[0].own
    assert linked.any() and (seen[0].pos[linked] > 0).all() and (seen[0].confirmed[seen[0].said < 0] == 2).all()


def test_the_three_losses_of_ghose_add_up_with_their_weights() -> None:
    weights = {"instance": 0.5, "cluster": 2.0, "human": 3.0}
    plan = replace(PLAN, feedback=0.0)
    whole = Training(Ghose(**weights).recipe(), patterns(64)[0], IDS, plan, answered(LINKS)).step()["loss"]
    alone = []
    for term in Ghose().recipe().terms:
        recipe = Recipe((Term(term.objective),), groups=20)
        alone.append(Training(recipe, patterns(64)[0], IDS, plan, answered(LINKS)).step()["loss"])
    assert alone[2] > 0
    assert whole == pytest.approx(np.dot(list(weights.values()), alone), rel=1e-5)


def test_a_stopped_run_with_picked_items_goes_on_bit_equal(tmp_path: Path) -> None:
    whole, first, second = (Training(build("ghose"), patterns(64)[0], IDS, PLAN, answered(LINKS)) for _ in range(3))
    for _ in range(2):
        first.step()
    assert "term2.0/counts" in state_of(first)
    write(tmp_path / "state", first, {})
    stored = read(tmp_path / "state", {})
    assert stored is not None
    restore(second, stored)
    for run in (whole, second):
        while run.done < run.steps:
            run.step()
    np.testing.assert_array_equal(whole.embed(), second.embed())


def test_pairwright_gathers_in_the_features_what_answers_put_together_and_needs_no_second_head() -> None:
    plan = replace(PLAN, feedback=0.0)
    method = Pairwright(gather=2.0)
    contrast, gather = method.recipe().terms
    assert isinstance(contrast.objective, Contrast) and isinstance(gather.objective, Human)
    run, seen = Training(method.recipe(), patterns(64)[0], IDS, plan, answered(LINKS)), []
    assert run.encoders.network.grouping is None
    whole = run.step(lambda pool: seen.append(pool) or {})["loss"]
    with torch.no_grad():
        z = run.encoders.online(torch.rand(4, 3, 28, 28))
        groups, features = run.encoders.beside(z)
    assert seen[0].features.shape == (64, 128) and groups.shape == (4, 0) and features.shape == (4, 128)
    alone = [
        Training(replace(method.recipe(), terms=(term,)), patterns(64)[0], IDS, plan, answered(LINKS)).step()["loss"]
        for term in (contrast, replace(gather, weight=1.0))
    ]
    assert alone[1] > 0 and whole == pytest.approx(alone[0] + 2.0 * alone[1], rel=1e-5)


def test_without_answers_gathering_changes_nothing_and_with_them_groups_are_closer_together() -> None:
    def trained(gather: float, known: Overlay | None) -> np.ndarray:
        plan = replace(PLAN, epochs=8)
        run = Training(Pairwright(gather=gather).recipe(), patterns(64)[0], IDS, plan, known)
        while run.done < run.steps:
            run.step()
        rows = run.embed()
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    np.testing.assert_array_equal(trained(0.0, None), trained(1.0, None))
    linked = np.array([(a, b) for a, b, verdict in LINKS if verdict is Verdict.SAME])

    def apart(rows: np.ndarray) -> float:
        return float(1 - (rows[linked[:, 0]] * rows[linked[:, 1]]).sum(1).mean())

    assert apart(trained(3.0, answered(LINKS))) < 0.8 * apart(trained(0.0, answered(LINKS)))


@pytest.mark.parametrize("weight", ["-1", "nan", "inf"])
def test_what_gathers_does_not_push(weight: str) -> None:
    with pytest.raises(BadInput, match=r"gather of .* = a number at least 0 expected"):
        build("pairwright", {"gather": weight})


def test_groups_without_both_views_are_refused() -> None:
    with pytest.raises(BadInput, match="groups of both views expected"):
        Recipe((Term(Columns()),), groups=5, both_views=False)


@given(
    some.lists(some.lists(some.tuples(some.integers(0, 7), some.integers(0, 7)), min_size=1, max_size=6), max_size=6)
)
def test_means_are_those_of_all_that_was_ever_joined(steps: list[list[tuple[int, int]]]) -> None:
    """Whatever order links come in: a group's mean is the mean of every feature its members ever brought."""
    objective, group = Human(), {item: {item} for item in range(8)}
    brought: dict[int, list[Tensor]] = {item: [] for item in range(8)}
    for number, links in enumerate(steps):
        links = [(a, b) for a, b in links if a != b]
        features = closed_form(8, 3, 0.1 + number).double()
        objective.after_step(picking(features, links))
        for a, b in links:
            whole = group[a] | group[b]
            group |= dict.fromkeys(whole, whole)
        for item in {item for link in links for item in link}:
            brought[item].append(features[item])
    probe = torch.tensor([[1.0, 2.0, 3.0]] * 8).double()
    for a, b in combinations(range(8), 2):
        if group[a] != group[b] or not brought[a] or not brought[b]:
            continue
        all_of = torch.stack([one for item in group[a] for one in brought[item]])
        links = [(a, b)]
        mean = (all_of.sum(0) + probe[[a, b]].sum(0)) / (len(all_of) + 2)
        expected = 1 - cosine_similarity(mean[None], probe[:1], dim=1)[0]
        torch.testing.assert_close(objective(picking(probe, links)), expected, rtol=0, atol=1e-6)
