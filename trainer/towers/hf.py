"""Texts by any language model of transformers, by its name: tower=hf:OWNER/MODEL, or the path of a folder.

    e = mean over the tokens of the last layer, of length 1

What this machine has of it is used; else it is fetched from the Hugging Face hub, once, unless HF_HUB_OFFLINE=1 says
that there is no internet. Only weights in safetensors are read, and no code that comes with a model is run.
Source: Reimers, Gurevych 2019, "Sentence-BERT", arXiv 1908.10084, section 3 (the mean).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import nn

from db.errors import BadInput
from trainer.towers import _sentences

ASKED_S = 10.0


@dataclass(frozen=True)
class Tower:
    """model: its name on the hub, or the path of a folder that holds one."""

    untaught: ClassVar[bool] = False
    pace: ClassVar[float] = _sentences.PACE

    model: str = ""

    def __post_init__(self) -> None:
        if not self.model:
            raise BadInput("the tower hf needs the name of a model. Say tower=hf:OWNER/MODEL, or tower=hf:FOLDER.")

    @property
    def dim(self) -> int:
        """Numbers of a row, as the model says. Raises: BadInput for one that cannot be had."""
        return int(self._loaded[1].config.hidden_size)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> (N, dim) float32 rows of length 1."""
        return _sentences.means(texts, *self._loaded)

    def inputs(self, values: Sequence[str]) -> np.ndarray:
        """N texts -> (N, T) numbers of tokens."""
        return _sentences.numbered(values, self._loaded[0])

    def network(self) -> nn.Module:
        """The model, to be trained."""
        return _sentences.Sentences(self._loaded[1])

    @property
    def _loaded(self) -> tuple[Any, Any]:
        _sentences.require("hf")
        try:
            return _sentences.loaded(self.model, local=True)
        except (OSError, ValueError, AttributeError):
            return self._fetched()

    def _fetched(self) -> tuple[Any, Any]:
        from huggingface_hub import HfApi

        try:
            HfApi().model_info(self.model, timeout=ASKED_S)  # says at once that there is none, or no internet
            return _sentences.loaded(self.model, local=False)
        except Exception as error:  # a library with a net below it: whatever it raises means the same to a person
            raise BadInput(
                f"the text model '{self.model}' is not on this machine as safetensors and cannot be fetched "
                f"({type(error).__name__}). Check its name and the internet, or say tower=minilm."
            ) from error
