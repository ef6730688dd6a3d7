"""What a run trains: a backbone, how much of it may move, the projection head and what predicts from it.

    z = W2 relu(BN(W1 f(x)))        the embedding people use is f(x); the heads are thrown away

Source: Chen et al. 2020, SimCLR, arXiv 2002.05709, section 4.2 (why the head is thrown away).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from db.errors import BadInput

Head = Callable[[int, int], nn.Module]  # numbers in, numbers out -> the module
TRAINABLE = {"full": 1.0, "partly": 0.25, "frozen": 0.0}  # share of the backbone's weight tensors, the last ones


@runtime_checkable
class Paced(Protocol):
    """A predictor with weights that learn at a share `pace` of the step size."""

    pace: float

    def slow_weights(self) -> Iterable[Tensor]: ...


class Network(nn.Module):
    """trainable: full, partly (the last quarter of the layers) or frozen. projection: size of z. head: from features to
    z, None for SimCLR's. predictors: from z to something of its size. groups: how many a second head sorts
    into, or 0. seen: whether the features stand beside z, as they do with groups."""

    mean: Tensor
    std: Tensor

    def __init__(
        self, backbone: nn.Module, projection: int = 64, trainable: str = "full", head: Head | None = None,
        predictors: Sequence[Head] = (), groups: int = 0, seen: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if trainable not in TRAINABLE:
            raise BadInput(f"trainable = {', '.join(TRAINABLE)} expected, got '{trainable}'.")
        self.backbone = backbone
        self.outputs, self.groups, dim = projection, groups, int(backbone.dim)  # type: ignore[arg-type]
        self.projection = (head or two_layers)(dim, projection)
        self.predictors = nn.ModuleList(make(projection, projection) for make in predictors)
        self.grouping, self.seen = two_layers(dim, groups) if groups else None, seen or groups > 0
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(getattr(backbone, name)).view(1, -1, 1, 1), persistent=False)
        self.still = _freeze(backbone, TRAINABLE[trainable])

    def features(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, D)."""
        found: Tensor = self.backbone((pixels - self.mean) / self.std)
        return found

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, d) z; where features are seen (B, d + C + D): z, chances of the C groups,
        features."""
        features = self.features(pixels)
        z: Tensor = self.projection(features)
        if not self.seen:
            return z.float()
        chances = [] if self.grouping is None else [torch.softmax(self.grouping(features).float(), 1)]
        return torch.cat([z, *chances, features], 1).float()

    def places(self, pixels: Tensor, grid: int) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, grid * grid, d) z of each place, row by row: what one place alone would
        have."""
        found = adaptive_avg_pool2d(self.backbone.places((pixels - self.mean) / self.std), grid)  # type: ignore[operator]
        cells = found.flatten(2).transpose(1, 2).flatten(0, 1)[..., None, None]  # (B P, C, 1, 1)
        z: Tensor = self.projection(self.backbone.pooled(cells))  # type: ignore[operator]
        return z.view(len(pixels), grid * grid, -1).float()

    def train(self, mode: bool = True) -> "Network":
        """As ever, but layers that may not move keep their running means too."""
        super().train(mode)
        for module in self.still:
            module.eval()
        return self


def two_layers(inputs: int, outputs: int) -> nn.Module:
    """The head of SimCLR, as wide inside as its input."""
    return nn.Sequential(
        nn.Linear(inputs, inputs, bias=False), nn.BatchNorm1d(inputs), nn.ReLU(), nn.Linear(inputs, outputs)
    )


def _freeze(backbone: nn.Module, share: float) -> list[nn.Module]:
    """Hold the first weights still; the innermost modules that have none left to learn."""
    weights = list(backbone.parameters())
    for weight in weights[: len(weights) - math.ceil(share * len(weights))]:
        weight.requires_grad_(False)
    leaves = [module for module in backbone.modules() if next(module.parameters(recurse=False), None) is not None]
    return [module for module in leaves if not any(p.requires_grad for p in module.parameters(recurse=False))]
