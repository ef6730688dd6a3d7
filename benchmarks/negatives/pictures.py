"""The labelled picture sets: small squares to train on, others to be asked about.

fashion    Fashion-MNIST, 28 pixels, 2,000 of its training and 2,000 of its test pictures
fashion5k  the same with 5,000 of its training pictures
trashnet   material of 2,500 photographs, 32 pixels
clothing   type of garment, photographs, 32 pixels
fruit      fruit on a turntable, 32 pixels; an object is on one side of the split only
"""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from db.errors import NotFound
from trainer.pictures import decode_square

FASHION = Path("/usr/share/datasets/fashion-mnist")
MOST, SHARE = 2000, 0.6  # items of a part; of an archive that is trained on
SIDE = 32


@dataclass(frozen=True)
class PictureSet:
    """pixels (N, S, S, 3) uint8, labels (N,) int64: to train on. asked, truth: the part that is only looked at."""

    name: str
    pixels: np.ndarray
    labels: np.ndarray
    asked: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class Archive:
    """column: the label. together: a column whose items stay on one side. only: a column and its value."""

    file: str
    column: str
    together: str | None = None
    only: tuple[str, str] | None = None

    def load(self, name: str, folder: Path, side: int) -> PictureSet:
        """side: of the squares. Raises NotFound where there is no such archive."""
        path = folder / self.file
        if not path.exists():
            raise NotFound(f"no {path}. Give the folder of the archives with --archives.")
        with zipfile.ZipFile(path) as archive:
            rows = self._rows(archive)
            first, second = self._split(rows)
            classes = {label: number for number, label in enumerate(sorted({row[self.column] for row in rows}))}
            parts = [_decoded(archive, path.stem, part, side) for part in (first, second)]
            labels = [np.array([classes[row[self.column]] for row in part]) for part in (first, second)]
        return PictureSet(name, parts[0], labels[0], parts[1], labels[1])

    def _rows(self, archive: zipfile.ZipFile) -> list[dict[str, str]]:
        text = io.TextIOWrapper(archive.open(f"{Path(self.file).stem}/metadata.csv"), encoding="utf-8")
        rows = [row for row in csv.DictReader(text) if row[self.column]]
        return rows if self.only is None else [row for row in rows if row[self.only[0]] == self.only[1]]

    def _split(self, rows: list[dict[str, str]]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """By whole groups where items belong together, else item by item; the same for every seed."""
        random = np.random.default_rng(0)
        key = [row[self.together] if self.together else str(number) for number, row in enumerate(rows)]
        names = sorted(set(key))
        taught = set(random.permutation(names)[: int(SHARE * len(names))].tolist())
        order = random.permutation(len(rows))
        first = [rows[n] for n in order if key[n] in taught]
        seen = {row[self.column] for row in first}
        second = [rows[n] for n in order if key[n] not in taught and rows[n][self.column] in seen]
        return first[:MOST], second[:MOST]


ARCHIVES = {
    "trashnet": Archive("trashnet.zip", "material"),
    "clothing": Archive("clothing.zip", "type", only=("type_known", "yes")),
    "fruit": Archive("fruits_multi.zip", "fruit", together="object"),
}
NAMES = ("fashion", *ARCHIVES)


@cache
def load(name: str, folder: Path, side: int = SIDE) -> PictureSet:
    """A set by name; side: of the squares of photographs. Raises NotFound where there is none, or no source of it."""
    loaders: dict[str, Callable[[], PictureSet]] = {"fashion": _fashion, "fashion5k": lambda: _fashion(5000)}
    loaders |= {key: lambda archive=archive: archive.load(name, folder, side) for key, archive in ARCHIVES.items()}
    if name not in loaders:
        raise NotFound(f"no set named '{name}'. Known: {', '.join(NAMES)}.")
    return loaders[name]()


def _decoded(archive: zipfile.ZipFile, root: str, rows: list[dict[str, str]], side: int) -> np.ndarray:
    return np.stack(
        [decode_square(archive.read(f"{root}/{row['path']}"), side, Image.Resampling.BICUBIC) for row in rows]
    )


def _fashion(taught: int = MOST) -> PictureSet:
    if not FASHION.exists():
        raise NotFound(f"no Fashion-MNIST in {FASHION}. Install it: apt-get install dataset-fashion-mnist.")
    parts = []
    for part, most in (("train", taught), ("t10k", MOST)):
        pixels = _numbers(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)[:most]
        parts += [np.repeat(pixels[..., None], 3, axis=3), _numbers(f"{part}-labels-idx1-ubyte.gz", 8)[:most]]
    return PictureSet("fashion", parts[0], parts[1].astype(np.int64), parts[2], parts[3].astype(np.int64))


def _numbers(file: str, offset: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress((FASHION / file).read_bytes()), np.uint8, offset=offset)
