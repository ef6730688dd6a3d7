"""Picture sets with metadata: part of the pictures to train on, others to be asked about, several notions of the same.

traffic  323 pictures of five cameras, split by date: camera, daypart
fsa      1,615 photographs of 1939 to 1943 with captions: location (US state), where at least 20 have it
fruits   fruit on a turntable, split by object: fruit, colour (where it is clear)
"""

import csv
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from db.errors import NotFound
from db.nouns import Item
from trainer.attributes import Attributes
from trainer.evaluate import label_codes
from trainer.pictures import decode_square

SIDE, SHARE, MOST = 32, 0.6, 2000
NUMBERED = ("latitude", "longitude")


@dataclass(frozen=True)
class Source:
    """labels: columns that say what is the same. together: a column that the split keeps whole, empty for none.
    systems: what is measured on it. epochs, batch: of a run. least: pictures of a label that count."""

    file: str
    labels: tuple[str, ...]
    together: str
    systems: tuple[str, ...]
    epochs: int
    batch: int
    least: int = 1


SETS = {
    "traffic": Source(
        "traffic_cams", ("camera", "daypart"), "date",
        ("simclr", "attribute:by=camera", "attribute:by=time~1h@day", "attribute:by=camera+time~1h@day",
         "attribute:by=camera+track~30min", "attribute:by=time~1h@day,balance=camera", "ayush:by=place~100m+!date",
         "moco_v2:temperature=.1", "pantazis", "panambur"), 60, 64,
    ),
    "fsa": Source(
        "fsa_color", ("location",), "", ("simclr", "attribute:by=location", "attribute:by=location,balance=location",
         "attribute:by=year", "panambur"), 20, 256, 20,
    ),
    "fruits": Source(
        "fruits_multi", ("fruit", "colour"), "object",
        ("simclr", "attribute:by=object", "attribute:by=object+angle_deg~30", "attribute:by=variety",
         "attribute:by=object,others=pull", "attribute:by=variety,balance=variety", "panambur"), 15, 256,
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Loaded:
    """pixels (N, S, S, 3) with attributes, asked (M, S, S, 3); labels, truth: column -> codes of either, -1 unknown."""

    pixels: np.ndarray
    attributes: Attributes
    asked: np.ndarray
    labels: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]


@cache
def load(name: str, folder: Path) -> Loaded:
    """A set by name. Raises NotFound where its archive is missing."""
    about = SETS[name]
    path = folder / f"{about.file}.zip"
    if not path.exists():
        raise NotFound(f"no {path}. Give the folder of the archives with --archives.")
    with zipfile.ZipFile(path) as archive:
        text = io.TextIOWrapper(archive.open(f"{about.file}/metadata.csv"), encoding="utf-8")
        rows = list(csv.DictReader(text))
        first, second = split(rows, about.together)
        pixels = [_decoded(archive, about.file, [rows[at] for at in part]) for part in (first, second)]
    codes = {name: label_codes(np.array(_said(rows, name, about.least), object)) for name in about.labels}
    return Loaded(
        pixels[0], Attributes.of([_item(number, rows[at]) for number, at in enumerate(first)]), pixels[1],
        {name: code[first] for name, code in codes.items()}, {name: code[second] for name, code in codes.items()},
    )  # fmt: skip


def split(rows: list[dict[str, str]], together: str) -> tuple[np.ndarray, np.ndarray]:
    """Places of either part, the same for every seed: whole values of a column on one side."""
    random = np.random.default_rng(0)
    keys = np.array([row[together] if together else str(at) for at, row in enumerate(rows)])
    names = random.permutation(np.unique(keys))
    taught = np.isin(keys, names[: round(SHARE * len(names))])
    order = random.permutation(len(rows))
    return np.sort(order[taught[order]][:MOST]), np.sort(order[~taught[order]][:MOST])


def _said(rows: list[dict[str, str]], name: str, least: int) -> list[str | None]:
    """A label column; what is unclear or rare is unknown."""
    values = [row[name] if row.get(f"{name}_clear", "yes") == "yes" else "" for row in rows]
    return [value if value and values.count(value) >= least else None for value in values]


def _item(number: int, row: dict[str, str]) -> Item:
    known = {name: float(row[name]) for name in NUMBERED if row.get(name)}
    time = {"taken_at": np.datetime64(row["time"][:19]).item()} if row.get("time") else {}
    return Item(number, 1, row["sha256"], 1, 1, row["path"], attributes=row, **known, **time)


def _decoded(archive: zipfile.ZipFile, root: str, rows: list[dict[str, str]]) -> np.ndarray:
    return np.stack(
        [decode_square(archive.read(f"{root}/{row['path']}"), SIDE, Image.Resampling.BICUBIC) for row in rows]
    )
