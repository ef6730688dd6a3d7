"""Labelled things as a robot meets them: one or several views each, and the bin a person would choose."""

from dataclasses import dataclass

import numpy as np

from benchmarks.label_efficiency.sets import ARCHIVES, Folders

SETS = {"trashnet": ("trashnet", ""), "clothing": ("clothing", ""), "fruits_multi": ("fruit", "object")}
MOST, VIEWS, HELD = 1200, 5, 0.3


@dataclass(frozen=True)
class Belt:
    """views: (V, D) raw features of every thing. bins: (T,) numbers. stream, held: (S,), (H,) numbers of things."""

    views: list[np.ndarray]
    bins: np.ndarray
    stream: np.ndarray
    held: np.ndarray


def belt(name: str, seed: int, folders: Folders) -> Belt:
    """A set as one seed meets it: at most MOST things with up to VIEWS views; things, not views, are held out.

    Raises: NotFound where the archive is not there.
    """
    archive = ARCHIVES[SETS[name][0]]
    features, columns = archive._stored(folders)
    wanted = columns[archive.column] != ""
    if archive.only is not None:
        wanted &= columns[archive.only[0]] == archive.only[1]
    object_column = SETS[name][1]
    things = columns[object_column] if object_column else np.arange(len(features)).astype(str)
    random = np.random.default_rng(seed)
    names = random.permutation(np.unique(things[wanted]))[:MOST]
    rows = [random.permutation(np.flatnonzero(wanted & (things == one)))[:VIEWS] for one in names]
    words = np.unique(columns[archive.column][wanted])
    bins = np.searchsorted(words, columns[archive.column][[row[0] for row in rows]])
    held = round(HELD * len(names))
    return Belt([features[row] for row in rows], bins, np.arange(held, len(names)), np.arange(held))
