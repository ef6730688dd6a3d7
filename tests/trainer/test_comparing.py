"""Pairs a system would create: by hand on small pools, as training creates them, and for every system there is."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from db.nouns import Snapshot, Statement, Verdict
from oracle import plugins
from trainer import snapshot as snapshots
from trainer.comparing import KINDS, Created, Pairs, Sample, created, draw, sample, seen
from trainer.dealing import dealt
from trainer.negatives.fnc import NegativePolicy as FNC
from trainer.objectives.contrast import Objective
from trainer.overlay import nothing
from trainer.pool import Pool
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.recipe import FAMILY, Recipe, Term, build
from trainer.views import Views

NAMES = plugins.names(FAMILY)
GROUPS = 5


def embedded(count: int = 60, dim: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, d) unit rows, (N,) ids with gaps, (N,) groups: neighbours are mostly of one group."""
    rng = np.random.default_rng(seed)
    group = np.arange(count) % GROUPS
    rows = rng.normal(size=(GROUPS, dim))[group] + 0.5 * rng.normal(size=(count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), 3 * np.arange(count) + 7, group


def lot(size: int = 20, seed: int = 0, progress: float = 0.5) -> Sample:
    vectors, ids, _ = embedded()
    none = np.empty(0, np.int64)
    return sample(vectors, ids, nothing, answered=none, size=size, seed=seed, progress=progress)


def by_hand(
    vectors: list[list[float]], recipe: Recipe, about: Callable[..., tuple[Tensor, Tensor]] = nothing
) -> Created:
    """Every item is in the batch; ids are 10, 11, ..."""
    rows = torch.nn.functional.normalize(torch.tensor(vectors, dtype=torch.float64), dim=1)
    every = torch.arange(len(rows))
    return created(recipe, Sample(rows, every + 10, every, every[:0], about))


def table(pairs: Pairs) -> dict[tuple[int, int], float]:
    return {(int(a), int(b)): float(w) for a, b, w in zip(pairs.a, pairs.b, pairs.weight, strict=True)}


def pull_next(pool: Pool) -> Pool:
    """Each item pulls the next one with weight 2, the one after with .5."""
    apart = pool.key_ids[None] - pool.anchor_ids[:, None]
    pos = torch.where(apart == 1, 2.0, torch.where(apart == 2, 0.5, 0.0)).to(pool.pos)
    return Pool(**{**vars(pool), "pos": pool.pos + pos, "neg": pool.neg.masked_fill(pos > 0, 0.0)})


THREE = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]


def test_what_pulls_has_its_weight_and_what_pushes_its_share_of_the_push() -> None:
    term = Term(Objective(0.5, denominator="self"))
    found = by_hand(THREE, Recipe((term,), both_views=False))
    assert table(found.of["positives"]) == {} and found.own and found.repels
    assert table(found.of["negatives"]) == {(10, 11): 2.0, (10, 12): 2.0, (11, 12): 2.0}  # met from both sides
    e = np.exp(np.array([0.6, 0.0, 0.8]) / 0.5)  # 10-11, 10-12, 11-12
    share = {
        (10, 11): e[0] / (e[0] + e[1]) + e[0] / (e[0] + e[2]),
        (10, 12): e[1] / (e[0] + e[1]) + e[1] / (e[1] + e[2]),
        (11, 12): e[2] / (e[0] + e[2]) + e[2] / (e[1] + e[2]),
    }
    assert table(found.of["push"]) == pytest.approx(share)
    assert found.each == {"positives": 0.0, "negatives": 2.0, "push": 2.0, "detected": 0.0}


def test_other_pictures_that_pull_are_weighed_and_no_longer_push() -> None:
    term = Term(Objective(0.5), positives=(pull_next,))
    found = by_hand(THREE, Recipe((term,), both_views=False))
    assert table(found.of["positives"]) == {(10, 11): 2.0, (10, 12): 0.5, (11, 12): 2.0}
    assert table(found.of["negatives"]) == {(10, 11): 1.0, (10, 12): 1.0, (11, 12): 1.0}  # the other side still pushes
    assert not found.own


def test_the_terms_of_a_recipe_stay_apart_and_weigh_as_they_do_in_the_loss() -> None:
    one, other = Term(Objective(0.5), positives=(pull_next,), weight=3.0), Term(Objective(0.5))
    found = by_hand(THREE, Recipe((one, other), both_views=False))
    assert set(zip(found.of["negatives"].term.tolist(), found.of["negatives"].weight.tolist(), strict=True)) == {
        (0, 3.0), (1, 2.0),
    }  # fmt: skip
    assert found.of["positives"].term.tolist() == [0, 0, 0] and len(found.terms) == 2


def test_both_views_meet_twice_and_nobody_meets_itself() -> None:
    found = by_hand(THREE, Recipe((Term(Objective(0.5)),)))
    assert table(found.of["negatives"]) == {(10, 11): 8.0, (10, 12): 8.0, (11, 12): 8.0}
    assert found.each["negatives"] == 2.0, "an item's views count once"


def test_a_suspect_is_detected_and_pushes_no_more() -> None:
    found = by_hand(THREE, Recipe((Term(Objective(0.5), FNC(most=1, cutoff=0.7)),), both_views=False))
    assert set(table(found.of["detected"])) == {(11, 12)}
    assert (11, 12) not in table(found.of["negatives"])


def test_what_answers_settle_is_neither_counted_for_nor_against_a_method() -> None:
    def about(rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        same, said = nothing(rows, others)
        together = rows[:, None] + others[None] == 1  # items 0 and 1
        return same + together, (said + together - (rows[:, None] + others[None] == 3).to(said)).to(torch.int8)

    term = Term(Objective(0.5), positives=(OwnView(), pull_next))
    found = by_hand(THREE, Recipe((term,), both_views=False), about)
    assert set(table(found.of["positives"])) == {(10, 12)} == set(table(found.of["negatives"]))
    assert found.answered == 1


def test_an_objective_without_repulsion_pushes_nobody() -> None:
    def pulled(pool: Pool) -> Tensor:
        return -(pool.pos * (pool.anchors @ pool.keys.T)).sum()

    def other_shapes(pool: Pool) -> Tensor:
        raise RuntimeError("prototypes expected")

    for objective in (pulled, other_shapes):
        found = by_hand(THREE, Recipe((Term(objective),), both_views=False))
        assert not found.repels and not len(found.of["negatives"]) and not len(found.of["push"])


def test_a_tilt_makes_hard_pairs_push_harder() -> None:
    plain, tilted = (by_hand(THREE, build(name, {"temperature": "1"})) for name in ("debiased", "hcl"))
    assert table(tilted.of["push"])[11, 12] > table(plain.of["push"])[11, 12]


def test_a_queue_pushes_where_the_batch_does_not() -> None:
    found, drawn = created(build("moco", {"queue": "15"}), lot()), lot()
    batch, queue = set(drawn.ids[drawn.rows].tolist()), set(drawn.ids[drawn.others[:15]].tolist())
    assert not batch & queue
    assert all((a in batch) != (b in batch) and {a, b} & queue for a, b in table(found.of["negatives"]))
    assert found.each["negatives"] == 15


def test_half_of_a_batch_are_items_with_answers() -> None:
    vectors, ids, _ = embedded()
    drawn = sample(vectors, ids, nothing, answered=np.arange(30), size=20, seed=3)
    assert len(set(drawn.rows.tolist())) == 20 and int((drawn.rows < 30).sum()) >= 10
    assert sorted([*drawn.rows.tolist(), *drawn.others.tolist()]) == list(range(60))


def test_draws_follow_the_weights() -> None:
    pairs = Pairs(*(np.array(one) for one in ([1, 1, 2], [2, 3, 3], [8.0, 1.0, 1.0], [0.0] * 3, [0] * 3)))
    counts = np.bincount(draw(pairs, 4000, 0), minlength=3) / 4000
    assert counts == pytest.approx([0.8, 0.1, 0.1], abs=0.03)
    assert (draw(pairs, 50, 1) == draw(pairs, 50, 1)).all()


def partners_of(recipe: Recipe, drawn: Sample) -> set[int]:
    """Items whose pictures stand in for second views of the batch, where a source draws partners."""
    mates = None if recipe.mates is None else recipe.mates.drawn
    return set() if mates is None else set(drawn.ids[mates.partner[drawn.rows]].tolist())


@pytest.mark.parametrize("name", NAMES)
def test_every_system_can_be_compared(name: str) -> None:
    """Whatever its encoders, heads and objectives are: they are not called."""
    recipe, drawn = build(name), lot()
    first, again = created(recipe, drawn), created(build(name), lot())
    batch = set(drawn.ids[drawn.rows].tolist()) | partners_of(recipe, drawn)
    assert set(first.of) == set(KINDS) == set(first.each)
    for kind, pairs in first.of.items():
        other = again.of[kind]
        assert (pairs.a < pairs.b).all(), "an item was offered as its own partner"
        assert (pairs.weight > 0).all() and np.isfinite(pairs.weight).all() and np.isfinite(pairs.cosine).all()
        assert all(a in batch or b in batch for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))
        assert (pairs.a == other.a).all() and (pairs.b == other.b).all() and (pairs.weight == other.weight).all()
    assert len(first.of["positives"]) or first.own, "nothing would ever pull"
    assert first.repels == bool(len(first.of["push"]))


@pytest.mark.parametrize("name", NAMES)
def test_every_system_shows_its_views(name: str) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    views = build(name).views
    first, again = (seen(views, pictures, 5) for _ in range(2))
    assert [len(one) for one in first] == [min(len(views), 6)] * 2
    assert all(view.dtype == np.uint8 and view.shape[2] == 3 for of in first for view in of)
    assert all((a == b).all() for one, other in zip(first, again, strict=True) for a, b in zip(one, other, strict=True))
    assert (seen((Views(),), pictures, 6)[0][0] != seen((Views(),), pictures, 5)[0][0]).any()


def world(answers: int) -> tuple[Snapshot, list[Statement], np.ndarray]:
    """A snapshot and truthful answers about pairs of neighbours in a row."""
    vectors, ids, group = embedded(80)
    said = []
    for number in range(answers):
        a, b = number % 40, (number % 40 + 5 * (1 + number // 40) + number % 2) % 80
        verdict = Verdict.SAME if group[a] == group[b] else Verdict.DIFFERENT
        said.append(Statement(number + 1, int(ids[a]), int(ids[b]), verdict, "ada"))
    return snapshots.build(ids, vectors), said, group


def test_each_answer_is_hidden_in_one_round_and_known_in_the_others() -> None:
    snapshot, said, _ = world(24)
    graphs = [graph for _, graph in dealt(snapshot, said, size=16, seed=0)]
    hidden = [[one.answer for one in said if not graph.asked(one.a, one.b)] for graph in graphs]
    assert sorted(answer for hand in hidden for answer in hand) == [one.answer for one in said]
    assert [len(hand) for hand in hidden] == [6] * 4


def test_few_answers_are_all_hidden_and_the_same_seed_deals_the_same() -> None:
    snapshot, said, _ = world(7)
    rounds = list(dealt(snapshot, said, size=16, seed=2))
    assert [graph.size for _, graph in rounds] == [0] * 4
    assert len({tuple(drawn.rows.tolist()) for drawn, _ in rounds}) == 4
    again = [drawn.rows.tolist() for drawn, _ in dealt(snapshot, said, size=16, seed=2)]
    assert again == [drawn.rows.tolist() for drawn, _ in rounds]


def test_with_answers_known_the_must_links_pull_and_open_pairs_remain() -> None:
    snapshot, said, _ = world(80)
    drawn, graph = next(iter(dealt(snapshot, said, size=40, seed=0)))
    found = created(build("simclr"), drawn, answers=True)
    assert found.answered > 0 and len(found.of["negatives"])
    for a, b in table(found.of["negatives"]):
        assert drawn.about(*(torch.tensor([snapshot.position[one]]) for one in (a, b)))[1].item() == 0
    assert graph.size < len(said)
