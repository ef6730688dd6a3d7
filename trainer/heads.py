"""Heads and predictors as the papers have them: linear layers with batch normalisation and ReLU between them.

    z = W_n relu(BN(W_{n-1} ... relu(BN(W_1 x))))      [BN at the end where `closed`]

Source: Grill et al. 2020, BYOL, arXiv 2006.07733, section 3.3 (two layers); Chen and He 2021, SimSiam, arXiv
2011.10566, section 3 (three layers, normalised at the end; a predictor that is narrow inside); Zbontar et al. 2021,
Barlow Twins, arXiv 2103.03230, section 2.2 (three wide layers).
Differs from the papers: as wide as small collections need, 256 to 1,024 where they have 2,048 to 8,192.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from db.errors import BadInput


@dataclass(frozen=True)
class MLP:
    """hidden: numbers between the layers. layers: linear ones, at least 1. closed: BN after the last, without a scale
    and an offset of its own."""

    hidden: int = 512
    layers: int = 2
    closed: bool = False

    def __post_init__(self) -> None:
        for name in ("hidden", "layers"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} = 1 or more expected, got {getattr(self, name)}.")

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        widths = [inputs, *[self.hidden] * (self.layers - 1)]
        inner: list[nn.Module] = []
        for one, other in pairwise(widths):
            inner += [nn.Linear(one, other, bias=False), nn.BatchNorm1d(other), nn.ReLU()]
        last: list[nn.Module] = [nn.Linear(widths[-1], outputs, bias=not self.closed)]
        return nn.Sequential(*inner, *last, *([nn.BatchNorm1d(outputs, affine=False)] if self.closed else []))
