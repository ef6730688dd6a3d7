"""A tiny collection with features but without pictures: enough for a trainer, small enough for hundreds of restarts."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from db import catalog, feedback, queue
from db.engine import Database, open_database
from db.nouns import Answer, Item, Kind, PairVerdict, Question, Verdict
from trainer.features import feature_store

DIM = 24


@dataclass(frozen=True)
class World:
    """truth: true group of every item id."""

    database: Database
    url: str
    workspace: Path
    collection: int
    criterion: int
    truth: dict[int, int]

    def answer(self, question: Question, key: str, source: str = "truth", lease: str | None = None) -> int:
        """Answer truthfully; returns the event's id."""
        said = tuple(PairVerdict(a, b, self.verdict(a, b)) for a, b in question.pairs())
        with self.database.write() as s:
            return feedback.record(s, Answer(question.id or 0, said, source, key, lease=lease)).id

    def verdict(self, a: int, b: int) -> Verdict:
        return Verdict.SAME if self.truth[a] == self.truth[b] else Verdict.DIFFERENT

    def say(self, pairs: Sequence[tuple[int, int]], key: str = "", audit: bool = False) -> list[int]:
        """Ask these pairs and answer them truthfully; the events' ids."""
        asked = [Question(self.criterion, Kind.PAIR, a, (b,), "test", audit=audit) for a, b in pairs]
        with self.database.write() as s:
            put = queue.put(s, self.criterion, asked, retire=False)
            asked = [queue.question(s, number) for number in put]
        return [self.answer(question, f"{key}-{question.id}") for question in asked]

    def random_pairs(self, count: int, seed: int = 0) -> list[tuple[int, int]]:
        rng = np.random.default_rng(seed)
        ids = np.array(sorted(self.truth))
        return [(int(a), int(b)) for a, b in (rng.choice(ids, 2, replace=False) for _ in range(count))]


class FakeEncoder:
    """Reads the features straight out of the "picture": its bytes are float32 numbers."""

    name, dim, input_size = "lite0", DIM, 1

    def square(self, encoded: bytes) -> np.ndarray:
        return np.frombuffer(encoded, np.uint8)

    def encode_squares(self, squares: np.ndarray) -> np.ndarray:
        return np.stack([square.view(np.float32) for square in squares])


def make_world(
    folder: Path, *, items: int = 60, groups: int = 3, embedded: bool = True, url: str | None = None
) -> World:
    """A collection of `items` in `groups` true groups under one criterion, with features unless `embedded` is False."""
    url = url or f"sqlite:///{folder / 'pairwright.sqlite'}"
    database = open_database(url)
    with database.write() as s:
        collection = catalog.add_collection(s, "things")
        criterion = catalog.add_criterion(s, "kind", collection, "The same kind of thing?")
    world = World(database, url, folder, collection, criterion, {})
    grow(world, items, groups, embedded=embedded)
    return world


def grow(world: World, items: int, groups: int = 3, *, seed: int = 0, embedded: bool = True) -> list[Item]:
    """Add items; their features show the true group, weakly."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(groups, DIM))
    truth = np.arange(items) % groups
    features = (centres[truth] + 0.8 * rng.normal(size=(items, DIM))).astype(np.float32)
    pictures = [row.tobytes() for row in features]
    names = [sha256(picture).hexdigest() for picture in pictures]
    (world.workspace / "media").mkdir(exist_ok=True)
    for name, picture in zip(names, pictures, strict=True):
        (world.workspace / "media" / name).write_bytes(picture)
    with world.database.write() as s:
        catalog.add_items(s, world.collection, [catalog.NewItem(name, 1, 1, f"media/{name}") for name in names])
        all_items = catalog.items(s, world.collection)
    group = dict(zip(names, truth.tolist(), strict=True))
    world.truth.update({item.id: group[item.sha256] for item in all_items if item.sha256 in group})
    if embedded:
        feature_store(world.workspace, world.collection, "lite0").extend(FakeEncoder(), all_items, world.workspace)
    return all_items
