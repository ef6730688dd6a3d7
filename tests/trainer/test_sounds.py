"""Recordings beside pictures: losses against plain loops, the bank, neighbours, clusters, and what answers change."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid, normalize

from db.errors import BadInput
from db.nouns import Item
from tests.patterns import patterns
from trainer.attributes import Attributes
from trainer.bank import Bank, SeenBank
from trainer.crossed import Crossed
from trainer.modalities import PICTURE, WORDS, Beside, Known, SeenBeside, Sounds, Words
from trainer.negatives.uniform import NegativePolicy as Uniform
from trainer.objectives.classes import Objective as Classes
from trainer.objectives.nce import Objective as NCE
from trainer.pool import Pool, obey
from trainer.positives.consensus import PositiveSource as Consensus
from trainer.positives.consensus import agreed
from trainer.recipe import Term, build
from trainer.training import Training, TrainSettings

SOUND = WORDS + 1
PLAN = TrainSettings(size=16, batch=8, epochs=4, projection=12)
COUNT = 24


def unit(count: int, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, 5, generator=random, dtype=torch.float64)
    return normalize(rows, dim=1).requires_grad_()


def quiet(rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    shape = len(rows), len(others)
    return torch.zeros(shape), torch.zeros(shape, dtype=torch.int8)


class Head:
    """With fixed learnt scales, one for each modality before."""

    def __init__(self, *scales: Tensor | None) -> None:
        self.scales = scales

    def sharpness(self, to: int) -> Tensor | None:
        return self.scales[to]


def batch(shown: dict[int, Tensor], heads: tuple[Head, ...], still: tuple[int, ...] = (), **more: Tensor) -> SeenBeside:
    """Every item with values of its own, unless `more` says otherwise."""
    count, columns = len(shown[PICTURE]), len(shown) - 1
    same, said = quiet(torch.arange(count), torch.arange(count))
    known = {
        "rows": torch.arange(count), "codes": torch.arange(count)[:, None].expand(-1, columns).contiguous(),
        "denied": torch.zeros(count, columns, dtype=torch.bool), "same": same, "said": said,
    }  # fmt: skip
    return SeenBeside(shown, Known(**known | more), heads, still)  # type: ignore[arg-type]


def loss_of(term: Term, pool: Pool) -> Tensor:
    for source in term.positives:
        pool = source(pool)
    return term.objective(obey(term.negatives(pool)))


def total(name: str, seen: SeenBeside) -> Tensor:
    recipe = build(name)
    losses = [
        term.weight * torch.stack([loss_of(term, pool) for pool in seen.pools(term, recipe, None)]).mean()  # type: ignore[arg-type]
        for term in recipe.terms
    ]
    return torch.stack(losses).sum()


def clip(one: Tensor, other: Tensor, s: Tensor) -> Tensor:
    """By loops."""
    losses = []
    for x, y in ((one, other), (other, one)):
        for i in range(len(x)):
            scores = torch.stack([s * (x[i] @ y[j]) for j in range(len(y))])
            losses.append(scores.exp().sum().log() - scores[i])
    return torch.stack(losses).mean()


@pytest.mark.parametrize("name", ["clap", "audioclip", "wav2clip"])
def test_sums_of_clips_are_those_of_the_papers(name: str) -> None:
    x, t, a = (unit(7, seed) for seed in range(3))
    s = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (9.0, 5.0, 7.0)]
    heads = (Head(s[0]), Head(s[1], s[2]))
    seen = batch({PICTURE: x, WORDS: t, SOUND: a}, heads, (SOUND,) if name == "wav2clip" else ())  # type: ignore[arg-type]
    wanted = {
        "clap": lambda: clip(a, t, s[2]) + clip(x, t, s[0]),
        "audioclip": lambda: (clip(x, t, s[0]) + clip(x, a, s[1]) + clip(a, t, s[2])) / 3,
        "wav2clip": lambda: clip(x.detach(), a, s[1]) + clip(x, t, s[0]),
    }[name]()
    found = total(name, seen)
    assert found.item() == pytest.approx(wanted.item(), abs=1e-9)
    assert_same_slopes(found, wanted, x, t, a, *s)


def assert_same_slopes(one: Tensor, other: Tensor, *of: Tensor) -> None:
    slopes = (torch.autograd.grad(value, of, retain_graph=True, allow_unused=True) for value in (one, other))
    for a, b in zip(*slopes, strict=True):
        assert (a is None) == (b is None)
        assert a is None or torch.allclose(a, b, atol=1e-9)


def test_pictures_do_not_feel_recordings_that_follow_them() -> None:
    x, a = unit(5, 0), unit(5, 1)
    heads = (Head(torch.ones(()).double()),)
    seen = batch({PICTURE: x, WORDS: a}, heads, (WORDS,))  # type: ignore[arg-type]
    loss = torch.stack([loss_of(build("clip").terms[0], pool) for pool in (seen.pool(0, 1), seen.pool(1, 0))]).sum()
    slopes = torch.autograd.grad(loss, (x, a), allow_unused=True)
    assert slopes[0] is None and slopes[1] is not None and slopes[1].any()


def test_who_lacks_one_of_three_is_in_the_terms_of_the_other_two() -> None:
    codes = torch.tensor([[0, 0], [1, -1], [-1, 1], [1, 2]])
    heads = (Head(None), Head(None, None))
    seen = batch({k: unit(4, k) for k in range(3)}, heads, codes=codes)  # type: ignore[arg-type]
    assert seen.pool(PICTURE, WORDS).key_ids.tolist() == [0, 1, 1]
    assert seen.pool(PICTURE, SOUND).key_ids.tolist() == [0, 1, 2]
    assert seen.pool(SOUND, WORDS).anchor_ids.tolist() == [0, 1]


def test_equal_words_name_recordings_too() -> None:
    codes = torch.tensor([[0, 0], [0, 1], [1, 2]])  # three recordings of two words
    heads = (Head(None), Head(None, None))
    seen = batch({k: unit(3, k) for k in range(3)}, heads, codes=codes)  # type: ignore[arg-type]
    assert seen.pool(SOUND, WORDS).own.tolist() == [[True, True, False], [True, True, False], [False, False, True]]
    assert seen.pool(SOUND, PICTURE).own.equal(torch.eye(3, dtype=torch.bool))


@pytest.mark.parametrize("match", [(PICTURE, WORDS), (WORDS, PICTURE)])
def test_words_that_do_not_belong_push_their_picture_and_still_name_the_others(match: tuple[int, int]) -> None:
    codes, denied = torch.tensor([[0], [0], [1]]), torch.tensor([[True], [False], [False]])
    seen = batch({k: unit(3, k) for k in range(2)}, (Head(None),), codes=codes, denied=denied)  # type: ignore[arg-type]
    pool = obey(Uniform()(build("clip").terms[0].positives[0](seen.pool(*match))))
    pull, push = (pool.pos, pool.confirmed) if match == (PICTURE, WORDS) else (pool.pos.T, pool.confirmed.T)
    assert pull.tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 1]], "of pictures and words"
    assert push[0].tolist() == [2, 2, 0] and not push[1:].any()


def test_recordings_that_do_not_belong_are_not_compared_with_words() -> None:
    codes, denied = (
        torch.tensor([[0, 0], [0, 1], [1, 2]]),
        torch.tensor([[False, True], [False, False], [False, False]]),
    )
    heads = (Head(None), Head(None, None))
    seen = batch({k: unit(3, k) for k in range(3)}, heads, codes=codes, denied=denied)  # type: ignore[arg-type]
    assert len(seen.pool(SOUND, WORDS).anchors) == 2 and len(seen.pool(PICTURE, WORDS).anchors) == 3


# NCE, bank and neighbours ---------------------------------------------------------------------------------------------
def nce(z: Tensor, own: Tensor, drawn: Tensor, log_Z: Tensor, tau: float = 0.07) -> Tensor:
    """By loops: the own slots (B, P, d) against (D, d) drawn ones."""
    losses, K = [], len(drawn)
    for i in range(len(z)):
        bias = torch.tensor(float(K)).double().log() + log_Z
        pull = torch.stack([-logsigmoid(z[i] @ one / tau - bias) for one in own[i]]).mean()
        losses.append(pull + torch.stack([-logsigmoid(bias - z[i] @ one / tau) for one in drawn]).sum())
    return torch.stack(losses).mean()


def test_nce_is_a_yes_or_no_for_each_key_with_z_of_the_first_batch() -> None:
    z, own, drawn = unit(4, 0), unit(4, 1).detach(), unit(6, 2).detach()
    ids = torch.arange(4)
    pool = Pool.of(z, torch.cat([own, drawn]), ids, torch.arange(10), *quiet(ids, torch.arange(10)))
    pool = pool.resting(torch.arange(10) < 4)
    objective, term = NCE(), build("avid").terms[0]
    first = loss_of(replace(term, objective=objective), pool)
    scores = [z[i] @ key / 0.07 for i in range(4) for key in (own[i], *drawn)]
    log_Z = torch.stack(scores).exp().mean().log().detach()
    wanted = nce(z, own[:, None], drawn, log_Z)
    assert first.item() == pytest.approx(wanted.item(), abs=1e-9)
    assert_same_slopes(first, wanted, z)
    other = unit(4, 9)
    again = loss_of(replace(term, objective=objective), replace(pool, anchors=other))
    assert again.item() == pytest.approx(nce(other, own[:, None], drawn, log_Z).item(), abs=1e-9), "Z is held"
    kept = NCE()
    kept.load_state(objective.state())
    assert kept.state()["log_Z"].item() == pytest.approx(log_Z.item(), abs=1e-12)


def banked(count: int = 12, neighbours: int = 3) -> Bank:
    """Every item with a recording of its own; slots of their own."""
    sounds = Sounds()
    sounds.codes, sounds.denied = torch.arange(count), torch.zeros(count, dtype=torch.bool)
    bank = Bank(Beside((sounds,)), draws=5, within=4, neighbours=neighbours)
    bank._slots = {k: unit(count, 20 + k).detach() for k in (PICTURE, PICTURE + 1)}
    bank._near = agreed(bank._slots[0], bank._slots[1], neighbours, torch.ones(count, dtype=torch.bool))
    return bank


def seen_by(bank: Bank, rows: Tensor, shown: dict[int, Tensor], **more: Tensor) -> SeenBank:
    seen = batch(shown, (Head(None),), rows=rows, codes=rows[:, None], **more)  # type: ignore[arg-type]
    return SeenBank(bank, seen, torch.tensor([0, 5, 5, 7, 9]), torch.tensor([1, 2, 8, 11]), quiet)


def test_neighbours_are_those_that_both_modalities_agree_on() -> None:
    one, other = unit(9, 3).detach(), unit(9, 4).detach()
    there = torch.ones(9, dtype=torch.bool)
    there[4] = False
    found = agreed(one, other, 3, there)
    for i in range(9):
        lower = {j: min(float(one[i] @ one[j]), float(other[i] @ other[j])) for j in range(9) if j not in (i, 4)}
        wanted = sorted(lower, key=lambda j: -lower[j])[:3] if i != 4 else [-1, -1, -1]
        assert found[i].tolist() == wanted


def test_avid_with_agreement_is_both_sums_by_loops() -> None:
    bank, rows = banked(), torch.tensor([3, 4, 6, 10])
    x, a = unit(4, 0), unit(4, 1)
    seen, recipe = seen_by(bank, rows, {PICTURE: x, PICTURE + 1: a}), build("avid_cma")
    cross, agree = recipe.terms
    v = bank._slots
    for term, pairs in ((cross, (((0, 1), x), ((1, 0), a))), (agree, (((0, 0), x), ((1, 1), a)))):
        log_Z = None
        pools = [seen.pool(*match) for match, _ in pairs]
        found = torch.stack([loss_of(term, pool) for pool in pools]).mean()
        wanted = []
        for (one, other), z in pairs:
            pulls = [[int(row)] if one != other else bank._near[row].tolist() for row in rows]
            drawn = [0, 5, 5, 7, 9] if one != other else [1, 2, 8, 11]
            losses, scores = [], []
            for i, row in enumerate(rows.tolist()):
                kept = [j for j in drawn if j != row and j not in pulls[i]]
                own = torch.stack([v[other][j] for j in [*pulls[i], *(j for j in drawn if j in pulls[i])]])
                push = torch.stack([v[other][j] for j in kept])
                scores += [z[i] @ key / 0.07 for key in (*own, *push)]
                losses.append((z[i], own, push))
            log_Z = torch.stack(scores).exp().mean().log().detach() if log_Z is None else log_Z
            wanted += [nce(row[None], own[None], push, log_Z) for row, own, push in losses]
        assert found.item() == pytest.approx(torch.stack(wanted).mean().item(), abs=1e-9)
        assert_same_slopes(found, torch.stack(wanted).mean(), *(z for _, z in pairs))


def test_slots_move_half_way_and_only_those_that_were_seen() -> None:
    bank, rows = banked(), torch.tensor([3, 4])
    before = {k: slots.clone() for k, slots in bank._slots.items()}
    x, a = unit(2, 0), unit(2, 1)
    seen_by(bank, rows, {PICTURE: x, PICTURE + 1: a}).after_step()
    for k, z in ((0, x), (1, a)):
        for i, row in enumerate(rows.tolist()):
            mean = (before[k][row] + z[i]) / 2
            assert torch.allclose(bank._slots[k][row], mean / mean.norm(), atol=1e-12)
        still = [row for row in range(12) if row not in (3, 4)]
        assert torch.equal(bank._slots[k][still], before[k][still])


def test_a_slot_of_the_batch_pushes_only_where_an_answer_says_so() -> None:
    bank, rows = banked(), torch.tensor([3, 4, 6])
    shown = {PICTURE: unit(3, 0), PICTURE + 1: unit(3, 1)}
    term = build("avid").terms[0]

    def curated(denied: bool = False) -> Pool:
        flags = torch.tensor([[denied], [False], [False]])
        seen = seen_by(bank, rows, shown, denied=flags)

        def about(rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
            same, said = quiet(rows, others)
            said[0, 1], said[1, 0] = -1, -1
            return same, said

        return obey(term.negatives(term.positives[0](replace(seen, about=about).pool(0, 1))))

    pool = curated()
    assert pool.confirmed[:, :3].tolist() == [[0, 2, 0], [2, 0, 0], [0, 0, 0]] and not pool.neg[:, :3].any()
    assert pool.pos[:, :3].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]] and pool.neg[:, 3:].all()
    pool = curated(denied=True)
    assert pool.pos[0].sum() == 0 and pool.confirmed[0, 0] == 2, "its recording does not belong to it"


def test_an_answer_passes_a_neighbour_over() -> None:
    pool = seen_by(banked(), torch.tensor([3, 4]), {0: unit(2, 0), 1: unit(2, 1)}).pool(0, 0)
    assert pool.detected is not None
    place = int(torch.nonzero(pool.detected[0])[0, 0])
    said = pool.said.clone()
    said[0, place] = -1
    pulls = [Consensus()(one).pos[0] for one in (pool, replace(pool, said=said))]
    assert pulls[0].sum() == 3 and pulls[1].sum() == 2 and pulls[1][place] == 0


# clusters -------------------------------------------------------------------------------------------------------------
def test_classes_are_cross_entropy_and_partners_share_theirs() -> None:
    scores = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    wanted, ids = torch.tensor([0, 3, 1, 1, 2]), torch.arange(5)
    pool = Pool.of(scores, torch.eye(4).double()[wanted], ids, ids, *quiet(ids, ids))
    term = build("xdc").terms[0]
    found, plain = loss_of(term, pool), cross_entropy(scores, wanted)
    assert found.item() == pytest.approx(plain.item(), abs=1e-9)
    assert_same_slopes(found, plain, scores)
    pos = torch.eye(5).double()
    pos[0, 1] = 1.0  # a must-link
    both = Classes()(replace(pool, pos=pos))
    rest = cross_entropy(scores[1:], wanted[1:], reduction="sum")
    shared = (cross_entropy(scores[:1], wanted[:1]) + cross_entropy(scores[:1], wanted[1:2])) / 2
    assert both.item() == pytest.approx(((rest + shared) / 5).item(), abs=1e-9)


# whole runs -----------------------------------------------------------------------------------------------------------
def told(folder: Path, count: int = COUNT, *, hertz: int = 6) -> Attributes:
    """A recording beside every picture but the first, whose file is damaged: a pitch a pattern."""
    paths, unknown = [], np.full(count, np.nan)
    for number in range(count):
        wave = np.sin(2 * np.pi * 300 * 1.5 ** (number % hertz) * np.arange(1600) / 8000)
        noise = 0.01 * np.random.default_rng(number).normal(size=1600)
        paths.append(folder / f"{number}.wav")
        soundfile.write(paths[-1], 0.3 * wave + noise, 8000)
    paths[0].write_bytes(b"RIFF....WAVE")
    ids, words = 5 + 2 * np.arange(count), np.array([f"thing {number % hertz}" for number in range(count)], object)
    return Attributes(ids, {"caption": words}, unknown, np.stack([unknown, unknown], 1), np.array(paths, object))


def training(name: str, attributes: Attributes, plan: TrainSettings = PLAN, **settings: str) -> Training:
    pictures = patterns(len(attributes.ids))[0]
    return Training(build(name, settings), pictures, attributes.ids, plan, attributes=attributes)


def test_a_damaged_recording_sits_out_and_the_others_are_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = training("audioclip", told(tmp_path))
    sounds = run.recipe.look.columns[1]  # type: ignore[union-attr]
    assert sounds.codes[0] == -1 and len(sounds.codes.unique()) == COUNT and "0.wav is left out" in caplog.text
    run.step()


def test_what_cannot_be_is_said_in_a_sentence(tmp_path: Path) -> None:
    attributes = told(tmp_path)
    bare = replace(attributes, recordings=np.zeros(0, object))
    with pytest.raises(BadInput, match="no item has a recording that can be read"):
        training("clap", bare)
    with pytest.raises(BadInput, match="Known: logmel"):
        training("clap", attributes, sound="ngrams")
    with pytest.raises(BadInput, match=r"momentum of .* = a number at least 0 and below 1"):
        build("avid", {"momentum": "1"})
    with pytest.raises(BadInput, match="clusters = at least 2"):
        build("xdc", {"clusters": "1"})
    with pytest.raises(BadInput, match="draws = at least 1"):
        build("avid_cma", {"draws": "0"})


def test_wav2clip_without_words_leaves_the_pictures_as_they_were(tmp_path: Path) -> None:
    run = training("wav2clip", told(tmp_path), text="")
    network = run.encoders.network
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    for _ in range(3):
        run.step()
    moved = {name for name, weight in network.named_parameters() if not torch.equal(before[name], weight)}
    assert moved and all(name.startswith("predictors.0") for name in moved)


def test_clusters_and_neighbours_are_made_anew_when_it_is_time(tmp_path: Path) -> None:
    attributes = told(tmp_path)
    run = training("xdc", attributes, least="6", clusters="3")
    assert isinstance(run.recipe.look, Crossed)
    weight, seen = run.encoders.network.predictors[1].weight, []
    for _ in range(9):  # three steps an epoch
        before = weight.detach().clone()
        run.step()
        seen.append(bool((weight.detach() - before).abs().max() > 0.05))
    assert seen == [True, False, False, False, False, False, True, False, False]
    run = training("avid_cma", attributes, every="2", neighbours="4")
    near = []
    for _ in range(9):
        run.step()
        near.append(len(run.recipe.look._near))  # type: ignore[union-attr]
    assert near == [0] * 6 + [COUNT] * 3


def test_answers_get_a_term_of_their_own_where_nothing_pushes(tmp_path: Path) -> None:
    from trainer.overlay import overlaid

    recipe = build("xdc")
    terms = overlaid(recipe.terms, 1.0)
    assert len(terms) == 2 and terms[1].predictor is None
    run = training("xdc", told(tmp_path))
    run.step()
    pools = run._look(run._rows()).pools(terms[1], run.recipe, run.encoders)
    assert pools[0].anchors.shape[1] == pools[0].keys.shape[1] == PLAN.projection


def test_columns_are_equal_by_what_they_say() -> None:
    assert Words("a") == Words("a") != Words("b") and Sounds() != Words("recording", "logmel")


def test_recordings_are_those_that_import_stored(tmp_path: Path) -> None:
    audio = [None, "media/ab/ab.wav", "media/cd/cd.wav"]
    items = [Item(9 - n, 1, f"{n:064x}", 8, 8, f"media/{n}.png", audio=path) for n, path in enumerate(audio)]
    found = Attributes.of(items, tmp_path)
    assert found.ids.tolist() == [7, 8, 9]
    assert found.recordings.tolist() == [tmp_path / "media/cd/cd.wav", tmp_path / "media/ab/ab.wav", None]
    assert found.only(np.array([9, 7])).recordings.tolist() == [tmp_path / "media/cd/cd.wav", None]
    assert Attributes.of(items).recordings.tolist() == [None] * 3


def test_answers_about_captions_reach_the_batch() -> None:
    column, unknown = np.array(["a cat", "a dog", "a cat"], object), np.full(3, np.nan)
    attributes = Attributes(np.array([3, 5, 8]), {"caption": column}, unknown, np.stack([unknown, unknown], 1))
    words = Words()
    words.learn_of(attributes)
    assert words.denied.tolist() == [False] * 3
    words.learn_of(replace(attributes, denied={"caption": {5}, "other": {8}}))
    assert words.denied.tolist() == [False, True, False]
