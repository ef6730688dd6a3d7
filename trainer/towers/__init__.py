"""Towers of other modalities: what turns the words beside a picture into numbers. The folder is the registry.

A tower is frozen: it reads each text once, before the first step; the run trains a head on top of it. A file defines
one `Tower`: a frozen dataclass that knows `dim` and reads texts.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

FAMILY = "trainer.towers"


class Tower(Protocol):
    """dim: numbers of a row."""

    @property
    def dim(self) -> int: ...

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> (N, dim) float32 rows of length 1."""
        ...
