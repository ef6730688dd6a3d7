"""AudioToken: a sound in the place of a class, in front of a diffusion model that never heard one.

    token = MLP of every frame, pooled by attention        L = |v - v(x_t, t, token)|^2 + sparse |token|_1
                                                               + close (1 - cos(token, e_class))^2

First a small diffusion model learns the pictures with the classes of a metadata column, with a vector e_class for each.
It is frozen, and an embedder learns to turn the recording beside a picture into such a vector. What is proposed for an
item is what its recording makes; its own picture is not looked at. An item without a class teaches nothing, and can
still be heard.

Family: synthetic positives
Source: Yariv, Gat, Wolf, Adi, Schwartz 2023, "AudioToken: adaptation of text-conditioned diffusion models for
audio-to-image generation", arXiv 2305.13050, section 3. Official code: guyyariv/AudioToken (not copied from). The UNet
and the sampler are those of diffusers.
Parts: a diffusion model of pictures with classes, frozen when it has learnt; an embedder of recordings in front of it,
which learns by the same denoising; candidates go to an oracle, and `clsp` or `wu` train beside those it accepted.
Needs: pictures with classes in a column of the metadata (`classes`) and recordings (import them with --audio-column);
pip install 'pairwright[methods]'.
Differs from the paper: no Stable Diffusion, text encoder or pretrained audio encoder, for none comes with an install. A
model of the classes at hand takes their place, the token that of a class rather than of a word, and a frame is a part
of the spectrum (trainer/towers/logmel.py), seen with those around it. `close` was chosen here: with a tenth of it
tokens grew far longer than any class's vector, and pictures stopped to follow.
Checked by: the pool and what holds a token by hand; a stopped run that goes on bit-equal; shuffled sounds;
benchmarks/synthetic: what it makes of recordings it never heard is read as the digit that was said.
Status: the published idea in front of a small model of the classes at hand: pictures follow sounds, they are not fine
"""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, gelu

from db.errors import BadInput
from trainer import chance
from trainer.attributes import Attributes
from trainer.columns import Sounds
from trainer.generators._maker import Maker
from trainer.generators.clsp import EXPONENT, TIMES, diffusers
from trainer.target import Average


@dataclass(frozen=True)
class Generator:
    """classes: column of the metadata. side: of the pictures in pixels, a multiple of 4. width: channels of the first
    of three levels, a multiple of 8. hidden: numbers of a frame inside the embedder. steps: of learning, listening: the
    last of them, which teach the embedder. batch, rate: of both. candidates: pictures a recording. sparse, close:
    weights of the token's size and of its distance from the class. ddim: steps from noise to a picture."""

    knows: ClassVar[bool] = True  # its maker wants the metadata of the items

    classes: str
    side: int = 32
    width: int = 16
    hidden: int = 64
    steps: int = 2000
    listening: int = 500
    batch: int = 32
    rate: float = 2e-3
    candidates: int = 4
    sparse: float = 0.01
    close: float = 0.1
    ddim: int = 50

    def __post_init__(self) -> None:
        for name, low in (("hidden", 1), ("steps", 2), ("listening", 1), ("batch", 1), ("candidates", 1), ("ddim", 1)):
            if getattr(self, name) < low:
                raise BadInput(f"{name} = at least {low} expected, got {getattr(self, name)}.")
        for name, part in (("side", 4), ("width", 8)):
            if getattr(self, name) < 8 or getattr(self, name) % part:
                raise BadInput(f"{name} = a multiple of {part} from 8 on expected, got {getattr(self, name)}.")
        if self.listening >= self.steps:
            raise BadInput(
                f"listening = fewer than all {self.steps} steps expected, got {self.listening}. Set it, too: "
                f"--set listening={max(self.steps // 4, 1)}."
            )
        if not 0 <= self.sparse < float("inf") or not 0 <= self.close < float("inf"):
            raise BadInput(f"sparse and close = 0 or more expected, got {self.sparse} and {self.close}.")
        if not self.rate > 0 or self.ddim > TIMES:
            raise BadInput(f"rate > 0 and ddim <= {TIMES} expected, got {self.rate} and {self.ddim}.")

    def maker(self, seed: int, attributes: Attributes) -> "AudioToken":
        """The model before its first step. attributes: of the pictures, row by row. Raises: NotFound for a column that
        is not there, BadInput where it has not two classes or nothing can be heard."""
        return AudioToken(self, seed, attributes)


class Embedder(nn.Module):
    """(B, T, F) frames of sounds -> (B, d) tokens."""

    def __init__(self, features: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.around = nn.Conv1d(features, hidden, 5, padding=2)
        self.second = nn.Linear(hidden, hidden)
        self.attention = nn.Linear(hidden, 1)
        self.token = nn.Linear(hidden, outputs)

    def frames(self, sounds: Tensor) -> Tensor:
        """(B, T, hidden): every frame, seen with the two before and the two after it."""
        return gelu(self.second(gelu(self.around(sounds.transpose(1, 2)).transpose(1, 2))))

    def forward(self, sounds: Tensor) -> Tensor:
        """Frames weigh in the pool by a softmax over time."""
        seen = self.frames(sounds)
        found: Tensor = self.token((torch.softmax(self.attention(seen), 1) * seen).sum(1))
        return found


class AudioToken(Maker):
    """classes: (N,) int64, -1 without one. frames: (N, T, F), zeros where nothing is heard."""

    mirrors = False  # a class may be what is lost in a mirror: a digit, a word, a road sign

    def __init__(self, settings: Generator, seed: int, attributes: Attributes) -> None:
        self.settings, self.seed, self.ids = settings, seed, attributes.ids
        self.classes = torch.from_numpy(attributes.codes(settings.classes))
        self.frames, self.heard = heard(attributes)
        self.beside = told(attributes, settings.classes)
        count = int(self.classes.max()) + 1
        self._check(count)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(chance.number(seed, chance.START))
            seeing = seer(settings.side, settings.width, count)
            embedder = Embedder(self.frames.shape[2], settings.hidden, 4 * settings.width)
        self.average = Average(seeing, 0.0, EXPONENT)
        self.networks = nn.ModuleDict({"seeing": seeing, "average": self.average.network, "embedder": embedder})
        rate = settings.rate
        self.optimizers = {
            name: torch.optim.AdamW(self.networks[name].parameters(), lr=rate, weight_decay=0.0)
            for name in ("seeing", "embedder")
        }
        (scheduler,) = diffusers("DDIMScheduler")
        self.noise = scheduler(
            num_train_timesteps=TIMES, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction"
        )

    def _check(self, count: int) -> None:
        column = self.settings.classes
        if count < 2:
            raise BadInput(f"two classes or more in the column '{column}' expected, got {count}. Name another one.")
        if not (self.heard & (self.classes.numpy() >= 0)).any():
            raise BadInput(f"no item has a recording and a value of '{column}'. Fill in the column where there is one.")

    @property
    def listens(self) -> bool:
        """Whether the diffusion model has learnt, and the embedder is taught."""
        return self.done >= self.settings.steps - self.settings.listening

    @property
    def rows(self) -> np.ndarray:
        """Pictures with a class; once the embedder is taught, those with a recording, too."""
        known = self.classes.numpy() >= 0
        return np.flatnonzero(known & self.heard if self.listens else known)

    @property
    def anchors(self) -> np.ndarray:
        """Items with a recording that can be read."""
        return np.flatnonzero(self.heard)

    def step(self, pictures: Tensor, rows: np.ndarray) -> dict[str, float]:
        """First of the diffusion model, then of the embedder. loss: without what holds the token."""
        listens = self.listens
        seeing: Any = self.networks["average" if listens else "seeing"]
        named = seeing.classes(self.classes[rows])
        token = self.networks["embedder"](self.frames[rows]) if listens else named
        held = self.held(token, named) if listens else torch.zeros(())
        loss = self._denoised(seeing.unet, pictures, token)
        optimizer = self.optimizers["embedder" if listens else "seeing"]
        optimizer.zero_grad(set_to_none=True)
        (loss + held).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if not listens:
            self.average.follow(seeing, min(1.0, self.done / 100))
        self.done += 1
        return {"loss": float(loss.detach()), "held": float(held.detach())}

    def held(self, token: Tensor, name: Tensor) -> Tensor:
        """() what keeps tokens small and near the vectors of their classes."""
        apart = (1 - cosine_similarity(token, name)).square().mean()
        return self.settings.sparse * token.abs().mean() + self.settings.close * apart

    def _denoised(self, unet: Any, pictures: Tensor, token: Tensor) -> Tensor:
        """() |v - v(x_t, t, token)|^2"""
        random = chance.generator(self.seed, chance.NOISE, self.done)
        noise = torch.randn(pictures.shape, generator=random)
        times = torch.randint(0, TIMES, (len(pictures),), generator=random)
        guess = unet(self.noise.add_noise(pictures, noise, times), times, class_labels=token).sample
        loss: Tensor = (guess - self.noise.get_velocity(pictures, noise, times)).square().mean()
        return loss

    @torch.no_grad()
    def candidates(self, anchor: Tensor, item: int, count: int) -> Tensor:
        """What the recording of the item makes. Raises: BadInput where it has none."""
        row = int(np.searchsorted(self.ids, item).clip(max=len(self.ids) - 1))
        if self.ids[row] != item or not self.heard[row]:
            raise BadInput(f"item {item} has no recording that can be read. Choose another as anchor.")
        token = self.networks["embedder"].eval()(self.frames[row, None])
        return self.made(token.expand(count, -1), item)

    @torch.no_grad()
    def named(self, code: int, draw: int, count: int) -> Tensor:
        """(C, 3, S, S) of a class, as the diffusion model learnt it: as good as what is heard can be."""
        average: Any = self.networks["average"]
        return self.made(average.classes(torch.full((count,), code)), draw)

    def made(self, token: Tensor, draw: int) -> Tensor:
        """(C, 3, S, S) in [-1, 1] of (C, d) tokens; the noise follows from the draw."""
        unet: Any = self.networks["average"].unet.eval()  # type: ignore[operator, union-attr]
        shape = (len(token), 3, self.settings.side, self.settings.side)
        found = torch.randn(shape, generator=chance.generator(self.seed, chance.MADE, draw))
        self.noise.set_timesteps(self.settings.ddim)
        for time in self.noise.timesteps:
            found = self.noise.step(unet(found, time, class_labels=token).sample, time, found).prev_sample
        return found.clamp(-1, 1)


def seer(side: int, width: int, classes: int) -> nn.ModuleDict:
    """A UNet that tells the velocity of a picture, given a vector, and a vector for each class."""
    (unet,) = diffusers("UNet2DModel")
    net = unet(
        sample_size=side, in_channels=3, out_channels=3, layers_per_block=1,
        block_out_channels=(width, 2 * width, 3 * width), down_block_types=("DownBlock2D",) * 3,
        up_block_types=("UpBlock2D",) * 3, norm_num_groups=8, add_attention=False, class_embed_type="identity",
    )  # fmt: skip
    return nn.ModuleDict({"unet": net, "classes": nn.Embedding(classes, 4 * width)})


def heard(attributes: Attributes) -> tuple[Tensor, np.ndarray]:
    """(N, T, F) parts of the spectrum, numbers of about 1, and (N,) bool whether there is a recording.

    Raises: BadInput where none can be read."""
    sounds = Sounds()
    sounds.learn_of(attributes)
    listener: Any = sounds.reads_by
    frames = sounds.rows.view(-1, listener.parts, listener.bands) * sounds.dim**0.5
    return frames, sounds.codes.numpy() >= 0


def told(attributes: Attributes, column: str) -> str:
    """64 hexadecimal digits that differ for other classes or recordings."""
    paths = [None if path is None else path.name for path in attributes.recordings]
    return hashlib.sha256(repr((attributes.texts(column), paths)).encode()).hexdigest()
