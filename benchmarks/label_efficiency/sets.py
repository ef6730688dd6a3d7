"""The labelled sets: features every system gets, and the truth the scripted oracle answers from.

digits, parity    scikit-learn's 1,797 digits, raw pixels; the digit, or whether it is odd
fashion           3,000 test images of Fashion-MNIST, features learnt without labels (`patches`); the garment
wear, personal    the same images: four ways of wearing them, or two arbitrary halves
the others        an archive of photographs and one metadata column; features of a frozen backbone, reduced to 64

Features are centred and scaled to unit rows; Euclidean distance and cosine then order neighbours alike, so that no
system is favoured. Each seed sees its own random 90 % of a set.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from benchmarks.label_efficiency.patches import fashion_features
from db.errors import NotFound

SHARE = 0.9  # of a set that one seed sees
SIZE = 64  # dimensions kept of backbone features
MOST = 3000  # items of one set: peers are quadratic in it
CACHE = Path.home() / ".cache" / "pairwright" / "benchmarks"
WEAR = np.array([0, 1, 0, 1, 0, 2, 0, 2, 3, 2])  # tops, legs and dresses, feet, carried; by garment
PERSONAL = np.array([0, 1, 0, 1, 1, 0, 0, 1, 0, 1])  # an arbitrary half of the garments


@dataclass(frozen=True)
class LabelledSet:
    """features: (N, D) float32, unit rows. truth: (N,) int64, groups 0..g-1."""

    name: str
    features: np.ndarray
    truth: np.ndarray

    @property
    def groups(self) -> int:
        """How many groups the truth has."""
        return len(np.unique(self.truth))

    def part(self, seed: int, share: float = SHARE) -> "LabelledSet":
        """The random share of the set that one seed sees."""
        chosen = np.random.default_rng(seed).permutation(len(self.truth))[: int(share * len(self.truth))]
        return replace(self, features=self.features[chosen], truth=self.truth[chosen])


@dataclass(frozen=True)
class Folders:
    """Where sets come from. features: NAME.npz files with X (N, D) and one array per metadata column."""

    cache: Path = CACHE
    archives: Path = Path("../shared/data")
    features: Path | None = None
    fashion: Path = Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True)
class Archive:
    """One notion of "same" on one archive. only: a column and the value an item must have in it."""

    name: str
    column: str
    only: tuple[str, str] | None = None
    most: int = MOST

    def load(self, folders: Folders, title: str) -> LabelledSet:
        features, columns = self._stored(folders)
        wanted = np.ones(len(features), bool) if self.only is None else columns[self.only[0]] == self.only[1]
        wanted &= columns[self.column] != ""
        rows = np.random.default_rng(0).permutation(np.flatnonzero(wanted))[: self.most]
        reduced = PCA(min(SIZE, *features[rows].shape), random_state=0).fit_transform(features[rows])
        return labelled(title, reduced, columns[self.column][rows])

    def _stored(self, folders: Folders) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        for folder in (folders.features, folders.cache):
            if folder is not None and (folder / f"{self.name}.npz").exists():
                with np.load(folder / f"{self.name}.npz") as kept:
                    return kept["X"], {name: kept[name] for name in kept.files if name != "X"}
        from benchmarks.label_efficiency.embedded import embed

        return embed(folders.archives / f"{self.name}.zip", folders.cache)


ARCHIVES = {
    "trashnet": Archive("trashnet", "material"),
    "clothing": Archive("clothing", "type", ("type_known", "yes"), most=2000),
    "fruit": Archive("fruits_multi", "fruit"),
    "fruit_colour": Archive("fruits_multi", "colour", ("colour_clear", "yes")),
    "fruit_object": Archive("fruits_multi", "object"),
    "alphabet": Archive("omniglot", "alphabet"),
    "character": Archive("omniglot", "character"),
    "camera": Archive("traffic_cams", "camera"),
    "daypart": Archive("traffic_cams", "daypart"),
    "location": Archive("fsa_color", "location"),
}


def labelled(name: str, features: np.ndarray, labels: np.ndarray) -> LabelledSet:
    """A set from raw features and any labels: centred, unit rows, groups numbered from 0."""
    centred = features - features.mean(0)
    rows = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return LabelledSet(name, rows.astype(np.float32), np.unique(labels, return_inverse=True)[1].astype(np.int64))


def _digits(folders: Folders, name: str) -> LabelledSet:
    pixels, digit = load_digits(return_X_y=True)
    return labelled(name, pixels / 16, digit % 2 if name == "parity" else digit)


def _fashion(folders: Folders, name: str) -> LabelledSet:
    features, garment = fashion_features(folders.fashion, folders.cache)
    notions = {"fashion": np.arange(10), "wear": WEAR, "personal": PERSONAL}
    return labelled(name, features[:MOST], notions[name][garment[:MOST]])


OWN: dict[str, Callable[[Folders, str], LabelledSet]] = {
    "digits": _digits,
    "parity": _digits,
    "fashion": _fashion,
    "wear": _fashion,
    "personal": _fashion,
}
NAMES = (*OWN, *ARCHIVES)


def load(name: str, folders: Folders) -> LabelledSet:
    """A set by name. Raises NotFound, in a sentence that says what to install, where its source is not there."""
    if name in OWN:
        return OWN[name](folders, name)
    if name in ARCHIVES:
        return ARCHIVES[name].load(folders, name)
    raise NotFound(f"no set named '{name}'. Known: {', '.join(NAMES)}.")
