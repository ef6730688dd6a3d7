"""Answered pairs as a PyTorch data set, a sampler that evens them out, and pytorch-metric-learning's indices.

    pairs = PairDataset("pairs.parquet", root="workspace", transform=to_tensor)
    for first, second, same in DataLoader(pairs, batch_size=64, sampler=EvenPairs(pairs.same)): ...

Files are those of `pairwright export pairs`, in any style; only pairs that are said to be same or different count.
"""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from db.errors import BadInput, NotFound
from trainer.originals import Part, original
from trainer.pictures import FORMATS, upright

SIDES = (("a_path", "b_path"), ("image1", "image2"))


class PairDataset(Dataset[tuple[Any, Any, int]]):
    """(first picture, second picture, 1 for same or 0 for different). root: what paths are relative to, the workspace.

    transform: from an upright RGB PIL image to whatever a batch is made of. same: (P,) bool. Of several answers about a
    pair the last counts.
    """

    def __init__(
        self, file: str | Path, root: str | Path, transform: Callable[[Image.Image], Any] = lambda image: image
    ) -> None:
        rows = _rows(Path(file))
        self.root, self.transform = Path(root), transform
        last = {frozenset((one, other)): (one, other, same) for one, other, same in rows}
        self.pairs = list(last.values())
        self.same = np.array([same for _, _, same in self.pairs], bool)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, place: int) -> tuple[Any, Any, int]:
        one, other, same = self.pairs[place]
        return self._picture(one), self._picture(other), int(same)

    def _picture(self, path: str) -> Any:
        place = (self.root / path).resolve()
        if Part.of(path) is None and not place.is_relative_to(self.root.resolve()):
            raise BadInput(f"the path '{path:.120}' leads out of '{self.root}'. Export the pairs again.")
        try:
            with Image.open(BytesIO(original(self.root, path)), formats=FORMATS) as image:
                return self.transform(upright(image))
        except OSError as error:
            raise NotFound(f"the picture '{path}' cannot be read below '{self.root}' ({error}). Set root.") from error


class EvenPairs(Sampler[int]):
    """As many pairs that are same as different in every epoch; the rarer kind comes again. Seeded, see `set_epoch`."""

    def __init__(self, same: Sequence[bool] | np.ndarray, seed: int = 0) -> None:
        found = np.asarray(same, bool)
        self.kinds = [kind for kind in (np.flatnonzero(found), np.flatnonzero(~found)) if len(kind)]
        self.seed, self.epoch = seed, 0
        self.each = max((len(kind) for kind in self.kinds), default=0)

    def __len__(self) -> int:
        return self.each * len(self.kinds)

    def set_epoch(self, epoch: int) -> None:
        """Another order; the same epoch gives the same one."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng((self.seed, self.epoch))
        chosen = [np.resize(random.permutation(kind), self.each) for kind in self.kinds]
        order = random.permutation(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)
        return iter(order.tolist())


def indices_tuple(file: str | Path) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(a1, p, a2, n) as pytorch-metric-learning's losses take it, from `export pairs --style pml`. Raises BadInput."""
    from safetensors.torch import load_file

    try:
        found = load_file(file)
        return found["a1"], found["p"], found["a2"], found["n"]
    except Exception as error:  # safetensors has errors of its own besides Python's
        raise BadInput(f"'{file}' holds no pair indices ({error}). Export the pairs with --style pml.") from error


def _rows(file: Path) -> list[tuple[str, str, bool]]:
    table = _table(file)
    said = "verdict" if "verdict" in table.column_names else "label"
    sides = next((pair for pair in SIDES if set(pair) | {said} <= set(table.column_names)), None)
    if sides is None:
        raise BadInput(f"'{file.name}' has no pairs of paths. Write it with: pairwright export pairs.")
    rows = zip(*(table[name].to_pylist() for name in (*sides, said)), strict=True)
    known = {"same": True, "different": False, 1: True, 0: False}
    return [(one, other, known[word]) for one, other, word in rows if word in known]


def _table(file: Path) -> Any:
    import pyarrow as pa
    from pyarrow import csv, json, parquet

    readers = {".csv": csv.read_csv, ".jsonl": json.read_json, ".parquet": parquet.read_table}
    if file.suffix.lower() not in readers:
        raise BadInput(f"a file of pairs is {', '.join(readers)}, got '{file.name}'. Export the pairs as one of these.")
    try:
        return readers[file.suffix.lower()](file)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"'{file}' cannot be read ({str(error)[:200]}). Export the pairs again.") from error
