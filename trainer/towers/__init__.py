"""Towers of other modalities: what turns words or recordings beside a picture into numbers. The folder is the registry.

A frozen tower reads each text, or hears each recording, once, before the first step; the run trains a head on top of
it. A tower that is a network can be trained with the head, see `Learner`: `--set words.train=true`, or `sounds.train`;
one that knows nothing before always is. A file defines one `Tower`: a frozen dataclass that knows `dim` and reads
texts, or one that also has a `rate` and hears recordings. A tower of many models takes the name of one of them behind a
colon: FILE:MODEL.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

import numpy as np

from db.errors import BadInput
from oracle import plugins

if TYPE_CHECKING:
    from torch import nn

FAMILY = "trainer.towers"
TEXTS, SOUNDS = "texts", "recordings"


class Tower(Protocol):
    """dim: numbers of a row."""

    @property
    def dim(self) -> int: ...

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> (N, dim) float32 rows of length 1."""
        ...


class Listener(Protocol):
    """dim: numbers of a row. rate: samples a second of the waves it hears."""

    @property
    def dim(self) -> int: ...

    @property
    def rate(self) -> int: ...

    def __call__(self, waves: Sequence[np.ndarray]) -> np.ndarray:
        """N waves, (S,) float32 each -> (N, dim) float32 rows of length 1; zeros for silence."""
        ...


class Learner(Protocol):
    """What a tower that can be trained has beside. untaught: whether it knows nothing before, so that it always is.
    pace: its step size as a share of the run's."""

    untaught: ClassVar[bool]
    pace: ClassVar[float]

    def inputs(self, values: Sequence[Any]) -> np.ndarray:
        """N values -> (N, T) float32, what the network takes; zeros for what cannot be read."""
        ...

    def network(self) -> "nn.Module":
        """(N, T) -> (N, dim), as it stands before training: a new one, which shares nothing with others."""
        ...


def load(spoken: str, wanted: str) -> Any:
    """A tower by name, FILE or FILE:MODEL, that reads TEXTS or SOUNDS. Raises: NotFound or BadInput."""
    name, colon, of = spoken.partition(":")
    if colon and "model" not in plugins.settings_of(FAMILY, name):
        raise BadInput(f"the tower {name} has no models to choose from, got '{spoken}'. Say tower={name}.")
    found = plugins.load(FAMILY, name, **({"model": of} if colon else {}))
    if (kind := reads(found)) != wanted:
        raise BadInput(f"a tower that reads {wanted} expected, '{name}' reads {kind}. {_known(wanted)}")
    return found


def reads(tower: Any) -> str:
    """What a tower reads: TEXTS or SOUNDS."""
    return SOUNDS if hasattr(tower, "rate") else TEXTS


def learner(tower: Any, name: str) -> Learner:
    """The tower as one that can be trained. Raises: BadInput where nothing in it can learn."""
    if not hasattr(tower, "network"):
        known = [one for one in plugins.names(FAMILY) if _can_learn(one, reads(tower))]
        raise BadInput(
            f"the tower {name} cannot be trained, the head on top of it learns. Say train=false, or one of the towers "
            f"that can: {', '.join(known)}."
        )
    return cast(Learner, tower)


def _can_learn(name: str, wanted: str) -> bool:
    found = plugins.find(FAMILY, name)
    return reads(found) == wanted and hasattr(found, "network")


def _known(wanted: str) -> str:
    known = [name for name in plugins.names(FAMILY) if reads(plugins.find(FAMILY, name)) == wanted]
    return f"Known: {', '.join(known)}."
