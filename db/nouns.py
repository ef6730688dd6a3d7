"""The nouns every package shares: plain, frozen, free of SQL, torch and gradio.

Ids are the database's integers. Arrays are numpy, float32 unless said; a vector row has unit length.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np


class Verdict(StrEnum):
    """What an oracle says about one pair. Only the first two weigh anything in the constraint graph."""

    SAME = "same"
    DIFFERENT = "different"
    NOT_COMPARABLE = "not_comparable"
    UNSURE = "unsure"
    SKIP = "skip"


class Kind(StrEnum):
    """The layouts of a question."""

    PAIR = "pair"  # anchor, one candidate
    TICK = "tick_positives"  # anchor, up to 12 candidates: tick the ones that belong
    ODD = "odd_ones_out"  # anchor and candidates believed to be one group: click the strangers
    MISSING = "missing_positives"  # anchor and its nearest believed negatives: click the false ones
    MERGE = "merge"  # group of the anchor (anchor + context) against group of candidates: one verdict
    CAPTION = "caption"  # anchor and the words beside it, no candidate: same means that they belong to it


@dataclass(frozen=True)
class Item:
    """One image. `attributes` are the metadata columns; `sha256` of the file's bytes is its identity."""

    id: int
    collection: int
    sha256: str
    width: int
    height: int
    path: str  # where the bytes are: relative to the workspace's media store
    name: str = ""  # the name the user gave it: file name or id column
    caption: str | None = None
    taken_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    audio: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)  # keys that keep items on one side of a split

    def words(self, column: str) -> str:
        """The text of a metadata column, "" without one. `caption` is also what import took for the caption."""
        value = self.attributes.get(column)
        if value is None and column == "caption":
            value = self.caption
        return "" if value is None or value != value else str(value).strip()


@dataclass(frozen=True)
class PairVerdict:
    """One stated pair; about words, the item stands on both sides.

    background: they look alike only because of the background (never learnt as positive).
    """

    a: int
    b: int
    verdict: Verdict
    confidence: float | None = None  # in (0, 1]; None: not asked
    background: bool = False


@dataclass(frozen=True)
class Question:
    """What an oracle is asked.

    expected: the model's p(same) for each candidate when it was proposed; empty if unknown.
    context: further members of the anchor's group, shown beside it (merge).
    text: the very words that are asked about (caption); an answer holds for these words and no others.
    probability: chance with which the proposer drew this very question; 1.0 for a deterministic choice.
    """

    criterion: int
    kind: Kind
    anchor: int
    candidates: tuple[int, ...]
    proposer: str
    probability: float = 1.0
    audit: bool = False
    version: int | None = None
    expected: tuple[float, ...] = ()
    context: tuple[int, ...] = ()
    reason: str = ""  # one plain sentence for the person: why this question
    text: str = ""
    id: int | None = None

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Pairs a full answer states: anchor with every candidate; for merge, one pair stands for both groups.

        About words it is the anchor with itself: no pair of two items, so it can join or part nothing.
        """
        if self.kind is Kind.CAPTION:
            return ((self.anchor, self.anchor),)
        shown = self.candidates[:1] if self.kind is Kind.MERGE else self.candidates
        return tuple((self.anchor, candidate) for candidate in shown)


@dataclass(frozen=True)
class Origin:
    """When an answer was given that comes from another log, and whether it came late there. at: with its zone."""

    at: datetime
    late: bool = False


@dataclass(frozen=True)
class Answer:
    """One event on its way into the log. `key` makes a retry harmless; `source` is who says it.

    origin: of an answer that is brought in from elsewhere; None for one that is given now.
    """

    question: int
    verdicts: tuple[PairVerdict, ...]
    source: str
    key: str
    seconds: float | None = None  # from shown to answered
    lease: str | None = None  # fencing token of the claim, if any
    origin: Origin | None = None


@dataclass(frozen=True)
class Statement:
    """One effective pair verdict of the log, as the constraint graph and the trainer read it."""

    answer: int  # id of the event in the log: chains cite it
    a: int
    b: int
    verdict: Verdict
    source: str
    confidence: float | None = None
    background: bool = False
    audit: bool = False  # drawn uniformly: an unbiased witness
    probability: float = 1.0


@dataclass(frozen=True)
class Snapshot:
    """What one model version sees, immutable.

    ids: (N,) int64, strictly increasing. vectors: (N, D) float32, unit rows.
    neighbours: (N, K) int64 positions (not ids) of the nearest others, nearest first; cosines: (N, K) float32.
    start: (N,) int64, the partition found without any answer. finer: (L, N) int64, its groups taken apart ever further,
    each row inside the one before; no rows where that was not done.
    """

    version: int
    ids: np.ndarray
    vectors: np.ndarray
    neighbours: np.ndarray
    cosines: np.ndarray
    start: np.ndarray
    finer: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.int64))

    @cached_property
    def position(self) -> dict[int, int]:
        """Row of each item id."""
        return {int(item): row for row, item in enumerate(self.ids)}
