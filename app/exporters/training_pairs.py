"""Pairs as other libraries train on them: same and different only, one row or one index pair for each pair of images.

sentence-transformers: columns image1, image2, label (1 same, 0 different), as its contrastive losses read them.
pytorch-metric-learning: the `indices_tuple` (a1, p, a2, n) as safetensors; numbers are rows of `export embeddings`.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from app.exporters.formats import Row, whole
from db.nouns import Item, Statement, Verdict

FIELDS = {"image1": "string", "image2": "string", "label": "int64"}
DECIDED = (Verdict.SAME, Verdict.DIFFERENT)


def newest(said: Iterable[Statement]) -> list[Statement]:
    """One statement per pair that says same or different: the last one; a pair seen only for its background is none."""
    last = {frozenset((one.a, one.b)): one for one in said if one.verdict in DECIDED}
    return [one for one in last.values() if not (one.background and one.verdict is Verdict.SAME)]


def labelled_rows(said: Iterable[Statement], items: Mapping[int, Item]) -> Iterator[Row]:
    """Paths are relative to the workspace."""
    for one in newest(said):
        label = int(one.verdict is Verdict.SAME)
        yield {"image1": items[one.a].path, "image2": items[one.b].path, "label": label}


def write_indices(said: Iterable[Statement], items: Mapping[int, Item], out: Path) -> int:
    """a1, p, a2, n: (P,) int64 rows; sha256: (N, 32) uint8 of the images in these rows. Returns the number of pairs."""
    from safetensors.numpy import save_file

    row, pairs = {number: place for place, number in enumerate(sorted(items))}, newest(said)
    arrays = {"sha256": _hashes([items[number].sha256 for number in sorted(items)])}
    for names, verdict in ((("a1", "p"), Verdict.SAME), (("a2", "n"), Verdict.DIFFERENT)):
        chosen = [(row[one.a], row[one.b]) for one in pairs if one.verdict is verdict]
        rows = np.array(chosen, np.int64).reshape(-1, 2)
        arrays |= {name: np.ascontiguousarray(column) for name, column in zip(names, rows.T, strict=True)}
    with whole(out) as partial:
        save_file(arrays, partial, {"format": "np"})
    return len(pairs)


def _hashes(found: list[str]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(found)), np.uint8).reshape(-1, 32)
