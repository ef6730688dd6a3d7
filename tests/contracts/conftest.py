"""What every plugin is tried on. A new file in a plugin folder is tested with no edit here."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from db.nouns import Item, Snapshot, Statement, Verdict
from oracle.constraints import ConstraintGraph
from tests.postgres import postgres_server, postgres_template, postgres_url

__all__ = ["postgres_server", "postgres_template", "postgres_url"]


def blobs(labels: Sequence[int], *, seed: int = 0, spread: float = 0.5, first_id: int = 11) -> Snapshot:
    """Items around one direction per label; ids are not positions. The start partition is a coarse guess."""
    rng = np.random.default_rng(seed)
    known = np.array(labels, dtype=np.int64)
    centres = rng.normal(size=(int(known.max(initial=0)) + 1, 8))
    vectors = centres[known] + spread * rng.normal(size=(len(known), 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(12, len(known) - 1)]
    ids = first_id + 3 * np.arange(len(known))
    return Snapshot(7, ids, vectors, nearest, np.take_along_axis(cosines, nearest, 1), known // 2)


def answered(
    snapshot: Snapshot, labels: Sequence[int], pairs: Sequence[tuple[int, int]], lies: float = 0.0
) -> ConstraintGraph:
    """A graph of answers about pairs of rows, some of them false."""
    rng = np.random.default_rng(1)
    graph = ConstraintGraph()
    for number, (i, j) in enumerate(pairs, start=1):
        same = (labels[i] == labels[j]) != (rng.random() < lies)
        verdict = Verdict.SAME if same else Verdict.DIFFERENT
        graph.add(Statement(number, int(snapshot.ids[i]), int(snapshot.ids[j]), verdict, "ann"))
    return graph


@pytest.fixture
def items() -> list[Item]:
    """Items with a label column, one of them without a label."""
    kinds = ["cat", "dog", "cat", "cow", "dog", "cat", ""]
    return [
        Item(5 + n, 1, f"{n:064x}", 8, 8, f"media/{n}.png", name=f"img{n}.png", attributes={"kind": kind})
        for n, kind in enumerate(kinds)
    ]


@pytest.fixture
def replay_file(tmp_path: Path, items: list[Item]) -> Path:
    """A file of pair verdicts about those items."""
    lines = ["a_sha256,b_sha256,verdict"]
    for one in items[:-1]:
        for other in items[:-1]:
            if one.id < other.id:
                same = one.attributes["kind"] == other.attributes["kind"]
                lines.append(f"{one.sha256},{other.sha256},{'same' if same else 'different'}")
    file = tmp_path / "pairs.csv"
    file.write_text("\n".join(lines))
    return file
