"""Features by workers of Ray Data, each holding the encoder; this process writes the shards, as it always does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.cluster.data import Row, Tool, mapped
from app.cluster.start import Reach
from db.nouns import Item
from trainer.features import Cancelled, Encoded, here
from trainer.shards import BATCH

if TYPE_CHECKING:
    from trainer.encoders import Encoder


@dataclass(frozen=True)
class Embedding:
    """An executor of `trainer.features`. name: of the encoder, which every worker loads for itself."""

    reach: Reach
    name: str

    def __call__(
        self, encoder: "Encoder", items: Sequence[Item], workspace: Path, cancelled: Cancelled
    ) -> Iterator[Encoded]:
        """Batches of the very pictures that one process would encode together, so that features are the same."""
        batches = [items[at : at + BATCH] for at in range(0, len(items), BATCH)]
        rows = [{"number": number, **_told(batch)} for number, batch in enumerate(batches)]
        for row in mapped(self.reach, rows, partial(_tool, workspace, self.name), at_once=1):
            if cancelled():
                return
            batch, read = batches[int(row["number"])], np.frombuffer(row["read"], np.int64)
            vectors = np.frombuffer(row["vectors"], np.float32).reshape(len(read), encoder.dim)
            yield [batch[place] for place in read], vectors, len(batch)


def _told(batch: Sequence[Item]) -> dict[str, Any]:
    """All that a worker must know of its pictures."""
    return {
        "ids": [item.id for item in batch], "paths": [item.path for item in batch],
        "names": [item.name for item in batch],
    }  # fmt: skip


def _tool(workspace: Path, name: str) -> Tool:
    """What a worker does, with the encoder in its hands."""
    from app.features import encoder_of

    encoder = encoder_of(workspace, name)
    return lambda rows: [_encoded(encoder, row, workspace) for row in rows]


def _encoded(encoder: "Encoder", row: Row, workspace: Path) -> dict[str, Any]:
    given = zip(row["ids"], row["paths"], row["names"], strict=True)
    items = [Item(int(number), 0, "", 0, 0, str(path), str(name)) for number, path, name in given]
    (read, vectors, _), *_ = here(encoder, items, workspace, lambda: False)
    kept = {item.id for item in read}
    places = np.array([place for place, item in enumerate(items) if item.id in kept], np.int64)
    return {"number": row["number"], "read": places.tobytes(), "vectors": vectors.astype(np.float32).tobytes()}
