"""Factories every oracle test shares."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from db.nouns import Item, Snapshot, Statement, Verdict


def say(answer: int, a: int, b: int, verdict: str, **more: object) -> Statement:
    """One statement of the log."""
    return Statement(answer, a, b, Verdict(verdict), str(more.pop("source", "ann")), **more)  # type: ignore[arg-type]


def blobs(labels: Sequence[int], *, seed: int = 0, spread: float = 0.35, dim: int = 8, first_id: int = 11) -> Snapshot:
    """A snapshot whose items lie around one direction per label; ids are not positions."""
    rng = np.random.default_rng(seed)
    known = np.array(labels)
    centres = rng.normal(size=(int(known.max(initial=0)) + 1, dim))
    vectors = centres[known] + spread * rng.normal(size=(len(known), dim))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    k = min(12, len(known) - 1)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    ids = first_id + 3 * np.arange(len(known))
    return Snapshot(7, ids, vectors, nearest, np.take_along_axis(cosines, nearest, 1), known.astype(np.int64))


def item(id: int, **attributes: object) -> Item:
    """An item with metadata and nothing else worth mentioning."""
    return Item(id, 1, f"{id:064x}", 8, 8, f"media/{id}.png", attributes=attributes)


@pytest.fixture
def snapshot() -> Snapshot:
    """Forty items in four clear groups."""
    return blobs([row % 4 for row in range(40)])


@pytest.fixture
def make_item() -> Callable[..., Item]:
    """The item factory."""
    return item
