"""Which keys are nearest to a row, as far as they may be taken."""

from torch import Tensor


def nearest(rows: Tensor, keys: Tensor, allowed: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` nearest of (K, d) keys by cosine for each of (R, d) rows, nearest first.

    Returns: (R, C) places among the keys, C = min(count, K), and (R, C) bool whether they were allowed (R, K).
    """
    cosine = (rows.detach() @ keys.detach().T).masked_fill(~allowed, -2.0)  # (R, K)
    found, place = cosine.topk(min(count, keys.shape[0]), dim=1)
    return place, found > -1.5
