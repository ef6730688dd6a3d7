"""lightly's parts for the same systems, put together as its documentation does: heads, losses, memory bank, momentum.

Backbone, its memory layout, batches, optimizer and schedule are ours, heads are as wide as ours: what differs is the
system's own part. `Peer(views) -> loss` for one batch. The views are ours or, with `shown`, those of lightly's
transform for the system: picture by picture, as many, as large and as often blurred or solarised as ours.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from lightly import loss as losses
from lightly import transforms
from lightly.models.modules import NNMemoryBankModule, heads
from lightly.models.utils import deactivate_requires_grad, update_momentum
from lightly.utils.scheduler import cosine_schedule
from PIL import Image
from torch import Tensor, nn

from trainer.network import Network

OUT, HIDDEN, QUEUE, STATISTICS, SWAV, DINO = 64, 512, 1024, 512, 300, 1024  # the widths of our methods


class Peer(nn.Module):
    """network: gives the features; dim: of them; steps, epoch: how many steps there are in all and in an epoch."""

    def __init__(self, network: Network, dim: int, steps: int, epoch: int) -> None:
        super().__init__()
        self.backbone, self.steps, self.epoch, self.step = network, steps, epoch, 0
        self.build(dim)

    def build(self, dim: int) -> None:
        """Heads and loss."""
        raise TypeError("every peer builds its own parts")

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        """(B, 3, S, S) pixels each -> the loss. ()"""
        raise TypeError("every peer has a loss of its own")

    def encode(self, pixels: Tensor) -> Tensor:
        """Features, then the head."""
        found: Tensor = self.head(self.backbone.features(pixels))
        return found

    def slowly(self) -> None:
        """Add a slow copy of backbone and head."""
        self.slow_backbone, self.slow_head = deepcopy(self.backbone), deepcopy(self.head)
        deactivate_requires_grad(self.slow_backbone)
        deactivate_requires_grad(self.slow_head)

    def slow(self, pixels: Tensor) -> Tensor:
        """What the slow copy makes of it."""
        with torch.no_grad():
            found: Tensor = self.slow_head(self.slow_backbone.features(pixels))
        return found

    def follow(self, momentum: float) -> None:
        """The slow copy comes after."""
        update_momentum(self.backbone.backbone, self.slow_backbone.backbone, m=momentum)
        update_momentum(self.head, self.slow_head, m=momentum)


class SimCLR(Peer):
    def build(self, dim: int) -> None:
        self.head = heads.SimCLRProjectionHead(dim, dim, OUT)
        self.loss = losses.NTXentLoss(temperature=0.2)

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        found: Tensor = self.loss(*(self.encode(view) for view in views))
        return found


class MoCo(Peer):
    def build(self, dim: int) -> None:
        self.head = heads.MoCoProjectionHead(dim, dim, OUT)
        self.loss = losses.NTXentLoss(temperature=0.2, memory_bank_size=(QUEUE, OUT))
        self.slowly()

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        self.follow(0.99)
        found: Tensor = self.loss(self.encode(views[0]), self.slow(views[1]))
        return found


class SimSiam(Peer):
    def build(self, dim: int) -> None:
        self.head = heads.SimSiamProjectionHead(dim, HIDDEN, OUT)
        self.predictor = heads.SimSiamPredictionHead(OUT, 128, OUT)
        self.loss = losses.NegativeCosineSimilarity()

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        z = [self.encode(view) for view in views]
        p = [self.predictor(one) for one in z]
        return 0.5 * (self.loss(p[0], z[1].detach()) + self.loss(p[1], z[0].detach()))


class BYOL(Peer):
    def build(self, dim: int) -> None:
        self.head = heads.BYOLProjectionHead(dim, HIDDEN, OUT)
        self.predictor = heads.BYOLPredictionHead(OUT, HIDDEN, OUT)
        self.loss = losses.NegativeCosineSimilarity()
        self.slowly()

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        self.follow(cosine_schedule(self.step, self.steps, 0.99, 1.0))
        p = [self.predictor(self.encode(view)) for view in views]
        z = [self.slow(view) for view in views]
        return 0.5 * (self.loss(p[0], z[1]) + self.loss(p[1], z[0]))


class BarlowTwins(Peer):
    def build(self, dim: int) -> None:
        self.head = heads.BarlowTwinsProjectionHead(dim, HIDDEN, STATISTICS)
        self.loss = losses.BarlowTwinsLoss()

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        found: Tensor = self.loss(*(self.encode(view) for view in views))
        return found


class VICReg(BarlowTwins):
    def build(self, dim: int) -> None:
        self.head = heads.VICRegProjectionHead(dim, HIDDEN, STATISTICS)
        self.loss = losses.VICRegLoss()


class SwAV(Peer):
    def build(self, dim: int) -> None:
        self.head = heads.SwaVProjectionHead(dim, dim, OUT)
        self.prototypes = heads.SwaVPrototypes(OUT, SWAV, n_steps_frozen_prototypes=self.epoch)
        self.loss = losses.SwaVLoss()

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        self.prototypes.normalize()
        found = [nn.functional.normalize(self.encode(view), dim=1) for view in views]
        scores = [self.prototypes(one, self.step) for one in found]
        swapped: Tensor = self.loss(scores[:2], scores[2:])
        return swapped


class DINOPeer(Peer):
    def build(self, dim: int) -> None:
        self.head = heads.DINOProjectionHead(dim, dim, OUT, DINO, batch_norm=True, freeze_last_layer=1)
        self.loss = losses.DINOLoss(output_dim=DINO, warmup_teacher_temp_epochs=1)
        self.slowly()

    def slowly(self) -> None:  # a head with weight normalisation cannot be copied, as lightly's examples know
        self.slow_backbone = deepcopy(self.backbone)
        dim = int(self.backbone.backbone.dim)  # type: ignore[arg-type]
        self.slow_head = heads.DINOProjectionHead(dim, dim, OUT, DINO, batch_norm=True)
        self.slow_head.load_state_dict(self.head.state_dict())
        deactivate_requires_grad(self.slow_backbone)
        deactivate_requires_grad(self.slow_head)

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        self.follow(cosine_schedule(self.step, self.steps, 0.99, 1.0))
        for weight in self.head.last_layer.parameters():  # what cancel_last_layer_gradients does in the first epoch
            weight.requires_grad_(self.step >= self.epoch and weight is not self.head.last_layer.weight_g)
        teacher, student = [self.slow(view) for view in views[:2]], [self.encode(view) for view in views]
        found: Tensor = self.loss(teacher, student, epoch=self.step // self.epoch)
        return found


class NNCLR(Peer):
    def build(self, dim: int) -> None:
        self.head = heads.NNCLRProjectionHead(dim, 2 * HIDDEN, OUT)
        self.predictor = heads.NNCLRPredictionHead(OUT, 2 * HIDDEN, OUT)
        self.bank = NNMemoryBankModule(size=(QUEUE, OUT))
        self.loss = losses.NTXentLoss(temperature=0.1)

    def forward(self, views: Sequence[Tensor]) -> Tensor:
        z = [self.encode(view) for view in views]
        p = [self.predictor(one) for one in z]
        near = [self.bank(one.detach(), update=number == 1) for number, one in enumerate(z)]
        return 0.5 * (self.loss(near[0], p[1]) + self.loss(near[1], p[0]))


PEERS: dict[str, Callable[[Network, int, int, int], Peer]] = {
    "simclr": SimCLR, "moco_v2": MoCo, "simsiam": SimSiam, "byol": BYOL, "barlow_twins": BarlowTwins,
    "vicreg": VICReg, "swav": SwAV, "dino": DINOPeer, "nnclr": NNCLR,
}  # fmt: skip


def shown(name: str, side: int) -> Callable[[np.ndarray], list[Tensor]]:
    """lightly's transform of a system. (B, S, S, 3) uint8 -> views, (B, 3, V, V) float in [0, 1] each."""
    transform = TRANSFORMS[name](side)

    def look(pictures: np.ndarray) -> list[Tensor]:
        seen = [transform(Image.fromarray(picture)) for picture in pictures]
        return [torch.stack(view) for view in zip(*seen, strict=True)]

    return look


def _two_different(side: int) -> Any:
    first = transforms.BYOLView1Transform(side, gaussian_blur=0.5, normalize=None)
    second = transforms.BYOLView2Transform(side, gaussian_blur=0.0, solarization_prob=0.2, normalize=None)
    return transforms.BYOLTransform(first, second)


TRANSFORMS: dict[str, Callable[[int], Any]] = {
    "simclr": lambda side: transforms.SimCLRTransform(side, gaussian_blur=0.0, normalize=None),
    "moco_v2": lambda side: transforms.MoCoV2Transform(side, normalize=None),
    "simsiam": lambda side: transforms.SimSiamTransform(side, gaussian_blur=0.0, normalize=None),
    "byol": _two_different,
    "barlow_twins": _two_different,  # as lightly's example of Barlow Twins has it
    "vicreg": lambda side: transforms.VICRegTransform(side, normalize=None),
    "swav": lambda side: transforms.SwaVTransform((side, side // 2), (2, 2), gaussian_blur=0.0, normalize=None),
    "dino": lambda side: transforms.DINOTransform(
        global_crop_size=side, local_crop_size=side // 2, n_local_views=2, gaussian_blur=(0.0, 0.0, 0.0),
        solarization_prob=0.0, normalize=None,
    ),
    "nnclr": lambda side: transforms.SimCLRTransform(side, gaussian_blur=0.0, normalize=None),
}  # fmt: skip
