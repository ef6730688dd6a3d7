"""The reference model: the same system, from the same start, taught by nothing but pairs that somebody confirmed.

    confirmed pairs -> a run of its own, some hundred steps -> rows of every picture and its words, computed once

A hundred pairs are enough to tell words that fit a picture from words that do not. It may be larger than the learner:
`backbone` names another one, which sees the same squares.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import torch
from torch import Tensor

from trainer import chance
from trainer.attributes import Attributes
from trainer.confirmed import enough

if TYPE_CHECKING:
    from trainer.modalities import Words
    from trainer.training import Training, TrainSettings

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
    network, ours, theirs = run.encoders.network, _words(learner), _words(run)
    if state:
        network.load_state_dict(state)
    while not state and run.done < run.steps:
        run.step()
    with torch.no_grad():
        told = theirs.shown(run.encoders, ours.rows.to(run.device))
    seen = torch.from_numpy(run.encoders.embed(learner.pictures, projected=True)).to(run.device)
    weights = {name: one.clone() for name, one in network.state_dict().items()}
    return Reference(seen, told, theirs.sharpness(run.encoders, run.terms[0].objective), weights)


def _run(plan: Plan, learner: "Training", attributes: Attributes, teach: Callable[..., "Training"]) -> "Training":
    """A run of the first term alone on the confirmed pairs, before its first step."""
    ids, words = learner.ids.cpu().numpy(), _words(learner)
    sure = [number for number, yes in enough(attributes, plan.confirmed).items() if yes]
    rows = np.flatnonzero(np.isin(ids, sure) & (words.codes.numpy() >= 0))
    recipe = replace(learner.recipe, terms=learner.recipe.terms[:1], selector=None, look=replace(words))
    settings = _settings(plan, learner, len(rows))
    return teach(recipe, learner.pictures[rows], ids[rows], settings, attributes=attributes)


def _settings(plan: Plan, learner: "Training", pairs: int) -> "TrainSettings":
    """Those of the learner, for so many steps on so many pairs; another backbone sees the same squares."""
    batch = min(BATCH, pairs)
    other = {"backbone": plan.backbone, "size": learner.pictures.shape[1]} if plan.backbone else {}
    return replace(
        learner.settings, batch=batch, epochs=max(round(plan.steps / max(pairs // batch, 1)), 1), probe=0, partners=0,
        answered=0.0, seed=chance.number(learner.settings.seed, chance.REFERENCE) % 2**31, **other,
    )  # fmt: skip


def _words(run: "Training") -> "Words":
    """The way to look of a run with a selector, which reads words."""
    return cast("Words", run.recipe.look)
