"""Every item as a head saw it at one moment: all at once, or, of large collections, the rows that are asked for."""

import torch
from torch import Tensor

from trainer.head import Head

LARGE = 100_000  # items beyond which embedding them all between two steps takes longer than the steps


class Table:
    """The head as it is now; later steps change nothing here. reduced: (N, W)."""

    def __init__(self, head: Head, reduced: Tensor) -> None:
        self._reduced = reduced
        self._whole = head.whole(reduced) if len(reduced) <= LARGE else None
        self._head = Head.from_bytes(head.to_bytes()).to(reduced.device) if self._whole is None else head

    def __getitem__(self, rows: Tensor) -> Tensor:
        """(R, d) unit rows."""
        if self._whole is not None:
            return self._whole[rows]
        with torch.no_grad():
            return self._head(self._reduced[rows])  # type: ignore[no-any-return]

    def all(self) -> Tensor:
        """(N, d) unit rows."""
        return self._whole if self._whole is not None else self._head.whole(self._reduced)
