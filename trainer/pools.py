"""From pictures to pools: views are drawn and encoded, and every anchor meets its candidates.

    rows -> views -> z of the anchors (network), keys (network or target) [+ queue] -> a pool for each match of views

Nobody curated these pools yet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from torch import Tensor

from trainer import chance
from trainer.encoding import Encoders
from trainer.pool import Pool
from trainer.positives._near import nearest
from trainer.recipe import Recipe, Term

About = Callable[
    [Tensor, Tensor], tuple[Tensor, Tensor]
]  # rows, others -> chance that they are the same, what was said

Earlier = tuple[Tensor, Tensor]  # (E, d) keys made before this step, and the (E,) rows they came from


@dataclass(frozen=True, eq=False)
class Seen:
    """One batch, encoded. online: view -> (B, d) z with gradient; keys: view -> (B, d) rows as the loss sees them.
    rows, ids: (B,). plain: a pool without vectors that knows ids, chances and answers of every anchor and candidate."""

    online: dict[int, Tensor]
    keys: dict[int, Tensor]
    rows: Tensor
    ids: Tensor
    plain: Pool
    earlier: Tensor

    def pools(self, term: Term, recipe: Recipe, encoders: Encoders) -> list[Pool]:
        """The pools of one term, one for each match."""
        if recipe.both_views:
            z = torch.cat([self.online[0], self.online[1]])
            keys = encoders.shown(z)
            pool = self._pool(keys if term.predictor is None else encoders.shown(z, term.predictor), keys)
            return [self._seen(pool, encoders) if recipe.seen else pool]
        matches = term.matches or recipe.matches
        if bag := encoders.bag(term.predictor):
            return [self._centroids(anchor, key, term.predictor, bag, encoders) for anchor, key in matches]
        pools = [
            self._pool(encoders.shown(self.online[anchor], term.predictor), self.keys[key]) for anchor, key in matches
        ]
        if not recipe.seen:
            return pools
        beside = [encoders.beside(self.online[anchor]) for anchor, _ in matches]
        return [
            replace(pool, anchor_groups=groups, features=features)
            for pool, (groups, features) in zip(pools, beside, strict=True)
        ]

    def _centroids(self, anchor: int, key: int, predictor: int | None, bag: int, encoders: Encoders) -> Pool:
        """The centroid of a neighbourhood for each anchor, which knows z, and for each key, which does not. (B x B)"""
        anchors = encoders.centroid(predictor, self._near(anchor, bag), self.online[anchor])
        keys = encoders.centroid(predictor, self._near(key, bag))
        return replace(self.plain.first(len(self.rows)), anchors=anchors, keys=keys)

    def _near(self, view: int, count: int) -> Tensor:
        """(B, k, d) the earlier keys nearest to a key of the batch; itself where there are fewer that may be taken."""
        own, place = self.keys[view].detach(), len(self.rows)
        if not len(self.earlier):
            return own[:, None]
        found, allowed = nearest(own, self.earlier, self.plain.said[:, place:] >= 0, count)
        return torch.where(allowed[..., None], self.earlier.to(own)[found], own[:, None])

    def _seen(self, pool: Pool, encoders: Encoders) -> Pool:
        """The same with the groups of both views and the features of every anchor."""
        (one, these), (other, those) = (encoders.beside(self.online[view]) for view in (0, 1))
        return replace(pool, anchor_groups=one, key_groups=other, features=torch.cat([these, those]))

    def _pool(self, anchors: Tensor, keys: Tensor) -> Pool:
        every = torch.cat([keys, self.earlier.to(keys)]) if len(self.earlier) else keys
        return replace(self.plain, anchors=anchors, keys=every)


def look(
    recipe: Recipe, encoders: Encoders, pictures: Tensor, rows: Tensor, ids: Tensor, *, earlier: Earlier,
    about: About, seed: int, step: int, progress: float, mates: tuple[Tensor, Tensor] | None = None,
) -> Seen:  # fmt: skip
    """Draw the views of a batch, encode them, and look up what is known about every pair.

    pictures: (B, 3, S, S) uint8; rows: (B,) of them in ids (N,), which rises. mates: pictures and rows of partners, one
    each, that stand in the place of the pictures in every view but the first.
    """
    random = chance.generator(seed, chance.VIEWS, step)
    shown = pictures if mates is None else mates[0]
    views = [encoders.laid_out(view(shown if at else pictures, random)) for at, view in enumerate(recipe.views)]
    anchored, keyed = _used(recipe)
    online = _online(encoders, views, sorted(anchored | keyed if encoders.shared else anchored), recipe.both_views)
    if encoders.shared:
        keys = {number: encoders.shown(online[number]) for number in sorted(keyed)}
        keys = {number: one.detach() for number, one in keys.items()} if recipe.stopped else keys
    else:
        keys = {number: encoders.keys(views[number]) for number in sorted(keyed)}
    second = rows if mates is None else mates[1]
    met = torch.cat([rows, second]) if recipe.both_views else rows
    candidates = torch.cat([met if recipe.both_views else second, earlier[1]])
    bare = torch.zeros(len(met), 0, device=ids.device), torch.zeros(len(candidates), 0, device=ids.device)
    plain = Pool.of(*bare, ids[met], ids[candidates], *about(met, candidates))
    if not (recipe.batch_pushes and recipe.queue_pushes):
        of_batch = torch.arange(len(candidates), device=ids.device) < len(met)
        plain = plain.resting(of_batch & (not recipe.batch_pushes) | ~of_batch & (not recipe.queue_pushes))
    plain = replace(plain, support=_support(recipe, encoders, pictures, seed, step), progress=progress)
    return Seen(online, keys, rows, ids[rows], plain, earlier[0])


def _used(recipe: Recipe) -> tuple[set[int], set[int]]:
    """Views that anchors and keys are taken from."""
    if recipe.both_views:
        return {0, 1}, set()
    matches = [match for term in recipe.terms for match in term.matches or recipe.matches]
    return {anchor for anchor, _ in matches}, {key for _, key in matches}


def _online(encoders: Encoders, views: Sequence[Tensor], wanted: Sequence[int], together: bool) -> dict[int, Tensor]:
    """z of these views. Small crops of one size go through the network at once; large views each on its own, so that
    batch normalisation sees one view at a time, as in the papers."""
    large = views[0].shape[-1]
    found: dict[int, Tensor] = {}
    for side, group in groupby(wanted, lambda number: views[number].shape[-1]):
        members = list(group)
        parts = [members] if together or side < large else [[number] for number in members]
        for part in parts:
            seen = [views[number] for number in part]
            z = encoders.online(torch.cat(seen) if len(seen) > 1 else seen[0])
            found |= dict(zip(part, z.chunk(len(part)), strict=True))
    return found


@torch.no_grad()
def _support(recipe: Recipe, encoders: Encoders, pictures: Tensor, seed: int, step: int) -> Tensor | None:
    """(A, V, d) further views of each anchor, without gradient; the views of a picture share them."""
    if not recipe.support:
        return None
    random = chance.generator(seed, chance.SUPPORT, step)
    seen = [encoders.keys(recipe.views[0](pictures, random)) for _ in range(recipe.support)]
    stacked = torch.stack(seen, dim=1)
    return torch.cat([stacked, stacked]) if recipe.both_views else stacked
