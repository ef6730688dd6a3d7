"""A bank of negatives that are learnt against the encoder: each step they climb the loss the encoder descends.

    W <- W + lr dL/dW at the bank's own temperature, by SGD with momentum and weight decay;   used as rows W / |W|

The bank begins with keys of the first batches. It belongs to no item, so no answer speaks about it.

Source: Hu, Wang, Hu, Qi 2021, "AdCo: adversarial contrast for efficient learning of unsupervised representations from
self-trained negative adversaries", arXiv 2011.08435, equations 5 to 7.
Official code: github.com/maple-research-lab/AdCo.
Differs from the paper: a smaller bank (65,536 there), for smaller collections.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from db.errors import BadInput
from trainer.negatives.uniform import NegativePolicy as Uniform
from trainer.objectives.contrast import Objective
from trainer.pool import Pool


@dataclass
class NegativePolicy:
    """size: rows of the bank. temperature: of the climb. rate, momentum, decay: of its SGD."""

    size: int = 1024
    temperature: float = 0.02
    rate: float = 3.0
    momentum: float = 0.9
    decay: float = 1e-4
    bank: Tensor = field(init=False, repr=False, compare=False)  # (S, d)
    speed: Tensor = field(init=False, repr=False, compare=False)  # (S, d)

    def __post_init__(self) -> None:
        if self.size < 1:
            raise BadInput(f"size = 1 row or more expected, got {self.size}.")
        self.bank = self.speed = torch.zeros(0, 0)

    def __call__(self, pool: Pool) -> Pool:
        self._fill(pool.keys)
        return _beside(Uniform()(pool), self.bank)

    def after_step(self, pool: Pool) -> None:
        """Climb once. pool: the step's pool as the objective saw it."""
        bank = self.bank.clone().requires_grad_()
        still = _beside(replace(pool, anchors=pool.anchors.detach(), keys=pool.keys.detach()), bank)
        with torch.enable_grad():
            loss = Objective(self.temperature, denominator="self")(still)
            slope = torch.autograd.grad(loss, bank, allow_unused=True)[0]
        if slope is not None:
            self.speed = self.momentum * self.speed + self.decay * self.bank - slope
            self.bank = self.bank - self.rate * self.speed

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"bank": self.bank, "speed": self.speed}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Climb on where a checkpoint stopped."""
        self.bank, self.speed = state["bank"].clone(), state["speed"].clone()

    def _fill(self, keys: Tensor) -> None:
        """Take keys in until the bank is full."""
        self.bank, self.speed = (
            (table if len(table) else keys.new_zeros(0, keys.shape[1])).to(keys.device, keys.dtype)
            for table in (self.bank, self.speed)
        )
        new = keys.detach()[: self.size - len(self.bank)]
        self.bank, self.speed = torch.cat([self.bank, new]), torch.cat([self.speed, torch.zeros_like(new)])


def _beside(pool: Pool, bank: Tensor) -> Pool:
    """The pool with the bank as columns of every anchor, without a copy for each."""
    rows = normalize(bank, dim=1).expand(len(pool.anchors), -1, -1)  # (B, S, d)
    return replace(pool, synthetic=rows, synthetic_weight=rows.new_ones(1, 1).expand(rows.shape[:2]))
