"""What one model version sees: building it, keeping it, and getting it back after a crash.

A version is two artifacts. `NAME` holds the head and is kept for ever; `NAME.snapshot` holds vectors, neighbours and
the start partition, also taken apart: a cache, which may be pruned or found broken and is then rebuilt from the head
and the features.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from db.artifacts import ArtifactStore, Manifest
from db.errors import BadInput, Broken
from db.nouns import Snapshot
from trainer import index
from trainer.clusters import start_partition, taken_apart

NEAR = 20  # neighbours kept of every item
HEAD, ARRAYS = "head.safetensors", "snapshot.safetensors"
CACHE = ".snapshot"  # suffix of the artifact that can be rebuilt


def build(ids: np.ndarray, vectors: np.ndarray, version: int = 0, seed: int = 0) -> Snapshot:
    """A snapshot from embeddings. ids (N,) strictly increasing; vectors (N, D), made unit rows here.

    Raises: BadInput where ids repeat or are unsorted, shapes differ or a vector is not finite.
    """
    ids = np.asarray(ids, np.int64)
    vectors = unit(_checked(ids, np.asarray(vectors, np.float32)))
    neighbours, cosines = _nearest(vectors)
    start = start_partition(vectors, neighbours, cosines, seed)
    finer = taken_apart(start, neighbours, cosines, seed)
    return Snapshot(version, ids, vectors, neighbours, cosines, start, finer)


def save(
    store: ArtifactStore, name: str, snapshot: Snapshot, head: bytes, beside: Mapping[str, bytes] | None = None
) -> Manifest:
    """Keep a version crash-safely: the head first, then the cache, whose manifest is returned. beside: further files
    that are kept for ever with the head."""
    store.save(name, {HEAD: head, **(beside or {})})
    return save_cache(store, name, snapshot)


def save_cache(store: ArtifactStore, name: str, snapshot: Snapshot) -> Manifest:
    """Keep the arrays of a snapshot beside its head; positions are stored as int32."""
    arrays = {
        "ids": snapshot.ids,
        "vectors": snapshot.vectors,
        "neighbours": snapshot.neighbours.astype(np.int32),
        "cosines": snapshot.cosines,
        "start": snapshot.start,
        "finer": snapshot.finer.astype(np.int32),
        "version": np.array([snapshot.version], np.int64),
    }
    return store.replace(
        name + CACHE, {ARRAYS: to_bytes({key: np.ascontiguousarray(value) for key, value in arrays.items()})}
    )


def load(store: ArtifactStore, name: str, version: int | None = None) -> Snapshot:
    """A kept snapshot, its checksum verified. `version` overrides the stored number.

    Raises: Broken where the cache is missing or damaged: rebuild it from the head (`head_bytes`) and the features.
    """
    if not store.exists(name + CACHE):
        raise Broken(
            f"the snapshot cache of '{name}' is missing: the trainer rebuilds it from the head and the features."
        )
    arrays = load_file(store.open(name + CACHE) / ARRAYS)
    for name in {"neighbours", "finer"} & set(arrays):  # caches of earlier releases hold no finer groups
        arrays[name] = arrays[name].astype(np.int64)
    stored = int(arrays.pop("version")[0])
    snapshot = Snapshot(version=stored, **arrays)
    return snapshot if version is None else replace(snapshot, version=version)


def head_bytes(store: ArtifactStore, name: str) -> bytes:
    """The head of a version as `Head.to_bytes` wrote it, its checksum verified. Raises NotFound, or Broken."""
    return (store.open(name) / HEAD).read_bytes()


def prune(store: ArtifactStore, names: list[str]) -> int:
    """Drop the caches of these versions; their heads stay. Returns how many were dropped."""
    present = [name + CACHE for name in names if store.exists(name + CACHE)]
    for name in present:
        store.remove(name)
    return len(present)


def unit(vectors: np.ndarray) -> np.ndarray:
    """(N, D) rows scaled to length one; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def _checked(ids: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    if vectors.ndim != 2 or ids.shape != (len(vectors),):
        raise BadInput(
            f"ids must be (N,) and vectors (N, D), got {ids.shape} and {vectors.shape}: give one row per item."
        )
    if np.any(np.diff(ids) <= 0):
        raise BadInput("ids must rise strictly, they repeat or are unsorted: sort the items by id and drop doubles.")
    if not np.isfinite(vectors).all():
        raise BadInput("vectors hold NaN or infinity: embed the items again.")
    return vectors


def _nearest(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions and cosines of the nearest others, (N, K) each; K shrinks where there are few items. Exact up to
    `index.EXACT` items, measured beyond: exactly, a million would take an hour."""
    k = min(NEAR, len(vectors) - 1)
    if k < 1:
        return np.zeros((len(vectors), 0), np.int64), np.zeros((len(vectors), 0), np.float32)
    return index.neighbours(vectors, k, exact=len(vectors) <= index.EXACT)
