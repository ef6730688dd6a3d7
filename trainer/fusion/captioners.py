"""Networks that tell a caption word by word: a language model that stays still, and what shows it the picture.

The language model learns the collection's captions alone, in the first READING of the run; then its weights stay as
they are, and what stands between picture and words learns. No language model has to be downloaded.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from trainer.fusion.multiway import feed_forward
from trainer.fusion.nets import VOCABULARY, Net, Shape, Told, start_of
from trainer.fusion.vocabulary import END, PAD, START

READING = 0.4  # share of the run in which the language model reads captions without pictures


class Captioner(Net):
    """A GPT-2 of random weights that reads first and stays still then."""

    causal = True

    def __init__(self, width: int, shape: Shape, prefix: int = 0) -> None:
        super().__init__()
        from transformers import GPT2Config, GPT2LMHeadModel

        settings = GPT2Config(
            vocab_size=shape.words, n_positions=shape.longest + prefix, n_embd=width, n_layer=shape.layers,
            n_head=shape.heads, resid_pdrop=shape.dropout, embd_pdrop=shape.dropout, attn_pdrop=shape.dropout,
            use_cache=False, initializer_range=start_of(width), bos_token_id=START, eos_token_id=END, pad_token_id=PAD,
        )  # fmt: skip
        self.language, self.alone = GPT2LMHeadModel(settings), False
        self.register_buffer("no_bias", torch.zeros(shape.words), persistent=False)

    def begin(self, progress: float) -> None:
        """Whether the language model still reads alone follows from the share of the training done."""
        self.alone = progress < READING
        self.language.requires_grad_(self.alone)
        self.language.train(self.alone and self.training)

    def read(self, tokens: Tensor, before: Tensor | None = None) -> Tensor:
        """(B, T, d) what the language model makes of (B, T) tokens behind (B, L, d) rows that stand for a picture."""
        words, seen = self.language.transformer.wte(tokens), tokens != PAD
        if before is not None:  # what stands before is all seen, padding too
            words = torch.cat([before, words], 1)
            seen = torch.cat([seen.new_ones(before.shape[:2]), seen], 1)
        told: Tensor = self.language.transformer(inputs_embeds=words, attention_mask=seen.long()).last_hidden_state
        return told[:, -tokens.shape[1] :]

    def table(self, view: int) -> tuple[Tensor, Tensor]:
        """VOCABULARY alone."""
        none: Tensor = self.no_bias  # type: ignore[assignment]
        return {VOCABULARY: (self.language.lm_head.weight, none)}[view]


class Mapl(Captioner):
    """A mapper turns the places into a few rows that stand before the caption, as if they were words."""

    latents = 8
    inner = 0.5  # width of the mapper, as a share of the language model's

    def __init__(self, width: int, shape: Shape) -> None:
        super().__init__(width, shape, prefix=self.latents)
        narrow = max(int(self.inner * width) // shape.heads, 1) * shape.heads
        self.down, self.up = nn.Linear(width, narrow), nn.Linear(narrow, width)
        self.asking = nn.Parameter(0.02 * torch.randn(self.latents, narrow))
        self.where = nn.Parameter(0.02 * torch.randn(shape.places, narrow))
        layer = nn.TransformerEncoderLayer(
            narrow, shape.heads, 4 * narrow, shape.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.mapper = nn.TransformerEncoder(layer, shape.layers, enable_nested_tensor=False)

    def forward(self, places: Tensor, tokens: Tensor, covered: Tensor | None = None) -> Told:
        """See `Net`."""
        if self.alone:
            return Told(self.read(tokens, self._twice(tokens)))
        x = torch.cat([self.down(places) + self.where, self.asking.expand(len(places), -1, -1)], 1)
        return Told(self.read(tokens, self.up(self.mapper(x)[:, -self.latents :])))

    def _twice(self, tokens: Tensor) -> Tensor:
        """(B, L, d) the first words of half of the captions, of the others nothing: so the language model learns what a
        large one can, to go on from what stands before."""
        first = pad(tokens[:, 1 : 1 + self.latents], [0, self.latents], value=PAD)[:, : self.latents]
        silent = torch.rand(len(tokens), 1).to(tokens.device) < 0.5
        told: Tensor = self.language.transformer.wte(first.masked_fill(silent, PAD))
        return told


class Flamingo(Captioner):
    """Before each layer of the language model, the words look at the picture, through a gate that starts closed."""

    latents = 8

    def __init__(self, width: int, shape: Shape) -> None:
        super().__init__(width, shape)
        self.resampler = _Resampler(width, shape, self.latents)
        self.gates = nn.ModuleList(_Gate(width, shape) for _ in range(shape.layers))
        self._seen: Tensor | None = None
        for block, gate in zip(self.language.transformer.h, self.gates, strict=True):
            block.register_forward_pre_hook(self._looking(gate), with_kwargs=True)

    def forward(self, places: Tensor, tokens: Tensor, covered: Tensor | None = None) -> Told:
        """See `Net`."""
        self._seen = None if self.alone else self.resampler(places)
        try:
            return Told(self.read(tokens))
        finally:
            self._seen = None

    def _looking(self, gate: nn.Module) -> Any:
        def look(block: nn.Module, given: tuple[Tensor, ...], named: dict[str, Any]) -> tuple[Any, Any] | None:
            return None if self._seen is None else ((gate(given[0], self._seen), *given[1:]), named)

        return look


class _Resampler(nn.Module):
    """Places (B, P, d) -> (B, L, d): a few learnt rows look at places and at each other. Alayrac et al., section
    3.1."""

    def __init__(self, width: int, shape: Shape, latents: int) -> None:
        super().__init__()
        self.asking = nn.Parameter(0.02 * torch.randn(latents, width))
        self.where = nn.Parameter(0.02 * torch.randn(shape.places, width))
        self.looks = nn.ModuleList(_Look(width, shape) for _ in range(shape.layers))
        self.feeds = nn.ModuleList(feed_forward(width, shape.dropout) for _ in range(shape.layers))
        self.last = nn.LayerNorm(width)

    def forward(self, places: Tensor) -> Tensor:
        places, x = places + self.where, self.asking.expand(len(places), -1, -1)
        for look, feed in zip(self.looks, self.feeds, strict=True):
            x = x + look(x, torch.cat([places, x], 1))
            x = x + feed(x)
        found: Tensor = self.last(x)
        return found


class _Gate(nn.Module):
    """x + tanh(a) Look(x, seen), then + tanh(b) F: nothing changes as long as a and b are 0. Ibid., section 3.2."""

    def __init__(self, width: int, shape: Shape) -> None:
        super().__init__()
        self.look, self.feed = _Look(width, shape), feed_forward(width, shape.dropout)
        self.open = nn.Parameter(torch.zeros(2))

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """x: (B, T, d) words; seen: (B, L, d) what the resampler made of the picture."""
        a, b = self.open.tanh()
        x = x + a * self.look(x, seen)
        made: Tensor = x + b * self.feed(x)
        return made


class _Look(nn.Module):
    """Attention of some rows to others, both normalised before."""

    def __init__(self, width: int, shape: Shape) -> None:
        super().__init__()
        self.one, self.other = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, shape.heads, shape.dropout, batch_first=True)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        seen = self.other(seen)
        found: Tensor = self.attention(self.one(x), seen, seen, need_weights=False)[0]
        return found
