"""Generated pictures on their way into training: which there are, and how a step looks at them beside the real ones.

CLSP   views 0 and 1 of the picture, view 2 of a generated one:     a term of its own pulls z_1 to z_2
Wu     two views of the picture, two of a generated one:            four views of one thing, 4B x 4B
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from trainer import chance
from trainer.encoding import Encoders
from trainer.pool import Pool
from trainer.pools import About, Earlier, Seen, look
from trainer.positives.generated import PositiveSource
from trainer.recipe import Recipe, Term


@dataclass(frozen=True, eq=False)
class Generated:
    """pictures: (M, S, S, 3) uint8. anchors: (M,) int64, the items they were made of."""

    pictures: np.ndarray
    anchors: np.ndarray

    @cached_property
    def order(self) -> np.ndarray:
        """(M,) rows, anchor by anchor."""
        return np.argsort(self.anchors, kind="stable")

    @cached_property
    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """(A,) rising ids of the anchors, and how many pictures each has."""
        return np.unique(self.anchors, return_counts=True)

    def place(self, ids: np.ndarray) -> np.ndarray:
        """(n,) places of items among the anchors, -1 for one without a picture."""
        anchors, _ = self.known
        at = np.searchsorted(anchors, ids).clip(max=max(len(anchors) - 1, 0))
        return np.where(anchors[at] == ids, at, -1) if len(anchors) else np.full(len(ids), -1)

    def drawn(self, random: np.random.Generator) -> np.ndarray:
        """(A,) a row of each anchor's."""
        _, counts = self.known
        begin = np.cumsum(counts) - counts
        return self.order[begin + (random.random(len(counts)) * counts).astype(np.int64)]


@dataclass(frozen=True)
class ThirdView:
    """A way to look: as ever, and at a view of the generated picture beside it."""

    source: PositiveSource

    def __call__(
        self, recipe: Recipe, encoders: Encoders, pictures: Tensor, rows: Tensor, ids: Tensor, *, earlier: Earlier,
        about: About, seed: int, step: int, progress: float,
    ) -> "SeenThird":  # fmt: skip
        """As `trainer.pools.look`."""
        known = {"earlier": earlier, "about": about, "seed": seed, "step": step, "progress": progress}
        seen = look(recipe, encoders, pictures, rows, ids, **known)  # type: ignore[arg-type]
        shown = self.source.shown(ids[rows], pictures)
        third = encoders.online(recipe.views[1](shown, chance.generator(seed, chance.VIEWS, step, 2)))
        bare = torch.zeros(len(rows), 0, device=ids.device)
        plain = Pool.of(bare, bare, ids[rows], ids[rows], *about(rows, rows))
        return SeenThird(seen, third, replace(plain, progress=progress))


@dataclass(frozen=True, eq=False)
class SeenThird:
    """third: (B, d) z of the generated pictures. plain: a pool (B x B) without vectors for the term that sees them."""

    seen: Seen
    third: Tensor
    plain: Pool

    @property
    def keys(self) -> Mapping[int, Tensor]:
        """Those of the real pictures."""
        return self.seen.keys

    def pools(self, term: Term, recipe: Recipe, encoders: Encoders) -> list[Pool]:
        """The term with the generated pictures sees z_1 of the real one against them, any other what it ever does."""
        if not term.beside:
            return self.seen.pools(term, recipe, encoders)
        anchors = encoders.shown(self.seen.online[1], term.predictor)
        return [replace(self.plain, anchors=anchors, keys=encoders.shown(self.third))]


@dataclass(frozen=True)
class FourViews:
    """A way to look: two views of the picture and two of its generated one, all four of one item. An item without a
    generated picture has four views of its own."""

    source: PositiveSource

    def __call__(
        self, recipe: Recipe, encoders: Encoders, pictures: Tensor, rows: Tensor, ids: Tensor, *, earlier: Earlier,
        about: About, seed: int, step: int, progress: float,
    ) -> "SeenFour":  # fmt: skip
        """As `trainer.pools.look`."""
        random, made = chance.generator(seed, chance.VIEWS, step), self.source.shown(ids[rows], pictures)
        views = [view(shown, random) for shown in (pictures, made) for view in recipe.views[:2]]
        z, met = encoders.online(torch.cat(views)), rows.repeat(4)
        bare = torch.zeros(len(met), 0, device=ids.device)
        plain = Pool.of(bare, bare, ids[met], ids[met], *about(met, met))
        return SeenFour(z, replace(plain, progress=progress))


@dataclass(frozen=True, eq=False)
class SeenFour:
    """z: (4B, d), with gradient. plain: a pool (4B x 4B) without vectors."""

    z: Tensor
    plain: Pool
    keys: Mapping[int, Tensor] = field(default_factory=dict)

    def pools(self, term: Term, recipe: Recipe, encoders: Encoders) -> list[Pool]:
        """All views against all views."""
        keys = encoders.shown(self.z)
        anchors = keys if term.predictor is None else encoders.shown(self.z, term.predictor)
        return [replace(self.plain, anchors=anchors, keys=keys)]
