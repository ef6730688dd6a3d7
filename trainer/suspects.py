"""Which words probably do not belong to their picture: what a run with a selector found, item by item.

    doubt = mean over the looks at a pair of its own loss among the candidates, by the learner and by the reference

Stored beside the run's encoder as one safetensors file: ids, looks, chosen, learner, reference, (N,) each. `suspects`
gives item id -> doubt in nats, which ranks what to ask a person about.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from db.artifacts import ArtifactStore
from db.errors import Broken, NotFound
from trainer.candidates import Candidates
from trainer.selectors._joint import Softmax

FILE = "suspects.safetensors"
MODELS = ("learner", "reference")


@dataclass(frozen=True, eq=False)
class Looks:
    """looks, chosen: (N,) how often each item was a candidate, and came into the batch. learner, reference: (N,) sums
    of its own loss in nats."""

    looks: np.ndarray
    chosen: np.ndarray
    learner: np.ndarray
    reference: np.ndarray

    @classmethod
    def of(cls, count: int) -> "Looks":
        """Nobody was looked at yet."""
        return cls(np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count), np.zeros(count))

    def add(self, rows: np.ndarray, chosen: np.ndarray, candidates: Candidates) -> None:
        """One super-batch, and who was chosen."""
        self.looks[rows] += 1
        self.chosen[chosen] += 1
        for name in MODELS:
            scores = getattr(candidates, name)
            if scores is not None:
                getattr(self, name)[rows] += Softmax.of(scores, candidates.codes).alone().double().cpu().numpy()

    def doubt(self) -> np.ndarray:
        """(N,) mean loss in nats, over the models that were asked; NaN where nobody looked."""
        asked = [sums for sums in (self.learner, self.reference) if sums.any()]
        if not asked:
            return np.full(len(self.looks), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.looks > 0, np.mean(asked, axis=0) / self.looks, np.nan)

    def state(self) -> dict[str, Tensor]:
        """As tensors."""
        return {name: torch.from_numpy(getattr(self, name).copy()) for name in ("looks", "chosen", *MODELS)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there. Raises: ValueError for the state of other items."""
        for name in ("looks", "chosen", *MODELS):
            getattr(self, name)[:] = state[name].numpy()

    def to_bytes(self, ids: np.ndarray) -> bytes:
        """The file of these items."""
        return save({"ids": torch.from_numpy(np.asarray(ids, np.int64)), **self.state()})


def suspects(store: ArtifactStore, encoder: str) -> dict[int, float]:
    """Item id -> doubt in nats, highest first, of the run that made an encoder; items nobody looked at are left out.

    Raises: NotFound where that run had no selector that asks a model; Broken where the file is damaged.
    """
    path = store.open(f"encoders/{encoder}") / FILE
    if not path.exists():
        raise NotFound(
            f"the run of '{encoder}' doubted nothing. Train with a selector that has a reference, as jest does."
        )
    try:
        table = {name: one.numpy() for name, one in load(path.read_bytes()).items()}
        looks = Looks(*(table[name] for name in ("looks", "chosen", *MODELS)))
        ids = table["ids"]
    except (KeyError, SafetensorError) as error:
        raise Broken(f"the suspects of '{encoder}' cannot be read ({error}). Train again.") from error
    return ranked(ids, looks)


def ranked(ids: np.ndarray, looks: Looks) -> dict[int, float]:
    """Item id -> doubt in nats, highest first."""
    doubt = looks.doubt()
    order = [place for place in np.argsort(-doubt, kind="stable") if not np.isnan(doubt[place])]
    return {int(ids[place]): float(doubt[place]) for place in order}
