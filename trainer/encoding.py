"""The two encoders of a run: the network that learns, and the target that gives the keys."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainer import chance
from trainer.backbones import load_backbone
from trainer.network import Network
from trainer.target import Average

BLOCK = 512  # pictures embedded at once


class Encoders:
    """network: learns. average: gives the keys, None where the network itself does.

    Mixed precision (bfloat16) only on CUDA; channels last, which is a third quicker on a CPU.
    """

    def __init__(self, network: Network, momentum: float | None, device: torch.device) -> None:
        self.device = device
        self.network: Network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = None if momentum is None else Average(self.network, momentum)

    def anchors(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, d) unit rows, with gradient."""
        return self._encoded(self.network, pixels)

    def keys(self, pixels: Tensor) -> Tensor:
        """The same by the target: without gradient where it is an average."""
        if self.average is None:
            return self._encoded(self.network, pixels)
        with torch.no_grad():
            return self._encoded(self.average.network, pixels)

    def follow(self) -> None:
        """After a step of the network the average comes after it."""
        if self.average is not None:
            self.average.follow(self.network)

    @torch.no_grad()
    def embed(self, pictures: np.ndarray, *, projected: bool = False) -> np.ndarray:
        """(N, D) float32 features of (N, S, S, 3) uint8 as they are; projected: (N, d) unit rows the loss sees."""
        self.network.eval()
        call = self.network if projected else self.network.features
        blocks = [
            call(self.upload(pictures[at : at + BLOCK]).float() / 255).float().cpu()
            for at in range(0, len(pictures), BLOCK)
        ]
        self.network.train()
        return torch.cat(blocks).numpy()

    def upload(self, pictures: np.ndarray) -> Tensor:
        """(B, S, S, 3) uint8 -> (B, 3, S, S) uint8 on the device."""
        return torch.from_numpy(np.ascontiguousarray(pictures)).to(self.device).permute(0, 3, 1, 2)

    def _encoded(self, network: Any, pixels: Tensor) -> Tensor:
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            encoded: Tensor = network(pixels.contiguous(memory_format=torch.channels_last))
        return encoded


def new_network(backbone: str, *, size: int, pretrained: bool, projection: int, trainable: str, seed: int) -> Network:
    """A network whose start follows from the seed. size: 0 for the backbone's own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chance.number(seed, chance.START))
        found = load_backbone(backbone, size=size or None, pretrained=pretrained)
        return Network(found, projection, trainable).train()
