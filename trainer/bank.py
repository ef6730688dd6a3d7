"""One slot of memory for every item and modality: candidates that cost no encoding, and neighbours that two agree on.

    v_i <- (m v_i + (1 - m) z_i) / |m v_i + (1 - m) z_i|   after every step that saw item i

A pool of it: keys are the slots of the batch's items, which push only where an answer says so, then slots of items
drawn evenly from all, anew for every step and shared by the batch. A match of a modality with itself compares items
with their neighbours in the bank, found every few epochs, and with fewer draws.
Source: Morgado, Vasconcelos, Misra 2021, "Audio-visual instance discrimination with cross-modal agreement", arXiv
2004.12943, sections 3.2 and 4; the bank: Wu et al. 2018, arXiv 1805.01978, section 3.2.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from db.errors import BadInput
from trainer import chance
from trainer.attributes import Attributes
from trainer.encoding import Encoders
from trainer.modalities import PICTURE, Beside, SeenBeside
from trainer.pool import Pool
from trainer.pools import About
from trainer.positives.consensus import agreed

if TYPE_CHECKING:
    from trainer.recipe import Recipe, Term

BOTH = (PICTURE, PICTURE + 1)


@dataclass(eq=False)
class Bank:
    """A way to look. beside: how batches are seen, one column. draws: negatives from another modality; within: from the
    same. momentum: m in [0, 1). neighbours: of each item, 0 for none; every: epochs from one search to the next, the
    first of them when the share `begins` of the run is done. seed: of the slots' start."""

    takes_maps: ClassVar[bool] = True

    beside: Beside
    draws: int = 1024
    within: int = 64
    momentum: float = 0.5
    neighbours: int = 0
    every: int = 5
    begins: float = 0.5
    seed: int = 0
    _slots: dict[int, Tensor] = field(default_factory=dict, init=False, repr=False)
    _near: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.int64), init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise BadInput(f"momentum = at least 0 and below 1 expected, got {self.momentum}.")
        for name, low in (("draws", 1), ("within", 1), ("neighbours", 0), ("every", 1)):
            if getattr(self, name) < low:
                raise BadInput(f"{name} = at least {low} expected, got {getattr(self, name)}.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bank) and all(
            getattr(self, name) == getattr(other, name)
            for name in ("beside", "draws", "within", "momentum", "neighbours", "every", "begins")
        )

    @property
    def there(self) -> Tensor:
        """(N,) rows that have a value in the column."""
        return torch.nonzero(self.beside.columns[0].codes >= 0)[:, 0]

    def learn_of(self, attributes: Attributes) -> None:
        """As `Beside.learn_of`."""
        self.beside.learn_of(attributes)

    def __call__(
        self, recipe: "Recipe", encoders: Encoders, pictures: Tensor, rows: Tensor, ids: Tensor, *, about: About,
        seed: int, step: int, progress: float, **more: Any,
    ) -> "SeenBank":  # fmt: skip
        """As `trainer.pools.look`: the batch, and what is drawn from the bank for it."""
        seen = self.beside(recipe, encoders, pictures, rows, ids, about=about, seed=seed, step=step,
                           progress=progress, **more)  # fmt: skip
        self._slots = {modality: slots.to(ids.device) for modality, slots in self._slots.items()}
        random, there = chance.generator(seed, chance.BANK, step), self.there
        drawn = [there[torch.randint(len(there), (count,), generator=random)] for count in (self.draws, self.within)]
        return SeenBank(self, seen, drawn[0].to(ids.device), drawn[1].to(ids.device), about)

    def renew(
        self, epoch: int, steps: int, progress: float, encoders: Encoders, pictures: np.ndarray
    ) -> list[nn.Parameter]:
        """Before an epoch: neighbours are found anew where it is time. Returns the weights that begin anew: none."""
        if not self._slots:
            sizes = len(pictures), encoders.outputs
            self._slots = {k: _scattered(*sizes, self.seed + k).to(encoders.device) for k in BOTH}
        elif self.neighbours and progress >= self.begins and epoch % self.every == 0:
            there = self.beside.columns[0].codes >= 0
            one, other = (self._slots[modality] for modality in BOTH)
            self._near = agreed(one, other, self.neighbours, there.to(one.device))
        return []

    def near(self, rows: Tensor) -> Tensor:
        """(B, k) rows of the neighbours of these, -1 where there are fewer; k = 0 before the first search."""
        return self._near.to(rows.device)[rows] if len(self._near) else rows[:, None][:, :0]

    def slots(self, modality: int, rows: Tensor) -> Tensor:
        """(n, d) of these rows."""
        return self._slots[modality][rows]

    @torch.no_grad()
    def take_in(self, rows: Tensor, shown: dict[int, Tensor]) -> None:
        """Slots of these rows move towards what they look and sound like now."""
        for modality in BOTH:
            old, new = self._slots[modality][rows], shown[modality].detach()
            self._slots[modality][rows] = normalize(self.momentum * old + (1 - self.momentum) * new.to(old), dim=1)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {f"slots{modality}": slots for modality, slots in self._slots.items()} | {"near": self._near}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with what a checkpoint kept."""
        kept = {modality: f"slots{modality}" for modality in BOTH}
        self._slots = {modality: state[name].clone() for modality, name in kept.items() if name in state}
        self._near = state["near"].clone()


@dataclass(frozen=True, eq=False)
class SeenBank:
    """One batch. seen: without the bank. drawn, within: (D,) rows whose slots push from another modality, and from the
    same."""

    bank: Bank
    seen: SeenBeside
    drawn: Tensor
    within: Tensor
    about: About
    keys: dict[int, Tensor] = field(default_factory=dict)

    def pools(self, term: "Term", recipe: "Recipe", encoders: Encoders) -> list[Pool]:
        """A pool for each match, whose keys are of the bank: (B' x (B' + D)), or with neighbours between them."""
        return [self.pool(one, other) for one, other in term.matches or recipe.matches]

    def pool(self, one: int, other: int) -> Pool:
        """Of one match."""
        codes, of_batch = self.bank.beside.columns[0].codes.to(self.drawn.device), self.rows
        near = self.bank.near(of_batch) if one == other else of_batch[:, None][:, :0]
        partners = near[near >= 0].unique()
        first = torch.cat([of_batch, partners[~torch.isin(partners, of_batch)]])
        keys = torch.cat([first, self.within if one == other else self.drawn])
        denied = self.seen.known.denied[self.kept, 0] & (one != other)
        same, said = self.about(of_batch, keys)
        said = said.masked_fill(denied[:, None] & (codes[of_batch][:, None] == codes[keys]), -1)
        ids = torch.where(denied, -2 - of_batch, codes[of_batch])
        bare = torch.zeros(len(of_batch), 0, device=keys.device), torch.zeros(len(keys), 0, device=keys.device)
        pool = Pool.of(*bare, ids, codes[keys], same, said)
        pool = pool.resting(torch.arange(len(keys), device=keys.device) < len(first))
        return replace(
            pool, anchors=self.seen.shown[one][self.kept], keys=self.bank.slots(other, keys),
            detected=_among(near, keys, len(codes)) if one == other else None, progress=self.seen.progress,
        )  # fmt: skip

    @cached_property
    def kept(self) -> Tensor:
        """(B',) places of the batch that have a value in the column."""
        return torch.nonzero(self.seen.known.codes[:, 0] >= 0)[:, 0]

    @cached_property
    def rows(self) -> Tensor:
        """(B',) rows of them."""
        return self.seen.known.rows[self.kept]

    def after_step(self) -> None:
        """The slots of the batch move."""
        self.bank.take_in(self.rows, {modality: self.seen.shown[modality][self.kept] for modality in BOTH})


def _scattered(count: int, dim: int, seed: int) -> Tensor:
    return normalize(torch.randn(count, dim, generator=chance.generator(seed, chance.BANK)), dim=1)


def _among(near: Tensor, keys: Tensor, count: int) -> Tensor:
    """(B, k) rows, -1 for none, and (K,) rows of `count` -> (B, K) bool, which keys are among them."""
    marked = torch.zeros(len(near), count + 1, dtype=torch.bool, device=keys.device)
    return marked.scatter_(1, torch.where(near < 0, count, near), True)[:, keys]
