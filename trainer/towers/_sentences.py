"""Texts by a language model of transformers: the mean over the tokens of its last layer.

Weights are safetensors, and no code that comes with a model is run.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from db.errors import BadInput

BLOCK, LONGEST = 64, 128  # texts read at once; tokens of a text
INSTALL = "needs packages that are not installed: pip install 'pairwright[methods]'."


@torch.no_grad()
def means(texts: Sequence[str], tokens: Any, model: Any) -> np.ndarray:
    """N texts -> (N, D) float32 rows of length 1."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # like lengths are read together
    found = np.zeros((len(texts), int(model.config.hidden_size)), np.float32)
    for at in range(0, len(order), BLOCK):
        places = order[at : at + BLOCK]
        read = tokens([texts[place] for place in places], padding=True, truncation=True, max_length=LONGEST,
                      return_tensors="pt")  # fmt: skip
        last = model(**read).last_hidden_state  # (B, T, D)
        real = read["attention_mask"][..., None].to(last)
        mean = (last * real).sum(1) / real.sum(1).clamp_min(1)
        found[places] = torch.nn.functional.normalize(mean, dim=1).numpy()
    return found


@cache
def loaded(name: str, local: bool) -> tuple[Any, Any]:
    """The reader of tokens and the model. name: of a folder, or of a model on the Hugging Face hub. local: whether to
    look at this machine alone. Raises: OSError or ValueError where there is none."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # a fifth of a second, and our own bar is on the screen
    tokens = AutoTokenizer.from_pretrained(name, local_files_only=local, trust_remote_code=False)
    model = AutoModel.from_pretrained(
        name, local_files_only=local, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
    )
    return tokens, model.eval()


def require(tower: str) -> None:
    """Raises: BadInput where transformers is missing."""
    if find_spec("transformers") is None:
        raise BadInput(f"the tower {tower} {INSTALL}")
