"""Digits written, spoken and named: pictures of scikit-learn, recordings of the Free Spoken Digit Dataset, ten words.

Every picture trained on has a recording of the same digit beside it, drawn by the seed, and its word as caption.
Pictures and recordings asked about are others: recordings that the data set itself keeps for tests, by the four
speakers trained on, and all recordings of two more speakers.
"""

import csv
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from db.errors import NotFound
from trainer.attributes import Attributes

NAME, FILE, SIDE, COUNT = "digits_spoken", "fsdd_audio", 16, 1000
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NEW = ("theo", "yweweler")  # the last two speakers by the alphabet, whom nobody is trained on
KEPT = TemporaryDirectory(prefix="pairwright-spoken-")


@dataclass(frozen=True, eq=False)
class Spoken:
    """Recordings: paths (N,) and digits (N,)."""

    paths: np.ndarray
    digits: np.ndarray

    def drawn(self, digits: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(M,) a path of each digit."""
        return np.array([random.choice(self.paths[self.digits == digit]) for digit in digits], object)


@dataclass(frozen=True, eq=False)
class Loaded:
    """pixels (N, S, S, 3) and digits (N,) with attributes, to train on; asked (M, S, S, 3) with truth (M,); recordings
    trained on, and asked about: of the same speakers, and of others."""

    pixels: np.ndarray
    digits: np.ndarray
    attributes: Attributes
    asked: np.ndarray
    truth: np.ndarray
    heard: Spoken
    unheard: Spoken
    strange: Spoken


def load(folder: Path, seed: int) -> Loaded:
    """The set. Raises NotFound where the archive is missing."""
    heard, unheard, strange = recordings(folder)
    pixels, digits = written()
    random = np.random.default_rng(seed)
    order = random.permutation(len(digits))
    first, second = np.sort(order[:COUNT]), np.sort(order[COUNT:])
    unknown = np.full(COUNT, np.nan)
    words = np.array([WORDS[digit] for digit in digits[first]], object)
    sounds = heard.drawn(digits[first], random)
    attributes = Attributes(np.arange(COUNT), {"caption": words}, unknown, np.stack([unknown, unknown], 1), sounds)
    return Loaded(pixels[first], digits[first], attributes, pixels[second], digits[second], heard, unheard,
                  strange)  # fmt: skip


@cache
def written() -> tuple[np.ndarray, np.ndarray]:
    """(1797, S, S, 3) uint8 and (1797,) int64 digits, white on black."""
    found = load_digits()
    grey = [Image.fromarray((15.9 * one).astype(np.uint8)).resize((SIDE, SIDE)) for one in found.images]
    return np.stack([np.asarray(one.convert("RGB")) for one in grey]), found.target.astype(np.int64)


@cache
def recordings(folder: Path) -> tuple[Spoken, Spoken, Spoken]:
    """Those to train on, and those to ask about: of the same speakers, and of others."""
    path = folder / f"{FILE}.zip"
    if not path.exists():
        raise NotFound(f"no {path}. Give the folder of the archives with --archives.")
    with zipfile.ZipFile(path) as archive:
        text = io.TextIOWrapper(archive.open(f"{FILE}/metadata.csv"), encoding="utf-8")
        rows = list(csv.DictReader(text))
        archive.extractall(KEPT.name)
    parts: dict[str, list[dict[str, str]]] = {"train": [], "test": [], "new": []}
    for row in rows:
        parts["new" if row["speaker"] in NEW else row["split"]].append(row)
    heard, unheard, strange = (_spoken(part) for part in parts.values())
    return heard, unheard, strange


def _spoken(rows: list[dict[str, str]]) -> Spoken:
    paths = [Path(KEPT.name) / FILE / row["path"] for row in rows]
    return Spoken(np.array(paths, object), np.array([int(row["digit"]) for row in rows]))
