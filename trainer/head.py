"""The small network on top of frozen backbone features: the part that answers teach.

    h = P (x - mean)                   (N, W)   W principal components of the features, fixed
    z = normalise(h[:d] + A relu(B h)) (N, d)   A starts at zero: an untaught head is the raw embedding

Kept small on purpose: a few hundred gradient steps take about a second on two cores, and one matrix product re-embeds
every item.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from db.errors import BadInput, Broken
from trainer.shards import Rows

BLOCK = 100_000  # rows


class Head(nn.Module):
    """features: D, width: W principal components kept, hidden: units of the learnt part, size: d of the embedding."""

    mean: Tensor
    components: Tensor

    def __init__(self, features: int, width: int = 256, hidden: int = 256, size: int = 64) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("components", torch.zeros(features, width))
        self.size = size
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, size, bias=False)
        nn.init.zeros_(self.outer.weight)

    @classmethod
    def from_features(cls, features: np.ndarray | Rows, *, width: int = 256, size: int = 64, seed: int = 0) -> "Head":
        """A head that embeds like PCA of these features. features: (N, D) float32; N >= 2."""
        if features.ndim != 2 or len(features) < 2:
            raise BadInput(f"features = (N, D) with N >= 2 expected, got {features.shape}. Import more images first.")
        torch.manual_seed(seed)
        width = min(width, *features.shape)
        head = cls(features.shape[1], width, size=min(size, width))
        mean, components, scale = _principal(features, width, seed)
        head.mean.copy_(mean)
        head.components.copy_(components / scale)
        return head

    @classmethod
    def linear(cls, mean: np.ndarray, directions: np.ndarray) -> "Head":
        """A head that projects: mean (D,), directions (D, d)."""
        head = cls(len(mean), directions.shape[1], hidden=1, size=directions.shape[1])
        head.mean.copy_(torch.from_numpy(np.asarray(mean, np.float32)))
        head.components.copy_(torch.from_numpy(np.asarray(directions, np.float32)))
        return head

    def reduce(self, features: np.ndarray | Rows) -> Tensor:
        """The fixed first step, (N, W) from (N, D): computed once per update, in blocks of 8,192 rows."""
        reduced = torch.empty(len(features), self.components.shape[1], device=self.mean.device)
        with torch.no_grad():
            for row in range(0, len(features), 8192):
                reduced[row : row + 8192] = self._reduce(features[row : row + 8192])
        return reduced

    def _reduce(self, rows: np.ndarray) -> Tensor:
        block = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32)).to(self.mean.device)
        return (block - self.mean) @ self.components

    def forward(self, reduced: Tensor) -> Tensor:
        """(N, d) unit rows from (N, W)."""
        learnt = self.outer(torch.relu(self.inner(reduced)))
        return nn.functional.normalize(reduced[:, : self.size] + learnt, dim=1)

    def embed(self, features: np.ndarray | Rows) -> np.ndarray:
        """(N, d) float32 unit rows from (N, D) float features."""
        self.eval()
        return self.whole(self.reduce(features)).float().cpu().numpy()

    def whole(self, reduced: Tensor) -> Tensor:
        """(N, d) from (N, W) without gradients: up to BLOCK rows at once, more by blocks, which need less memory."""
        with torch.no_grad():
            if len(reduced) <= BLOCK:
                return self(reduced)  # type: ignore[no-any-return]
            return torch.cat([self(reduced[row : row + BLOCK]) for row in range(0, len(reduced), BLOCK)])

    def reduces_like(self, other: "Head") -> bool:
        """Whether `reduce` gives the same as the other's."""
        return torch.equal(self.mean, other.mean) and torch.equal(self.components, other.components)

    def to_bytes(self) -> bytes:
        """safetensors; `from_bytes` gives the same head, bit for bit."""
        return save({name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()})

    @classmethod
    def from_bytes(cls, content: bytes) -> "Head":
        """The head that `to_bytes` wrote. Raises Broken if the bytes are not one."""
        try:
            return cls.from_state(load(content))
        except Exception as error:
            message = f"this file is not a head of Pairwright ({error}). Rebuild the version from the log."
            raise Broken(message) from error

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> "Head":
        """The head with these weights. Raises what torch raises where they are not a head's."""
        features, width = state["components"].shape
        head = cls(features, width, state["inner.weight"].shape[0], state["outer.weight"].shape[0])
        head.load_state_dict(state)
        return head

    @classmethod
    def read(cls, path: Path) -> "Head":
        """From a file of `to_bytes`."""
        return cls.from_bytes(path.read_bytes())


def _principal(features: np.ndarray | Rows, width: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (D,), components (D, W) and one common scale () so that rows have length about 1. At most 20,000 rows are
    looked at."""
    rows = np.random.default_rng(seed).permutation(len(features))[:20_000]
    sample = torch.from_numpy(np.ascontiguousarray(features[np.sort(rows)], dtype=np.float32)).double()
    mean = sample.mean(0)
    centred = sample - mean
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    components = vectors.flip(1)[:, :width]
    components = components * components.sum(0).sign().where(components.sum(0) != 0, torch.ones(()).double())
    scale = (centred @ components).norm(dim=1).mean().clamp_min(1e-6)
    return mean.float(), components.float(), scale.float()
