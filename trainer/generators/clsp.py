"""CLSP: a diffusion model makes pictures that share an anchor's content, by features mixed into its bottleneck.

    h  <-  w h + (1 - w) h_anchor        at the bottleneck of the UNet, in every step of DDIM

h is the feature of a picture that begins as noise; h_anchor that of the anchor with as much noise as the step has. With
w = 1 nothing is mixed, and this is the plain generator.

Source: Zeng, Wu, Hu, Xu, Shi 2024, "Contrastive learning with synthetic positives" (CLSP), arXiv 2408.16965. Official
code: dewenzeng/clsp (no licence, not copied from). The UNet and the sampler are those of diffusers.
Differs from the paper: a UNet of 1,000,000 weights taught for minutes on the collection itself, at 32 pixels; it tells
the velocity under a cosine schedule, which gives whole shapes sooner than telling the noise; 50 steps of DDIM in place
of 100; a moving average of the weights makes the pictures.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from db.errors import BadInput
from oracle.bounds import Positive
from trainer import chance
from trainer.generators._maker import Maker
from trainer.target import Average

TIMES = 1000  # steps of noise that the model is taught on
EXPONENT = 0.99  # of the moving average


@dataclass(frozen=True)
class Generator:
    """side: of the pictures in pixels, a multiple of 8. width: channels of the first of four levels, a multiple of 8.
    steps, batch, rate: of learning. candidates: pictures an anchor. w: weight of the own feature, in [0, 1]. eta: noise
    in each step of DDIM, in [0, 1]. ddim: steps from noise to a picture."""

    side: int = 32
    width: int = 16
    steps: int = 1500
    batch: int = 32
    rate: Positive = 2e-3
    candidates: int = 8
    w: float = 0.1
    eta: float = 0.1
    ddim: int = 50

    def __post_init__(self) -> None:
        for name, low in (("steps", 1), ("batch", 1), ("candidates", 1), ("ddim", 1)):
            if getattr(self, name) < low:
                raise BadInput(f"{name} = at least {low} expected, got {getattr(self, name)}.")
        for name, part in (("side", 8), ("width", 8)):
            if getattr(self, name) < part or getattr(self, name) % part:
                raise BadInput(f"{name} = a multiple of {part} expected, got {getattr(self, name)}.")
        if not 0 <= self.w <= 1 or not 0 <= self.eta <= 1:
            raise BadInput(f"w and eta = 0 to 1 expected, got {self.w} and {self.eta}.")
        if not self.rate > 0 or self.ddim > TIMES:
            raise BadInput(f"rate > 0 and ddim <= {TIMES} expected, got {self.rate} and {self.ddim}.")

    def maker(self, seed: int) -> "Diffusion":
        """The model before its first step."""
        return Diffusion(self, seed)


class Diffusion(Maker):
    """A UNet that tells the velocity of a picture: what it is and what noise it has, in one number a pixel."""

    def __init__(self, settings: Generator, seed: int) -> None:
        unet, scheduler = diffusers("UNet2DModel", "DDIMScheduler")
        self.settings, self.seed = settings, seed
        widths = tuple(level * settings.width for level in (1, 2, 3, 4))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(chance.number(seed, chance.START))
            net = unet(
                sample_size=settings.side, in_channels=3, out_channels=3, layers_per_block=1,
                block_out_channels=widths, down_block_types=("DownBlock2D",) * 4, up_block_types=("UpBlock2D",) * 4,
                norm_num_groups=8, add_attention=False,
            )  # fmt: skip
        self.average = Average(net, 0.0, EXPONENT)
        self.networks = nn.ModuleDict({"unet": net, "average": self.average.network})
        self.optimizers = {"adam": torch.optim.AdamW(net.parameters(), lr=settings.rate, weight_decay=0.0)}
        self.noise = scheduler(
            num_train_timesteps=TIMES, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction"
        )

    def step(self, pictures: Tensor, rows: np.ndarray) -> dict[str, float]:
        """L = |v - v(x_t, t)|^2,  v = sqrt(a_t) eps - sqrt(1 - a_t) x_0."""
        random = chance.generator(self.seed, chance.NOISE, self.done)
        noise = torch.randn(pictures.shape, generator=random)
        times = torch.randint(0, TIMES, (len(pictures),), generator=random)
        guess = self.networks["unet"](self.noise.add_noise(pictures, noise, times), times).sample
        loss = (guess - self.noise.get_velocity(pictures, noise, times)).square().mean()
        self.optimizers["adam"].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizers["adam"].step()
        self.average.follow(self.networks["unet"], min(1.0, self.done / 100))
        self.done += 1
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def candidates(self, anchor: Tensor, item: int, count: int) -> Tensor:
        """From noise to pictures, mixed with the anchor's feature on the way."""
        random = chance.generator(self.seed, chance.MADE, item)
        shape = (count, *anchor.shape)
        made = torch.randn(shape, generator=random)
        beside = torch.randn((1, *anchor.shape), generator=random)
        net: Any = self.networks["average"].eval()
        sampler = self.noise
        sampler.set_timesteps(self.settings.ddim)
        for time in sampler.timesteps:
            noisy = sampler.add_noise(anchor[None], beside, time[None])
            with bottleneck(net.mid_block) as seen:
                net(noisy, time)
            with mixing(net.mid_block, self.settings.w, seen[0]):
                guess = net(made, time).sample
            fresh = torch.randn(shape, generator=random)
            made = sampler.step(guess, time, made, eta=self.settings.eta, variance_noise=fresh).prev_sample
        return made.clamp(-1, 1)


@contextmanager
def bottleneck(block: nn.Module) -> Iterator[list[Tensor]]:
    """What a block gives, while this is open."""
    seen: list[Tensor] = []
    handle = block.register_forward_hook(lambda module, given, h: seen.append(h))
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def mixing(block: nn.Module, w: float, anchor: Tensor) -> Iterator[None]:
    """While this is open the block gives w h + (1 - w) h_anchor. anchor: (1, C, s, s), or as many as there are h."""
    handle = block.register_forward_hook(lambda module, given, h: w * h + (1 - w) * anchor)
    try:
        yield
    finally:
        handle.remove()


def diffusers(*names: str) -> tuple[Any, ...]:
    """Classes of diffusers, which loads slowly. Raises BadInput where the extra `methods` is missing."""
    try:
        import diffusers as library
    except ImportError:
        raise BadInput("clsp needs a package that is not installed: pip install 'pairwright[methods]'.") from None
    return tuple(getattr(library, name) for name in names)
