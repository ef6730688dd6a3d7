"""What the steps of one size and seed leave for each other, in a folder that can be thrown away."""

import shutil
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scale import sets
from db.nouns import Snapshot


@dataclass(frozen=True)
class Place:
    """items: how many. folder: of the benchmark; archives, fashion: where pictures come from; real: most of them."""

    items: int
    seed: int
    folder: Path
    archives: Path
    fashion: Path
    real: int

    @cached_property
    def home(self) -> Path:
        """Files of this size and seed."""
        found = self.folder / f"{self.items}-{self.seed}"
        found.mkdir(parents=True, exist_ok=True)
        return found

    def empty(self, name: str) -> Path:
        """A folder of that name with nothing in it."""
        shutil.rmtree(self.home / name, ignore_errors=True)
        (self.home / name).mkdir()
        return self.home / name

    @property
    def archive(self) -> Path:
        """A ZIP file of as many pictures as there are items: where there are fewer, the same ones again with a number
        after their end, so that none is a copy."""
        file = self.home / "pictures.zip"
        if not file.exists():
            drawn = sets.pictures(self.archives, self.fashion, min(self.items, self.real), self.seed)
            with zipfile.ZipFile(file.with_suffix(".new"), "w") as pack:
                for n in range(self.items):
                    again = n.to_bytes(8, "big") if n >= len(drawn) else b""
                    ending = "png" if drawn[n % len(drawn)].startswith(b"\x89PNG") else "jpg"
                    pack.writestr(f"{n:07}.{ending}", drawn[n % len(drawn)] + again)
            file.with_suffix(".new").rename(file)
        return file

    @cached_property
    def real_rows(self) -> dict[str, np.ndarray]:
        """features (R, D) float32 of the real pictures, near (R, K), group (R,); computed once for all sizes."""
        file = self.folder / f"real-{self.real}-{self.seed}.npz"
        if not file.exists():
            from benchmarks.embed import ours
            from trainer.encoders import load_encoder

            features = ours(load_encoder("lite0"))(sets.pictures(self.archives, self.fashion, self.real, self.seed))
            near, group = sets.neighbours_and_groups(features, self.seed)
            np.savez(file, features=features, near=near, group=group)
        with np.load(file) as kept:
            return dict(kept)

    @cached_property
    def features(self) -> "OnDisk":
        """(N, D) float16."""
        file = self.home / "features.npy"
        if not file.exists():
            real = self.real_rows
            shape = (self.items, real["features"].shape[1])
            made = np.lib.format.open_memmap(file.with_suffix(".new"), "w+", np.float16, shape)
            done = 0
            for block in sets.resampled(real["features"], real["near"], self.items, self.seed):
                made[done : done + len(block)] = block
                done += len(block)
            made.flush()
            file.with_suffix(".new").rename(file)
        return OnDisk(file)

    @property
    def ids(self) -> np.ndarray:
        """(N,) item numbers."""
        return np.arange(1, self.items + 1)

    @cached_property
    def truth(self) -> np.ndarray:
        """(N,) the group a scripted oracle puts every item in."""
        real = self.real_rows["group"]
        return np.asarray(real[sets.origins(len(real), self.items, self.seed)])

    @cached_property
    def vectors(self) -> np.ndarray:
        """(N, d) float32 unit rows: the embedding before any answer."""
        file = self.home / "vectors.npy"
        if not file.exists():
            from trainer.head import Head

            head = Head.from_features(self.features, seed=self.seed)
            np.save(file, head.embed(self.features))
        return np.load(file)

    def keep(self, name: str, **arrays: Any) -> None:
        """Leave arrays for later steps."""
        np.savez(self.home / f"{name}.npz", **arrays)

    def kept(self, name: str) -> dict[str, np.ndarray]:
        """What an earlier step left."""
        with np.load(self.home / f"{name}.npz") as found:
            return dict(found)

    def has(self, name: str) -> bool:
        """Whether an earlier step left something under that name."""
        return (self.home / f"{name}.npz").exists() or (self.home / name).is_dir()

    @cached_property
    def snapshot(self) -> Snapshot:
        """What the steps of neighbours and groups left."""
        return Snapshot(1, self.ids, self.vectors, **self.kept("neighbours"), **self.kept("groups"))


class OnDisk:
    """Rows of a file, of which nothing stays in memory, as `trainer.shards.Rows` reads them."""

    ndim = 2

    def __init__(self, file: Path) -> None:
        self.file = file
        self.shape = np.load(file, mmap_mode="r").shape

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, wanted: slice | np.ndarray) -> np.ndarray:
        return np.array(np.load(self.file, mmap_mode="r")[wanted])
