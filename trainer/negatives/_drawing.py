"""Policies that draw: one generator each, whose state is part of a checkpoint."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from oracle.bounds import Whole


@dataclass
class Drawing:
    """seed: of the draws; the same seed draws the same."""

    seed: Whole = 0
    random: torch.Generator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.random = torch.Generator().manual_seed(self.seed)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"random": self.random.get_state()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Draw on where a checkpoint stopped."""
        self.random.set_state(state["random"].cpu())
