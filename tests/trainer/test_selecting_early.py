"""Who a selector lets into a batch before anything is trained: for the comparison of systems."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from app import comparing, refreshing
from db.errors import BadInput, NotFound
from trainer.attributes import Attributes
from trainer.comparing import Sample, created, sample
from trainer.overlay import nothing
from trainer.recipe import FAMILIES, PARTS, build
from trainer.selecting import selected
from trainer.systems import EXCHANGED
from trainer.systems import PARTS as TOLD

KINDS = ("a red apple", "two grey horses", "an old bridge", "a boat at night")
COUNT, BATCH = 200, 24


def lot(seed: int = 0) -> tuple[Sample, np.ndarray]:
    """Four kinds of pictures; the words of two in five are of another kind, and of forty pairs somebody said whether
    they belong. Beside it, whether each item's words are right."""
    random = np.random.default_rng(seed)
    kind = np.arange(COUNT) % len(KINDS)
    right = random.random(COUNT) > 0.4
    words = np.array(
        [f"{KINDS[k if ok else (k + 1) % 4]} {n % 3}" for n, (k, ok) in enumerate(zip(kind, right, strict=False))],
        object,
    )
    vectors = np.eye(8)[kind] + 0.15 * random.normal(size=(COUNT, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    sure = np.full(COUNT, None, object)
    sure[:40] = right[:40].astype(int)
    ids, unknown = 3 + 2 * np.arange(COUNT), np.full(COUNT, np.nan)
    columns = {"caption": words, "confirmed": sure, "label": np.full(COUNT, "a red apple", object)}
    attributes = Attributes(ids, columns, unknown, np.stack([unknown, unknown], 1))
    answered = np.empty(0, np.int64)
    return sample(vectors, ids, nothing, answered=answered, size=BATCH, seed=seed, attributes=attributes), right


@pytest.mark.parametrize("name", ["jest", "acid"])
def test_words_that_belong_are_chosen_far_more_often(name: str) -> None:
    drawn, right = lot()
    shares = [right[selected(build(name), drawn, seed).rows.numpy()].mean() for seed in range(5)]
    assert np.mean(shares) > right.mean() + 0.15


def test_the_batch_is_new_the_others_are_the_rest_and_the_seed_decides() -> None:
    drawn, _ = lot()
    first, again = (selected(build("jest"), drawn, 3) for _ in range(2))
    assert torch.equal(first.rows, again.rows) and len(first.rows) == BATCH
    assert sorted([*first.rows.tolist(), *first.others.tolist()]) == list(range(COUNT))
    rejected = [place for place in range(40) if drawn.attributes.values["confirmed"][place] == 0]  # type: ignore[union-attr]
    assert not set(rejected) & set(first.rows.tolist())
    made = created(build("jest"), first)
    pairs = made.of["negatives"]
    assert set(pairs.a.tolist()) <= set(drawn.ids[first.rows].tolist())


def test_metadata_chooses_by_the_words_alone() -> None:
    drawn, _ = lot()
    recipe = build("clip", {"selector": "metadata_similarity", "selector.threshold": ".3"})
    said = drawn.attributes.values["caption"][selected(recipe, drawn, 0).rows.numpy()]  # type: ignore[union-attr]
    assert all("red apple" in words for words in said)
    assert selected(build("clip"), drawn, 0) is drawn


def test_what_cannot_choose_is_said_in_a_sentence() -> None:
    drawn, _ = lot()
    with pytest.raises(BadInput, match="this system reads none"):
        build("simclr", {"selector": "uniform"})
    with pytest.raises(BadInput, match="frozen tower"):
        selected(build("jest", {"tower": "subwords"}), drawn, 0)
    with pytest.raises(BadInput, match="Import captions"):
        selected(build("jest"), replace(drawn, attributes=None), 0)
    some = replace(drawn.attributes, values={**drawn.attributes.values, "confirmed": np.full(COUNT, None, object)})  # type: ignore[union-attr, type-var]
    with pytest.raises(BadInput, match="0 pictures with confirmed words"):
        selected(build("jest"), replace(drawn, attributes=some), 0)


def test_the_screens_take_what_train_takes() -> None:
    assert PARTS == TOLD and tuple(FAMILIES) == EXCHANGED
    wish = comparing.Wish(("clip", "simclr"), {"selector": "learnability", "selector.chunks": "4"})
    assert wish.settings("clip") == {"selector": "learnability", "selector.chunks": "4"}
    refreshing.refusal({"method": "clip", "options": {"selector": "learnability", "words.train": "true"}})
    with pytest.raises(BadInput, match="simclr reads none"):
        refreshing.refusal({"method": "simclr", "options": {"selector": "uniform"}})
    with pytest.raises(NotFound, match="Did you mean 'selector'"):
        refreshing.refusal({"method": "clip", "options": {"selektor.filter": "0.5"}})
