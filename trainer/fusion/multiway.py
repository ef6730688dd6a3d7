"""A transformer whose attention is one for words and places, and whose layers behind it are one for each.

    x' = x + Attention(LN x)          over words and places together
    y  = x' + F_m(LN_m x')            m: words or places; in the last layer one F for both

Source: Wang et al. 2022, BEiT-3, "Image as a foreign language", arXiv 2208.10442, section 2.1, figure 2.
"""

import torch
from torch import Tensor, nn

from trainer.fusion.nets import CODEBOOK, VOCABULARY, Net, Shape, Told
from trainer.fusion.vocabulary import PAD


class Multiway(Net):
    """width: d. In a layer of its last `shape.layers` the experts of words and places are one."""

    def __init__(self, width: int, shape: Shape) -> None:
        super().__init__()
        self.tokens, self.order = nn.Embedding(shape.words, width), nn.Parameter(_small(shape.longest, width))
        self.where, self.cover = nn.Parameter(_small(shape.places, width)), nn.Parameter(_small(width))
        self.layers = nn.ModuleList(_Layer(width, shape, both=at + 1 == shape.layers) for at in range(shape.layers))
        self.last, self.bias = nn.LayerNorm(width), nn.Parameter(torch.zeros(shape.words))
        self.codes = nn.Linear(width, max(shape.codes, 1))
        nn.init.normal_(self.tokens.weight, std=0.02)

    def forward(self, places: Tensor, tokens: Tensor, covered: Tensor | None = None) -> Told:
        """See `Net`."""
        if covered is not None:
            places = torch.where(covered[..., None], self.cover, places)
        x = torch.cat([self.tokens(tokens) + self.order[: tokens.shape[1]], places + self.where], 1)
        unseen = torch.cat([tokens == PAD, torch.zeros_like(places[..., 0], dtype=torch.bool)], 1)
        for layer in self.layers:
            x = layer(x, unseen, tokens.shape[1])
        words, seen = self.last(x).tensor_split([tokens.shape[1]], dim=1)
        return Told(words, seen)

    def table(self, view: int) -> tuple[Tensor, Tensor]:
        """VOCABULARY or CODEBOOK."""
        return {VOCABULARY: (self.tokens.weight, self.bias), CODEBOOK: (self.codes.weight, self.codes.bias)}[view]


class _Layer(nn.Module):
    def __init__(self, width: int, shape: Shape, both: bool) -> None:
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, shape.heads, shape.dropout, batch_first=True)
        self.experts = nn.ModuleList(feed_forward(width, shape.dropout) for _ in range(1 if both else 2))

    def forward(self, x: Tensor, unseen: Tensor, words: int) -> Tensor:
        """x: (B, T + P, d), the first `words` are words; unseen: (B, T + P) bool."""
        y = self.before(x)
        x = x + self.attention(y, y, y, key_padding_mask=unseen, need_weights=False)[0]
        parts = [x] if len(self.experts) == 1 else x.tensor_split([words], dim=1)
        return torch.cat([part + expert(part) for part, expert in zip(parts, self.experts, strict=True)], 1)


def feed_forward(width: int, dropout: float) -> nn.Module:
    """The layers behind an attention, with the normalisation before them."""
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(dropout)
    )


def _small(*shape: int) -> Tensor:
    return 0.02 * torch.randn(shape)
