"""Small worlds for tests: a collection of numbered items, a criterion, questions and answers about them."""

import hashlib
from dataclasses import dataclass

from db import catalog, queue
from db.catalog import NewItem
from db.engine import Database
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict


@dataclass(frozen=True)
class World:
    """A database with one collection, its item ids and one criterion."""

    database: Database
    collection: int
    items: tuple[int, ...]
    criterion: int

    def ask(self, count: int, *, kind: Kind = Kind.PAIR, width: int = 1, retire: bool = False) -> list[int]:
        """Queue questions about successive items; returns their ids."""
        asked = [self.question(start, kind=kind, width=width) for start in range(count)]
        with self.database.write() as s:
            return queue.put(s, self.criterion, asked, retire=retire)

    def question(self, start: int, *, kind: Kind = Kind.PAIR, width: int = 1) -> Question:
        """One question: item `start` with the `width` items after it."""
        ring = [self.items[(start + step) % len(self.items)] for step in range(width + 1)]
        return Question(self.criterion, kind, ring[0], tuple(ring[1:]), "test", probability=0.5, audit=start % 2 == 0)


def new_item(number: int, **more: object) -> NewItem:
    """Item `number`, with a hash of its own."""
    sha = hashlib.sha256(str(number).encode()).hexdigest()
    return NewItem(sha, 64, 48, f"media/{sha[:2]}/{sha}.png", name=f"{number}.png", **more)  # type: ignore[arg-type]


def make_world(database: Database, items: int = 40) -> World:
    """A collection of so many items with one criterion."""
    with database.write() as s:
        collection = catalog.add_collection(s, "things")
        catalog.add_items(s, collection, [new_item(number) for number in range(items)])
        criterion = catalog.add_criterion(s, "kind", collection, "same kind of thing?")
        ids = tuple(item.id for item in catalog.items(s, collection))
    return World(database, collection, ids, criterion)


def answer(
    asked: Question,
    verdict: Verdict = Verdict.SAME,
    *,
    key: str,
    source: str = "ann",
    lease: str | None = None,
    seconds: float | None = 1.5,
) -> Answer:
    """A whole answer that says the same about every pair."""
    verdicts = tuple(PairVerdict(a, b, verdict) for a, b in asked.pairs())
    return Answer(asked.id or 0, verdicts, source, key, seconds, lease)
