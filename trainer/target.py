"""The second encoder: a slowly moving average of the first, which gives keys that stay comparable over time.

    theta_k <- m theta_k + (1 - m) theta_q,        m = m_1 - (m_1 - m_0) (1 + cos(pi progress)) / 2

Source: He, Fan, Wu, Xie, Girshick 2020, "Momentum contrast for unsupervised visual representation learning" (MoCo),
arXiv 1911.05722, equation 2. Running means of batch normalisation are its own, as in the official code. The rise of m:
Grill et al. 2020, "Bootstrap your own latent" (BYOL), arXiv 2006.07733, section 3.3.
"""

import math
from copy import deepcopy

import torch
from torch import nn

from db.errors import BadInput


class Average:
    """network: the average itself. momentum: m_0 in [0, 1). final: m_1 in [0, 1], None to stay at m_0."""

    def __init__(self, network: nn.Module, momentum: float, final: float | None = None) -> None:
        if not 0 <= momentum < 1:
            raise BadInput(f"momentum = at least 0 and below 1 expected, got {momentum}.")
        if final is not None and not momentum <= final <= 1:
            raise BadInput(f"final momentum = {momentum} to 1 expected, got {final}.")
        self.momentum, self.final = momentum, momentum if final is None else final
        self.network = deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def follow(self, network: nn.Module, progress: float = 0.0) -> None:
        """One step towards the network. progress: share of the training done."""
        slow, fast = ([weight.detach() for weight in net.parameters()] for net in (self.network, network))
        torch._foreach_lerp_(slow, fast, 1 - self.at(progress))

    def at(self, progress: float) -> float:
        """m after that share of the training."""
        return self.final - (self.final - self.momentum) * (1 + math.cos(math.pi * progress)) / 2
