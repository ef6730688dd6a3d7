"""The reference model: the same system, from the same start, taught by nothing but pairs that somebody confirmed.

    confirmed pairs -> a run of its own, some hundred steps -> rows of every picture and its words, computed once

A hundred pairs are enough to tell words that fit a picture from words that do not. It may be larger than the learner:
`backbone` names another one, which sees the same squares.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from trainer import chance
from trainer.attributes import Attributes
from trainer.confirmed import enough
from trainer.recipe import Recipe

if TYPE_CHECKING:
    from trainer.training import Training

BATCH = 64  # confirmed pairs of a step, at most


class Plan(Protocol):
    """The settings of a selector that goes by a reference model. confirmed: a column; backbone: empty for the run's
    own; steps: of its training."""

    @property
    def confirmed(self) -> str: ...

    @property
    def backbone(self) -> str: ...

    @property
    def steps(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Reference:
    """pictures, words: (N, d) unit rows of every item being trained on. sharpness: of their cosines. state: the
    weights, by name."""

    pictures: Tensor
    words: Tensor
    sharpness: float
    state: Mapping[str, Tensor]

    def scores(self, rows: Tensor) -> Tensor:
        """(R, R) of the pictures of these rows with the words of these rows."""
        return self.sharpness * self.pictures[rows] @ self.words[rows].T


def reference(
    plan: Plan, learner: "Training", attributes: Attributes, teach: Callable[..., "Training"],
    state: Mapping[str, Tensor] | None = None,
) -> Reference:  # fmt: skip
    """Teach the reference model of a run, or make it from the state of one. teach: builds a run."""
    run = _run(plan, learner, attributes, teach)
    if state:
        run.encoders.network.load_state_dict(state)
    while not state and run.done < run.steps:
        run.step()
    words: Any = learner.recipe.look
    with torch.no_grad():
        told = run.recipe.look.shown(run.encoders, words.rows)  # type: ignore[union-attr]
    seen = torch.from_numpy(run.encoders.embed(learner.pictures, projected=True)).to(told.device)
    sharpness = float(run.recipe.look.sharpness(run.encoders, run.terms[0].objective))  # type: ignore[union-attr]
    return Reference(
        seen, told, sharpness, {name: one.clone() for name, one in run.encoders.network.state_dict().items()}
    )


def _run(plan: Plan, learner: "Training", attributes: Attributes, teach: Callable[..., "Training"]) -> "Training":
    """A run of the first term alone on the confirmed pairs, before its first step."""
    ids = learner.ids.cpu().numpy()
    sure = [number for number, yes in enough(attributes, plan.confirmed).items() if yes]
    rows = np.flatnonzero(np.isin(ids, sure) & (attributes.only(ids).codes(learner.recipe.look.column) >= 0))  # type: ignore[union-attr]
    ours = learner.settings
    plan_ = replace(
        ours, batch=min(BATCH, len(rows)), epochs=1, probe=0, partners=0, answered=0.0,
        seed=chance.number(ours.seed, chance.REFERENCE) % 2**31,
        **({"backbone": plan.backbone, "size": learner.pictures.shape[1]} if plan.backbone else {}),
    )  # fmt: skip
    plan_ = replace(plan_, epochs=max(round(plan.steps / max(len(rows) // plan_.batch, 1)), 1))
    recipe: Recipe = replace(
        learner.recipe, terms=learner.recipe.terms[:1], selector=None, look=replace(learner.recipe.look)  # type: ignore[type-var]
    )  # fmt: skip
    return teach(recipe, learner.pictures[rows], ids[rows], plan_, attributes=attributes)
