"""Who of a super-batch a step learns from: scores and draws against plain loops, wrong words, verdicts, suspects."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from db.artifacts import ArtifactStore
from db.errors import BadInput, Broken, NotFound
from oracle.plugins import load
from tests.contracts.test_selectors import candidates, draws
from tests.patterns import patterns
from trainer.attributes import Attributes
from trainer.candidates import FAMILY, Candidates, whole
from trainer.confirmed import enough, said, with_verdicts
from trainer.modalities import SeenBeside, Words
from trainer.pool import Pool
from trainer.recipe import build
from trainer.suspects import FILE, Looks, ranked, suspects
from trainer.training import Training, TrainSettings

PLAN = TrainSettings(size=16, batch=12, epochs=2, projection=12, rate=3e-3)
COUNT = 120
BIAS = -3.0
Loss = Callable[[list[list[float]], list[int], list[int]], float]


# the formulas, one number at a time -------------------------------------------------------------------------------
def sigmoid_loss(scores: list[list[float]], codes: list[int], batch: list[int]) -> float:
    total = 0.0
    for i in batch:
        for k in batch:
            if i == k or codes[i] != codes[k]:
                total += math.log1p(math.exp((-1 if i == k else 1) * (scores[i][k] + BIAS)))
    return total


def softmax_loss(scores: list[list[float]], codes: list[int], batch: list[int]) -> float:
    total = 0.0
    for i in batch:
        others = [k for k in batch if k == i or codes[k] != codes[i]]
        there = math.log(sum(math.exp(scores[i][k]) for k in others)) - scores[i][i]
        back = math.log(sum(math.exp(scores[k][i]) for k in others)) - scores[i][i]
        total += (there + back) / 2
    return total


def growth(loss: Loss, scores: list[list[float]], codes: list[int], batch: list[int], new: int) -> float:
    if loss is softmax_loss and not batch:  # among all, before the first
        everybody = list(range(len(codes)))
        return loss(scores, codes, everybody) - sum(
            own_loss(scores, codes, everybody, other) for other in everybody if other != new
        )
    return loss(scores, codes, [*batch, new]) - loss(scores, codes, batch)


def own_loss(scores: list[list[float]], codes: list[int], batch: list[int], i: int) -> float:
    others = [k for k in batch if k == i or codes[k] != codes[i]]
    there = math.log(sum(math.exp(scores[i][k]) for k in others))
    back = math.log(sum(math.exp(scores[k][i]) for k in others))
    return (there + back) / 2 - scores[i][i]


LOSSES: dict[str, Loss] = {"sigmoid": sigmoid_loss, "softmax": softmax_loss}


def in_loops(given: Candidates, form: str, name: str, count: int, chunks: int) -> tuple[list[int], list[list[float]]]:
    """Who is chosen, and the scores of all before each chunk."""
    codes, loss = given.codes.tolist(), LOSSES[form]
    learner, reference = (getattr(given, which).tolist() for which in ("learner", "reference"))
    draw, batch, seen = draws(len(codes)), [], []
    sizes = [count // chunks + (at < count % chunks) for at in range(chunks)]
    for size in sizes:
        numbers, values = draw().tolist(), []
        for i in range(len(codes)):
            easy = -growth(loss, reference, codes, batch, i) if i not in batch else -math.inf
            values.append(easy + (growth(loss, learner, codes, batch, i) if name == "learnability" else 0.0))
        noisy = [value - math.log(-math.log(u)) for value, u in zip(values, numbers, strict=True)]
        seen.append(values)
        batch = batch + sorted((i for i in range(len(codes)) if i not in batch), key=lambda i: -noisy[i])[:size]
    return batch, seen


@pytest.mark.parametrize("form", LOSSES)
@pytest.mark.parametrize("name", ["learnability", "easy_reference"])
def test_scores_and_who_is_drawn_are_those_of_plain_loops(name: str, form: str) -> None:
    given = candidates(17, 12, sharp=3.0, seed=5)
    selector = load(FAMILY, name, form=form, chunks=3, bias=BIAS)
    wanted, values = in_loops(given, form, name, 7, 3)
    seen: list[Tensor] = []
    models = [selector.losses(given.at(which), given.codes) for which in selector.reads]

    def value(so_far: Tensor) -> Tensor:
        grown = [model.beside(so_far) for model in models]
        found = grown[0] - grown[1] if len(grown) == 2 else -grown[0]
        seen.append(found)
        return found

    assert selector.drawn(value, 7, draws(17)).tolist() == wanted == selector(given, 7, draws(17)).tolist()
    for found, row in zip(seen, values, strict=True):
        open_ = [place for place, one in enumerate(row) if one > -math.inf]
        assert found[open_].tolist() == pytest.approx([row[place] for place in open_], abs=1e-9)


def test_many_draws_are_as_likely_as_the_formula_says() -> None:
    """The first of a batch comes with p ~ exp(s)."""
    given = candidates(6, 6, sharp=2.0)
    selector = load(FAMILY, "learnability")
    losses = [selector.losses(given.at(name), given.codes).alone() for name in selector.reads]
    wanted = torch.softmax(losses[0] - losses[1], 0)
    draw = draws(6, 2)
    first = torch.bincount(torch.stack([selector(given, 1, draw) for _ in range(4000)])[:, 0], minlength=6) / 4000
    assert (first - wanted).abs().max() < 0.03 and wanted.max() > 2 * wanted.min()


def test_metadata_keeps_what_is_near_a_name_and_else_the_nearest() -> None:
    given = candidates(30)
    told, wanted = given.at("told").tolist(), given.at("wanted").tolist()
    near = [max(sum(a * b for a, b in zip(row, name, strict=True)) for name in wanted) for row in told]
    for threshold, count in ((0.5, 30), (0.99, 30), (-1.0, 7)):
        passing = {i for i in range(30) if near[i] > threshold}
        chosen = load(FAMILY, "metadata_similarity", threshold=threshold, min_ratio=0.1)(
            given, count, draws(30)
        ).tolist()
        least = sorted(range(30), key=lambda i: -near[i])[:3]
        assert set(chosen) <= passing if len(passing) > 3 else chosen == least
        assert len(chosen) == min(max(len(passing), 3), count)


def test_a_domain_keeps_the_nearest_to_its_words() -> None:
    given = candidates(30)
    told, wanted = given.at("told").tolist(), given.at("wanted").tolist()
    cosines = [[sum(a * b for a, b in zip(row, name, strict=True)) for name in wanted] for row in told]
    for nearest, score in ((1, max), (0, lambda row: sum(row) / 4)):
        chosen = load(FAMILY, "domain_similarity", nearest=nearest)(given, 9, draws(30)).tolist()
        assert chosen == sorted(range(30), key=lambda i: -score(cosines[i]))[:9]


def test_a_batch_of_64_with_four_fifths_left_out_is_chosen_from_320() -> None:
    assert whole(64, 0.8) == 320 and whole(64, 0.0) == 64 and whole(10, 0.3) == 15


# wrong words ------------------------------------------------------------------------------------------------------
def mixed_up(size: int = 40) -> tuple[Candidates, Tensor]:
    """Every other pair has somebody else's words; the reference knows, the learner knows nothing."""
    codes, right = torch.arange(size) % 5, torch.arange(size) % 2 == 0
    shown = torch.where(right, codes, (codes + 2) % 5)  # what is really in the picture
    fits = (shown[:, None] == codes[None]).double()
    return Candidates(codes, torch.zeros(size, size).double(), 8.0 * fits), right


@pytest.mark.parametrize("form", LOSSES)
@pytest.mark.parametrize("name", ["learnability", "easy_reference"])
def test_words_that_a_reference_finds_wrong_are_hardly_drawn(name: str, form: str) -> None:
    given, right = mixed_up()
    selector = load(FAMILY, name, form=form)
    chosen = torch.cat([selector(given, 8, draws(len(right), seed)) for seed in range(20)])
    assert right[chosen].double().mean() > 0.9
    assert right[load(FAMILY, "uniform")(given, 20, draws(len(right)))].double().mean() < 0.8


def test_what_the_learner_knows_is_left_to_rest() -> None:
    """Half of the right pairs are learnt: learnability draws the other half, easy reference both alike."""
    given, right = mixed_up()
    known = torch.arange(len(right)) % 4 == 0
    given = replace(given, learner=torch.where(known[:, None], given.at("reference"), given.at("learner")))
    shares = {}
    for name in ("learnability", "easy_reference"):
        chosen = torch.cat([load(FAMILY, name)(given, 4, draws(len(right), seed)) for seed in range(40)])
        shares[name] = known[chosen].double().mean().item()
    assert shares["learnability"] < 0.2 < 0.35 < shares["easy_reference"]


# a run ------------------------------------------------------------------------------------------------------------
def metadata(**columns: list[object]) -> Attributes:
    count = len(next(iter(columns.values())))
    ids, unknown = 5 + 2 * np.arange(count), np.full(count, np.nan)
    told = {name: np.array(column, dtype=object) for name, column in columns.items()}
    return Attributes(ids, told, unknown, np.stack([unknown, unknown], 1))


NAMES = ("stripes", "dots", "a wall", "moss", "night", "sand")
LABELS = np.arange(COUNT) % 6
RIGHT = np.random.default_rng(0).random(COUNT) > 0.4
TOLD: list[object] = [NAMES[k if right else (k + 1) % 6] for k, right in zip(LABELS.tolist(), RIGHT, strict=True)]
WRONG = np.flatnonzero(~RIGHT)[:2]  # two that somebody rejected
SURE: list[object] = [
    1 if RIGHT[place] and place < 2 * COUNT // 3 else 0 if place in WRONG else None for place in range(COUNT)
]


def training(name: str = "jest", attributes: Attributes | None = None, **settings: str) -> Training:
    told = attributes or metadata(caption=TOLD, confirmed=SURE)
    given = {"selector.steps": "80", **settings} if name in ("jest", "aced") else settings
    return Training(build(name, given), patterns(len(told.ids))[0], told.ids, PLAN, attributes=told)


@pytest.fixture(scope="module")
def taught() -> Training:
    run = training()
    while run.done < run.steps:
        run.step()
    return run


def test_confirmed_pairs_alone_teach_the_reference_model(taught: Training) -> None:
    model = taught.chooser.reference  # type: ignore[union-attr]
    assert model.pictures.shape == model.words.shape == (COUNT, PLAN.projection)
    own = model.scores(torch.arange(COUNT)).diagonal().numpy()
    open_ = np.array([one is None for one in SURE])
    assert own[open_ & RIGHT].mean() > own[open_ & ~RIGHT].mean() + 2


def test_wrong_words_are_the_suspects_and_what_was_rejected_is_never_looked_at(taught: Training) -> None:
    looks = taught.chooser.looks  # type: ignore[union-attr]
    assert looks.looks[WRONG].sum() == 0 and looks.looks.sum() == 60 * taught.steps
    doubted = list(ranked(taught.ids.numpy(), looks))
    assert len(doubted) == COUNT - 2 == (looks.looks > 0).sum()
    unsure = [number for number in doubted if SURE[(number - 5) // 2] is None]
    assert np.mean([RIGHT[(number - 5) // 2] for number in unsure[:8]]) < 0.3
    chosen = looks.chosen / np.maximum(looks.looks, 1)
    assert chosen[RIGHT].mean() > chosen[~RIGHT].mean()


def test_the_table_of_suspects_is_stored_beside_the_encoder(taught: Training, tmp_path) -> None:  # type: ignore[no-untyped-def]
    store, looks = ArtifactStore(tmp_path), taught.chooser.looks  # type: ignore[union-attr]
    store.save("encoders/jest-1", {FILE: looks.to_bytes(taught.ids.numpy())})
    assert suspects(store, "jest-1") == pytest.approx(ranked(taught.ids.numpy(), looks))
    store.save("encoders/clip-1", {"encoder.json": b"{}"})
    with pytest.raises(NotFound, match="the run of 'clip-1' doubted nothing"):
        suspects(store, "clip-1")
    store.save("encoders/torn-1", {FILE: b"not a table"})
    with pytest.raises(Broken, match="suspects of 'torn-1' cannot be read"):
        suspects(store, "torn-1")


def test_nobody_is_doubted_where_no_model_was_asked() -> None:
    assert np.isnan(Looks.of(3).doubt()).all() and ranked(np.arange(3), Looks.of(3)) == {}


def test_aced_copies_the_reference_as_cross_entropy(taught: Training) -> None:
    run = training("aced")
    seen: SeenBeside = run._look(run._rows())  # type: ignore[assignment]
    judged = run.chooser.reference.scores(seen.known.rows)  # type: ignore[union-attr]
    assert judged.shape[0] == len(judged) > 1
    there, back = seen.pools(run.terms[1], run.recipe, run.encoders)
    assert torch.equal(there.judged, judged) and torch.equal(back.judged, judged.T)  # type: ignore[arg-type]
    for pool, scores in ((there, judged), (back, judged.T)):
        loss = run.terms[1].objective(run._curated(run.terms[1], pool))
        learnt = pool.sharpness * pool.anchors @ pool.keys.T
        assert loss.item() == pytest.approx(cross_entropy(learnt, torch.softmax(scores, 1)).item(), rel=1e-5)
    assert build("aced", {"weight": "2"}).terms[1].weight == 2
    with pytest.raises(BadInput, match=r"weight of .* = a number at least 0"):
        build("aced", {"weight": "-1"})


def test_cit_goes_from_pictures_to_words_only() -> None:
    run = training("cit", metadata(caption=TOLD, label=[*NAMES[:2], *[None] * (COUNT - 2)]))
    pools: list[Pool] = run._look(run._rows()).pools(run.terms[0], run.recipe, run.encoders)
    assert len(pools) == 1
    chosen = run.chooser()  # type: ignore[misc]
    assert {TOLD[row] for row in chosen} == {"stripes", "dots"}
    named = training("cit", metadata(caption=TOLD), **{"selector.names": "moss, night"})
    assert {TOLD[row] for row in named.chooser()} == {"moss", "night"}  # type: ignore[misc]


# verdicts ---------------------------------------------------------------------------------------------------------
def test_verdicts_are_read_from_a_column_and_answers_go_over_it() -> None:
    told = metadata(caption=TOLD[:5], confirmed=["1", "no", None, " ", 1.0])
    assert said(told, "confirmed") == {5: True, 7: False, 13: True}
    both = with_verdicts(told, {5: False, 9: True, 99: True})
    assert said(both, "confirmed") == {5: False, 7: False, 9: True, 13: True}
    assert said(with_verdicts(metadata(caption=TOLD[:2]), {7: True}), "confirmed") == {7: True}
    with pytest.raises(BadInput, match="'confirmed' = 1 or 0 expected, got 'maybe'"):
        said(metadata(confirmed=["maybe"]), "confirmed")
    with pytest.raises(BadInput, match="1 pictures with confirmed words = at least 8 expected"):
        enough(metadata(confirmed=[1, 0]), "confirmed")


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("jest", {"confirmed": "sure"}, "0 pictures with confirmed words = at least 8 expected"),
        ("cit", {}, "no metadata column named 'label'"),
        ("cupid", {}, "no metadata column named 'target'"),
        ("cupid", {"target": "none"}, "no item is of the target domain"),
    ],
)
def test_what_the_metadata_lacks_is_said_before_any_step(name: str, settings: dict[str, str], sentence: str) -> None:
    told = metadata(caption=TOLD, none=[0] * COUNT)
    with pytest.raises((BadInput, NotFound), match=sentence):
        Training(build(name, settings), patterns(COUNT)[0], told.ids, PLAN, attributes=told)


def test_what_cannot_be_is_said_in_a_sentence() -> None:
    with pytest.raises(NotFound, match="Did you mean 'learnability'"):
        build("clip", {"selector": "learnabilty"})
    with pytest.raises(BadInput, match=r"no selector to set filter of\. Say selector=NAME"):
        build("clip", {"selector.filter": ".5"})
    with pytest.raises(BadInput, match="this system reads none"):
        build("simclr", {"selector": "uniform"})
    with pytest.raises(BadInput, match="form = softmax or sigmoid expected, got 'cosine'"):
        build("jest", {"selector.form": "cosine"})
    with pytest.raises(BadInput, match="chunks = 1 or more expected, got 0"):
        build("jest", {"selector.chunks": "0"})
    with pytest.raises(BadInput, match="threshold in"):
        build("cit", {"selector.threshold": "2"})
    with pytest.raises(BadInput, match=r"metadata with confirmed pairs|pictures with words"):
        Training(build("jest"), patterns(8)[0], np.arange(8), PLAN).step()
    with pytest.raises(BadInput, match="candidates with learner expected"):
        load(FAMILY, "learnability")(Candidates(torch.arange(3)), 2, draws(3))
    with pytest.raises(BadInput, match="at least 2 expected"):
        training("clip", metadata(caption=["a", None, None]), selector="uniform").step()


def test_words_know_their_temperature_learnt_or_fixed() -> None:
    run = training("cloob", metadata(caption=TOLD, confirmed=SURE), selector="easy_reference")
    assert isinstance(run.recipe.look, Words)
    assert run.recipe.look.sharpness(run.encoders, run.terms[0].objective) == pytest.approx(10)


def test_words_that_all_are_of_the_target_are_drawn_alike() -> None:
    """Their cosines are 1 but for rounding, which must not rank them."""
    codes = torch.arange(90) % 3
    rows = torch.nn.functional.normalize(torch.randn(3, 64, generator=torch.Generator().manual_seed(0)), dim=1)
    given = Candidates(codes, told=rows[codes], wanted=rows)
    chosen = load(FAMILY, "domain_similarity")(given, 30, draws(90))
    assert torch.bincount(codes[chosen]).min() >= 5
