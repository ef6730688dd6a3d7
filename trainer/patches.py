"""Pictures as sequences: overlapping patches, row by row, so that what comes below can be predicted.

    z_{r,u} = encoder(patch in row r, column u),   c_{r,u} = GRU(z_{0,u} .. z_{r,u}),   predicted z_{r+k,u}: W_k c_{r,u}

A pool of it: an anchor is one prediction, a key is one patch, and their ids name picture and place. So the own key is
the patch predicted, and every other patch of the batch, of the same picture too, is another item. What answers say of
two pictures holds for their patches: at the same place they may belong together, apart they are everywhere.
Source: Oord, Li, Vinyals 2018, "Representation learning with contrastive predictive coding", arXiv 1807.03748,
section 3.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from trainer import chance
from trainer.encoding import Encoders
from trainer.pool import Pool
from trainer.pools import About, Earlier
from trainer.recipe import Recipe, Term


@dataclass(frozen=True)
class Patches:
    """grid: patches a side, at least 2. share: of the picture's side that a patch has, in (0, 1]. ahead: K, how many
    rows further down are predicted."""

    grid: int = 3
    share: float = 0.5
    ahead: int = 2

    @property
    def places(self) -> int:
        """Patches of a picture."""
        return self.grid**2

    @property
    def targets(self) -> list[int]:
        """The place that each prediction of a picture is about: k = 1 .. K, then rows, then columns."""
        lower = [range(k * self.grid, self.places) for k in range(1, min(self.ahead, self.grid - 1) + 1)]
        return [place for rows in lower for place in rows]

    def cut(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B places, 3, s, s), row by row."""
        side = round(self.share * pixels.shape[-1])
        starts = torch.linspace(0, pixels.shape[-1] - side, self.grid).round().long().tolist()
        cut = [pixels[:, :, down : down + side, right : right + side] for down in starts for right in starts]
        return torch.stack(cut, 1).flatten(0, 1)

    def __call__(
        self, recipe: Recipe, encoders: Encoders, pictures: Tensor, rows: Tensor, ids: Tensor, *, earlier: Earlier,
        about: About, seed: int, step: int, progress: float,
    ) -> "SeenPatches":  # fmt: skip
        """As `trainer.pools.look`: draw one view of every picture, cut it, encode the patches."""
        view = recipe.views[0](pictures, chance.generator(seed, chance.VIEWS, step))
        return SeenPatches(encoders.online(self.cut(view)), self.plain(ids[rows], *about(rows, rows), progress))

    def plain(self, ids: Tensor, same: Tensor, said: Tensor, progress: float = 0.0) -> Pool:
        """A pool without vectors. ids (B,); same, said (B, B): what is known about the pictures.

        Returns: (B predictions) x (B places); ids are id * places + place.
        """
        wanted = torch.tensor(self.targets, device=ids.device).repeat(len(ids))
        place = torch.arange(self.places, device=ids.device).repeat(len(ids))
        there = wanted[:, None] == place[None, :]  # (B predictions, B places)

        def spread(pairs: Tensor) -> Tensor:
            return pairs.repeat_interleave(len(self.targets), 0).repeat_interleave(self.places, 1)

        said, other = spread(said), spread(ids[:, None] != ids[None, :])
        said = torch.where(other & (there | (said < 0)), said, 0)
        anchor_ids = ids.repeat_interleave(len(self.targets)) * self.places + wanted
        key_ids = ids.repeat_interleave(self.places) * self.places + place
        bare = torch.zeros(len(anchor_ids), 0, device=ids.device), torch.zeros(len(key_ids), 0, device=ids.device)
        return replace(Pool.of(*bare, anchor_ids, key_ids, spread(same) * there, said), progress=progress)


@dataclass(frozen=True, eq=False)
class SeenPatches:
    """One batch of patches, encoded. z: (B places, d), with gradient; plain: a pool without vectors."""

    z: Tensor
    plain: Pool
    keys: Mapping[int, Tensor] = field(default_factory=dict)

    def pools(self, term: Term, recipe: Recipe, encoders: Encoders) -> list[Pool]:
        """The one pool of a term: what its predictor says comes below, against all patches."""
        return [replace(self.plain, anchors=encoders.shown(self.z, term.predictor), keys=encoders.shown(self.z))]


@dataclass(frozen=True)
class Below:
    """A predictor: the context of every patch from the rows down to its own, then one matrix W_k a distance."""

    patches: Patches

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        return _Below(self.patches, inputs, outputs)


class _Below(nn.Module):
    def __init__(self, patches: Patches, inputs: int, outputs: int) -> None:
        super().__init__()
        self.grid, steps = patches.grid, min(patches.ahead, patches.grid - 1)
        self.context = nn.GRU(inputs, inputs, batch_first=True)
        self.ahead = nn.ModuleList(nn.Linear(inputs, outputs, bias=False) for _ in range(steps))

    def forward(self, z: Tensor) -> Tensor:
        """(B places, d) -> (B predictions, d), in the order of `Patches.targets`."""
        grid = z.view(-1, self.grid, self.grid, z.shape[1])  # (B, rows, columns, d)
        columns = grid.transpose(1, 2).flatten(0, 1)  # (B columns, rows, d)
        context = self.context(columns)[0].view(len(grid), self.grid, self.grid, -1).transpose(1, 2)
        below = [W(context[:, : self.grid - k]).flatten(1, 2) for k, W in enumerate(self.ahead, start=1)]
        return torch.cat(below, 1).flatten(0, 1)
