"""The two encoders of a run: the network that learns, and the target that gives the keys."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize

from trainer import chance, ranks
from trainer.backbones import load_backbone
from trainer.network import Network
from trainer.target import Average

if TYPE_CHECKING:
    from trainer.recipe import Recipe
    from trainer.training import TrainSettings

BLOCK = 512  # pictures embedded at once


class Encoders:
    """network: learns. average: a moving average of it that gives the keys, or None. teacher: a frozen backbone that
    gives them, or None. With neither the network itself does.

    half: encode in bfloat16 where that is safe, as on CUDA; weights, gradients, z and the loss stay float32. Bfloat16
    has float32's range, so gradients need no scaling. Channels last, which is a third quicker on a CPU.
    """

    def __init__(
        self, network: Network, recipe: "Recipe", device: torch.device, teacher: Network | None = None
    ) -> None:
        self.device, self.unit, self.half = device, recipe.unit, device.type == "cuda"
        self.network: Network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = (
            None if recipe.momentum is None else Average(self.network, recipe.momentum, recipe.final_momentum)
        )
        self.teacher = None if teacher is None else teacher.to(device).requires_grad_(False).eval()

    @property
    def outputs(self) -> int:
        """Numbers of a key."""
        return int(self.network.outputs if self.teacher is None else self.teacher.backbone.dim)  # type: ignore[arg-type]

    @property
    def shared(self) -> bool:
        """Whether the network itself gives the keys."""
        return self.average is None and self.teacher is None

    def online(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, d) before any normalisation, with gradient."""
        return self._encoded(self.network, pixels)

    def places(self, pixels: Tensor, grid: int) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, grid * grid, d) z of every place, with gradient."""
        return self._encoded(lambda seen: self.network.places(seen, grid), pixels).float()

    def keys(self, pixels: Tensor) -> Tensor:
        """The same by the target, as rows the loss sees: without gradient where it is not the network itself."""
        if self.teacher is not None:
            with torch.no_grad():
                return normalize(self._encoded(self.teacher.features, self._for_teacher(pixels)).float(), dim=1)
        if self.average is None:
            return self.shown(self._encoded(self.network, pixels))
        with torch.no_grad():
            return self.shown(self._encoded(self.average.network, pixels))

    def shown(self, z: Tensor, predictor: int | None = None) -> Tensor:
        """z as the loss sees it: through a predictor where the term wants one, of length 1 where the recipe does."""
        z = z[:, : self.network.outputs]
        if predictor is not None:
            z = self.network.predictors[predictor](z).float()
        return normalize(z, dim=1) if self.unit else z

    def bag(self, predictor: int | None) -> int:
        """How many neighbours a predictor looks at beside z; 0 for one that sees z alone."""
        return 0 if predictor is None else int(getattr(self.network.predictors[predictor], "bag", 0))

    def centroid(self, predictor: int | None, near: Tensor, z: Tensor | None = None) -> Tensor:
        """(B, d) what such a predictor makes of (B, k, d) neighbours, and of z where it is given."""
        made = self.network.predictors[predictor](near, z).float()  # type: ignore[index]
        return normalize(made, dim=1) if self.unit else made

    def beside(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Where features are seen, what stands beside z: (B, C) chances of the groups and (B, D) features."""
        groups, features = z[:, self.network.outputs :].tensor_split([self.network.groups], dim=1)
        return groups, features

    def follow(self, progress: float) -> None:
        """After a step of the network the average comes after it."""
        if self.average is not None:
            self.average.follow(self.network, progress)

    @torch.no_grad()
    def embed(self, pictures: np.ndarray, *, projected: bool = False) -> np.ndarray:
        """(N, D) float32 features of (N, S, S, 3) uint8 as they are; projected: (N, d) unit rows of z."""
        self.network.eval()
        blocks = []
        for at in range(0, len(pictures), BLOCK):
            shown = self.upload(pictures[at : at + BLOCK])
            pixels = shown.float() / 255 if shown.dtype == torch.uint8 else shown.float()  # else maps, as they are
            found = self.network.features(pixels) if not projected else self._projected(pixels)
            blocks.append(found.float().cpu())
        self.network.train()
        return torch.cat(blocks).numpy()

    def _projected(self, pixels: Tensor) -> Tensor:
        return normalize(self.network(pixels)[:, : self.network.outputs], dim=1)

    def upload(self, pictures: np.ndarray) -> Tensor:
        """(B, S, S, 3) uint8 -> (B, 3, S, S) uint8 on the device."""
        return torch.from_numpy(np.require(pictures, requirements=["C", "W"])).to(self.device).permute(0, 3, 1, 2)

    def _for_teacher(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> squares of the side the teacher wants; it brings its own mean and deviation."""
        side = int(self.teacher.backbone.size)  # type: ignore[union-attr, arg-type]
        if pixels.shape[-1] == side:
            return pixels
        return interpolate(pixels, size=(side, side), mode="bilinear", align_corners=False, antialias=True)

    def _encoded(self, encode: Any, pixels: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            return ranks.shared(encode, self.laid_out(pixels))

    @staticmethod
    def laid_out(pixels: Tensor) -> Tensor:
        """The same in the memory layout that the encoders read fastest."""
        return pixels.contiguous(memory_format=torch.channels_last)


def encoders(recipe: "Recipe", settings: "TrainSettings", device: torch.device) -> Encoders:
    """The encoders of a run, whose start follows from its seed."""
    teacher = _teacher(recipe.teacher, recipe.teacher_side) if recipe.teacher else None
    outputs = int(teacher.backbone.dim) if teacher else recipe.outputs or settings.projection  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chance.number(settings.seed, chance.START))
        backbone = load_backbone(settings.backbone, size=settings.size or None, pretrained=settings.pretrained)
        network = Network(
            backbone, outputs, settings.trainable, recipe.head, recipe.predictors, recipe.groups, recipe.seen
        )
    return Encoders(network.train(), recipe, device, teacher)


def _teacher(name: str, side: int) -> Network:
    return Network(load_backbone(name, size=side or None), trainable="frozen")
