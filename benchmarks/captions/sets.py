"""Pictures with words, a fifth of which were dealt to other pictures.

fsa        1,615 photographs of 1939 to 1943 with the captions of the Library of Congress
fruits     1,500 pictures of fruit with the words of its variety, two dozen different texts
openmoji   about 1,300 emoji with their names, the demo's collection
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from app.demo import prepare_demo
from app.features import ensure_features
from app.importers import import_path
from app.settings import Settings
from db import catalog
from db.engine import Database
from db.errors import NotFound
from db.nouns import Item

SHARE = 0.2


@dataclass(frozen=True)
class Source:
    """collection: its name in the workspace. fill: makes it. words: of an item. most: items
    that are used, drawn once for all seeds."""

    collection: str
    fill: Callable[[Database, Path, Path], object]
    words: Callable[[Item], str]
    most: int = 2000


@dataclass(frozen=True, eq=False)
class Loaded:
    """features: (N, D); ids: (N,); texts: the right ones, by id."""

    features: np.ndarray
    ids: np.ndarray
    texts: dict[int, str]


def _archive(file: str, name: str) -> Callable[[Database, Path, Path], object]:
    def fill(database: Database, workspace: Path, archives: Path) -> None:
        path = archives / file
        if not path.exists():
            raise NotFound(f"no {path}. Give the folder of the archives with --archives.")
        import_path(database, workspace, path, name, metadata="metadata.csv")

    return fill


SETS = {
    "fsa": Source("fsa", _archive("fsa_color.zip", "fsa"), lambda item: item.words("caption")),
    "fruits": Source("fruits", _archive("fruits_multi.zip", "fruits"), lambda item: item.words("variety"), 1500),
    "openmoji": Source("openmoji", lambda database, workspace, _: prepare_demo(database, workspace), lambda i: i.name),
}


@cache
def load(name: str, workspace: Path, archives: Path) -> Loaded:
    """A set by name, imported and embedded in a workspace of the benchmark's own unless it is there."""
    about, settings = SETS[name], Settings(workspace=workspace)
    workspace.mkdir(parents=True, exist_ok=True)
    database = settings.open()
    try:
        with database.read() as s:
            there = {one.name for one in catalog.collections(s)}
        if about.collection not in there:
            about.fill(database, settings.folder, archives)
        store, _ = ensure_features(database, settings.folder, about.collection)
        with database.read() as s:
            items = catalog.items(s, catalog.collection_id(s, about.collection))
    finally:
        database.close()
    texts = {item.id: words for item in items if (words := about.words(item))}
    kept = np.flatnonzero(np.isin(store.ids, list(texts)))
    kept = np.sort(np.random.default_rng(0).permutation(kept)[: about.most])
    return Loaded(store.vectors()[kept], store.ids[kept], {int(item): texts[int(item)] for item in store.ids[kept]})


def dealt(texts: dict[int, str], seed: int) -> tuple[dict[int, str], frozenset[int]]:
    """The words as shown, those of a fifth of the items dealt round among them, and the items whose words are wrong."""
    ids = np.array(sorted(texts))
    some = np.random.default_rng(seed).permutation(ids)[: round(SHARE * len(ids))].tolist()
    shown = dict(texts)
    for item, other in zip(some, [*some[1:], some[0]], strict=True):
        shown[item] = texts[other]
    return shown, frozenset(item for item in some if shown[item] != texts[item])
