"""The share of false negatives among the unlabelled keys of each anchor, once answers took the known ones out.

tau_U = max(0, tau+ n - n_same) / (n - n_same - n_diff)        n candidates, of which answers placed n_same + n_diff
"""

import torch
from torch import Tensor

from db.errors import BadInput
from trainer.pool import Pool

HIGHEST = 0.9  # debiasing divides by 1 - tau+


def checked(name: str, share: float) -> None:
    """Raises BadInput unless 0 <= share < 1."""
    if not 0 <= share < 1:
        raise BadInput(f"{name} = a share from 0 to below 1 expected, got {share}.")


def residual(pool: Pool, tau_plus: float | Tensor) -> Tensor:
    """(B,) tau_U of each anchor. tau_plus: share of positives among all its candidates, () or (B,)."""
    other = pool.rival
    n = other.sum(1).to(pool.anchors.dtype)
    n_same = ((pool.said > 0) & other).sum(1).to(n.dtype)
    n_diff = ((pool.said < 0) & other).sum(1).to(n.dtype)
    hidden = (torch.as_tensor(tau_plus, dtype=n.dtype, device=n.device) * n - n_same).clamp_min(0)
    return (hidden / (n - n_same - n_diff).clamp_min(1)).clamp_max(HIGHEST)
