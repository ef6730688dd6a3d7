"""The generators' own laws: features are mixed as CLSP says, and Wu's players want the opposite of each other."""

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from tests.patterns import patterns
from trainer import chance
from trainer.generators import clsp, wu
from trainer.generators.clsp import bottleneck, mixing

PIXELS = torch.from_numpy(patterns(32)[0]).permute(0, 3, 1, 2).float() / 127.5 - 1


def diffusion(w: float, eta: float = 0.1) -> clsp.Diffusion:
    made = clsp.Generator(side=16, width=8, ddim=4, w=w, eta=eta).maker(0)
    for _ in range(3):
        made.step(PIXELS[:8], np.arange(8))
    return made


@torch.no_grad()
def plain(made: clsp.Diffusion, item: int, count: int) -> Tensor:
    """What diffusers' own loop makes of the same noise, without any hook."""
    random = chance.generator(made.seed, chance.MADE, item)
    found = torch.randn((count, 3, 16, 16), generator=random)
    torch.randn((1, 3, 16, 16), generator=random)  # the anchor's
    net = made.networks["average"].eval()
    made.noise.set_timesteps(made.settings.ddim)
    for time in made.noise.timesteps:
        fresh = torch.randn(found.shape, generator=random)
        found = made.noise.step(net(found, time).sample, time, found, eta=made.settings.eta, variance_noise=fresh)
        found = found.prev_sample
    return found.clamp(-1, 1)


@pytest.mark.parametrize("eta", [0.0, 0.1])
def test_with_weight_1_the_hook_changes_not_one_bit_of_the_plain_generator(eta: float) -> None:
    made = diffusion(1.0, eta)
    assert torch.equal(made.candidates(PIXELS[0], 5, 2), plain(made, 5, 2))
    assert torch.equal(made.candidates(PIXELS[0], 5, 2), made.candidates(PIXELS[9], 5, 2)), "no anchor is heard"


def test_below_weight_1_the_anchor_is_heard() -> None:
    made = diffusion(0.1)
    one, other = (made.candidates(PIXELS[place], 5, 2) for place in (0, 9))
    assert not torch.equal(one, plain(made, 5, 2)) and not torch.equal(one, other)


def test_what_the_bottleneck_gives_is_the_mix_and_the_hook_leaves_nothing_behind() -> None:
    net, time = diffusion(0.1).networks["average"].eval(), torch.tensor(400)
    with torch.no_grad(), bottleneck(net.mid_block) as anchor:
        net(PIXELS[:1], time)
    with bottleneck(net.mid_block) as own:
        before = net(PIXELS[1:4], time).sample
    with mixing(net.mid_block, 0.25, anchor[0]), bottleneck(net.mid_block) as mixed:
        net(PIXELS[1:4], time)
    for place in range(3):
        assert torch.allclose(mixed[0][place], 0.25 * own[0][place] + 0.75 * anchor[0][0], atol=1e-6)
    assert torch.equal(net(PIXELS[1:4], time).sample, before)


def test_without_diffusers_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Callable[..., Any] = builtins.__import__

    def missing(name: str, *more: Any) -> Any:
        if name == "diffusers":
            raise ImportError(name)
        return found(name, *more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(BadInput, match=r"pip install 'pairwright\[methods\]'"):
        clsp.Generator().maker(0)


def game(**more: Any) -> wu.Game:
    return wu.Generator(side=16, width=4, batch=8, **more).maker(0)


def test_the_contrast_has_four_positives_and_pushes_all_other_pairs() -> None:
    made, random = game(temperature=0.5), chance.generator(3)
    one, other = PIXELS[:4], PIXELS[4:8]
    found = made.contrast(one, other, random)
    random, raw = chance.generator(3), [255 * (part + 1) / 2 for part in (one, other)]
    made.networks["model"].train()
    seen = torch.cat([made.views(part, random) for part in raw for _ in range(2)])
    z = normalize(made.networks["model"](2 * seen - 1), dim=1).double()
    scores, losses = z @ z.T / 0.5, []
    for i in range(16):
        mine = [j for j in range(16) if j % 4 == i % 4 and j != i]
        away = [j for j in range(16) if j % 4 != i % 4]
        pushed = scores[i, away].exp().sum()
        losses.append(sum(-(scores[i, j] - (scores[i, j].exp() + pushed).log()) for j in mine) / len(mine))
    assert len(mine) == 3, "of four positives an anchor meets the other three"
    assert float(found.detach()) == pytest.approx(float((sum(losses) / 16).detach()), rel=1e-5)


def test_the_generator_climbs_what_the_model_descends() -> None:
    """Along the gradient of its own step each moves the contrastive loss its own way."""
    moved = {}
    for player, parts, sign in (("model", ("model",), 1), ("making", ("encoder", "generator"), -1)):
        made = game(rate=1e-3)
        made.networks.eval()

        def loss(made: wu.Game = made) -> Tensor:
            noise = (
                torch.randn(8, wu.NOISE, generator=chance.generator(1)),
                torch.randn(8, wu.NOISE, generator=chance.generator(2)),
            )
            one, other = (made.made(PIXELS[:8], part) for part in noise)
            return made.contrast(one, other, chance.generator(4))

        before = loss()
        made._learn(player, sign * before)
        moved[player] = float(loss().detach() - before.detach())
        assert all(weight.requires_grad for part in parts for weight in made.networks[part].parameters())
    assert moved["model"] < 0 < moved["making"]


def test_pairs_shall_be_less_alike_as_the_game_goes_on() -> None:
    made = game(steps=4, least=0.2)
    wanted = []
    for _ in range(6):
        wanted.append(made.wanted)
        made.done += 1
    assert wanted == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2, 0.2])


def test_pairs_become_as_alike_as_they_shall_be() -> None:
    last = {}
    for least in (0.2, 1.0):
        made = game(steps=1, least=least, tie=20.0, rate=2e-3)
        last[least] = [made.step(PIXELS[:8], np.arange(8))["similarity"] for _ in range(10)][-1]
    assert last[0.2] < last[1.0] - 0.05
