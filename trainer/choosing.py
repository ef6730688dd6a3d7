"""Who enters the batch: a super-batch is encoded once without gradient, and the recipe's selector chooses from it.

    order of a pass -> super-batch -> without those that have no words, or rejected ones -> Candidates -> selector

What learner and reference made of every pair is kept: pairs that neither believes are suspects, see `trainer.suspects`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from db.errors import BadInput
from trainer import chance
from trainer.attributes import Attributes
from trainer.candidates import Candidates, Selector, whole
from trainer.confirmed import said
from trainer.reference import Reference, reference
from trainer.suspects import Looks

if TYPE_CHECKING:
    from trainer.training import Training

WEIGHTS = "reference."


class Chooser:
    """Chooses for one run. teach: builds a run, for the reference model."""

    def __init__(self, selector: Selector, run: "Training", teach: Callable[..., "Training"]) -> None:
        self.selector, self.run, self.teach = selector, run, teach
        self.looks = Looks.of(len(run.ids))
        self.able = np.arange(len(run.ids))  # rows that may be chosen
        self._attributes: Attributes | None = None
        self._wanted: Tensor | None = None
        self._reference: Reference | None = None
        self._stored: Mapping[str, Tensor] = {}

    def learn_of(self, attributes: Attributes | None) -> None:
        """Read the metadata: who has words, what was rejected, what the run is for."""
        if attributes is None:
            return
        self._attributes, words = attributes, self.words
        ours = attributes.only(self.run.ids.cpu().numpy())
        able = ours.codes(words.column) >= 0
        if "reference" in self.selector.reads:
            verdicts = said(ours, self.selector.confirmed)  # type: ignore[attr-defined]
            able &= np.array([verdicts.get(number, True) for number in ours.ids.tolist()])
        self.able = np.flatnonzero(able)
        if "wanted" in self.selector.reads:
            self._wanted = self.selector.wanted(words, ours)  # type: ignore[attr-defined]

    def __call__(self) -> np.ndarray:
        """Rows of the next batch, those chosen first in front."""
        rows = self.rows()
        candidates = self.candidates(torch.from_numpy(rows))
        random = chance.generator(self.run.settings.seed, chance.CHOICE, self.run.done)
        draw = lambda: torch.rand(len(rows), generator=random, dtype=torch.float64)  # noqa: E731
        chosen = rows[self.selector(candidates, self.run.batch, draw).cpu().numpy()]
        self.looks.add(rows, chosen, candidates)
        return chosen

    def rows(self) -> np.ndarray:
        """The next super-batch, rising: a slice of the pass's order, so that a pass looks at every item once."""
        if len(self.able) < 2:
            raise BadInput(
                f"{len(self.able)} pictures to choose from, at least 2 expected. Reject fewer, or import more."
            )
        size = min(whole(self.run.batch, self.selector.filter), len(self.able))
        turn, place = divmod(self.run.done, len(self.able) // size)
        order = np.random.default_rng((self.run.settings.seed, chance.CHOICE, turn)).permutation(self.able)
        return np.sort(order[place * size : (place + 1) * size])

    def candidates(self, rows: Tensor) -> Candidates:
        """What the selector reads of these rows."""
        words, reads, at = self.words, self.selector.reads, rows.to(self.run.device)
        if not len(words.rows):
            raise BadInput(f"pictures with words in the column '{words.column}' expected. Name another by text=COLUMN.")
        return Candidates(
            words.codes[rows].to(at.device),
            learner=self._learner(rows) if "learner" in reads else None,
            reference=self.reference.scores(at) if "reference" in reads else None,
            told=words.told(self.run.encoders, words.rows[rows]) if "told" in reads else None,
            wanted=None if self._wanted is None else words.told(self.run.encoders, self._wanted),
        )

    @property
    def reference(self) -> Reference:
        """The reference model; taught at the first call."""
        if self._reference is None:
            if self._attributes is None:
                raise BadInput("metadata with confirmed pairs expected, got none.")
            self._reference = reference(self.selector, self.run, self._attributes, self.teach, self._stored)  # type: ignore[arg-type]
            self.words.judge = self._reference
        return self._reference

    @property
    def words(self) -> Any:
        """The way to look, which reads the words."""
        return self.run.recipe.look

    @torch.no_grad()
    def _learner(self, rows: Tensor) -> Tensor:
        """(S, S) scores of the network as it is now; pictures as they are, not as views."""
        words, encoders = self.words, self.run.encoders
        seen = torch.from_numpy(encoders.embed(self.run.pictures[rows.numpy()], projected=True)).to(self.run.device)
        told = words.shown(encoders, words.rows[rows].to(seen))
        scores: Tensor = words.sharpness(encoders, self.run.terms[0].objective) * seen @ told.T
        return scores

    def state(self) -> dict[str, Tensor]:
        """What was seen of every pair, and the weights of the reference model once it was taught."""
        weights = self._stored if self._reference is None else self._reference.state
        return {**self.looks.state(), **{f"{WEIGHTS}{name}": one for name, one in weights.items()}}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        self.looks.load_state(state)
        self._stored = {name.removeprefix(WEIGHTS): one for name, one in state.items() if name.startswith(WEIGHTS)}
        self._reference = None
