"""Pictures and words: losses against plain loops, equal words, items without words, and towers of words."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from db.errors import BadInput, NotFound
from tests.patterns import patterns
from trainer.attributes import Attributes
from trainer.modalities import PICTURE, WORDS, Words, WordsHead
from trainer.negatives.uniform import NegativePolicy as Uniform
from trainer.objectives.hopfield import Objective as Hopfield
from trainer.pool import Pool, obey
from trainer.recipe import Recipe, Term, build
from trainer.training import Training, TrainSettings

PLAN = TrainSettings(size=16, batch=8, epochs=4, projection=12)
COUNT = 24


def told(words: list[str | None], column: str = "caption") -> Attributes:
    ids, unknown = 5 + 2 * np.arange(len(words)), np.full(len(words), np.nan)
    return Attributes(ids, {column: np.array(words, dtype=object)}, unknown, np.stack([unknown, unknown], 1))


def training(words: list[str | None], name: str = "clip", **settings: str) -> Training:
    attributes = told(words)
    return Training(build(name, settings), patterns(len(words))[0], attributes.ids, PLAN, attributes=attributes)


def rows(seed: int = 0, count: int = 7) -> tuple[Tensor, Tensor]:
    """z of pictures and of their words, float64, with gradient."""
    random = torch.Generator().manual_seed(seed)
    made = (normalize(torch.randn(count, 5, generator=random, dtype=torch.float64), dim=1) for _ in range(2))
    one, other = (rows.requires_grad_() for rows in made)
    return one, other


def loss_of(term: Term, anchors: Tensor, keys: Tensor, sharpness: Tensor | None = None) -> Tensor:
    """Of one direction, every item with words of its own."""
    ids, open_ = torch.arange(len(anchors)), torch.zeros(len(anchors), len(keys), dtype=torch.int8)
    pool = replace(Pool.of(anchors, keys, ids, ids, open_.double(), open_), sharpness=sharpness)
    for source in term.positives:
        pool = source(pool)
    return term.objective(obey(Uniform()(pool)))


def both(recipe: Recipe, z: Tensor, t: Tensor, sharpness: Tensor | None = None) -> Tensor:
    [term] = recipe.terms
    return torch.stack([loss_of(term, *pair, sharpness) for pair in ((z, t), (t, z))]).mean()


def same_slopes(one: Tensor, other: Tensor, *of: Tensor) -> bool:
    slopes = (torch.autograd.grad(value, of, retain_graph=True) for value in (one, other))
    return all(torch.allclose(a, b, atol=1e-9) for a, b in zip(*slopes, strict=True))


@pytest.mark.parametrize(("name", "smoothing"), [("clip", 0.0), ("align", 0.1)])
def test_clip_and_align_are_cross_entropies_both_ways(name: str, smoothing: float) -> None:
    (z, t), s = rows(), torch.tensor(9.0, dtype=torch.float64, requires_grad=True)
    own, scores = torch.arange(len(z)), s * z @ t.T
    wanted = torch.stack([cross_entropy(one, own, label_smoothing=smoothing) for one in (scores, scores.T)]).mean()
    found = both(build(name), z, t, s)
    assert found.item() == pytest.approx(wanted.item(), abs=1e-9) and same_slopes(found, wanted, z, t, s)


def test_cloob_is_two_retrievals_and_the_own_left_out() -> None:
    z, t = rows(3)
    beta, tau = 8.0, 0.1

    def one_way(memory: Tensor, others: Tensor) -> Tensor:
        losses = []
        for i in range(len(memory)):
            x = normalize(torch.softmax(beta * memory @ memory[i], 0) @ memory, dim=0)
            y = [normalize(torch.softmax(beta * memory @ other, 0) @ memory, dim=0) for other in others]
            left_out = torch.stack([(x @ y[j] / tau).exp() for j in range(len(y)) if j != i]).sum()
            losses.append(left_out.log() - x @ y[i] / tau)
        return tau * torch.stack(losses).mean()

    wanted, found = (one_way(z, t) + one_way(t, z)) / 2, both(build("cloob"), z, t)
    assert found.item() == pytest.approx(wanted.item(), abs=1e-9) and same_slopes(found, wanted, z, t)


def test_a_memory_of_one_has_nothing_to_push() -> None:
    z, t = rows(count=1)
    assert loss_of(Term(Hopfield()), z, t).item() == 0
    with pytest.raises(BadInput, match="beta > 0"):
        Hopfield(beta=0)


def pools(run: Training) -> list[Pool]:
    """Of the next step, before any curation."""
    return run._look(run._rows()).pools(run.terms[0], run.recipe, run.encoders)


def test_equal_words_are_one_text_and_whoever_has_none_sits_out() -> None:
    words: list[str | None] = [f"thing {number % 3}" for number in range(COUNT)]
    words[::4] = [None] * (COUNT // 4)
    run = training(words)
    seen = [pools(run)[0]]
    while run.done < run.steps:
        run.step()
        seen.append(pools(run)[0])
    assert min(len(pool.anchors) for pool in seen) < PLAN.batch, "somebody has no words"
    for pool in seen:
        assert pool.own.sum() > len(pool.anchors) and not pool.neg[pool.own].any()
        assert set(pool.key_ids.tolist()) <= {0, 1, 2}


def test_both_ways_are_looked_at_and_the_temperature_is_learnt() -> None:
    run = training([f"thing {number}" for number in range(COUNT)])
    there, back = pools(run)
    assert torch.equal(there.anchors, back.keys) and torch.equal(there.keys, back.anchors)
    assert there.sharpness.item() == pytest.approx(1 / 0.07, rel=1e-5)  # type: ignore[union-attr]
    run.step()
    assert pools(run)[0].sharpness.item() != pytest.approx(1 / 0.07, rel=1e-5)  # type: ignore[union-attr]
    assert (PICTURE, WORDS) == (0, 1)


def test_it_never_gets_too_sharp() -> None:
    head = WordsHead(Words(), temperature=1e-4)(0, 2)
    assert head.sharpness().item() == 100  # type: ignore[operator, union-attr]


def test_pictures_find_their_words() -> None:
    """Of pictures that were not trained on: the nearest of six texts is the right one far more often than by chance."""
    pictures, labels = patterns(240)
    names = ["stripes", "dots", "a wall", "moss", "night", "sand"]
    attributes = told([names[label] for label in labels])
    plan = TrainSettings(size=16, batch=60, epochs=40, rate=3e-3)
    run = Training(build("clip"), pictures, attributes.ids, plan, attributes=attributes)
    while run.done < run.steps:
        run.step()
    words = run.recipe.look
    assert words is not None
    new, right = patterns(120, seed=9)
    with torch.no_grad():
        texts = run.encoders.network.predictors[0](torch.from_numpy(words.read(names)))  # type: ignore[attr-defined]
    nearest = torch.from_numpy(run.encoders.embed(new, projected=True)) @ normalize(texts, dim=1).T
    assert (nearest.argmax(1).numpy() == right).mean() > 0.6


def test_what_cannot_be_is_said_in_a_sentence() -> None:
    with pytest.raises(NotFound, match="Did you mean 'caption'"):
        training(["a", "b", "c"], text="captoin")
    with pytest.raises(BadInput, match="no item has words in the column 'caption'"):
        training([None, " ", None])
    with pytest.raises(NotFound, match="Did you mean 'minilm'"):
        build("clip", {"tower": "minilmm"})
    with pytest.raises(BadInput, match="text=COLUMN"):
        Training(build("clip"), patterns(8)[0], np.arange(8), PLAN).step()
    with pytest.raises(BadInput, match="smoothing"):
        build("align", {"smoothing": "1"})
