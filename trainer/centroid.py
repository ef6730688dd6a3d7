"""The centroid of a neighbourhood: attention over the nearest keys, and over a prediction in the place of the last.

    rich_i = T([n_1, ..., n_k])_1          strange_i = T([q(z_i), n_1, ..., n_{k-1}])_1

n_1 ... n_k are the keys nearest to the target of i, each with a sign of its place, T a transformer and q a predictor.
The rich centroid of one view is what the strange one of the other view is compared with (the shift operation).

Source: Estepa, Sarasua, Nagarajan, Radeva 2023, "All4One: symbiotic neighbour contrastive learning via self-attention
and redundancy reduction", arXiv 2303.09417, section 3.3; places as in vturrisi/solo-learn, solo/methods/all4one.py:
a sine over the numbers of a key, with a frequency for each two places.
Differs from the paper: T learns as fast as the rest; signs of place have length 1, as keys do, where the official ones
are (d / 2)^(1/2) long and drown them.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from trainer.heads import MLP


class Centroid(nn.Module):
    """numbers: d. bag: k neighbours. layers: of T. hidden: of the predictor q."""

    def __init__(self, numbers: int, bag: int, layers: int, hidden: int) -> None:
        super().__init__()
        self.bag, self.predictor = bag, MLP(hidden)(numbers, numbers)
        layer = nn.TransformerEncoderLayer(numbers, math.gcd(numbers, 8), 2 * numbers, 0.1, batch_first=True)
        self.attention = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.register_buffer("places", _places(bag, numbers), persistent=False)

    def forward(self, near: Tensor, z: Tensor | None = None) -> Tensor:
        """(B, k, d) neighbours, nearest first, and (B, d) z of the item for its strange centroid -> (B, d)."""
        if z is not None:
            near = torch.cat([self.predictor(z)[:, None], near], dim=1)[:, : self.bag]
        placed: Tensor = self.attention(near + self.get_buffer("places")[: near.shape[1]])
        return placed[:, 0]


@dataclass(frozen=True)
class CentroidHead:
    """A predictor that makes centroids. The same settings."""

    bag: int = 5
    layers: int = 3
    hidden: int = 512

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        return Centroid(outputs, self.bag, self.layers, self.hidden)


def _places(count: int, numbers: int) -> Tensor:
    """(k, d) unit rows: sine and cosine of the position among the numbers, a frequency for each two places."""
    frequency = 10_000.0 ** (-torch.arange(0, count, 2) / count)
    angle = torch.arange(numbers)[None] * frequency[:, None]  # (k / 2, d)
    return normalize(torch.stack([angle.sin(), angle.cos()], 1).flatten(0, 1)[:count], dim=1)
