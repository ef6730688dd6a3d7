"""The second encoder: a slowly moving average of the first, which gives keys that stay comparable over time.

    theta_k <- m theta_k + (1 - m) theta_q

Source: He, Fan, Wu, Xie, Girshick 2020, "Momentum contrast for unsupervised visual representation learning" (MoCo),
arXiv 1911.05722, equation 2. Running means of batch normalisation are its own, as in the official code.
"""

from copy import deepcopy

import torch
from torch import nn

from db.errors import BadInput


class Average:
    """network: the average itself. momentum: m in [0, 1)."""

    def __init__(self, network: nn.Module, momentum: float) -> None:
        if not 0 <= momentum < 1:
            raise BadInput(f"momentum = at least 0 and below 1 expected, got {momentum}.")
        self.momentum = momentum
        self.network = deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """One step towards the network."""
        slow, fast = ([weight.detach() for weight in net.parameters()] for net in (self.network, network))
        torch._foreach_lerp_(slow, fast, 1 - self.momentum)
