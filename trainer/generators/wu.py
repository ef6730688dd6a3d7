"""Wu et al.: a generator plays against the model it teaches, and makes pairs that become less alike as they learn.

    model      min  L_c                                             L_c: NT-Xent, 2 pictures x 2 views = 4 positives
    critic     min  softplus(D(G(x, n))) + softplus(-D(x))
    generator  min  softplus(-D(G(x, n))) - hard L_c + tie (cos(f(G(x, n)), f(G(x, n'))) - s(t))^2 + near |G(x, n) - x|

f is the model's feature; s(t) falls from 1 to `least` with the share of the steps done, so pairs grow harder.

Source: Wu, Wang, Zeng, Shi, Hu 2023, "Synthetic data can also teach: synthesizing effective data for unsupervised
visual representation learning", AAAI, arXiv 2202.06464. No public code was found.
Not read: the equations of the paper; only its abstract, and a summary of its figure 2, could be. From these: a
generator learned jointly with the model, against its loss; a pair of similar but distinct pictures, two views of each,
four positives; similarity of the pair that decreases. Everything else is chosen here: a sum with these weights, the
cosine as similarity, a linear fall, the loss of the critic, and one generator with two noises in the place of two. The
paper makes pictures from noise alone; here each is made of an anchor, by an encoder that learns with the generator,
and held near it (`near`), so that it can be keyed to an item and judged beside it.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, softplus

from db.errors import BadInput
from oracle.bounds import Positive
from trainer import chance
from trainer.backbones.small import Backbone
from trainer.generators._maker import Maker
from trainer.network import two_layers
from trainer.objectives.contrast import Objective
from trainer.pool import Pool, obey
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.views import Views

NOISE = 16  # numbers that tell the pictures of an anchor apart


@dataclass(frozen=True)
class Generator:
    """side: of the pictures in pixels, a multiple of 4, at least 16. width: channels of the generator's last layer but
    one. code: numbers that an anchor is told by. steps, batch, rate: of learning. candidates: pictures an anchor. hard:
    weight of the game. tie: of the pair's similarity, least: which it has at the end, in [-1, 1]. near: weight of the
    distance to the anchor. temperature: of L_c."""

    side: int = 32
    width: int = 16
    code: int = 48
    steps: int = 1500
    batch: int = 32
    rate: Positive = 5e-4
    candidates: int = 4
    hard: float = 0.1
    tie: float = 5.0
    least: float = 0.7
    near: float = 2.0
    temperature: Positive = 0.2

    def __post_init__(self) -> None:
        for name, low in (("steps", 1), ("batch", 2), ("candidates", 1), ("width", 1), ("code", 1)):
            if getattr(self, name) < low:
                raise BadInput(f"{name} = at least {low} expected, got {getattr(self, name)}.")
        if self.side < 16 or self.side % 4:
            raise BadInput(f"side = a multiple of 4 from 16 on expected, got {self.side}.")
        for name in ("hard", "tie", "near"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise BadInput(f"{name} = 0 or a number above expected, got {getattr(self, name)}.")
        if not -1 <= self.least <= 1:
            raise BadInput(f"least = -1 to 1 expected, got {self.least}.")
        if not self.rate > 0 or not self.temperature > 0:
            raise BadInput(f"rate and temperature > 0 expected, got {self.rate} and {self.temperature}.")

    def maker(self, seed: int) -> "Game":
        """The players before their first step."""
        return Game(self, seed)


class Game(Maker):
    """Encoder and generator against critic and model."""

    def __init__(self, settings: Generator, seed: int) -> None:
        self.settings, self.seed = settings, seed
        side, width = settings.side, settings.width
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(chance.number(seed, chance.START))
            model = Backbone(side)
            networks = {
                "encoder": nn.Sequential(Backbone(side), nn.Linear(Backbone.dim, settings.code)),
                "generator": _Generator(side, width, settings.code + NOISE),
                "critic": _critic(width),
                "model": nn.Sequential(model, two_layers(Backbone.dim, 64)),
            }
        self.networks = nn.ModuleDict(networks)
        players = {"making": ("encoder", "generator"), "critic": ("critic",), "model": ("model",)}
        self.optimizers = {
            player: torch.optim.Adam(
                [weight for name in parts for weight in self.networks[name].parameters()],
                lr=settings.rate, betas=(0.5, 0.999),
            )
            for player, parts in players.items()
        }  # fmt: skip
        self.objective, self.views = Objective(settings.temperature, denominator="self"), Views()

    @property
    def wanted(self) -> float:
        """s(t): how alike the two of a pair should be now."""
        return 1 - (1 - self.settings.least) * min(1.0, self.done / self.settings.steps)

    def step(self, pictures: Tensor, rows: np.ndarray) -> dict[str, float]:
        """Each player once. similarity: mean cosine of the two pictures of a pair, as the model sees them."""
        self.networks.train()
        random = chance.generator(self.seed, chance.NOISE, self.done)
        one, other = (self.made(pictures, torch.randn(len(pictures), NOISE, generator=random)) for _ in range(2))
        critic = self._learn("critic", self._exposed(pictures, torch.cat([one, other]).detach()))
        contrast = self._learn("model", self.contrast(one.detach(), other.detach(), random))
        similarity = self.similarity(one, other)
        fooled = softplus(-self.networks["critic"](torch.cat([one, other]))).mean()
        tie = self.settings.tie * (similarity - self.wanted).square()
        game = self.settings.hard * self.contrast(one, other, random)
        near = self.settings.near * ((one - pictures).abs().mean() + (other - pictures).abs().mean()) / 2
        making = self._learn("making", fooled - game + tie + near)
        self.done += 1
        return {
            "loss": making, "critic": critic, "contrast": contrast, "similarity": float(similarity.detach()),
            "apart": float((one - other).detach().abs().mean()),
        }  # fmt: skip

    def made(self, anchors: Tensor, noise: Tensor) -> Tensor:
        """(B, 3, S, S) of (B, 3, S, S) anchors and (B, n) noise."""
        found: Tensor = self.networks["generator"](torch.cat([self.networks["encoder"](anchors), noise], 1))
        return found

    def similarity(self, one: Tensor, other: Tensor) -> Tensor:
        """() mean cosine of the model's features of two pictures."""
        feature = self.networks["model"][0]  # type: ignore[index]
        return (normalize(feature(one), dim=1) * normalize(feature(other), dim=1)).sum(1).mean()

    def contrast(self, one: Tensor, other: Tensor, random: torch.Generator) -> Tensor:
        """L_c: two views of each picture of a pair are four positives, the other pairs' views push."""
        raw = [255 * (picture + 1) / 2 for picture in (one, other)]
        seen = torch.cat([self.views(picture, random) for picture in raw for _ in range(2)])
        z = normalize(self.networks["model"](2 * seen - 1), dim=1)
        ids = torch.arange(len(one)).repeat(4)
        nothing = torch.zeros(len(z), len(z))
        pool = OwnView()(Pool.of(z, z, ids, ids, nothing, nothing.to(torch.int8)))
        itself = torch.eye(len(z), dtype=torch.bool)
        return self.objective(obey(replace(pool, pos=pool.pos.masked_fill(itself, 0.0))))

    def _exposed(self, real: Tensor, made: Tensor) -> Tensor:
        """The critic's loss: it tells made from real."""
        critic = self.networks["critic"]
        return softplus(critic(made)).mean() + softplus(-critic(real)).mean()

    def _learn(self, player: str, loss: Tensor) -> float:
        self.networks.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizers[player].step()
        return float(loss.detach())

    @torch.no_grad()
    def candidates(self, anchor: Tensor, item: int, count: int) -> Tensor:
        """One for each draw of the noise."""
        self.networks.eval()
        random = chance.generator(self.seed, chance.MADE, item)
        return self.made(anchor.expand(count, *anchor.shape), torch.randn(count, NOISE, generator=random))


class _Generator(nn.Module):
    """From a code to a picture, by two doublings of a quarter of its side."""

    def __init__(self, side: int, width: int, inputs: int) -> None:
        super().__init__()
        self.shape = (4 * width, side // 4, side // 4)
        self.first = nn.Linear(inputs, 4 * width * (side // 4) ** 2)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(4 * width), nn.ReLU(), *_doubling(4 * width, 2 * width), *_doubling(2 * width, width),
            nn.Conv2d(width, 3, 3, padding=1), nn.Tanh(),
        )  # fmt: skip

    def forward(self, code: Tensor) -> Tensor:
        """(B, n) -> (B, 3, S, S) in [-1, 1]."""
        found: Tensor = self.layers(self.first(code).view(-1, *self.shape))
        return found


def _doubling(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return (
        nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )  # fmt: skip


def _critic(width: int) -> nn.Module:
    """(B, 3, S, S) -> (B, 1): high for real pictures."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, 2 * width, 3, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 4 * width, 3, 2, 1), nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4 * width, 1),
    )  # fmt: skip
