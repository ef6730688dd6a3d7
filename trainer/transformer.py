"""A taught embedding as a scikit-learn transformer: pictures in, vectors out, for pipelines and searches.

make_pipeline(PictureEmbedding("material-model"), LogisticRegression()).fit(paths, labels)
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from trainer.taught import Picture, load


class PictureEmbedding(TransformerMixin, BaseEstimator):
    """model: a folder of `pairwright export model`. engine: auto, openvino, eager or cuda. There is nothing to fit."""

    def __init__(self, model: str | Path = "", engine: str = "auto") -> None:
        self.model = model
        self.engine = engine

    def fit(self, X: Iterable[Picture] = (), y: Any = None) -> "PictureEmbedding":
        """Read the model. X and y are not looked at. Raises NotFound or Broken where there is none."""
        self.taught_ = load(self.model, self.engine)
        return self

    def transform(self, X: Iterable[Picture]) -> np.ndarray:
        """(N, d) float32 unit rows of paths, bytes, PIL images or arrays."""
        check_is_fitted(self, "taught_")
        return self.taught_(X)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """pairwright0, pairwright1, ..."""
        check_is_fitted(self, "taught_")
        return np.array([f"pairwright{place}" for place in range(self.taught_.dim)], object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = False, True
        tags.no_validation = True
        return tags
