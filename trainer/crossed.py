"""Each of two modalities learns the clusters of the other: what sounds alike should look alike, and the reverse.

    before every epoch  c^a, c^x = k-means of what recordings and pictures are encoded as;  W_x, W_a anew
    s_x = W_x z_x predicts c^a,   s_a = W_a z_a predicts c^x

A pool of it: anchors are scores, keys are clusters of the other modality as rows with a single 1. Terms without a
predictor compare z itself, as answers do.
Source: Alwassel, Mahajan, Korbar, Torresani, Ghanem, Tran 2020, "Self-supervised learning by cross-modal audio-video
clustering" (XDC), arXiv 1911.12667, section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import faiss
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from db.errors import BadInput
from trainer import chance
from trainer.attributes import Attributes
from trainer.columns import unit_rows
from trainer.encoding import Encoders
from trainer.modalities import HEAD, PICTURE, Beside, SeenBeside
from trainer.pool import Pool

if TYPE_CHECKING:
    from trainer.recipe import Recipe, Term

CLASSIFIERS = HEAD + 1  # the first of the predictors that tell clusters, one a modality
STEPS = 25  # of k-means


@dataclass(eq=False)
class Crossed:
    """A way to look. beside: how batches are seen, one column. clusters: at most, and at most a fifth of the items.
    least: steps from one clustering to the next, at least; it is done between epochs. seed: of k-means and of the
    classifiers."""

    takes_maps: ClassVar[bool] = True

    beside: Beside
    clusters: int = 64
    least: int = 20
    seed: int = 0
    _clusters: Tensor = field(default_factory=lambda: torch.zeros(0, 2, dtype=torch.int64), init=False, repr=False)

    def __post_init__(self) -> None:
        if self.clusters < 2:
            raise BadInput(f"clusters = at least 2 expected, got {self.clusters}.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Crossed) and (self.beside, self.clusters) == (other.beside, other.clusters)

    def learn_of(self, attributes: Attributes) -> None:
        """As `Beside.learn_of`."""
        self.beside.learn_of(attributes)

    def classifiers(self) -> tuple["Classifier", ...]:
        """What tells clusters, of pictures and of what stands beside them."""
        return Classifier(self.clusters), Classifier(self.clusters)

    def __call__(self, recipe: "Recipe", encoders: Encoders, *batch: Any, **more: Any) -> "SeenCrossed":
        """As `trainer.pools.look`: the batch, and the clusters of its items."""
        seen = self.beside(recipe, encoders, *batch, **more)
        return SeenCrossed(seen, self._clusters[seen.known.rows.cpu()].to(seen.known.rows.device), self.clusters)

    @torch.no_grad()
    def renew(
        self, epoch: int, steps: int, progress: float, encoders: Encoders, pictures: np.ndarray
    ) -> list[nn.Parameter]:
        """Before an epoch of so many steps: both modalities are clustered, and what tells clusters begins anew. Returns
        its weights."""
        column, network = self.beside.columns[0], encoders.network
        if not len(column.rows) or epoch % -(-self.least // steps):
            return []
        there = torch.nonzero(column.codes >= 0)[:, 0]
        heard = unit_rows(network.predictors[HEAD], column.rows[there].to(encoders.device))
        found = torch.full((len(column.codes), 2), -1)
        for side, rows in enumerate((encoders.embed(pictures)[there.numpy()], heard.cpu().numpy())):
            found[there, side] = torch.from_numpy(clustered(rows, self.clusters, self.seed + epoch))
        self._clusters = found
        made = [network.predictors[CLASSIFIERS + side] for side in (0, 1)]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(chance.number(self.seed, chance.CLASSES, epoch))
            for layer in made:
                layer.reset_parameters()  # type: ignore[operator]
        return [weight for layer in made for weight in layer.parameters()]

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"clusters": self._clusters}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with what a checkpoint kept."""
        self._clusters = state["clusters"].clone()


@dataclass(frozen=True, eq=False)
class SeenCrossed:
    """One batch. seen: without clusters. clusters: (B, 2) by picture and by what stands beside it, -1 without it.
    count: classes."""

    seen: SeenBeside
    clusters: Tensor
    count: int
    keys: Mapping[int, Tensor] = field(default_factory=dict)

    def pools(self, term: "Term", recipe: "Recipe", encoders: Encoders) -> list[Pool]:
        """Scores of one modality against clusters of the other, a pool for each match."""
        if term.predictor is None:
            return self.seen.pools(term, recipe, encoders)
        return [self.pool(one, other, encoders) for one, other in term.matches or recipe.matches]

    def pool(self, one: int, other: int, encoders: Encoders) -> Pool:
        """Of one match. (B' x B')"""
        kept, plain = self.seen.known.between(one, other)
        scores = encoders.network.predictors[CLASSIFIERS + one - PICTURE](self.seen.shown[one][kept]).float()
        classes = one_hot(self.clusters[kept, other - PICTURE], self.count).to(scores)
        return replace(plain, anchors=scores, keys=classes, progress=self.seen.progress)


@dataclass(frozen=True)
class Classifier:
    """A head in the place of a predictor: from z to scores. classes: how many."""

    classes: int

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        return nn.Linear(inputs, self.classes)


def clustered(rows: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """(N, D) float rows -> (N,) int64 cluster of each, made of length 1; at most a fifth of N clusters."""
    unit = np.ascontiguousarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
    count = max(min(clusters, len(unit) // 5), 1)
    means = faiss.Kmeans(unit.shape[1], count, niter=STEPS, seed=seed, min_points_per_centroid=1)
    means.train(unit)
    found: np.ndarray = means.index.search(unit, 1)[1][:, 0]
    return found
