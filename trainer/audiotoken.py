"""AudioToken: a sound in the place of a class, in front of a diffusion model that never heard one.

    token = MLP of every frame, pooled by attention        L = |v - v(x_t, t, token)|^2 + sparse |token|_1
                                                               + close (1 - cos(token, e_class))^2

First a small diffusion model learns pictures of known classes, with a vector e_class for each. It is frozen, and an
embedder learns to turn the sound that goes with a picture into such a vector. Sounds come as plain arrays of features
(N, T, F), whatever made them.

Source: Yariv, Gat, Wolf, Adi, Schwartz 2023, "AudioToken: adaptation of text-conditioned diffusion models for
audio-to-image generation", arXiv 2305.13050, section 3. Official code: guyyariv/AudioToken (not copied from). The UNet
and the sampler are those of diffusers.
Differs from the paper: no Stable Diffusion, text encoder or pretrained audio encoder, for none comes with an install; a
model of the classes at hand takes their place, and the token that of a class rather than of a word. What can be claimed
is that pictures follow the sound, not that they are fine.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from db.errors import BadInput
from trainer import chance
from trainer.generators.clsp import TIMES, diffusers


@dataclass(frozen=True)
class Settings:
    """side: of the pictures, a multiple of 2. width: channels of the first of two levels, a multiple of 8. hidden:
    numbers of a frame inside the embedder. batch, rate: of both stages. sparse, close: weights of the token's size and
    of its distance from the class. ddim: steps from noise to a picture."""

    side: int = 8
    width: int = 16
    hidden: int = 64
    batch: int = 64
    rate: float = 2e-3
    sparse: float = 0.01
    close: float = 0.01
    ddim: int = 20

    def __post_init__(self) -> None:
        if self.side < 4 or self.side % 2 or self.width < 8 or self.width % 8:
            raise BadInput(f"side = an even number, width = a multiple of 8 expected, got {self.side}, {self.width}.")


class Embedder(nn.Module):
    """(B, T, F) frames of sounds -> (B, d) tokens."""

    def __init__(self, features: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.frames = nn.Sequential(nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())
        self.attention = nn.Linear(hidden, 1)
        self.token = nn.Linear(hidden, outputs)

    def forward(self, sounds: Tensor) -> Tensor:
        """Frames weigh in the pool by a softmax over time."""
        seen = self.frames(sounds)
        pooled = (torch.softmax(self.attention(seen), 1) * seen).sum(1)
        found: Tensor = self.token(pooled)
        return found


class AudioToken:
    """classes: how many the pictures have. features: F of the sounds. The same seed gives the same model."""

    def __init__(self, settings: Settings, classes: int, features: int, seed: int = 0) -> None:
        unet, scheduler = diffusers("UNet2DModel", "DDIMScheduler")
        self.settings, self.seed, self.done = settings, seed, 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(chance.number(seed, chance.START))
            self.unet = unet(
                sample_size=settings.side, in_channels=1, out_channels=1, layers_per_block=1,
                block_out_channels=(settings.width, 2 * settings.width), down_block_types=("DownBlock2D",) * 2,
                up_block_types=("UpBlock2D",) * 2, norm_num_groups=8, add_attention=False, class_embed_type="identity",
            )  # fmt: skip
            self.classes = nn.Embedding(classes, 4 * settings.width)
            self.embedder = Embedder(features, settings.hidden, 4 * settings.width)
        learnt = [*self.unet.parameters(), *self.classes.parameters()]
        self._pictures = torch.optim.AdamW(learnt, lr=settings.rate, weight_decay=0.0)
        self._sounds = torch.optim.AdamW(self.embedder.parameters(), lr=settings.rate, weight_decay=0.0)
        self.noise = scheduler(
            num_train_timesteps=TIMES, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction"
        )

    def learn_pictures(self, pictures: np.ndarray, classes: np.ndarray, steps: int) -> list[float]:
        """Teach the diffusion model (N, S, S) pictures in [-1, 1] of classes (N,); the losses."""
        losses = []
        for _ in range(steps):
            rows, random = self._drawn(len(pictures))
            loss = self._denoise(_tensor(pictures[rows]), self.classes(torch.from_numpy(classes[rows])), random)
            losses.append(_stepped(self._pictures, loss))
        return losses

    def learn_sounds(self, pictures: np.ndarray, classes: np.ndarray, sounds: np.ndarray, steps: int) -> list[float]:
        """Teach the embedder (N, T, F) sounds, each beside its picture and class; nothing else moves. The losses."""
        for weight in (*self.unet.parameters(), *self.classes.parameters()):
            weight.requires_grad_(False)
        losses = []
        for _ in range(steps):
            rows, random = self._drawn(len(pictures))
            token, name = self.embedder(_tensor(sounds[rows])[:, 0]), self.classes(torch.from_numpy(classes[rows]))
            losses.append(
                _stepped(self._sounds, self._denoise(_tensor(pictures[rows]), token, random) + self.held(token, name))
            )
        return losses

    def held(self, token: Tensor, name: Tensor) -> Tensor:
        """() what keeps tokens small and near the vectors of their classes."""
        apart = (1 - cosine_similarity(token, name)).square().mean()
        return self.settings.sparse * token.abs().mean() + self.settings.close * apart

    @torch.no_grad()
    def heard(self, sounds: np.ndarray) -> np.ndarray:
        """(M, S, S) in [-1, 1]: a picture of each of (M, T, F) sounds."""
        return self._made(self.embedder(_tensor(sounds)[:, 0]))

    @torch.no_grad()
    def named(self, classes: np.ndarray) -> np.ndarray:
        """The same of classes (M,), as the diffusion model learnt them."""
        return self._made(self.classes(torch.from_numpy(classes)))

    def _made(self, token: Tensor) -> np.ndarray:
        random = chance.generator(self.seed, chance.MADE)
        shape = (len(token), 1, self.settings.side, self.settings.side)
        found = torch.randn(shape, generator=random)
        self.unet.eval()
        self.noise.set_timesteps(self.settings.ddim)
        for time in self.noise.timesteps:
            found = self.noise.step(self.unet(found, time, class_labels=token).sample, time, found).prev_sample
        return found[:, 0].clamp(-1, 1).numpy()

    def _denoise(self, pictures: Tensor, token: Tensor, random: torch.Generator) -> Tensor:
        noise = torch.randn(pictures.shape, generator=random)
        times = torch.randint(0, TIMES, (len(pictures),), generator=random)
        guess = self.unet(self.noise.add_noise(pictures, noise, times), times, class_labels=token).sample
        loss: Tensor = (guess - self.noise.get_velocity(pictures, noise, times)).square().mean()
        return loss

    def _drawn(self, count: int) -> tuple[np.ndarray, torch.Generator]:
        """Rows of a batch, and what the noise is drawn by."""
        random = np.random.default_rng((self.seed, chance.ORDER, self.done))
        drawn = chance.generator(self.seed, chance.NOISE, self.done)
        self.done += 1
        return random.choice(count, min(self.settings.batch, count), replace=False), drawn


def _tensor(rows: np.ndarray) -> Tensor:
    """(B, ...) -> (B, 1, ...) float32."""
    return torch.from_numpy(np.array(rows, np.float32))[:, None]


def _stepped(optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return float(loss.detach())
