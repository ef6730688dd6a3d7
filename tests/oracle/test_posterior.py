"""Groups, members and the rate of wrong answers, explained together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from db.nouns import Snapshot, Statement, Verdict
from oracle.acquisition.pairwright import Acquisition
from oracle.belief import Belief, infer
from oracle.constraints import ConstraintGraph
from oracle.contraction import contracted, links_of
from oracle.explain import FEW, KERNEL_SHARE, OCCAM, explain, plausibility
from oracle.moves import informative
from oracle.posterior import ANSWERS, WRONG, Asked, Posterior
from oracle.reach import reach_of
from oracle.rows import TINY, softmax
from oracle.shape import TEMPERATURES, UNSURE, Shape
from tests.oracle.test_belief import blobs


def asked_of(snapshot: Snapshot, pairs: list[tuple[int, int]], answers: list[int]) -> Asked:
    """Answers about rows (+1 same, -1 different) as the search sees them."""
    rows, places = np.unique(np.array(pairs).T, return_inverse=True)
    one, other = places.reshape(2, -1)
    reach = reach_of(snapshot, 4)
    kernel = reach.among(rows)
    return Asked(rows, one, other, np.array(answers, dtype=float), kernel, float(np.median(reach.near(rows))))


def noisy(labels: np.ndarray, count: int, wrong: float, seed: int = 0) -> ConstraintGraph:
    """Random pairs of rows, this share of the answers wrong."""
    graph, random = ConstraintGraph(), np.random.default_rng(seed)
    for number in range(1, count + 1):
        i, j = random.choice(len(labels), 2, replace=False)
        same = (labels[i] == labels[j]) != (random.random() < wrong)
        graph.add(Statement(number, int(i) + 1, int(j) + 1, Verdict.SAME if same else Verdict.DIFFERENT, "ann"))
    return graph


def agreement(labels: np.ndarray, belief: Belief) -> float:
    together = belief.labels[:, None] == belief.labels
    return float((together == (labels[:, None] == labels)).mean())


def test_an_item_asked_with_founders_only_has_the_exact_posterior() -> None:
    snapshot, _ = blobs(per_group=10)
    pairs, answers = [(0, 1), (0, 2), (3, 4), (3, 5), (9, 0), (9, 3)], [1, 1, 1, 1, 1, -1]
    found = Posterior(asked_of(snapshot, pairs, answers), 0.1)
    found.begin(np.array([0, 0, 0, 1, 1, 1, -1]))
    found.look()
    found.sweep(1)
    assert [int(found.asked.rows[row]) for row in found.founders] == [0, 3]
    nats = np.log(9)  # of one answer under an error rate of 0.1
    exact = softmax(np.log(found.prior[[6]]) + np.array([[nats, -nats, 0.0]]))
    np.testing.assert_allclose(found.chance[6], exact[0], rtol=5e-3)  # a founder is sure to 1e-4
    np.testing.assert_allclose(found.chance.sum(1), 1, rtol=1e-5)


def test_the_evidence_is_laid_out_once_and_weighed_anew() -> None:
    snapshot, _ = blobs(per_group=10)
    pairs, answers = [(4, 1), (0, 9), (3, 4), (9, 4), (0, 1)], [1, -1, 2, -1, 1]
    found = Posterior(asked_of(snapshot, pairs, answers), 0.1)
    for rate in (0.1, 0.3):
        found.trust(rate)
        asked, plain = found.asked, np.zeros((found.count, found.count))
        plain[asked.a, asked.b] = plain[asked.b, asked.a] = np.array(answers) * np.log((1 - rate) / rate)
        np.testing.assert_allclose(found.evidence.toarray(), plain)
        assert found.evidence.has_canonical_format


def test_an_item_is_supported_by_a_chain_of_same_within_its_group_however_long() -> None:
    snapshot, _ = blobs(per_group=10)
    pairs = [(2, 9), (0, 1), (7, 2), (1, 7), (9, 4), (5, 3), (3, 8), (6, 5)]
    found = Posterior(asked_of(snapshot, pairs, [1, 1, 1, 1, -1, 1, 1, 1]), 0.1)
    assert found.asked.rows.tolist() == list(range(10))
    found.begin(np.array([0, 0, 0, 1, 0, 1, 1, 0, 0, 0]))
    founder = found.founders.copy()
    found.founders = [0, 3]
    found.chance[founder], found.chance[[0, 3]] = 1 / 3, np.eye(3)[[0, 1]]
    found.chance[[1, 2, 4, 7, 8, 9], 0], found.chance[[5, 6], 1] = 2.0, 2.0
    # 0 - 1 - 7 - 2 - 9 hold together, 9 and 4 are apart; 3 holds 5 and 6, but not 8, which is in the other group
    assert np.flatnonzero(found.supported).tolist() == [0, 1, 2, 3, 5, 6, 7, 9]


@pytest.mark.parametrize(("wrong", "least"), [(0.0, 0.99), (0.1, 0.96), (0.2, 0.9)])
def test_the_rate_of_wrong_answers_is_found(wrong: float, least: float) -> None:
    snapshot, labels = blobs(per_group=40, groups=3)
    belief = infer(snapshot, noisy(labels, 500, wrong))
    assert abs(belief.error_rate - max(wrong, 0.04)) < 0.05
    assert agreement(labels, belief) > least


def test_a_wrong_answer_that_all_else_speaks_against_is_overruled() -> None:
    snapshot, labels = blobs(per_group=40, groups=2, spread=0.15)
    graph = noisy(labels, 300, 0.0)
    lie = next((i, j) for i in range(80) for j in range(80) if labels[i] != labels[j] and not graph.asked(i + 1, j + 1))
    graph.add(Statement(999, lie[0] + 1, lie[1] + 1, Verdict.SAME, "ann"))
    belief = infer(snapshot, graph)
    assert belief.labels[lie[0]] != belief.labels[lie[1]]
    assert agreement(labels, belief) > 0.98


def test_a_notion_the_embedding_knows_nothing_of_is_believed_from_answers_alone() -> None:
    snapshot, _ = blobs(per_group=20)
    labels = np.random.default_rng(3).integers(0, 2, 60)
    belief = infer(snapshot, noisy(labels, 600, 0.0))
    assert belief.error_rate < 0.06
    placed = np.flatnonzero(belief.member >= 0)
    assert len(placed) > 50
    for group in range(belief.groups):
        assert len(set(labels[belief.member == group])) <= 1


def test_an_explanation_is_never_less_plausible_than_the_truth_by_much() -> None:
    snapshot, labels = blobs(per_group=20)
    random = np.random.default_rng(1)
    drawn = [sorted(random.choice(60, 2, replace=False).tolist()) for _ in range(200)]
    pairs = [(int(i), int(j)) for i, j in drawn]
    answers = [1 if (labels[i] == labels[j]) != (random.random() < 0.15) else -1 for i, j in pairs]
    unique = dict(zip(pairs, answers, strict=True))
    asked = asked_of(snapshot, list(unique), list(unique.values()))
    found, _ = explain(asked)
    truth = Posterior(asked, 0.15)
    truth.begin(np.unique(labels[asked.rows], return_inverse=True)[1])
    truth.look()
    truth.sweep(4)
    truth.look()
    assert plausibility(found) > plausibility(truth) - 3


def test_a_group_and_its_parts_hold_the_same_items() -> None:
    snapshot, labels = blobs(per_group=40, groups=2, spread=0.15)
    found = infer(snapshot, noisy(labels, 200, 0.05)).parts
    assert found
    for part in found:
        assert not set(part.items) & set(part.rest)
        assert min(len(part.items), len(part.rest)) >= 2 and 0 <= part.together <= 1


def test_answers_between_two_sets_keep_them_apart() -> None:
    snapshot, labels = blobs(per_group=20, groups=2, spread=0.15)
    rows = [np.flatnonzero(labels == group)[:6] for group in range(2)]
    pairs = [(int(r[0]), int(r[k])) for r in rows for k in range(1, 6)]
    pairs += [(int(rows[0][k]), int(rows[1][k])) for k in range(4)]
    found, _ = explain(asked_of(snapshot, pairs, [1] * 10 + [-1, -1, -1, 1]))  # the last is wrong
    assert found.groups == 2


def test_a_tenth_of_wrong_answers_costs_little_where_pairs_are_asked() -> None:
    snapshot, labels = blobs(per_group=30, groups=3, spread=0.3)
    graph, random, told = ConstraintGraph(), np.random.default_rng(0), dict[tuple[int, int], bool]()
    for number in range(1, 81):
        for question in Acquisition(screen=1).propose(snapshot, graph, 1):
            for a, b in question.pairs():
                truth = bool(labels[a - 1] == labels[b - 1])
                told.setdefault((min(a, b), max(a, b)), truth != (random.random() < 0.1))
                verdict = Verdict.SAME if told[min(a, b), max(a, b)] else Verdict.DIFFERENT
                graph.add(Statement(number, a, b, verdict, "ann"))
    assert agreement(labels, infer(snapshot, graph)) > 0.93


@settings(max_examples=60, deadline=None)
@given(
    some.dictionaries(some.tuples(some.integers(0, 7), some.integers(0, 7)), some.sampled_from([-2.0, -1.0, 1.0, 2.0]))
)
def test_contraction_leaves_no_two_groups_that_pull(said: dict[tuple[int, int], float]) -> None:
    nats = {(min(pair), max(pair)): score for pair, score in said.items() if pair[0] != pair[1]}
    group = contracted(links_of(nats.items()))
    between: dict[tuple[int, int], float] = {}
    for (a, b), score in nats.items():
        if group[a] != group[b]:
            key = (min(group[a], group[b]), max(group[a], group[b]))
            between[key] = between.get(key, 0.0) + score
    assert all(score <= 0 for score in between.values())


def test_an_answer_tells_less_the_more_answers_err() -> None:
    chance = np.array([0.5, 0.9, 1.0])
    sure, coin = informative(chance, 1e-9), informative(chance, 0.5)
    np.testing.assert_allclose(sure, [np.log(2), 0.325083, 0.0], atol=1e-5)
    np.testing.assert_allclose(coin, 0.0, atol=1e-9)
    assert (informative(chance, 0.1)[:2] < sure[:2]).all()


def test_plausibility_is_the_sum_of_what_it_says() -> None:
    snapshot, labels = blobs(per_group=12, groups=3)
    (a, b, c), (d, e), (f, g) = (np.flatnonzero(labels == one)[:n].tolist() for one, n in ((0, 3), (1, 2), (2, 2)))
    pairs = [(a, b), (a, c), (b, d), (d, e), (e, f), (f, g), (a, g), (c, e)]
    answers = [1, 1, -1, 1, -1, 1, -1, 1]  # the last one is wrong
    found = Posterior(asked_of(snapshot, pairs, answers), 0.05)
    found.begin(labels[found.asked.rows])
    found.look()
    found.sweep(3)
    group = dict(zip(found.asked.rows.tolist(), found.group.tolist(), strict=True))
    wrong = sum((group[i] == group[j]) != (said > 0) for (i, j), said in zip(pairs, answers, strict=True))
    assert wrong == 1
    rate = (WRONG + wrong) / (ANSWERS + len(answers))
    said = (WRONG + wrong) * np.log(rate) + (ANSWERS - WRONG + len(answers) - wrong) * np.log(1 - rate)
    placed = 0.0
    for item, group in enumerate(found.group):
        founder = item in found.founders
        placed += np.log(np.clip(found.new_rate, 0.02, 0.5) if founder else found.prior[item, group])
    share = KERNEL_SHARE * found.count / (found.count + FEW)
    assert plausibility(found) == pytest.approx(said + share * placed - OCCAM * 3, rel=1e-5)


def test_supported_is_who_a_chain_of_same_within_its_group_joins_to_the_founder() -> None:
    snapshot, _ = blobs(per_group=10)
    pairs, answers = [(0, 1), (1, 2), (3, 4), (5, 6), (2, 3), (4, 7)], [1, 1, 1, 1, -1, -1]
    found = Posterior(asked_of(snapshot, pairs, answers), 0.1)
    found.begin(np.array([0, 0, 0, 1, 1, 1, 1, 1]))  # 5 and 6 are joined to each other, 7 to nobody
    reached = set(found.founders)
    for _ in pairs:
        joined = [pair for pair, said in zip(pairs, answers, strict=True) if said > 0 and reached & set(pair)]
        reached |= {item for pair in joined for item in pair}
    assert set(np.flatnonzero(found.supported)) == reached


def test_the_temperature_and_the_open_share_are_the_best_by_the_plain_formula() -> None:
    snapshot, labels = blobs(per_group=60, groups=3)
    found = infer(snapshot, noisy(labels, 200, 0.1)).found
    assert found is not None
    supported = found.supported
    found.mass = found._masses(supported)
    flow = np.maximum(found.asked.kernel @ found.mass - found._own * found.mass, 0.0)
    rows = np.flatnonzero(supported & (found.group >= 0))
    said, reached = found._said(rows), flow[rows]
    shape = Shape.of(flow, int(supported.sum()), found.asked.near)
    held = shape.total.astype(float) ** 0.5

    def score(temperature: float, unsure: float) -> float:
        shares = ((reached + 1e-12) / held) ** temperature
        right = (shares / shares.sum(1, keepdims=True) * said).sum(1)
        least = max(unsure, 5.0 / (5.0 + shape.held))
        open_ = np.maximum(least, found.asked.near / (found.asked.near + reached.sum(1)))
        told = np.log((1 - open_) * right + open_ / found.groups + TINY).mean()
        return float(told) - 0.02 * abs(float(np.log(temperature)))

    best = max(TEMPERATURES, key=lambda one: score(one, UNSURE[0]))
    among = [(one, share) for one in (best, 1.0) for share in UNSURE]
    fitted = shape.fitted(flow, rows, found._said)
    chosen = fitted.temperature, fitted.unsure
    assert chosen in among
    assert score(*chosen) >= max(score(*one) for one in among) - 1e-5
