"""Which pairs a named system would create on a collection, before anything is trained.

    a batch and a queue of other items, embedded as they are now -> pool -> positives -> negatives -> obey
    pull:  pos_ij                push: w_ij exp((1 + tilt) s_ij) / sum_j,  s = cosine / temperature of the term

Only open pairs are looked at: another item than the anchor's own, and nothing that the known answers settle, for what
they settle every system obeys. An item's views share one row, so a system with both views meets every item twice, as in
training. The encoders are never called.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainer import chance
from trainer.attributes import Attributes
from trainer.negative_report import _temperature
from trainer.overlay import POSITIVES
from trainer.pool import Pool, obey
from trainer.pools import About
from trainer.recipe import Recipe, Term
from trainer.views import Views

KINDS = ("positives", "negatives", "push", "detected")
WARM = 4  # batches that parts with a memory of their own see first
SHOWN_VIEWS = 6


@dataclass(frozen=True, eq=False)
class Sample:
    """vectors: (N, d) unit rows of ids (N,), which rise. rows: (B,) of the batch; others: the remaining rows, mixed.

    about: what is known of pairs of rows. progress: how far the training is taken to be, in [0, 1]. attributes:
    metadata of the items, None where there is none.
    """

    vectors: Tensor
    ids: Tensor
    rows: Tensor
    others: Tensor
    about: About
    progress: float = 0.5
    attributes: Attributes | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """Distinct pairs of items. a, b: (P,) int64, a < b. weight: (P,) > 0. cosine: (P,). term: (P,) its place."""

    a: np.ndarray
    b: np.ndarray
    weight: np.ndarray
    cosine: np.ndarray
    term: np.ndarray

    def __len__(self) -> int:
        return len(self.a)


@dataclass(frozen=True, eq=False)
class Created:
    """What a system creates. of: pairs of each of KINDS: what pulls, what pushes by weight and by share of the push,
    what is taken for false negatives. each: how many other items an anchor has of every kind. terms: their names.
    own: whether an anchor's own view pulls. answered: how many pairs that answers put together pull. repels: whether
    other pictures push. synthetic: made-up negatives an anchor."""

    of: dict[str, Pairs]
    each: dict[str, float]
    terms: tuple[str, ...]
    own: bool
    answered: int
    repels: bool
    synthetic: float


def sample(
    vectors: np.ndarray, ids: np.ndarray, about: About, *, answered: np.ndarray, size: int, seed: int,
    progress: float = 0.5, attributes: Attributes | None = None,
) -> Sample:  # fmt: skip
    """A batch of at most `size` items, half of them with answers where there are as many, as training draws them.

    answered: (A,) rows with answers. The same seed gives the same batch.
    """
    random = np.random.default_rng((seed, chance.ORDER))
    order, known = random.permutation(len(ids)), random.permutation(answered)[: size // 2]
    rows = np.concatenate([known, order[~np.isin(order, known)]])[:size].astype(np.int64)
    others = order[~np.isin(order, rows)]
    return Sample(_tensor(vectors), _tensor(ids), _tensor(np.sort(rows)), _tensor(others), about, progress, attributes)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


@torch.no_grad()
def created(recipe: Recipe, drawn: Sample, *, answers: bool = False) -> Created:
    """The open pairs of a batch under every term of a recipe. answers: whether must-links pull, as with a criterion."""
    terms = [replace(term, positives=(*term.positives, *POSITIVES)) if answers else term for term in recipe.terms]
    _warm(recipe, terms, drawn)
    pools = [_curated(recipe, term, _pool(recipe, drawn, drawn.rows, drawn.others)) for term in terms]
    repels = [_repels(term, pool) for term, pool in zip(terms, pools, strict=True)]
    weights = [_weights(term, pool, push) for term, pool, push in zip(terms, pools, repels, strict=True)]
    met = list(zip(pools, weights, strict=True))
    each = {kind: sum(_others(pool, one[kind]) for pool, one in met) for kind in KINDS}
    made = [0 if pool.synthetic is None or not push else pool.synthetic.shape[1]
            for pool, push in zip(pools, repels, strict=True)]  # fmt: skip
    return Created(
        {kind: _distinct([(pool, one[kind]) for pool, one in met]) for kind in KINDS},
        each, tuple(map(_name, terms)), any(bool(((pool.pos > 0) & pool.own).any()) for pool in pools),
        sum(int(((pool.pos > 0) & (pool.said > 0) & ~pool.own).sum()) for pool in pools), any(repels), float(sum(made)),
    )  # fmt: skip


def draw(pairs: Pairs, times: int, seed: int) -> np.ndarray:
    """(times,) places in `pairs`, drawn with replacement by their weight; empty where there are none."""
    if not len(pairs):
        return np.empty(0, np.int64)
    return np.random.default_rng(seed).choice(len(pairs), times, p=pairs.weight / pairs.weight.sum())


def seen(views: Sequence[Views], pictures: np.ndarray, seed: int) -> list[list[np.ndarray]]:
    """For each of (P, S, S, 3) uint8 pictures its first views, (V, V, 3) uint8 each, as a run would draw them."""
    random = chance.generator(seed, chance.VIEWS)
    pixels = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    drawn = [(255 * view(pixels, random)).round().byte().permute(0, 2, 3, 1).numpy() for view in views[:SHOWN_VIEWS]]
    return [[view[place] for view in drawn] for place in range(len(pictures))]


# the parts ------------------------------------------------------------------------------------------------------------
def _pool(recipe: Recipe, drawn: Sample, rows: Tensor, others: Tensor) -> Pool:
    """A batch and a queue as `trainer.pools` puts them together, nobody having curated them yet."""
    second = _mates(recipe, rows)
    met = torch.cat([rows, second]) if recipe.both_views else rows
    candidates = torch.cat([met if recipe.both_views else second, others[: recipe.queue]])
    vectors, ids = drawn.vectors, drawn.ids
    pool = Pool.of(vectors[met], vectors[candidates], ids[met], ids[candidates], *drawn.about(met, candidates))
    if not recipe.batch_pushes:
        pool = pool.resting(torch.arange(len(candidates)) < len(met))
    support = vectors[met][:, None].expand(-1, recipe.support, -1) if recipe.support else None
    return replace(pool, support=support, progress=drawn.progress)


def _mates(recipe: Recipe, rows: Tensor) -> Tensor:
    """(B,) rows whose pictures are the second view: of partners where a source draws them."""
    drawn = None if recipe.mates is None else recipe.mates.drawn
    return rows if drawn is None else drawn.partner[rows]


def _curated(recipe: Recipe, term: Term, pool: Pool) -> Pool:
    """As in a step of training: positives, nobody meets itself, negatives, answers."""
    for source in term.positives:
        pool = source(pool)
    if recipe.both_views:
        itself = torch.eye(*pool.pos.shape, dtype=torch.bool)
        pool = replace(pool, pos=pool.pos.masked_fill(itself, 0.0))
    return obey(term.negatives(pool))


def _warm(recipe: Recipe, terms: Sequence[Term], drawn: Sample) -> None:
    """Parts that look at the whole collection or its metadata look once, and draw; those that remember batches see
    some of other items."""
    _introduce(terms, drawn)
    parts = [part for term in terms for part in (term.negatives, *term.positives)]
    for part in parts:
        if hasattr(part, "refresh"):
            part.refresh(drawn.vectors, drawn.ids, drawn.progress)
        if hasattr(part, "deal"):
            part.deal(0)
    if not any(hasattr(part, "after_step") for part in parts):
        return
    for rows in _batches(drawn):
        for term in terms:
            pool = _curated(recipe, term, _pool(recipe, drawn, rows, drawn.others))
            for part in (term.negatives, *term.positives):
                if hasattr(part, "after_step"):
                    part.after_step(pool)


def _introduce(terms: Sequence[Term], drawn: Sample) -> None:
    """Parts that read metadata do so."""
    for part in (part for term in terms for part in term.parts if hasattr(part, "learn_of")):
        if drawn.attributes is not None:
            part.learn_of(drawn.attributes)


def _batches(drawn: Sample) -> Iterator[Tensor]:
    size = len(drawn.rows)
    for at in range(0, min(WARM * size, len(drawn.others)), size):
        yield drawn.others[at : at + size].sort().values


def _repels(term: Term, pool: Pool) -> bool:
    """Whether other pictures push under this objective: its value changes once nobody does.

    An objective that compares something else than keys cannot be asked that way, and pushes no picture.
    """
    if not getattr(term.objective, "repels", True):
        return False
    quiet = replace(pool, neg=torch.zeros_like(pool.neg), confirmed=torch.zeros_like(pool.confirmed), synthetic=None)
    loud = replace(pool, tau_plus=None)
    try:
        values = [float(deepcopy(term.objective)(one)) for one in (loud, replace(quiet, tau_plus=None))]
    except Exception:
        return False
    return bool(np.isfinite(values).all()) and abs(values[0] - values[1]) > 1e-9


def _weights(term: Term, pool: Pool, repels: bool) -> dict[str, Tensor]:
    """(B, K) weight of each open pair in each of KINDS."""
    open_ = ~pool.own & (pool.said == 0)
    nothing = torch.zeros_like(pool.pos)
    pushes = torch.where(open_, pool.neg + pool.confirmed, nothing) if repels else nothing
    scores = (1 + pool.tilt) * (pool.anchors @ pool.keys.T) / _temperature(term.objective)
    share = torch.softmax(torch.where(pushes > 0, scores + pushes.clamp_min(1e-30).log(), -torch.inf), 1)
    detected = nothing if pool.detected is None or not repels else (pool.detected & open_).to(nothing)
    return {
        "positives": term.weight * torch.where(open_, pool.pos, nothing),
        "negatives": term.weight * pushes,
        "push": term.weight * share.nan_to_num(0.0),
        "detected": detected,
    }


def _others(pool: Pool, weight: Tensor) -> float:
    """How many other items have weight for an anchor, on average; an item's two views count once."""
    items, place = torch.unique(pool.key_ids, return_inverse=True)
    met = torch.zeros(len(weight), len(items)).index_add_(1, place, (weight > 0).float())
    return float((met > 0).sum(1).double().mean())


def _distinct(found: Sequence[tuple[Pool, Tensor]]) -> Pairs:
    """The pairs of items with weight, each once a term: a pair that is met from both sides has both weights."""
    columns: list[list[np.ndarray]] = [[], [], [], [], []]
    for number, (pool, weight) in enumerate(found):
        row, column = (place.numpy() for place in weight.nonzero(as_tuple=True))
        one, other = pool.anchor_ids.numpy()[row], pool.key_ids.numpy()[column]
        high = np.maximum(one, other)
        span = int(high.max(initial=0)) + 1
        pairs, first, place = np.unique(
            np.minimum(one, other) * span + high, return_index=True, return_inverse=True
        )  # one number a pair
        total = np.bincount(place, weight.numpy()[row, column], len(pairs))
        cosine = np.einsum("pd,pd->p", pool.anchors.numpy()[row[first]], pool.keys.numpy()[column[first]])
        for kept, new in zip(
            columns, (pairs // span, pairs % span, total, cosine, np.full(len(pairs), number)), strict=True
        ):
            kept.append(new)
    return Pairs(*(np.concatenate(kept) for kept in columns))


def _name(term: Term) -> str:
    """A term by what pulls, what curates and what it minimises, as their files are called."""
    parts: list[Any] = [*term.positives, term.negatives, term.objective]
    files = [type(part).__module__.rpartition(".")[2] for part in parts]
    plain = {"own_view", "must_links", "uniform"}
    return " + ".join(dict.fromkeys(name for name in files if name not in plain))
