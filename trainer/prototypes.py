"""Prototypes: learnt directions that a picture is compared with; its scores against them are what is predicted.

    scores_c = <z / |z|, p_c / |p_c|>                cosines in [-1, 1], one a prototype

Source: Caron et al. 2020, SwAV, arXiv 2006.09882, section 3.1; the same as the last layer of Caron et al. 2021, DINO,
arXiv 2104.14294, section 3.1, whose weights have length 1 too.
Differs from the paper: a direction is made one of length 1 where it is used, not after each step.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from trainer.network import two_layers


class Prototypes(nn.Module):
    """inputs: numbers of z. count: prototypes."""

    def __init__(self, inputs: int, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(normalize(torch.randn(count, inputs), dim=1))

    def forward(self, z: Tensor) -> Tensor:
        """(B, d) -> (B, C) cosines."""
        return linear(normalize(z, dim=1), normalize(self.weight, dim=1))


@dataclass(frozen=True)
class PrototypeHead:
    """A head: from features to z, then to scores. z: numbers between them; centred: z goes through batch normalisation,
    so that pictures differ in their nearest prototypes from the first step."""

    z: int = 64
    centred: bool = False

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        between = nn.BatchNorm1d(self.z, affine=False) if self.centred else nn.Identity()
        return nn.Sequential(two_layers(inputs, self.z), between, Prototypes(self.z, outputs))


def prototypes(network: nn.Module) -> Iterator[nn.Parameter]:
    """The prototypes of a network, if it has some."""
    return (module.weight for module in network.modules() if isinstance(module, Prototypes))
