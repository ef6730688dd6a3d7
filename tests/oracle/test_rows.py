"""Row sums are exact to rounding, and no library's false alarm reaches the caller."""

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from oracle.rows import BLOCK, NARROW, row_max, row_sums

NUMBERS = st.floats(0, 1, width=32)


@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=NUMBERS))
def test_they_are_the_sums_of_the_rows(values: np.ndarray) -> None:
    found = row_sums(values)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, values.astype(np.float64).sum(1), rtol=1e-5)


@settings(max_examples=40)
@given(arrays.arrays(np.float32, st.tuples(st.integers(0, 40), st.sampled_from([1, 2, 7, NARROW, NARROW + 1]))))
def test_the_largest_of_each_row_is_exact(values: np.ndarray) -> None:
    for laid_out in (values, np.asfortranarray(values), values[::2]):
        np.testing.assert_array_equal(row_max(laid_out), laid_out.max(1))
    assert row_max(values).dtype == np.float32


def test_the_largest_are_found_beyond_the_rows_that_are_looked_at_together() -> None:
    values = np.random.default_rng(0).random((2 * BLOCK + 3, 5))
    np.testing.assert_array_equal(row_max(values), values.max(1))


def test_a_flag_that_a_kernel_raised_over_nothing_is_no_warning() -> None:
    class Kernel(np.ndarray):
        """Multiplies right and raises the flag of an invalid operation on the way, as OpenBLAS may."""

        def __matmul__(self, other: np.ndarray) -> np.ndarray:
            np.subtract(np.float32(np.inf), np.float32(np.inf))
            return np.asarray(self) @ other

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert row_sums(np.ones((3, 2), np.float32).view(Kernel)).tolist() == [2, 2, 2]
