"""What pulls each anchor, as one row."""

import torch
from torch import Tensor


def mixture(share: Tensor, rows: Tensor) -> Tensor:
    """b_i = sum_j pi_ij c_j, pi (B, K) mostly 0, c (K, d) -> (B, d). Time grows with the pairs that pull."""
    mixed: Tensor = torch.sparse.mm(share.to_sparse(), rows)
    return mixed
