"""What a trained network says of pictures and texts: how likely texts are beside pictures, and single words of them."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from trainer.fusion.looking import Fusion, net_of, trimmed
from trainer.fusion.nets import ANSWERS, VOCABULARY, YES, Net
from trainer.fusion.vocabulary import END, MASK, PAD, START
from trainer.network import Network

BLOCK = 256  # pairs read at once
Reading = Callable[[Tensor, Tensor], Tensor]  # places, tokens -> one row a pair


@torch.no_grad()
def places_of(network: Network, look: Fusion, pictures: np.ndarray) -> Tensor:
    """(N, P, d) places of (N, S, S, 3) uint8 pictures, or of (N, s, s, C) maps."""
    network.eval()
    found, device = [], next(network.parameters()).device
    for at in range(0, len(pictures), BLOCK):
        shown = torch.from_numpy(np.ascontiguousarray(pictures[at : at + BLOCK])).to(device).permute(0, 3, 1, 2)
        pixels = shown.float() / 255 if shown.dtype == torch.uint8 else shown.float()
        found.append(network.places(pixels, look.grid))
    return torch.cat(found)


def tokens_of(look: Fusion, texts: Sequence[str | None]) -> Tensor:
    """(N, T) int64"""
    return torch.from_numpy(look.vocabulary.tokens(texts, look.shape.longest))


@torch.no_grad()
def match_chances(network: Network, places: Tensor, tokens: Tensor) -> Tensor:
    """(N,) what a network that tells pairs says: the chance that they belong together."""
    net = _ready(network)

    def read(some: Tensor, words: Tensor) -> Tensor:
        weight, bias = net.table(ANSWERS)
        pair = net(some, words).pair
        assert pair is not None
        return torch.softmax(pair @ weight.T + bias, 1)[:, YES]

    return _in_blocks(read, places, tokens)


@torch.no_grad()
def text_log_probs(network: Network, look: Fusion, places: Tensor, tokens: Tensor) -> Tensor:
    """(N,) log chance of a text beside a picture, in nats: of every word after those before it; of a network that sees
    all words at once, of every other word after the rest, both halves added up (a pseudo-likelihood)."""
    net, words = _ready(network), len(look.vocabulary)

    def following(some: Tensor, read: Tensor) -> Tensor:
        told = _log_probs(net, net(some, read).words[:, :-1], words)
        found = told.gather(2, read[:, 1:, None])[..., 0]
        return (found * (read[:, 1:] != PAD)).sum(1)

    def in_halves(some: Tensor, read: Tensor) -> Tensor:
        real = (read != PAD) & (read != START) & (read != END)
        total = torch.zeros(len(read), device=some.device)
        for half in (0, 1):
            asked = real & ((torch.arange(read.shape[1], device=some.device) % 2) == half)
            told = _log_probs(net, net(some, read.masked_fill(asked, MASK)).words, words)
            total += (told.gather(2, read[..., None])[..., 0] * asked).sum(1)
        return total

    return _in_blocks(following if net.causal else in_halves, places, tokens)


@torch.no_grad()
def word_log_probs(network: Network, look: Fusion, places: Tensor, tokens: Tensor, at: int) -> Tensor:
    """(N, V) log chances of the token in the place `at` of each text: after the words before it, or among all
    others."""
    net, words = _ready(network), len(look.vocabulary)

    def read(some: Tensor, text: Tensor) -> Tensor:
        if net.causal:
            return _log_probs(net, net(some, text[:, :at]).words[:, -1:], words)[:, 0]
        hidden = text.clone()
        hidden[:, at] = MASK
        return _log_probs(net, net(some, hidden).words[:, at : at + 1], words)[:, 0]

    return _in_blocks(read, places, tokens)


def _ready(network: Network) -> Net:
    net = net_of(network.eval())
    net.begin(1.0)
    return net


def _log_probs(net: Net, rows: Tensor, words: int) -> Tensor:
    weight, bias = net.table(VOCABULARY)
    return torch.log_softmax(rows @ weight[:words].T + bias[:words], -1)


def _in_blocks(read: Reading, places: Tensor, tokens: Tensor) -> Tensor:
    parts = [
        read(places[at : at + BLOCK], trimmed(tokens[at : at + BLOCK]).to(places.device))
        for at in range(0, len(tokens), BLOCK)
    ]
    return torch.cat(parts)
