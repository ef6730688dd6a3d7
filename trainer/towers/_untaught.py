"""What a tower that begins untaught makes of values before it learnt anything."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.functional import normalize

from trainer.towers import Learner

BLOCK = 256


@torch.no_grad()
def as_it_starts(tower: Learner, values: Sequence[Any]) -> np.ndarray:
    """N values -> (N, dim) float32 rows of length 1, zeros for what cannot be read; by the weights of seed 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = tower.network().eval()
    found = torch.from_numpy(tower.inputs(values))
    blocks = [normalize(network(part), dim=1) * part.any(1, keepdim=True) for part in found.split(BLOCK)]
    return torch.cat(blocks).numpy()
