"""A batch drawn in chunks: who fits those already chosen is likelier to come next.

    p(i) ~ exp(s_i),    s_i = what i adds to the loss of the chosen A:  L(A + i) - L(A)

With the sigmoid loss that is a sum over pairs, l_ii + sum over k in A of l_ik + l_ki; with the softmax loss it is i's
own loss among A, plus what i adds as a negative to everybody in A. Nobody is chosen yet: the sigmoid loss has l_ii, the
softmax loss i's own among all candidates. Others with equal words are no negatives.

Source: Evans, Parthasarathy, Merzic, Henaff 2024, "Data curation via joint example selection further accelerates
multimodal learning" (JEST), arXiv 2406.17711, algorithm 1. No official code.
Differs from the paper: the growth of the softmax loss is exact here; a chunk is drawn without putting back by adding
Gumbel noise to s (Kool, van Hoof, Welling 2019, arXiv 1903.06059).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from db.errors import BadInput
from oracle.bounds import Finite
from trainer.attributes import Attributes
from trainer.candidates import Draw, checked_filter
from trainer.confirmed import enough

FORMS = ("softmax", "sigmoid")


class Losses(Protocol):
    """What every candidate costs."""

    def beside(self, chosen: Tensor) -> Tensor:
        """(S,) growth of the loss of the (K,) chosen by each candidate that is not among them."""
        ...


@dataclass(frozen=True, eq=False)
class Sigmoid:
    """pairs: (S, S) losses of every picture with everybody's words, 0 for others with equal words."""

    pairs: Tensor

    @classmethod
    def of(cls, scores: Tensor, codes: Tensor, bias: float) -> "Sigmoid":
        """From (S, S) scores; bias: b of the sigmoid loss."""
        itself = torch.eye(len(codes), dtype=torch.bool, device=scores.device)
        pairs = -logsigmoid(torch.where(itself, scores + bias, -scores - bias))
        return cls(pairs.masked_fill(_others(codes), 0.0))

    def beside(self, chosen: Tensor) -> Tensor:
        """(S,) l_ii + sum over k of l_ik + l_ki."""
        return self.pairs.diagonal() + self.pairs[:, chosen].sum(1) + self.pairs[chosen].sum(0)


@dataclass(frozen=True, eq=False)
class Softmax:
    """scores: (2, S, S) of everybody's words for a picture, and of everybody's picture for words; -inf for others with
    equal words. The loss of a pair is the mean of both."""

    scores: Tensor

    @classmethod
    def of(cls, scores: Tensor, codes: Tensor) -> "Softmax":
        """From (S, S) scores."""
        open_ = scores.masked_fill(_others(codes), -torch.inf)
        return cls(torch.stack([open_, open_.T]))

    def alone(self) -> Tensor:
        """(S,) own loss among all candidates."""
        return self.scores.logsumexp(2).mean(0) - self._own()

    def beside(self, chosen: Tensor) -> Tensor:
        """(S,) own loss among the chosen, and what each of them loses by one more negative; among all before the
        first."""
        if not len(chosen):
            return self.alone()
        rows = self.scores[:, chosen]  # (2, K, S)
        mass = rows[:, :, chosen].logsumexp(2, keepdim=True)  # (2, K, 1)
        own = softplus(rows.logsumexp(1) - self._own())  # the rows of one direction are the columns of the other
        return (own + softplus(rows - mass).sum(1)).mean(0)

    def _own(self) -> Tensor:
        return self.scores[0].diagonal()


@dataclass(frozen=True)
class Jointly:
    """What the selectors by a reference model share. filter: share of the super-batch that is left out. chunks: in how
    many parts a batch is drawn. form: loss of a batch, softmax or sigmoid; bias: b of the sigmoid loss. confirmed:
    column that says 1 where somebody confirmed the words of a picture, 0 where somebody rejected them. backbone: of the
    reference model, empty for the run's own; steps: of its training."""

    reads: ClassVar[tuple[str, ...]] = ("reference",)

    filter: float = 0.8
    chunks: int = 16
    form: str = "softmax"
    bias: Finite = -10.0
    confirmed: str = "confirmed"
    backbone: str = ""
    steps: int = 200

    def __post_init__(self) -> None:
        checked_filter(self.filter)
        if self.form not in FORMS:
            raise BadInput(f"form = {' or '.join(FORMS)} expected, got '{self.form}'.")
        for name in ("chunks", "steps"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} = 1 or more expected, got {getattr(self, name)}.")

    def learn_of(self, attributes: Attributes) -> None:
        """Raises: BadInput or NotFound where too few pairs are confirmed."""
        enough(attributes, self.confirmed)

    def losses(self, scores: Tensor, codes: Tensor) -> Losses:
        """Of one model, by (S, S) scores."""
        return Sigmoid.of(scores, codes, self.bias) if self.form == "sigmoid" else Softmax.of(scores, codes)

    def drawn(self, value: Callable[[Tensor], Tensor], count: int, draw: Draw) -> Tensor:
        """(count,) places, chunk by chunk. value: (K,) chosen so far -> (S,) how likely each is to come next, as s."""
        chosen = torch.zeros(0, dtype=torch.int64)
        for part in torch.arange(count).tensor_split(min(self.chunks, max(count, 1))):
            values = value(chosen).clone()
            chosen = chosen.to(values.device)
            values[chosen] = -torch.inf
            noise = -(-draw().to(values).clamp_min(torch.finfo(values.dtype).tiny).log()).log()
            chosen = torch.cat([chosen, (values + noise).topk(len(part)).indices])
        return chosen


def _others(codes: Tensor) -> Tensor:
    """(S, S) bool: another candidate with equal words."""
    return (codes[:, None] == codes[None]) & ~torch.eye(len(codes), dtype=torch.bool, device=codes.device)
