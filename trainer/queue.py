"""Keys of earlier batches that stay candidates, oldest out first; each slot knows the item it came from.

So an item's own earlier keys never push it, and answers reach into the queue.

Source: He, Fan, Wu, Xie, Girshick 2020, "Momentum contrast for unsupervised visual representation learning" (MoCo),
arXiv 1911.05722, section 3.
"""

import torch
from torch import Tensor

from db.errors import BadInput


class Queue:
    """size: slots. dim: d. Only filled slots are seen."""

    def __init__(self, size: int, dim: int) -> None:
        if size < 1 or dim < 1:
            raise BadInput(f"a queue of 1 slot and 1 number or more expected, got size {size} and dim {dim}.")
        self._keys, self._ids = torch.zeros(size, dim), torch.full((size,), -1)
        self._next, self._filled = 0, 0

    @property
    def size(self) -> int:
        """Slots."""
        return len(self._ids)

    @property
    def keys(self) -> Tensor:
        """(K, d) filled slots; K <= size."""
        return self._keys[: self._filled]

    @property
    def ids(self) -> Tensor:
        """(K,) int64 items they came from."""
        return self._ids[: self._filled]

    def push(self, keys: Tensor, ids: Tensor) -> None:
        """Put (B, d) keys of (B,) items in place of the oldest; of more than fit, the last stay."""
        keys, ids = keys.detach()[-self.size :], ids[-self.size :]
        self._keys = self._keys.to(keys.device, keys.dtype)
        self._ids = self._ids.to(ids.device)
        place = (self._next + torch.arange(len(ids), device=ids.device)) % self.size
        self._keys[place.to(keys.device)], self._ids[place] = keys, ids
        self._next = (self._next + len(ids)) % self.size
        self._filled = min(self._filled + len(ids), self.size)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"keys": self._keys.clone(), "ids": self._ids.clone(), "at": torch.tensor([self._next, self._filled])}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on with what a checkpoint kept. Raises BadInput if it is of another size."""
        if state["keys"].shape != self._keys.shape:
            raise BadInput(
                f"a queue of {tuple(self._keys.shape)} expected, the checkpoint has {tuple(state['keys'].shape)}."
            )
        self._keys, self._ids = state["keys"].clone(), state["ids"].clone()
        self._next, self._filled = state["at"].tolist()
