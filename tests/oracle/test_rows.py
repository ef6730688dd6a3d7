"""Row sums are exact to rounding, and no library's false alarm reaches the caller."""

import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from oracle.rows import row_sums

NUMBERS = st.floats(0, 1, width=32)


@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=NUMBERS))
def test_they_are_the_sums_of_the_rows(values: np.ndarray) -> None:
    found = row_sums(values)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, values.astype(np.float64).sum(1), rtol=1e-5)


def test_a_flag_that_a_kernel_raised_over_nothing_is_no_warning() -> None:
    class Kernel(np.ndarray):
        """Multiplies right and raises the flag of an invalid operation on the way, as OpenBLAS may."""

        def __matmul__(self, other: np.ndarray) -> np.ndarray:
            np.subtract(np.float32(np.inf), np.float32(np.inf))
            return np.asarray(self) @ other

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert row_sums(np.ones((3, 2), np.float32).view(Kernel)).tolist() == [2, 2, 2]
