"""Texts by a language model of transformers: the mean over the tokens of its last layer.

Weights are safetensors, and no code that comes with a model is run.
"""

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from db.errors import BadInput

BLOCK, LONGEST = 64, 128  # texts read at once; tokens of a text
PACE = 0.03  # of what was taught on a billion sentences, or it forgets them: 3e-5 where a run has 1e-3
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


def numbered(texts: Sequence[str], tokens: Any) -> np.ndarray:
    """N texts -> (N, T) float32: the number of each token and one, 0 where there is none."""
    if not len(texts):
        return np.zeros((0, 1), np.float32)
    read = tokens(list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="np")
    found: np.ndarray = ((read["input_ids"] + 1) * read["attention_mask"]).astype(np.float32)
    return found


class Sentences(nn.Module):
    """The mean over the tokens of the last layer, of length 1, by a model that learns. model: a copy is made of it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = deepcopy(model).train()
        for name, weight in self.model.named_parameters():
            weight.requires_grad_(not name.startswith("pooler."))  # what nobody asks

    def forward(self, numbers: Tensor) -> Tensor:
        """(B, T) of `numbered` -> (B, D)."""
        longest = max(int((numbers > 0).sum(1).max()), 1) if len(numbers) else 1
        numbers = numbers[:, :longest].long()
        real = numbers > 0
        last = self.model(input_ids=(numbers - 1).clamp_min(0), attention_mask=real.long()).last_hidden_state
        mean = (last * real[..., None].to(last)).sum(1) / real.sum(1, keepdim=True).clamp_min(1)
        return nn.functional.normalize(mean, dim=1)


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
