"""Has the embedding collapsed? Rows that hardly differ, or that fill few of their directions, have.

    effective rank = exp(entropy of the singular values' shares)     between 1 and min(B, d)
    spread = mean standard deviation of a coordinate * sqrt(d)       0 where all rows agree, 1 on an even sphere

Source: Roy and Vetterli 2007, "The effective rank"; as a check of self-supervised training Garrido, Balestriero,
Najman, LeCun 2023, RankMe, arXiv 2210.02885. The spread: Chen and He 2021, SimSiam, arXiv 2011.10566, section 4.1.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

RANK, SPREAD = 2.0, 0.1  # below either of them an embedding says nothing


def spread(rows: Tensor) -> dict[str, float]:
    """rows: (B, d) unit -> {"rank": effective rank, "spread": in [0, about 1]}. Finite for any rows."""
    rows = rows.double()
    values = torch.linalg.svdvals(rows)
    shares = values / values.sum().clamp_min(1e-12)
    entropy = -torch.special.xlogy(shares, shares).sum()
    deviation = rows.std(0, unbiased=False).mean() * rows.shape[1] ** 0.5
    return {"rank": float(entropy.exp()), "spread": float(deviation)}


def collapsed(report: Mapping[str, Any]) -> bool:
    """Whether a step's report shows a collapse."""
    return bool(report["rank"] < RANK or report["spread"] < SPREAD)
