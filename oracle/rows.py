"""Sums along the rows of tall, narrow matrices: chances, shares, flow."""

import numpy as np


def row_sums(values: np.ndarray) -> np.ndarray:
    """(N,) sums of (N, G) values that are finite, in their own precision.

    A product with ones is three to eight times faster than `values.sum(1)`. Some kernels of OpenBLAS raise the flag of
    an invalid operation over lanes they do not use (numpy issue 24067); numpy would warn of it although the result is
    right.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(values @ np.ones(values.shape[1], values.dtype))
