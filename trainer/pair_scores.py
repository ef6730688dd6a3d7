"""How likely is it that a text belongs to a picture, and is not just any text? By what a trained network says.

    tells pairs       p = its own answer                              taught on as many right as wrong pairs
    tells words       p = sigmoid(log p(t | x) - log mean_k p(t | x_k))     x_k: other pictures of the collection
    compares vectors  p = sigmoid(s(x, t) - log mean_k exp s(x, t_k))       t_k: other texts; s: cosine / temperature

All three estimate p(x, t) / (p(x, t) + p(x) p(t)): one half means that the text fits as well as one picked at random.
A network that was taught these very pairs has seen wrong ones, too; the fewer epochs, the less it knows them by heart.
Source: Oord, Li, Vinyals 2018, arXiv 1807.03748, section 2.3, for what the last two of them estimate.
"""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from trainer.columns import Words, unit_rows
from trainer.fusion.looking import Fusion
from trainer.fusion.nets import PAIR
from trainer.fusion.telling import match_chances, places_of, text_log_probs, tokens_of
from trainer.modalities import HEAD, PICTURE
from trainer.network import Network
from trainer.recipe import Recipe, columns_of

OTHERS = 16  # other pictures, or other texts, that a pair is compared with


def can_score(recipe: Recipe) -> bool:
    """Whether a system compares words with pictures, or reads both together."""
    return isinstance(recipe.look, Fusion) or words_of(recipe) is not None


def words_of(recipe: Recipe) -> tuple[Words, int] | None:
    """The words that a system compares with its pictures, and which of its predictors makes rows of them; None where it
    does not."""
    pairs = {frozenset(match) for term in recipe.terms for match in term.matches or recipe.matches}
    for at, column in enumerate(columns_of(recipe.look)):
        if isinstance(column, Words) and frozenset((PICTURE, PICTURE + 1 + at)) in pairs:
            return column, HEAD + at
    return None


def pair_scores(recipe: Recipe, network: Network, pictures: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """(N,) float64 chances in [0, 1] that text i belongs to picture i.

    recipe: whose look has learnt its vocabulary. pictures: (N, S, S, 3) uint8 as the network wants them, or maps. The
    same input gives the same. Raises: BadInput for a system that reads no words.
    """
    look = recipe.look
    if isinstance(look, Fusion):
        places, tokens = places_of(network, look, pictures), tokens_of(look, texts)
        if any(anchor == PAIR for term in recipe.terms for anchor, _ in term.matches or ()):
            found = match_chances(network, places, tokens)
        else:
            found = beside_others(lambda at: text_log_probs(network, look, places[at], tokens), len(places))
    elif words_of(recipe) is not None:
        found = _by_vectors(recipe, network, pictures, texts)
    else:
        raise BadInput("a system that reads words beside pictures expected. See: pairwright methods.")
    return found.double().cpu().numpy()


def beside_others(log_score: Callable[[Tensor], Tensor], count: int) -> Tensor:
    """(N,) sigmoid(own - log mean of others). log_score: (N,) places of partners -> (N,) scores of each with its
    own."""
    itself = torch.arange(count)
    steps = np.random.default_rng(0).permutation(np.arange(1, count))[:OTHERS].tolist()
    if not steps:
        return torch.full((count,), 0.5)
    others = torch.stack([log_score((itself + step) % count) for step in steps])
    return torch.sigmoid(log_score(itself) - (torch.logsumexp(others, 0) - np.log(len(steps))))


@torch.no_grad()
def _by_vectors(recipe: Recipe, network: Network, pictures: np.ndarray, texts: Sequence[str]) -> Tensor:
    network.eval()
    words, which = cast(tuple[Words, int], words_of(recipe))
    head = network.predictors[which]
    shown = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    pixels = [part.float() / 255 if part.dtype == torch.uint8 else part.float() for part in shown.split(256)]
    z = normalize(torch.cat([network(part)[:, : network.outputs] for part in pixels]), dim=1)
    t = unit_rows(head, torch.from_numpy(words.read(texts)))
    learnt = cast(Tensor | None, head.sharpness())  # type: ignore[operator]
    scale = 1 / getattr(recipe.terms[0].objective, "temperature", 1.0) if learnt is None else learnt
    return beside_others(lambda at: scale * (z * t[at]).sum(1), len(z))
