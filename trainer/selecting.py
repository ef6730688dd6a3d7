"""Who a selector would let into a batch, before anything is trained: for the comparison of systems.

    batch and others -> super-batch -> Candidates -> selector -> the batch

Words are read by the frozen tower. What a run's learner and reference model would make of every pair is not known yet;
two heads in closed form stand in for them (`trainer.captions`), of all pairs and of confirmed pairs alone: of the same
pictures and words, and linear where the run's are networks.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from trainer import chance
from trainer.attributes import Attributes
from trainer.candidates import Candidates, Selector, whole
from trainer.captions import Pairs, pairs_of, together
from trainer.columns import Words
from trainer.comparing import Sample
from trainer.confirmed import said
from trainer.recipe import Recipe

SHARPNESS = 1 / 0.07  # of a cosine, where learnt temperatures start


def selected(recipe: Recipe, drawn: Sample, seed: int) -> Sample:
    """The sample with the batch that the recipe's selector chooses; as it is without a selector. The same seed gives
    the same. Raises: BadInput where the selector has nothing to go by."""
    if recipe.selector is None:
        return drawn
    words, attributes = recipe.look, drawn.attributes
    if not isinstance(words, Words) or attributes is None:
        raise BadInput("a selector chooses pictures by their words, and there are none here. Import captions.")
    if words.learner is not None:
        raise BadInput(
            "before training a selector goes by a frozen tower of words. Compare with tower=ngrams or minilm."
        )
    for part in recipe.readers:
        part.learn_of(attributes)
    rows = _able(recipe.selector, words, attributes, torch.cat([drawn.rows, drawn.others]))
    size = min(whole(len(drawn.rows), recipe.selector.filter), len(rows))
    if size < 2:
        raise BadInput(f"{size} pictures with words to choose from, at least 2 expected. Import more, or reject fewer.")
    rows = rows[:size].sort().values
    random = chance.generator(seed, chance.CHOICE)
    candidates = _candidates(recipe.selector, words, attributes, drawn, rows)
    places = recipe.selector(
        candidates, len(drawn.rows), lambda: torch.rand(len(rows), generator=random, dtype=torch.float64)
    )
    batch = rows[places].sort().values
    everybody = torch.cat([drawn.rows, drawn.others])
    return replace(drawn, rows=batch, others=everybody[~torch.isin(everybody, batch)])


def _able(selector: Selector, words: Words, attributes: Attributes, rows: Tensor) -> Tensor:
    """Those of the rows that have words, which nobody rejected."""
    able = words.codes >= 0
    if "reference" in selector.reads:
        verdicts = said(attributes, selector.confirmed)  # type: ignore[attr-defined]
        able &= torch.tensor([verdicts.get(number, True) for number in attributes.ids.tolist()])
    return rows[able[rows]]


def _candidates(selector: Selector, words: Words, attributes: Attributes, drawn: Sample, rows: Tensor) -> Candidates:
    """What the selector reads of these rows."""
    models = dict.fromkeys(("learner", "reference"))
    if not models.keys().isdisjoint(selector.reads):
        models |= _scores(selector, words, attributes, drawn, rows)
    return Candidates(
        words.codes[rows], **models, told=words.rows[rows] if "told" in selector.reads else None,
        wanted=selector.wanted(words, attributes) if "wanted" in selector.reads else None,  # type: ignore[attr-defined]
    )  # fmt: skip


def _scores(
    selector: Selector, words: Words, attributes: Attributes, drawn: Sample, rows: Tensor
) -> dict[str, Tensor]:  # fmt: skip
    """(S, S) of every picture with everybody's words, by a head of all pairs and by one of confirmed pairs."""
    ids, texts = attributes.ids, attributes.texts(words.column)
    told = {number: text for number, text in zip(ids.tolist(), texts, strict=True) if text}
    pairs = pairs_of(drawn.vectors.numpy(), ids, told, (words.tower,))
    verdicts = said(attributes, selector.confirmed) if "reference" in selector.reads else {}  # type: ignore[attr-defined]
    sure = np.array([float(verdicts.get(number) is True) for number in pairs.ids.tolist()])
    at = np.searchsorted(pairs.ids, ids[rows.numpy()])
    weights = {"learner": np.ones(len(sure)), "reference": sure}
    return {name: _head(pairs, weights[name], at) for name in weights if name in selector.reads}


def _head(pairs: Pairs, weight: np.ndarray, at: np.ndarray) -> Tensor:
    one, other = together(pairs.pictures[weight > 0], pairs.words[0][weight > 0], weight[weight > 0])
    sides = (torch.from_numpy(side).float() for side in (pairs.pictures[at] @ one, pairs.words[0][at] @ other))
    seen, told = (normalize(side, dim=1) for side in sides)
    return SHARPNESS * seen @ told.T
