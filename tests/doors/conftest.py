"""Two workspaces that hold the same pictures under other ids: what leaves the one must arrive in the other."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from app.cli.main import run
from app.importers import decode
from db import catalog, feedback, queue
from db.engine import Database, open_database
from db.nouns import Answer, Item, Kind, PairVerdict, Question, Statement, Verdict
from tests.importers.conftest import paint

COUNT = 16
SCREENS = (
    (Kind.TICK, 0, (1, 2, 3), ("same", "different", "unsure"), True),
    (Kind.PAIR, 4, (5,), ("same",), False),
    (Kind.ODD, 6, (7, 8), ("same", "not_comparable"), False),
    (Kind.PAIR, 9, (10,), ("different",), False),
)


@dataclass(frozen=True)
class Place:
    """A workspace with its database open and one collection `things` under the criterion `kind`."""

    workspace: Path
    database: Database

    def items(self, collection: str = "things") -> list[Item]:
        with self.database.read() as s:
            return list(catalog.items(s, catalog.collection_id(s, collection)))

    def said(self) -> list[Statement]:
        with self.database.read() as s:
            return feedback.statements(s, catalog.criterion(s, "kind").id)

    def say(self, *words: object) -> int:
        return run([*map(str, words), "--workspace", str(self.workspace)])


def pictures(folder: Path) -> Path:
    """Sixteen pictures."""
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"p{number:02}.png").write_bytes(paint(number))
    return folder


def begin(workspace: Path, source: Path, backwards: bool = False) -> Place:
    """Bring the pictures in; the other way round their ids differ."""
    workspace.mkdir()
    database = open_database(f"sqlite:///{workspace / 'pairwright.sqlite'}")
    new = []
    for path in sorted(source.iterdir(), reverse=backwards):
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        stored = decode.store(path.read_bytes(), sha, workspace)
        assert isinstance(stored, decode.Stored)
        new.append(catalog.NewItem(sha, stored.width, stored.height, stored.path, path.name))
    with database.write() as s:
        collection = catalog.add_collection(s, "things")
        catalog.add_items(s, collection, new)
        catalog.add_criterion(s, "kind", collection, "Same kind?")
    return Place(workspace, database)


def answered(place: Place) -> None:
    """Four screens, one of them taken back and one undo taken back again."""
    items = sorted(place.items(), key=lambda item: item.name)
    with place.database.write() as s:
        criterion = catalog.criterion(s, "kind").id
        events = []
        for number, (kind, anchor, candidates, words, audit) in enumerate(SCREENS):
            asked = Question(
                criterion, kind, items[anchor].id, tuple(items[one].id for one in candidates), "test", 0.25, audit,
                reason="=why", expected=tuple(0.5 for _ in candidates),
            )  # fmt: skip
            (question,) = queue.put(s, criterion, [asked], retire=False)
            said = tuple(
                PairVerdict(asked.anchor, items[one].id, Verdict(word), 0.75 if word == "same" else None, one == 5)
                for one, word in zip(candidates, words, strict=True)
            )
            source = "ann" if number % 2 else "=2+3"
            events.append(feedback.record(s, Answer(question, said, source, f"key{number}", 1.5)).id)
        gone = feedback.undo(s, events[3], "undo3", "ann")
        back = feedback.undo(s, events[2], "undo2", "ann")
        feedback.undo(s, back.id, "undo2-undone", "ann")
        assert gone.id


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both workspaces, to be copied: opening a new database takes longer than any of these tests."""
    root = tmp_path_factory.mktemp("furnished")
    source = pictures(root / "pictures")
    place = begin(root / "here", source)
    answered(place)
    place.database.close()
    begin(root / "there", source, backwards=True).database.close()
    return root


def copied(furnished: Path, name: str, tmp_path: Path) -> Iterator[Place]:
    shutil.copytree(furnished / name, tmp_path / name)
    database = open_database(f"sqlite:///{tmp_path / name / 'pairwright.sqlite'}")
    yield Place(tmp_path / name, database)
    database.close()


@pytest.fixture
def here(furnished: Path, tmp_path: Path) -> Iterator[Place]:
    """Where the answers were given."""
    yield from copied(furnished, "here", tmp_path)


@pytest.fixture
def there(furnished: Path, tmp_path: Path) -> Iterator[Place]:
    """The same pictures, other ids, no answer yet."""
    yield from copied(furnished, "there", tmp_path)


def told(place: Place) -> list[tuple[object, ...]]:
    """What stands, by the names of the images and without ids."""
    names = {item.id: item.name for item in place.items()}
    numbers: dict[int, int] = {}
    return [
        (numbers.setdefault(one.answer, len(numbers)), names[one.a], names[one.b], one.verdict, one.source,
         one.confidence, one.background, one.audit, one.probability)
        for one in place.said()
    ]  # fmt: skip


def logged(place: Place) -> list[tuple[object, ...]]:
    """Every event in order, by the names of the images and without ids."""
    names = {item.id: item.name for item in place.items()}
    with place.database.read() as s:
        events = list(feedback.history(s, catalog.criterion(s, "kind").id))
    number = {event.id: place for place, event in enumerate(events)}
    return [
        (event.kind, event.source, event.key, event.seconds, event.late, event.undone, _moment(event.created_at),
         number.get(event.supersedes or 0), event.question.kind, names[event.question.anchor],
         tuple(names[one] for one in event.question.candidates), event.question.proposer, event.question.probability,
         event.question.audit, event.question.expected, event.question.reason,
         tuple((names[one.a], names[one.b], one.verdict, one.confidence, one.background) for one in event.verdicts))
        for event in events
    ]  # fmt: skip


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
